-- What this batch changes, one row per record that is new or differs from what is stored.
-- At the very first load only deleted and converted records are listed: all are new.
-- $incoming and $stored are tables; the other names are columns, or NULL where the object has none.
CREATE OR REPLACE TEMP TABLE incoming_change AS
SELECT
  n."Id" AS salesforce_id,
  o."Id" IS NULL AS is_new,
  o.rowid AS place,
  coalesce(o._is_deleted, false) AS was_deleted,
  n._is_deleted AS is_deleted,
  $new_master AS master_id,
  $old_master AS old_master_id,
  coalesce($new_converted, false) AND NOT coalesce($old_converted, false) AS newly_converted,
  [$converted_contact, $converted_account, $converted_opportunity]::VARCHAR[] AS converted_to,
  $new_stamp AS occurred_at
FROM $incoming AS n LEFT JOIN $stored AS o ON o."Id" = n."Id"
WHERE (o."Id" IS NULL OR ($not_older AND ($differs OR o._is_deleted <> n._is_deleted)))
  AND (NOT $first OR n._is_deleted OR coalesce($new_converted, false))
