-- How many records of the batch are new, changed, newly deleted, merged away, converted and undeleted.
SELECT
  count(*) FILTER (is_new),
  count(*) FILTER (NOT is_new),
  count(*) FILTER (is_deleted AND NOT was_deleted AND master_id IS NULL),
  count(*) FILTER (is_deleted AND master_id IS NOT NULL AND (NOT was_deleted OR old_master_id IS NULL)),
  count(*) FILTER (newly_converted),
  count(*) FILTER (was_deleted AND NOT is_deleted)
FROM incoming_change
