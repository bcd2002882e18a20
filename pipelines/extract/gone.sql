-- Stored live records that the org no longer has, or has left: $event tells which, $which finds them.
INSERT INTO ops.record_event BY NAME
SELECT $run AS run_id, $object AS object_name, o."Id" AS salesforce_id, $event AS event, NULL::VARCHAR AS related_id,
  []::VARCHAR[] AS related_ids, g.deleted_at AS occurred_at, $now AS detected_at
FROM $which
