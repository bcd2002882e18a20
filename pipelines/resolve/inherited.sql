-- Judgements in force that decide nothing any more and are asked about again. Those on records that were merged into, or
-- converted to, a record of this object; the record's own judgement on the same entity counts instead. And the record's
-- own ones whose evidence has changed since: changed says what. "Unsure" is not passed on: it asks for nothing.
CREATE OR REPLACE TEMP TABLE _inherited AS
WITH passed AS (
    SELECT l.n AS l, r.n AS r, d.judgement, d.decided_by, d.decided_at, d.salesforce_id AS from_id, d.reference_id,
        NULL::VARCHAR AS changed
    FROM ({in_force}) d
    JOIN ({passed_on}) p ON p.object = d.object AND p.id = d.salesforce_id
    JOIN _left l ON l.id = p.to_id
    JOIN _right_id r ON r.id = d.reference_id
    LEFT JOIN _decided own ON own.l = l.n AND own.r = r.n
    WHERE d.judgement IN ('positive', 'negative') AND own.l IS NULL
), returned AS (
    SELECT l.n AS l, r.n AS r, d.judgement, d.decided_by, d.decided_at, d.salesforce_id AS from_id, d.reference_id, c.changed
    FROM ({in_force}) d
    JOIN _changed_decision c ON c.salesforce_id = d.salesforce_id AND c.reference_id = d.reference_id
    JOIN _left l ON l.id = d.salesforce_id
    JOIN _right_id r ON r.id = d.reference_id
    WHERE d.object = $object AND d.judgement IN ('positive', 'negative')
)
SELECT * FROM (FROM passed UNION ALL FROM returned)
QUALIFY row_number() OVER (PARTITION BY l, r ORDER BY changed IS NULL, decided_at DESC, from_id, judgement) = 1
