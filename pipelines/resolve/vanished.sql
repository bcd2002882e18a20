-- The entity a person accepted last for a live record, where the reference does not have it any more.
CREATE OR REPLACE TEMP TABLE _vanished AS
SELECT l.n AS l, d.reference_id, d.decided_by, d.decided_at
FROM ({in_force}) d
JOIN _left l ON l.id = d.salesforce_id
LEFT JOIN _right_id r ON r.id = d.reference_id
WHERE d.object = $object AND d.judgement = 'positive'
QUALIFY row_number() OVER (PARTITION BY l.n ORDER BY d.decided_at DESC, d.reference_id) = 1 AND r.id IS NULL
