"""Handing alarms on from a step or a sensor: to the log, and to whom the settings name. None is looked for here."""

import os
from collections.abc import Sequence

import duckdb

from data_contracts.settings import Settings
from pipelines.alarms.alarm import Alarm
from pipelines.alarms.delivery import Tell, deliver
from pipelines.alarms.record import Changes, note_delivery, record_alarms
from pipelines.alarms.standing import note_standing
from pipelines.run import RunContext
from resources.home import Home
from resources.wiring import CrosswalkResource, now


def tell(con: duckdb.DuckDBPyConnection, home: Home, settings: Settings, changes: Changes, warn: Tell) -> None:
    """Deliver what changed, and record who was told; a failure is heard by ``warn`` and stops nothing."""
    for item in changes.raised:
        warn(f"{item.code}: {item.message}")
    told = deliver(settings.alerts, os.environ, changes, warn)
    note_delivery(con, changes.raised, told)
    note_standing(con, home)


def raise_alarms(
    con: duckdb.DuckDBPyConnection, crosswalk: CrosswalkResource, run: RunContext, found: Sequence[Alarm], warn: Tell
) -> None:
    """Raise what a run that ends early has found; nothing is cleared, for nothing else was looked for."""
    changes = record_alarms(con, found, lambda *_: False, run_id=run.run_id, at=now())
    tell(con, crosswalk.home, crosswalk.settings, changes, warn)
