"""Handing alarms on from a step or a sensor: to the log, and to whom the settings name. None is looked for here."""

import os
from collections.abc import Sequence

import duckdb

from data_contracts.settings import Settings
from pipelines.alarms.alarm import Alarm
from pipelines.alarms.delivery import Tell, deliver
from pipelines.alarms.record import Changes, note_delivery, record_alarms
from pipelines.run import RunContext
from resources.wiring import now


def tell(con: duckdb.DuckDBPyConnection, settings: Settings, changes: Changes, warn: Tell) -> None:
    """Deliver what changed, and record who was told; a failure is heard by ``warn`` and stops nothing."""
    for item in changes.raised:
        warn(f"{item.code}: {item.message}")
    told = deliver(settings.alerts, os.environ, changes, warn)
    note_delivery(con, changes.raised, told)


def raise_alarms(
    con: duckdb.DuckDBPyConnection, settings: Settings, run: RunContext, found: Sequence[Alarm], warn: Tell
) -> None:
    """Raise what a run that ends early has found; nothing is cleared, for nothing else was looked for."""
    if found:
        tell(con, settings, record_alarms(con, found, lambda *_: False, run_id=run.run_id, at=now()), warn)
