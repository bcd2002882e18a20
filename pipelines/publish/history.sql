-- What each record of one object is found to be now against what is in force: where it differs, the old interval ends and
-- a new one begins.
CREATE OR REPLACE TEMP TABLE _found AS
WITH now AS (FROM ({now})), before AS (
    SELECT * FROM ops.{history} WHERE object = $object AND valid_to IS NULL
)
SELECT n.*, b.salesforce_id AS ended_id
FROM now AS n FULL JOIN before AS b ON b.salesforce_id = n.salesforce_id
WHERE {differs};
UPDATE ops.{history} SET valid_to = $at::TIMESTAMP, ended_run_id = $run_id
WHERE object = $object AND valid_to IS NULL AND salesforce_id IN (SELECT ended_id FROM _found);
INSERT INTO ops.{history} BY NAME
SELECT {columns}, $object AS object, $at::TIMESTAMP AS valid_from, $run_id AS run_id{cause}
FROM _found AS n {causes}
WHERE n.salesforce_id IS NOT NULL;
DROP TABLE _found
