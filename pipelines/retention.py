"""How long things are kept: history and records of runs, the feed of changes, earlier snapshots.

Landed pages go when the next run plans its jobs (``resources.landing.prune``). What is in force is never removed.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import duckdb

from data_contracts.settings import Retention
from pipelines.imports.feed import note_first
from pipelines.publish.snapshot_files import earlier_snapshots
from pipelines.tables import table_columns
from resources.home import Home

#: Table → the moment (UTC) of a row by which it grows old; a row without one is in force.
AGES = {
    "ops.link_history": "valid_to",
    "ops.ownership_history": "valid_to",
    "ops.link_change": "changed_at",
    "ops.record_event": "detected_at",
    "ops.reject": "rejected_at",
    "ops.schema_change": "detected_at",
    "ops.publication": "happened_at",
    "ops.alarm": "cleared_at",
    "imports.change": "changed_at",
}
#: Tables of runs, that go with their run.
OF_RUNS = ("ops.run_statistics", "ops.api_usage", "ops.link_segment", "ops.fill_rate", "ops.sync_run")
#: Runs whose records stay however old they are.
LEAST_RUNS = 30


@dataclass
class Expired:
    """What was removed for its age: rows by table, earlier snapshots."""

    rows: dict[str, int] = field(default_factory=dict)
    snapshots: int = 0


def expire(con: duckdb.DuckDBPyConnection, home: Home, retention: Retention, now: datetime) -> Expired:
    """Remove what is older than the settings keep it; call it under the home's lock, before publishing."""
    told = Expired()
    limit = (now - timedelta(days=retention.history_days)).astimezone(UTC).replace(tzinfo=None)
    for table, column in AGES.items():
        # The last row of a feed stays: the number of the next one follows from it.
        last = " AND sequence < (SELECT max(sequence) FROM imports.change)" if table == "imports.change" else ""
        if column in table_columns(con, table):
            _delete(con, told, table, f"{column} < $limit{last}", limit)
    note_first(con)
    if "started_at" in table_columns(con, "ops.sync_run"):
        old = (
            "run_id IN (SELECT run_id FROM ops.sync_run WHERE started_at < $limit AND run_id NOT IN "
            f"(SELECT run_id FROM ops.sync_run ORDER BY started_at DESC LIMIT {LEAST_RUNS}))"
        )
        for table in OF_RUNS:
            if "run_id" in table_columns(con, table):
                _delete(con, told, table, old, limit)
    if retention.snapshot_days is not None:
        oldest = (now - timedelta(days=retention.snapshot_days)).timestamp()
        for path in earlier_snapshots(home):
            if path.stat().st_mtime < oldest:
                path.unlink()
                told.snapshots += 1
    return told


def _delete(con: duckdb.DuckDBPyConnection, told: Expired, table: str, condition: str, limit: datetime) -> None:
    count = con.execute(f"DELETE FROM {table} WHERE {condition}", {"limit": limit}).fetchall()[0][0]
    if count:
        told.rows[table] = int(count)
