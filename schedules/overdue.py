"""What is overdue by the clock alone: nights that were missed, and a snapshot nobody renews. No run needs to be on."""

from collections.abc import Mapping
from datetime import datetime

from data_contracts.settings import Settings
from pipelines.alarms.alarm import EVERYTHING, Alarm
from pipelines.extract.objects import table_name
from pipelines.publish.completed import Completed
from schedules.due import missed_since
from schedules.state import ScheduleState


def overdue(settings: Settings, done: Mapping[str, Completed], state: ScheduleState, at: datetime) -> list[Alarm]:
    """Return the alarms of the clock at ``at``; a night counts as missed only while a schedule is on."""
    return [*_missed(settings, done, state, at), *_stale(settings, done, at)]


def judged(code: str, name: str) -> bool:
    """Whether ``overdue`` looks for an alarm, so that its absence means that it is over."""
    return code == "window_missed" or (code == "no_data_changed" and name == EVERYTHING)


def _missed(settings: Settings, done: Mapping[str, Completed], state: ScheduleState, at: datetime) -> list[Alarm]:
    since = state.since()
    if since is None or not settings.connection.enabled:
        return []
    found = []
    for name, item in settings.objects.items():
        table = table_name(name)
        night = missed_since(item, settings.window, done.get(table), since=since, at=at)
        if night:
            said = f"the night of {night} is over, and {table} was not published since; the next night catches it up"
            found.append(Alarm("window_missed", said, table))
    return found


def _stale(settings: Settings, done: Mapping[str, Completed], at: datetime) -> list[Alarm]:
    last = max((item.last for item in done.values() if item.last), default=None)
    planned = settings.connection.enabled and any(item.is_scheduled for item in settings.objects.values())
    days = (at - last).total_seconds() / 86_400 if last and planned else 0.0
    limit = settings.alerts.stale_after_days
    if days <= limit:
        return []
    said = f"no run has published anything for {days:.0f} days: are the schedules on, and is the daemon running?"
    return [Alarm("no_data_changed", said, measured=round(days, 2), threshold=float(limit))]
