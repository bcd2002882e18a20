"""The record of each run in ``ops.sync_run``: begun, ended, and what became of runs that were killed."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import duckdb

from data_contracts.contracts import load_contract
from pipelines.run import RunContext
from pipelines.tables import ensure_table

KILLED = "the process ended before the run was over; what was published before it stays"


def begin_run(
    con: duckdb.DuckDBPyConnection,
    run: RunContext,
    *,
    org_id: str | None = None,
    window: str | None = None,
    published_run_id: str | None = None,
) -> int:
    """Record ``run`` as running and return how many earlier ones were found dead and marked failed.

    Call it under the home's lock: nothing else can be running then, so a row that says so was killed. The one whose
    snapshot is published (``published_run_id``) was killed after its rename, and did succeed. The same run begun
    again (Dagster's re-execution) replaces its row.
    """
    ensure_table(con, load_contract("ops.sync_run"))
    con.execute(
        "UPDATE ops.sync_run SET status = 'succeeded', ended_at = greatest(started_at, ?), message = NULL "
        "WHERE run_id = ? AND status <> 'succeeded'",
        [_now(), published_run_id],
    ).fetchall()
    dead = con.execute(
        "UPDATE ops.sync_run SET status = 'failed', ended_at = greatest(started_at, ?), message = ? "
        "WHERE status = 'running' AND run_id <> ?",
        [_now(), KILLED, run.run_id],
    ).fetchall()
    # Its first try has asked the org too: where the org's own count stood before that is where both began.
    tried = con.execute("SELECT org_used_before FROM ops.sync_run WHERE run_id = ?", [run.run_id]).fetchall()
    con.execute("DELETE FROM ops.sync_run WHERE run_id = ?", [run.run_id]).fetchall()
    con.execute(
        'INSERT INTO ops.sync_run (run_id, kind, trigger, status, started_at, org_id, settings_hash, "window", '
        "process_id, host, crosswalk_version, org_used_before) VALUES (?, ?, ?, 'running', ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            run.run_id,
            run.kind,
            run.trigger,
            _naive(run.started_at),
            org_id,
            run.settings_hash,
            window,
            os.getpid(),
            platform.node(),
            _version(),
            tried[0][0] if tried else None,
        ],
    ).fetchall()
    return int(dead[0][0])


def is_begun(con: duckdb.DuckDBPyConnection, run_id: str) -> bool:
    """Whether a run has a record: one that pauses before its first step has none yet."""
    ensure_table(con, load_contract("ops.sync_run"))
    return bool(con.execute("SELECT 1 FROM ops.sync_run WHERE run_id = ?", [run_id]).fetchall())


def note_org(con: duckdb.DuckDBPyConnection, run: RunContext, org_id: str) -> None:
    """Record which org ``run`` reads; it is known only once the run has signed in."""
    con.execute("UPDATE ops.sync_run SET org_id = ? WHERE run_id = ?", [org_id, run.run_id]).fetchall()


def finish_run(
    con: duckdb.DuckDBPyConnection,
    run: RunContext,
    status: Literal["succeeded", "failed", "paused"],
    message: str | None = None,
) -> None:
    """Record how ``run`` ended; ``message`` says why it failed or paused, without personal data.

    A run of which a step has failed stays failed when the rest of it pauses.
    """
    con.execute(
        "UPDATE ops.sync_run SET status = ?, ended_at = greatest(started_at, ?), message = ? "
        "WHERE run_id = ? AND NOT (status = 'failed' AND ? = 'paused')",
        [status, _now(), message, run.run_id, status],
    ).fetchall()


def fail_run(con: duckdb.DuckDBPyConnection, run_id: str, message: str) -> None:
    """Record that a running run failed; the first of several reasons stays."""
    con.execute(
        "UPDATE ops.sync_run SET status = 'failed', ended_at = greatest(started_at, ?), message = ? "
        "WHERE run_id = ? AND status = 'running'",
        [_now(), message, run_id],
    ).fetchall()


def _now() -> datetime:
    return _naive(datetime.now(UTC))


def _naive(moment: datetime) -> datetime:
    """Return ``moment`` as the UTC wall clock DuckDB's TIMESTAMP columns hold."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _version() -> str:
    try:
        return version("crosswalk")
    except PackageNotFoundError:
        return "unknown"
