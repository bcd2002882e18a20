-- Events of this batch; a plain change is none. A record first seen at the very first load is not one: $first drops those.
INSERT INTO ops.record_event BY NAME
SELECT $run AS run_id, $object AS object_name, salesforce_id, event, related_ids[1] AS related_id, related_ids,
  occurred_at, $now AS detected_at
FROM (
  SELECT salesforce_id, occurred_at,
    CASE
      WHEN is_deleted AND master_id IS NOT NULL AND (NOT was_deleted OR old_master_id IS NULL) THEN 'merged'
      WHEN is_deleted AND NOT was_deleted THEN 'deleted'
      WHEN was_deleted AND NOT is_deleted THEN 'undeleted'
      WHEN is_new THEN 'created'
    END AS event,
    CASE WHEN event = 'merged' THEN [master_id] ELSE []::VARCHAR[] END AS related_ids
  FROM incoming_change
  UNION ALL
  SELECT salesforce_id, occurred_at, 'converted', list_filter(converted_to, lambda id: id IS NOT NULL)
  FROM incoming_change WHERE newly_converted
)
WHERE event IS NOT NULL AND NOT ($first AND event = 'created')
