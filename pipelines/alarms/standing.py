"""How things stand, for ``crosswalk status``: the alarms that are on and how the last run ended, in a small file.

A run that paused or failed publishes nothing, and the warehouse must not be opened beside a run: neither snapshot nor
warehouse can tell. The tables (``ops.alarm``, ``ops.sync_run``) have the whole story.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from pipelines.tables import table_columns
from resources.files import write_atomically
from resources.home import Home


@dataclass(frozen=True)
class LastRun:
    """How the latest run ended; ``message`` says why it failed or paused."""

    run_id: str
    kind: str
    trigger: str
    status: str
    started_at: datetime
    message: str | None


@dataclass(frozen=True)
class StandingAlarm:
    """An alarm that is on, and since when (UTC)."""

    alarm: str
    object: str
    subject: str
    raised_at: datetime
    message: str
    delivery: str | None


@dataclass(frozen=True)
class Standing:
    """The alarms that are on, oldest first, and the latest run."""

    alarms: tuple[StandingAlarm, ...] = ()
    last_run: LastRun | None = None


def note_standing(con: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Write how things stand now; reads ``ops.alarm`` and ``ops.sync_run``, where they are."""
    alarms, runs = [], []
    if table_columns(con, "ops.alarm"):
        alarms = con.execute(
            "SELECT alarm, object, subject, raised_at, message, delivery FROM ops.alarm WHERE cleared_at IS NULL "
            "ORDER BY raised_at, alarm, object, subject"
        ).fetchall()
    if table_columns(con, "ops.sync_run"):
        runs = con.execute(
            "SELECT run_id, kind, trigger, status, started_at, message FROM ops.sync_run "
            "ORDER BY started_at DESC LIMIT 1"
        ).fetchall()
    told = {
        "alarms": [vars(StandingAlarm(*row)) for row in alarms],
        "last_run": vars(LastRun(*runs[0])) if runs else None,
    }
    write_atomically(home.standing, json.dumps(told, indent=1, default=datetime.isoformat))


def read_standing(home: Home) -> Standing:
    """Return how things stood last; nothing where no run has said, or the file is not whole."""
    try:
        told = json.loads(home.standing.read_text(encoding="utf-8"))
        last = told["last_run"]
        return Standing(
            tuple(StandingAlarm(**_timed(item, "raised_at")) for item in told["alarms"]),
            LastRun(**_timed(last, "started_at")) if last else None,
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        # The next run writes it anew; the tables have it all the while.
        return Standing()


def _timed(item: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {**item, name: datetime.fromisoformat(item[name])}
