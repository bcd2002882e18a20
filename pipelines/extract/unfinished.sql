-- The latest load of an object in full, if its run ended without a result and no run has succeeded since.
SELECT 1
FROM (
  SELECT run_id, ended_at FROM _state.load_result WHERE object = $object AND kind = 'full' AND landing IS NOT NULL
  ORDER BY ended_at DESC LIMIT 1
) AS load
JOIN ops.sync_run AS run USING (run_id)
WHERE run.run_id <> $run AND run.kind = 'full' AND run.status IN ('running', 'failed', 'paused') AND load.ended_at >= $oldest
  AND NOT EXISTS (FROM ops.sync_run AS later WHERE later.status = 'succeeded' AND later.started_at >= run.started_at)
