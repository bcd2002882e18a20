-- Changed values go to the end of the feed; another origin of the same value is no change. Why the record a value came
-- from no longer speaks for the entity is in import_withdrawn, what the write mode of its field holds back in import_held.
INSERT INTO imports.change BY NAME
SELECT
  $last + row_number() OVER (ORDER BY list_position($fields::VARCHAR[], field), reference_id) AS sequence,
  $entity AS entity,
  reference_id,
  field,
  old_value,
  new_value,
  d.object,
  d.salesforce_id,
  source_field,
  CASE
    WHEN list_contains($gone::VARCHAR[], field) THEN 'mapping'
    WHEN h.field IS NOT NULL THEN 'mode'
    WHEN old_salesforce_id IS NULL OR old_salesforce_id = d.salesforce_id AND w.cause IS NULL THEN 'record'
    ELSE coalesce(w.cause, 'primary')
  END AS cause,
  $run_id AS run_id,
  $at::TIMESTAMP AS changed_at
FROM import_delta AS d
LEFT JOIN import_withdrawn AS w ON w.object = old_object AND w.salesforce_id = old_salesforce_id
LEFT JOIN import_held AS h USING (reference_id, field)
WHERE new_value IS DISTINCT FROM old_value
