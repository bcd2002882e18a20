CREATE TABLE IF NOT EXISTS _state.org (org_id VARCHAR NOT NULL, username VARCHAR, pinned_at TIMESTAMP NOT NULL);
CREATE TABLE IF NOT EXISTS _state.watermark (
  object VARCHAR NOT NULL, covered_until TIMESTAMP NOT NULL, selection_key VARCHAR NOT NULL, fields VARCHAR[] NOT NULL,
  run_id VARCHAR NOT NULL
);
-- By how many seconds the org's clock was ahead of ours when the job was submitted.
ALTER TABLE _state.watermark ADD COLUMN IF NOT EXISTS clock_offset DOUBLE DEFAULT 0;
-- What the next run of an object has to settle: remedy is full (read everything) or sweep (compare every Id).
CREATE TABLE IF NOT EXISTS _state.doubt (
  object VARCHAR NOT NULL, remedy VARCHAR NOT NULL, reason VARCHAR NOT NULL, run_id VARCHAR NOT NULL
);
-- fetched = new + changed + unchanged; deleted, merged and converted are changes seen by this load.
CREATE TABLE IF NOT EXISTS _state.load_result (
  run_id VARCHAR NOT NULL, object VARCHAR NOT NULL, kind VARCHAR NOT NULL, eligible BIGINT, fetched BIGINT,
  "new" BIGINT, changed BIGINT, unchanged BIGINT, removed BIGINT, deleted BIGINT, merged BIGINT, converted BIGINT,
  over_limit BIGINT, rest_calls BIGINT, bulk_jobs BIGINT, bytes BIGINT, started_at TIMESTAMP, ended_at TIMESTAMP,
  "rows" BIGINT, live BIGINT, rejected BIGINT, landing VARCHAR
);
ALTER TABLE _state.load_result ADD COLUMN IF NOT EXISTS org_count BIGINT;
ALTER TABLE _state.load_result ADD COLUMN IF NOT EXISTS warehouse_count BIGINT;
ALTER TABLE _state.load_result ADD COLUMN IF NOT EXISTS difference BIGINT;
ALTER TABLE _state.load_result ADD COLUMN IF NOT EXISTS explanation VARCHAR;
ALTER TABLE _state.load_result ADD COLUMN IF NOT EXISTS stale_since TIMESTAMP;
ALTER TABLE _state.load_result ADD COLUMN IF NOT EXISTS undeleted BIGINT;
ALTER TABLE _state.load_result ADD COLUMN IF NOT EXISTS recalculated BIGINT;
ALTER TABLE _state.load_result ADD COLUMN IF NOT EXISTS recalculated_fields VARCHAR;
