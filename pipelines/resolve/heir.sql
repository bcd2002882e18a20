-- What the records that became part of others lead to now. Few have one: joined record by record with both sides, in the
-- statement that writes every link, they took as much memory as all the others together.
CREATE OR REPLACE TEMP TABLE _heir AS
SELECT d.salesforce_id, r.id AS reference_id
FROM _departed d
JOIN _left l ON l.id = d.merged_into
JOIN _outcome o ON o.l = l.n AND o.status = 'linked'
JOIN _right r ON r.n = o.r;
