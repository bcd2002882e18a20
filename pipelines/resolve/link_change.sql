-- Links of the run before against those of this one.
WITH now AS (
    SELECT salesforce_id, reference_id, method FROM crosswalk.{object} WHERE status = 'linked'
)
SELECT $run_id AS run_id, $object AS object, coalesce(n.salesforce_id, p.salesforce_id) AS salesforce_id,
    CASE WHEN p.reference_id IS NULL THEN 'made' WHEN n.reference_id IS NULL THEN 'lost' ELSE 'moved' END AS change,
    p.reference_id AS old_reference_id, n.reference_id AS new_reference_id,
    CASE WHEN n.method = 'person' OR p.method = 'person' OR f.l IS NOT NULL THEN 'decision'
        WHEN p.reference_id IS NOT NULL AND old.id IS NULL THEN 'reference'
        WHEN NOT $same_model THEN 'model' ELSE 'data' END AS cause,
    $now AS changed_at
FROM now n
FULL JOIN _previous p ON p.salesforce_id = n.salesforce_id
LEFT JOIN _right old ON old.id = p.reference_id
LEFT JOIN _left l ON l.id = p.salesforce_id
LEFT JOIN _forbidden f ON f.l = l.n AND f.r = old.n
WHERE n.reference_id IS DISTINCT FROM p.reference_id
