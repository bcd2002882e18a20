-- Records people have decided on, themselves or what became part of them; and departed records as they are now.
CREATE OR REPLACE TEMP TABLE _asked AS
SELECT DISTINCT salesforce_id AS id FROM ({in_force}) WHERE object = $object
UNION SELECT p.to_id FROM ({in_force}) d JOIN ({passed_on}) p ON p.object = d.object AND p.id = d.salesforce_id;
CREATE OR REPLACE TEMP TABLE _departed_now AS
SELECT d.salesforce_id AS id, d.merged_into, hash(d, x.reference_id) AS sig
FROM _departed d LEFT JOIN crosswalk.contact x ON x.salesforce_id = d.contact_id AND x.status = 'linked';
