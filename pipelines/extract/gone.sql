-- Live records that a full, unrestricted batch no longer holds: deleted for good since the last one.
INSERT INTO ops.record_event BY NAME
SELECT $run AS run_id, $object AS object_name, o."Id" AS salesforce_id, 'deleted' AS event, NULL::VARCHAR AS related_id,
  NULL::TIMESTAMP AS occurred_at, $now AS detected_at
FROM $stored AS o ANTI JOIN $incoming AS n ON o."Id" = n."Id"
WHERE $gone
