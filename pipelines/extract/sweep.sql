-- Live records that an Id-only job no longer lists: gone for good since the last time every Id was compared.
INSERT INTO ops.record_event BY NAME
SELECT $run AS run_id, $object AS object_name, o."Id" AS salesforce_id, 'deleted' AS event, NULL::VARCHAR AS related_id,
  NULL::TIMESTAMP AS occurred_at, $now AS detected_at
FROM $stored AS o WHERE $absent
