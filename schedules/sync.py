"""Two schedules in the off-hours window: the nightly delta, and the nights with a full run.

A schedule exists only where the settings have an object that is ever due, starts switched off, and asks ``due`` what
the night it fires on needs. What a run does is in the jobs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import dagster as dg

from data_contracts.settings import SWITCHED_OFF, Settings
from pipelines.publish.completed import Completed, read_completed
from resources.home import Home
from resources.wiring import now
from schedules.due import RunKind, due_objects
from schedules.jobs import DAILY, WEEKLY, run_config
from schedules.selection import selection_for
from schedules.window import closing, in_words, night_of


def build_schedules(settings: Settings, specs: Sequence[dg.AssetSpec]) -> Sequence[dg.ScheduleDefinition]:
    """Return the schedules of the two jobs over ``specs``, none when no enabled object is ever due."""
    if not settings.connection.enabled or not any(item.is_scheduled for item in settings.objects.values()):
        return []
    return [_schedule(settings, specs, DAILY, full=False), _schedule(settings, specs, WEEKLY, full=True)]


def _schedule(settings: Settings, specs: Sequence[dg.AssetSpec], job: str, *, full: bool) -> dg.ScheduleDefinition:
    window = settings.window

    @dg.schedule(
        job_name=job,
        name=schedule_name(job),
        cron_schedule=f"{window.opens.minute} {window.opens.hour} * * *",
        execution_timezone=window.time_zone,
        description=_description(settings, full=full),
    )
    def evaluate(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        night = Night(context.scheduled_execution_time, now(), read_completed(Home.from_environment()))
        return decide(settings, specs, night, full=full, alone=not full and WEEKLY not in switched_on(context.instance))

    return evaluate


def schedule_name(job: str) -> str:
    """Return what the schedule of a job is called."""
    return f"{job}_schedule"


def switched_on(instance: dg.DagsterInstance) -> set[str]:
    """Return the jobs whose schedules are on."""
    names = {state.name for state in instance.all_instigator_state() if state.is_running}
    return {job for job in (DAILY, WEEKLY) if schedule_name(job) in names}


@dataclass(frozen=True)
class Night:
    """What a schedule is evaluated on: the time it was due, the time it is, and what was completed before."""

    due_at: datetime
    now: datetime
    done: Mapping[str, Completed]


def decide(
    settings: Settings, specs: Sequence[dg.AssetSpec], evaluated: Night, *, full: bool, alone: bool = False
) -> dg.RunRequest | dg.SkipReason:
    """Return the run that the full or the delta schedule asks for, or why there is none.

    The run fetches and matches the objects that are due in that night, and no other. ``alone``: the other schedule is
    off, and this one takes every night.
    """
    if not settings.connection.enabled:
        return dg.SkipReason(SWITCHED_OFF)
    window = settings.window
    text = in_words(window)
    night = night_of(window, evaluated.due_at)
    if night is None:
        return dg.SkipReason(f"{evaluated.due_at.isoformat()} is outside the window {text}")
    if night_of(window, evaluated.now) != night:
        return dg.SkipReason(f"the night of {night} is over ({text}); the next one catches it up")
    due = due_objects(settings, night, evaluated.done)
    full_objects = sorted(name for name, kind in due.items() if kind == "full")
    if not due:
        return dg.SkipReason(f"no object is due in the night of {night}")
    if full != bool(full_objects) and not alone:
        other = "a full run of " + ", ".join(full_objects) if full_objects else "no full run"
        return dg.SkipReason(f"the night of {night} has {other}; the other schedule takes it")
    # The run is called full where all of it is; a delta run may still sync some objects in full.
    kind: RunKind = "full" if len(full_objects) == len(due) else "delta"
    config = run_config(
        kind,
        full_objects=full_objects,
        trigger="schedule",
        window=f"{text}, night of {night}",
        works_until=closing(window, night).isoformat(),
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
