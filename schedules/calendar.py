"""The next runs, for ``crosswalk status`` and the Dagster UI: which night, from when to when, which objects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from data_contracts.settings import Settings
from pipelines.extract.objects import table_name
from pipelines.publish.completed import Completed, read_completed
from resources.home import Home
from schedules.due import due_objects, run_kind_for
from schedules.window import closing, next_opening, night_of

#: Runs a calendar shows.
LENGTH = 14
#: Nights it looks through for them; a monthly object has fourteen in as many months.
_HORIZON = 450


@dataclass(frozen=True)
class PlannedRun:
    """One night with something to do: its window (UTC) and its objects; ``late`` are those it catches up."""

    night: date
    opens: datetime
    closes: datetime
    full: tuple[str, ...]
    delta: tuple[str, ...]
    late: tuple[str, ...] = ()


def next_runs(settings: Settings, at: datetime, done: Mapping[str, Completed], count: int = LENGTH) -> list[PlannedRun]:
    """Return the next ``count`` runs from ``at`` on, if each of them completes."""
    found: list[PlannedRun] = []
    simulated, moment = dict(done), at.astimezone(UTC)
    for _ in range(_HORIZON):
        moment = next_opening(settings.window, moment)
        night = night_of(settings.window, moment)
        due = due_objects(settings, night, simulated) if night else {}
        if night and due:
            found.append(_planned(settings, night, moment, due))
            for name, kind in due.items():
                before = simulated.get(table_name(name), Completed())
                full = moment if kind == "full" else before.full
                simulated[table_name(name)] = replace(before, last=moment, full=full)
        if len(found) == count:
            break
        moment += timedelta(minutes=1)
    return found


def as_markdown(runs: Sequence[PlannedRun], settings: Settings) -> str:
    """Return the calendar as a table for the Dagster UI."""
    if not runs:
        return "No run is planned: every object is switched off or synced by hand."
    zone = settings.window.zone
    lines = [f"| opens ({settings.window.time_zone}) | closes | full | delta |", "|---|---|---|---|"]
    for run in runs:
        opens, closes = run.opens.astimezone(zone), run.closes.astimezone(zone)
        full, delta = (named(settings, names, run.late) for names in (run.full, run.delta))
        lines.append(f"| {opens:%a %Y-%m-%d %H:%M} | {closes:%a %H:%M} | {full or '–'} | {delta or '–'} |")
    return "\n".join(lines)


def in_dagster(settings: Settings, home: Home) -> str:
    """Return the calendar as it stands now."""
    return as_markdown(next_runs(settings, datetime.now(UTC), read_completed(home)), settings)


def named(settings: Settings, names: Sequence[str], late: Sequence[str] = ()) -> str:
    """Return objects for people: all of them in two words, those that catch up a night marked."""
    enabled = [name for name, item in settings.objects.items() if item.enabled]
    if len(names) == len(enabled) > 1:
        return "all objects" + (" (catching up)" if late else "")
    others = [name for name in enabled if name not in names]
    if len(names) > len(others) * 3 and not late:
        return f"all but {', '.join(others)}"
    return ", ".join(f"{name} (catching up)" if name in late else name for name in names)


def _planned(settings: Settings, night: date, opens: datetime, due: Mapping[str, str]) -> PlannedRun:
    full, delta = (tuple(name for name, kind in due.items() if kind == wanted) for wanted in ("full", "delta"))
    late = tuple(name for name in full if run_kind_for(settings.objects[name], night) != "full")
    return PlannedRun(night, opens, closing(settings.window, night), full, delta, late)
