-- Where a field's value or its origin is another than what stands in imports.value.
CREATE OR REPLACE TEMP TABLE import_delta AS
SELECT
  field,
  reference_id,
  now.value AS new_value,
  old.value AS old_value,
  old.previous_value,
  coalesce(now.object, old.object) AS object,
  coalesce(now.salesforce_id, old.salesforce_id) AS salesforce_id,
  CASE WHEN now.reference_id IS NULL THEN old.source_field ELSE now.source_field END AS source_field,
  old.object AS old_object,
  old.salesforce_id AS old_salesforce_id,
  old.run_id,
  old.changed_at
FROM ({now}) AS now
FULL JOIN (SELECT * FROM imports.value WHERE entity = $entity AND field IN ({part}) {within}) AS old
  USING (field, reference_id)
WHERE now.value IS DISTINCT FROM old.value
  OR now.salesforce_id IS DISTINCT FROM old.salesforce_id
  OR now.source_field IS DISTINCT FROM old.source_field
