-- Links of the run before against those of this one. What an earlier attempt of this run changed (_noted) is undone first.
-- A new model can only move links it made itself, of records that were there before.
WITH now AS (
    SELECT salesforce_id, reference_id, method FROM crosswalk.{object} WHERE status = 'linked'
), before AS (
    SELECT coalesce(p.salesforce_id, e.salesforce_id) AS salesforce_id, p.method, e.cause, e.new_reference_id,
        CASE WHEN e.salesforce_id IS NULL THEN p.reference_id ELSE e.old_reference_id END AS reference_id
    FROM _previous p FULL JOIN _noted e ON e.salesforce_id = p.salesforce_id
)
SELECT $run_id AS run_id, $object AS object, coalesce(n.salesforce_id, p.salesforce_id) AS salesforce_id,
    CASE WHEN p.reference_id IS NULL THEN 'made' WHEN n.reference_id IS NULL THEN 'lost' ELSE 'moved' END AS change,
    p.reference_id AS old_reference_id, n.reference_id AS new_reference_id,
    CASE WHEN p.cause IS NOT NULL AND p.new_reference_id IS NOT DISTINCT FROM n.reference_id THEN p.cause
        WHEN n.reference_id IS NULL AND d.departure IS NOT NULL THEN d.departure
        WHEN i.l IS NOT NULL OR n.method = 'person' OR p.method = 'person' OR f.l IS NOT NULL THEN 'decision'
        WHEN p.reference_id IS NOT NULL AND old.id IS NULL THEN 'reference'
        WHEN NOT $same_model AND p.salesforce_id IS NOT NULL AND l.id IS NOT NULL AND 'model' IN (n.method, p.method)
        THEN 'model' ELSE 'data' END AS cause,
    $now AS changed_at
FROM now n
FULL JOIN before p ON p.salesforce_id = n.salesforce_id
LEFT JOIN _right old ON old.id = p.reference_id
LEFT JOIN _left l ON l.id = coalesce(n.salesforce_id, p.salesforce_id)
LEFT JOIN _departed d ON d.salesforce_id = coalesce(n.salesforce_id, p.salesforce_id)
LEFT JOIN (SELECT DISTINCT l FROM _inherited) i ON i.l = l.n
LEFT JOIN _forbidden f ON f.l = l.n AND f.r = old.n
WHERE n.reference_id IS DISTINCT FROM p.reference_id
