"""The part of ``crosswalk status`` that needs no snapshot: alarms, how the last run ended, schedules, the next runs."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import click

from apps.cli.output import print_table
from data_contracts.settings import Settings
from pipelines.alarms.standing import LastRun, StandingAlarm, read_standing
from pipelines.extract.objects import table_name
from pipelines.publish.completed import Completed, read_completed
from resources.home import Home
from schedules.calendar import PlannedRun, named, next_runs
from schedules.overdue import judged, overdue
from schedules.state import ScheduleState, read_state
from schedules.window import closes_at, in_words, is_open, next_opening


@dataclass(frozen=True)
class ObjectState:
    """One object: how it is synced, and when it last was (UTC)."""

    object: str
    frequency: str
    last: datetime | None
    last_full: datetime | None
    last_change: datetime | None
    next_full: str | None


@dataclass(frozen=True)
class Outlook:
    """How things stand at ``at``, and what comes next."""

    at: datetime
    settings: Settings
    alarms: tuple[StandingAlarm, ...]
    last_run: LastRun | None
    schedules: ScheduleState
    objects: tuple[ObjectState, ...]
    runs: tuple[PlannedRun, ...]

    def document(self) -> dict[str, Any]:
        """Return it for machines."""
        window = self.settings.window
        return {
            "alarms": [asdict(alarm) for alarm in self.alarms],
            "last_run": asdict(self.last_run) if self.last_run else None,
            "schedules": {"on": dict(self.schedules.on), "seen_at": self.schedules.seen_at},
            "window": {"is_open": is_open(window, self.at), **window.model_dump(mode="json")},
            "objects": [asdict(item) for item in self.objects],
            "next_runs": [told(run, self.settings) for run in self.runs],
        }


def read_outlook(home: Home, settings: Settings, at: datetime) -> Outlook:
    """Return how things stand: what the last run left in the home, and what the clock says since."""
    done, state, standing = read_completed(home), read_state(home), read_standing(home)
    now = at.astimezone(UTC).replace(tzinfo=None)
    clock = {alarm.key: alarm for alarm in overdue(settings, done, state, at)}
    known = [item for item in standing.alarms if not judged(item.alarm, item.object) or _key(item) in clock]
    seen = {_key(item) for item in known}
    fresh = [
        StandingAlarm(alarm.code, alarm.object, alarm.subject, now, alarm.message, None)
        for key, alarm in clock.items()
        if key not in seen
    ]
    runs = tuple(next_runs(settings, at, done))
    objects = tuple(_state(settings, name, done.get(table_name(name), Completed()), runs) for name in settings.objects)
    return Outlook(at, settings, (*known, *fresh), standing.last_run, state, objects, runs)


def told(run: PlannedRun, settings: Settings) -> dict[str, str]:
    """Return a planned run with its times as the settings' zone shows them."""
    opens, closes = (moment.astimezone(settings.window.zone) for moment in (run.opens, run.closes))
    return {
        "opens": f"{opens:%a %Y-%m-%d %H:%M}",
        "closes": f"{closes:%a %Y-%m-%d %H:%M}",
        "full": named(settings, run.full, run.late),
        "delta": named(settings, run.delta),
    }


def print_outlook(outlook: Outlook) -> None:
    """Print it for people: what is wrong first."""
    _print_alarms(outlook)
    print_table(
        "Objects",
        (
            "object",
            "frequency",
            "last published (UTC)",
            "last in full (UTC)",
            "last change found (UTC)",
            "next in full",
        ),
        [
            (item.object, item.frequency, *(_short(at) for at in (item.last, item.last_full, item.last_change)))
            + (item.next_full,)
            for item in outlook.objects
        ],
    )
    click.echo(_schedules(outlook))
    rows = [told(run, outlook.settings) for run in outlook.runs]
    print_table(
        f"Next runs, {outlook.settings.window.time_zone}",
        ("opens", "closes", "full", "delta"),
        [(row["opens"], row["closes"], row["full"] or "–", row["delta"] or "–") for row in rows],
    )


def _print_alarms(outlook: Outlook) -> None:
    last = outlook.last_run
    if last and last.status in ("paused", "failed"):
        why = (last.message or "").splitlines()
        click.echo(f"The last run ({last.kind}, {last.started_at:%Y-%m-%d %H:%M} UTC) {last.status}: {' '.join(why)}")
    if not outlook.alarms:
        click.echo("No alarm is on.")
        return
    print_table(
        "Alarms",
        ("since (UTC)", "alarm", "object", "what is wrong", "told"),
        [(_short(item.raised_at), item.alarm, item.object, item.message, item.delivery) for item in outlook.alarms],
    )


def _schedules(outlook: Outlook) -> str:
    """Say whether runs come by themselves, and where the window stands."""
    window, at = outlook.settings.window, outlook.at
    closes = closes_at(window, at)
    moment = (closes or next_opening(window, at)).astimezone(window.zone)
    stands = f"Window {in_words(window)}: {'open until' if closes else 'closed, opens'} {moment:%a %H:%M}."
    state = outlook.schedules
    if not state.is_seen(at):
        return f"{stands} Schedules: no Dagster daemon is looking after them; runs start by hand only."
    if not state.on:
        return f"{stands} Schedules: switched off; turn them on in the Dagster UI, or with dagster schedule start."
    return f"{stands} Schedules: on ({', '.join(state.on)})."


def _state(settings: Settings, name: str, done: Completed, runs: tuple[PlannedRun, ...]) -> ObjectState:
    item = settings.objects[name]
    frequency = item.frequency if item.enabled else "switched off"
    night = next((run.night for run in runs if name in run.full), None)

    return ObjectState(name, frequency, done.last, done.full, done.changed, str(night) if night else None)


def _key(item: StandingAlarm) -> tuple[str, str, str]:
    return (item.alarm, item.object, item.subject)


def _short(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%d %H:%M}" if at else None
