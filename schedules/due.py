"""Which object is due in which night: what its frequency plans, and what a missed or unfinished night still owes.

Pure functions of the settings, a night and what was completed. A night that was missed is caught up in the next one,
once, however many were missed: one full run makes good for all of them, and a delta reaches back to the last run.
"""

import calendar
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Literal

from data_contracts.settings import ObjectSettings, Settings, Window
from pipelines.extract.objects import table_name
from pipelines.publish.completed import Completed
from schedules.window import closing, opening

RunKind = Literal["full", "delta"]
#: Anchor of an object whose settings name no set_up_on: a Sunday, so the weekly full run falls on Sundays.
DEFAULT_SET_UP_ON = date(2024, 1, 7)


def run_kind_for(settings: ObjectSettings, night: date) -> RunKind | None:
    """Return what is planned for an object in ``night``: a full run, a delta, or nothing.

    daily: full on the weekday of ``set_up_on``, delta on the others; weekly: full on that weekday; biweekly: every
    second one; monthly: on its day of the month, or the month's last; manual or switched off: never.
    """
    if not settings.is_scheduled or night < _anchor(settings):
        return None
    if last_full_night(settings, night) == night:
        return "full"
    return "delta" if settings.frequency == "daily" else None


def last_full_night(settings: ObjectSettings, night: date) -> date | None:
    """Return the latest night up to ``night`` for which a full run is planned; None before the first."""
    anchor = _anchor(settings)
    if not settings.is_scheduled or night < anchor:
        return None
    if settings.frequency == "monthly":
        return next((day for day in _monthly(anchor, night) if anchor <= day <= night), None)
    weeks = 2 if settings.frequency == "biweekly" else 1
    return night - timedelta(days=(night - anchor).days % (7 * weeks))


def owed(settings: ObjectSettings, window: Window, night: date, done: Completed | None) -> RunKind | None:
    """Return what an object needs in ``night``: what is planned, or what an earlier night did not complete.

    A full run stays owed from its night on until one that began after that night's opening was published. Nothing is
    due once a run of the night itself was.
    """
    done = done or Completed()
    planned_full = last_full_night(settings, night)
    if planned_full and (done.full is None or done.full < opening(window, planned_full)):
        return "full"
    if done.last is not None and done.last >= opening(window, night):
        return None
    return "delta" if run_kind_for(settings, night) == "delta" else None


def due_objects(settings: Settings, night: date, done: Mapping[str, Completed]) -> dict[str, RunKind]:
    """Return what every object that needs a run in ``night`` needs; nothing when the integration is switched off."""
    if not settings.connection.enabled:
        return {}
    needed = {
        name: owed(item, settings.window, night, done.get(table_name(name))) for name, item in settings.objects.items()
    }
    return {name: kind for name, kind in needed.items() if kind}


def missed_since(
    settings: ObjectSettings, window: Window, done: Completed | None, *, since: datetime, at: datetime
) -> date | None:
    """Return the first night since ``since`` that is over and whose planned run was never made good; None if none.

    A run that was published after a night had opened makes good for that night and those before it.
    """
    reached = max(since, done.last) if done and done.last else since
    return next((night for night in _over(window, reached, at) if run_kind_for(settings, night)), None)


def _over(window: Window, since: datetime, at: datetime) -> Iterator[date]:
    """Yield the nights that opened after ``since`` and closed by ``at``."""
    night = since.astimezone(window.zone).date() - timedelta(days=1)
    while closing(window, night) <= at:
        if opening(window, night) > since:
            yield night
        night += timedelta(days=1)


def _anchor(settings: ObjectSettings) -> date:
    return settings.set_up_on or DEFAULT_SET_UP_ON


def _monthly(anchor: date, night: date) -> Iterator[date]:
    """Yield the planned days of this month and the one before, the later first."""
    for month in (night.replace(day=1), (night.replace(day=1) - timedelta(days=1)).replace(day=1)):
        yield month.replace(day=min(anchor.day, calendar.monthrange(month.year, month.month)[1]))
