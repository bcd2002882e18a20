-- One row per object the run fetched or the warehouse matches; {{...}} parts depend on which tables there are.
INSERT INTO ops.run_statistics BY NAME
WITH fetched AS ({fetches}),
linked AS ({links}),
imported AS ({imports}),
planned AS ({outcomes}),
objects AS (SELECT object FROM fetched UNION SELECT object FROM linked UNION SELECT object FROM planned)
SELECT
  $run_id AS run_id,
  o.object,
  coalesce(f.kind, 'none') AS kind,
  $trigger AS trigger,
  $settings_hash AS settings_hash,
  $at::TIMESTAMP AS started_at,
  f.started_at AS fetch_started_at,
  f.ended_at AS fetch_ended_at,
  f.eligible,
  f.fetched,
  f.new,
  f.changed,
  f.unchanged,
  f.removed,
  f.deleted,
  f.merged,
  f.converted,
  f.over_limit,
  l.records,
  l.linked,
  l.linked_by_rule,
  l.linked_by_model,
  l.linked_by_person,
  l.in_review,
  l.unmatched,
  l.skipped,
  l.distinct_entities,
  l.linked - l.distinct_entities AS duplicates,
  l.linked / nullif(l.records - l.skipped, 0) AS link_rate,
  i.written AS imports_written,
  i.unchanged AS imports_unchanged,
  i.failed AS imports_failed,
  f.rest_calls,
  f.bulk_jobs,
  f.bytes,
  f.org_count,
  f.warehouse_count,
  f.difference,
  f.explanation,
  f.stale_since,
  p.reason
FROM objects AS o
LEFT JOIN fetched AS f USING (object)
LEFT JOIN linked AS l USING (object)
LEFT JOIN imported AS i USING (object)
LEFT JOIN planned AS p USING (object)
