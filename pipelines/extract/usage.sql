-- What each run asked of the org, beside what the org counted from the run's first answer to its last: all of ours but
-- one. The rest was asked by others; it is less than zero where requests of the day before fell out of the org's count
-- meanwhile, or it did not count what it failed to answer.
UPDATE ops.sync_run AS r
SET api_calls = u.calls,
    api_counted = u.counted,
    api_estimated = u.estimated,
    org_used_by_others = r.org_used_after - r.org_used_before - (u.counted - 1)
FROM (
  SELECT run_id,
         sum(calls)::BIGINT AS calls,
         coalesce(sum(calls) FILTER (NOT list_contains(?::VARCHAR[], endpoint)), 0)::BIGINT AS counted,
         sum(estimated)::BIGINT AS estimated
  FROM ops.api_usage
  GROUP BY run_id
) AS u
WHERE u.run_id = r.run_id
  AND (r.api_calls, r.api_counted, r.api_estimated, r.org_used_by_others)
      IS DISTINCT FROM (u.calls, u.counted, u.estimated, r.org_used_after - r.org_used_before - (u.counted - 1));
