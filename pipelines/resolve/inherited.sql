-- Judgements in force on records that were merged into, or converted to, a record of this object; the record's own
-- judgement on the same entity counts instead. "Unsure" is not passed on: it asks for nothing.
CREATE OR REPLACE TEMP TABLE _inherited AS
SELECT l.n AS l, r.n AS r, d.judgement, d.decided_by, d.decided_at, d.salesforce_id AS from_id, d.reference_id
FROM ({in_force}) d
JOIN ({passed_on}) p ON p.object = d.object AND p.id = d.salesforce_id
JOIN _left l ON l.id = p.to_id
JOIN _right r ON r.id = d.reference_id
LEFT JOIN _decided own ON own.l = l.n AND own.r = r.n
WHERE d.judgement IN ('positive', 'negative') AND own.l IS NULL
QUALIFY row_number() OVER (PARTITION BY l.n, r.n ORDER BY d.decided_at DESC, d.salesforce_id, d.judgement) = 1
