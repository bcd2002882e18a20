-- Of the pairs known to be true: how many met at all, and how many each kind of key (or the rungs) brought.
WITH truth AS (
    SELECT DISTINCT t.salesforce_id, t.reference_id FROM {truth} t
    JOIN standard.{object} l ON l.salesforce_id = t.salesforce_id
    JOIN standard.{kind} r ON r.{kind}_id = t.reference_id
), met AS (
    SELECT t.*, c.salesforce_id IS NOT NULL OR h.salesforce_id IS NOT NULL AS met,
        coalesce(c.block_keys, []) || CASE WHEN c.rule_code IS NULL THEN [] ELSE ['rungs'] END AS brought
    FROM truth t LEFT JOIN match.{object}_candidate c USING (salesforce_id, reference_id)
    LEFT JOIN ({hopeless}) h USING (salesforce_id, reference_id)
)
SELECT NULL AS brought_by, count(*) AS pairs, count(*) FILTER (met) AS met FROM met
UNION ALL
SELECT key, (SELECT count(*) FROM met), count(*) FROM (SELECT unnest(brought) AS key FROM met WHERE met) GROUP BY key
ORDER BY brought_by NULLS FIRST
