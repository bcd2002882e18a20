-- A value that only came from elsewhere keeps the run and time at which it appeared.
INSERT INTO imports.value BY NAME
SELECT
  $entity AS entity,
  reference_id,
  field,
  new_value AS value,
  CASE WHEN new_value IS DISTINCT FROM old_value THEN old_value ELSE previous_value END AS previous_value,
  object,
  salesforce_id,
  source_field,
  CASE WHEN new_value IS DISTINCT FROM old_value THEN $run_id ELSE run_id END AS run_id,
  CASE WHEN new_value IS DISTINCT FROM old_value THEN $at::TIMESTAMP ELSE changed_at END AS changed_at
FROM import_delta
WHERE new_value IS NOT NULL
