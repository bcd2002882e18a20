"""Which schedules are on, as the daemon last saw it: a small file, so that `crosswalk status` need not ask Dagster."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from resources.files import write_atomically
from resources.home import Home

#: The daemon looks every five minutes; a quarter of an hour without a look means that it is not running.
ALIVE = timedelta(minutes=15)


@dataclass(frozen=True)
class ScheduleState:
    """The schedules that are on, by job, with the time they were first seen on, and when that was last looked at."""

    on: Mapping[str, datetime] = field(default_factory=dict)
    seen_at: datetime | None = None

    def since(self) -> datetime | None:
        """Return since when some schedule is on; None when all are off."""
        return min(self.on.values(), default=None)

    def is_seen(self, at: datetime) -> bool:
        """Return whether a daemon looks after them."""
        return self.seen_at is not None and at - self.seen_at < ALIVE


def read_state(home: Home) -> ScheduleState:
    """Return what the daemon last saw; nothing where none has looked, or the file is not whole."""
    try:
        kept = json.loads(home.schedules.read_text(encoding="utf-8"))
        on = {job: datetime.fromisoformat(since) for job, since in kept["on"].items()}
        return ScheduleState(on, datetime.fromisoformat(kept["seen_at"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        # Written anew within minutes: it is no more than a look at what Dagster knows.
        return ScheduleState()


def note_state(home: Home, on: Collection[str], at: datetime) -> ScheduleState:
    """Record which schedules are on now, and return it with the times since when."""
    before = read_state(home).on
    state = ScheduleState({job: before.get(job, at) for job in sorted(on)}, at)
    told = {"on": {job: since.isoformat() for job, since in state.on.items()}, "seen_at": at.isoformat()}
    write_atomically(home.schedules, json.dumps(told, indent=1))
    return state
