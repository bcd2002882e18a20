-- New or renewed proposals: those undecided take the record's values of today and keep the day they were first made.
CREATE OR REPLACE TEMP TABLE import_proposed AS
SELECT
  $object AS object,
  u.salesforce_id,
  $entity AS entity,
  'proposed' AS status,
  coalesce(u.name, nullif(concat_ws(' ', u.first_name, u.last_name), '')) AS name,
  u.first_name,
  u.last_name,
  u.website,
  u.email,
  coalesce(u.phone, u.mobile) AS phone,
  u.mobile,
  u.title,
  u.industry,
  u.company_id,
  u.street,
  u.city,
  u.state,
  u.postal_code,
  u.country,
  coalesce(p.proposed_at, $at::TIMESTAMP) AS proposed_at,
  coalesce(p.run_id, $run_id) AS run_id
FROM import_unmatched AS u
LEFT JOIN imports.creation_proposal AS p ON p.object = $object AND p.salesforce_id = u.salesforce_id
WHERE coalesce(u.name, u.last_name) IS NOT NULL AND coalesce(p.status, 'proposed') = 'proposed'
