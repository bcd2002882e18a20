"""Runs whose process was killed: nobody reports their end, and one that counts as running holds up the queue.

The home's lock tells the dead from the living: the kernel frees it with its process.
"""

from datetime import timedelta

import dagster as dg

from data_contracts.errors import HomeBusyError
from resources.home import Home
from resources.wiring import claim_instance, now, settle_dead_runs

#: A run counts as running a moment before it takes the lock.
GRACE = timedelta(seconds=60)


def settle(instance: dg.DagsterInstance, home: Home, *, grace: timedelta = GRACE) -> list[str]:
    """Mark the dead runs of ``home`` failed, free their pool slots, and return their ids; none while one is alive.

    Raises SettingsError when the instance belongs to another home, whose runs may be alive.
    """
    claim_instance(instance, home)
    filters = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
    if not instance.get_runs(filters=filters, limit=1):
        return []
    try:
        with home.lock("settling dead runs"):
            return settle_dead_runs(instance, started_before=now() - grace)
    except HomeBusyError:
        return []


def build_sensor() -> dg.SensorDefinition:
    """Return the sensor that settles dead runs every minute; on from the start, it launches nothing."""

    @dg.sensor(
        name="dead_runs",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Marks a run whose process was killed as failed, so that the next one need not wait for it.",
    )
    def evaluate(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        settled = settle(context.instance, Home.from_environment())
        return dg.SkipReason(f"marked failed: {', '.join(settled)}" if settled else "no run is dead")

    return evaluate
