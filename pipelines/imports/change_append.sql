-- Changed values go to the end of the feed; another origin of the same value is no change.
INSERT INTO imports.change BY NAME
SELECT
  (SELECT coalesce(max(sequence), 0) FROM imports.change) + row_number() OVER (ORDER BY reference_id) AS sequence,
  $entity AS entity,
  reference_id,
  $field AS field,
  old_value,
  new_value,
  object,
  salesforce_id,
  source_field,
  $run_id AS run_id,
  $at::TIMESTAMP AS changed_at
FROM import_delta
WHERE new_value IS DISTINCT FROM old_value
