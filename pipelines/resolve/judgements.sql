-- The judgements in force on records and entities that exist; a record is linked by the one accepted last.
CREATE OR REPLACE TEMP TABLE _decided AS
SELECT l.n AS l, r.n AS r, d.judgement, d.reason, d.decided_by, d.decided_at,
    d.judgement = 'positive' AND row_number() OVER (
        PARTITION BY l.n, d.judgement ORDER BY d.decided_at DESC, d.reference_id) = 1 AS links
FROM ({in_force}) d
JOIN _left l ON l.id = d.salesforce_id
JOIN _right_id r ON r.id = d.reference_id
-- One whose evidence has changed since comes back to review: see inherited.sql.
ANTI JOIN _changed_decision c ON c.salesforce_id = d.salesforce_id AND c.reference_id = d.reference_id
WHERE d.object = $object
