-- What the tables of the runs give cause for: alarm, object, subject, measured, threshold, and figures for the message.
-- Runs that failed count too: an object they loaded is loaded.
WITH rates AS (
  SELECT object, link_rate AS rate, started_at FROM ops.run_statistics WHERE link_rate IS NOT NULL
), fills AS (
  SELECT object, field, fill_rate AS rate, records, started_at FROM ops.fill_rate
), fetches AS (
  SELECT object, started_at, fetch_ended_at, coalesce(removed, 0) + coalesce(deleted, 0) AS gone, warehouse_count AS held,
    coalesce(new, 0) + coalesce(changed, 0) + coalesce(removed, 0) + coalesce(deleted, 0) + coalesce(merged, 0)
      + coalesce(undeleted, 0) AS changes
  FROM ops.run_statistics WHERE fetched IS NOT NULL AND fetch_started_at IS NOT NULL
), best_rate AS (
  SELECT object, rate, max(rate) OVER earlier AS best FROM rates
  WINDOW earlier AS (PARTITION BY object ORDER BY started_at ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING)
  QUALIFY row_number() OVER (PARTITION BY object ORDER BY started_at DESC) = 1
), best_fill AS (
  SELECT object, field, rate, records, max(rate) OVER earlier AS best FROM fills
  WINDOW earlier AS (PARTITION BY object, field ORDER BY started_at ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING)
  QUALIFY row_number() OVER (PARTITION BY object, field ORDER BY started_at DESC) = 1
), last_fetch AS (
  SELECT * FROM fetches QUALIFY row_number() OVER (PARTITION BY object ORDER BY started_at DESC) = 1
), quiet AS (
  -- A run without a change before the first one that is known of says nothing of the days before it.
  SELECT object, coalesce(max(started_at) FILTER (changes > 0), min(started_at)) AS since FROM fetches
  GROUP BY object
), drift AS (
  SELECT lower(object_name) AS object, field_name AS field, change, message, run_id FROM ops.schema_change WHERE needed
  QUALIFY row_number() OVER (PARTITION BY object_name, field_name ORDER BY detected_at DESC) = 1
)
SELECT 'link_rate_fell' AS alarm, object, '*' AS subject, best - rate AS measured, $link_rate_drop AS threshold,
  format('the link rate is {:.1f} %, and was {:.1f} % in the best of the seven runs before', rate * 100, best * 100)
    AS message
FROM best_rate WHERE best - rate > $link_rate_drop
UNION ALL BY NAME
SELECT 'fill_rate_fell' AS alarm, object, field AS subject, best - rate AS measured, $fill_rate_drop AS threshold,
  format('{} is filled in {:.1f} % of {} records, and was in {:.1f} % in the best of the seven runs before', field,
    rate * 100, records, best * 100) AS message
FROM best_fill WHERE best - rate > $fill_rate_drop AND records >= $fewest
UNION ALL BY NAME
SELECT 'many_removed' AS alarm, object, '*' AS subject, gone / (held + gone) AS measured, $removed_share AS threshold,
  format('{} of {} records were found removed or deleted ({:.1f} %)', gone, held + gone, gone / (held + gone) * 100)
    AS message
FROM last_fetch WHERE gone > 0 AND gone / (held + gone) > $removed_share
UNION ALL BY NAME
SELECT 'no_data_changed' AS alarm, object, '*' AS subject, date_diff('hour', since, $now::TIMESTAMP) / 24 AS measured,
  $stale_after_days AS threshold,
  format('no record has changed since {}: is somebody still working in this org, and are its records shared with the '
    || 'integration user?', strftime(since, '%Y-%m-%d')) AS message
FROM quiet WHERE object IN $watched AND date_diff('hour', since, $now::TIMESTAMP) / 24 > $stale_after_days
UNION ALL BY NAME
SELECT 'schema_drift' AS alarm, object, field AS subject, NULL AS measured, NULL AS threshold,
  concat(field, ' was ', change, coalesce(': ' || message, '')) AS message
FROM drift
-- What is gone stays wrong until it returns; what was changed was dealt with by the run that noticed.
WHERE change IN ('removed', 'hidden') OR (change IN ('retyped', 'resized') AND run_id = $run_id)
ORDER BY alarm, object, subject
