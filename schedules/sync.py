"""Two schedules in the off-hours window: the nightly delta and the weekly full run of daily objects.

A schedule exists only where the settings have a daily object, starts switched off, and asks the window
(``schedules.window``) for the kind of run of the night it fires on. What a run does is in the jobs.
"""

from collections.abc import Sequence
from datetime import datetime

import dagster as dg

from data_contracts.settings import Settings
from schedules.jobs import DAILY, WEEKLY, run_config
from schedules.selection import selection_for
from schedules.window import RunKind, closing, night_of, run_kind_for


def build_schedules(settings: Settings, specs: Sequence[dg.AssetSpec]) -> Sequence[dg.ScheduleDefinition]:
    """Return the schedules of the two jobs over ``specs``, none when no enabled object is ever due."""
    if not any(item.enabled and item.frequency != "manual" for item in settings.objects.values()):
        return []
    return [_schedule(settings, specs, DAILY, full=False), _schedule(settings, specs, WEEKLY, full=True)]


def _schedule(settings: Settings, specs: Sequence[dg.AssetSpec], job: str, *, full: bool) -> dg.ScheduleDefinition:
    window = settings.window

    @dg.schedule(
        job_name=job,
        name=f"{job}_schedule",
        cron_schedule=f"{window.opens.minute} {window.opens.hour} * * *",
        execution_timezone=window.time_zone,
        description=_description(settings, full=full),
    )
    def evaluate(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        return decide(settings, specs, context.scheduled_execution_time, full=full)

    return evaluate


def decide(
    settings: Settings, specs: Sequence[dg.AssetSpec], at: datetime, *, full: bool
) -> dg.RunRequest | dg.SkipReason:
    """Return the run that is due at ``at`` for the full or the delta schedule, or why there is none.

    The run fetches and matches the objects that are due in that night, and no other.
    """
    window = settings.window
    text = f"{window.opens:%H:%M}-{window.closes:%H:%M} {window.time_zone}"
    night = night_of(window, at)
    if night is None:
        return dg.SkipReason(f"{at.isoformat()} is outside the window {text}")
    kinds = {name: run_kind_for(item, night) for name, item in settings.objects.items() if item.enabled}
    full_objects = sorted(name for name, kind in kinds.items() if kind == "full")
    due = sorted(name for name, kind in kinds.items() if kind is not None)
    if full != bool(full_objects):
        other = "a full run of " + ", ".join(full_objects) if full_objects else "no full run"
        return dg.SkipReason(f"the night of {night} has {other}; the other schedule takes it")
    if not due:
        return dg.SkipReason(f"no object is due in the night of {night}")
    # The run is called full where all of it is; a delta run may still sync some objects in full.
    kind: RunKind = "full" if full_objects == due else "delta"
    config = run_config(
        kind, full_objects=full_objects, trigger="schedule", works_until=closing(window, night).isoformat()
    )
    return dg.RunRequest(
        run_key=f"{'full' if full else 'delta'}:{night}",
        run_config=config,
        asset_selection=selection_for(specs, due),
        tags={"crosswalk/night": str(night), "crosswalk/window": text},
    )


def _description(settings: Settings, *, full: bool) -> str:
    window = settings.window
    hours = f"inside {window.opens:%H:%M} to {window.closes:%H:%M} {window.time_zone}"
    if full:
        return f"The weekly full run of daily objects, on the weekday each was set up on, {hours}."
    return f"The delta run on the other nights, {hours}."
