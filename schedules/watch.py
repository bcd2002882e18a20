"""The sensor that looks at the clock: which schedules are on, which nights were missed; it tells even if no run starts.

It launches nothing. What it finds is recorded under the home's lock; while a run is on, it waits for the next look.
"""

import json
from collections.abc import Callable

import dagster as dg

from assets.telling import tell
from data_contracts.errors import HomeBusyError
from data_contracts.settings import Settings
from pipelines.alarms.alarm import Alarm
from pipelines.alarms.record import record_alarms
from pipelines.publish.completed import read_completed
from resources.home import Home
from resources.warehouse import Warehouse
from resources.wiring import now
from schedules.overdue import judged, overdue
from schedules.state import note_state
from schedules.sync import switched_on

SECONDS = 300
Tell = Callable[[str], None]


def build_watch(settings: Settings) -> dg.SensorDefinition:
    """Return the sensor that raises the alarms of the clock; on from the start."""

    @dg.sensor(
        name="alarms",
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Raises an alarm when a night was missed or nothing is published any more, and tells who is to be "
        "told; every five minutes, whether a run starts or not.",
    )
    def evaluate(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        home = Home.from_environment()
        state = note_state(home, switched_on(context.instance), now())
        found = overdue(settings, read_completed(home), state, now())
        known = json.dumps(sorted(alarm.key for alarm in found))
        if known == (context.cursor or "[]"):
            return dg.SensorResult(skip_reason=f"nothing new; {len(found)} alarms of the clock are on")
        if not record(home, settings, found, context.log.warning):
            return dg.SensorResult(skip_reason="a run is on, or there is no warehouse yet; looking again later")
        return dg.SensorResult(skip_reason=f"{len(found)} alarms of the clock are on", cursor=known)

    return evaluate


def record(home: Home, settings: Settings, found: list[Alarm], warn: Tell) -> bool:
    """Bring ``ops.alarm`` up to date with what the clock says and tell it; False when the warehouse cannot be had."""
    if not home.warehouse.is_file():
        return False
    try:
        with home.lock("recording alarms"), Warehouse(home.warehouse, settings.limits.memory).connect() as con:
            tell(con, home, settings, record_alarms(con, found, judged, run_id=None, at=now()), warn)
    except HomeBusyError:
        return False
    return True
