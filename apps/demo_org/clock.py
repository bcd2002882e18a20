"""The org's clock: this machine's until a test sets it.

Belongs here: what time the org believes it is, for its ``Date`` header, stamps, windows and allocations.
Not here: how long anything takes (jobs and delays run on this machine's clock).
"""

import threading
from datetime import UTC, datetime, timedelta


class OrgClock:
    """A clock that can stand still, jump and be skewed. Safe to use from several threads.

    Salesforce's application servers tell the time in ``Date``, its database stamps the records; the two need not
    agree, which is why ``stamp`` has a skew of its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fixed: datetime | None = None
        self._skew = timedelta()
        self._stamp_skew = timedelta()

    def now(self) -> datetime:
        """The time the org tells, with its zone (UTC)."""
        with self._lock:
            return self._fixed if self._fixed is not None else datetime.now(UTC) + self._skew

    def stamp(self) -> datetime:
        """The time records are stamped with."""
        now = self.now()
        with self._lock:
            return now + self._stamp_skew

    def timestamp(self) -> float:
        """The time the org tells, in seconds since 1970."""
        return self.now().timestamp()

    def fix(self, moment: datetime) -> None:
        """Stand still at a moment."""
        with self._lock:
            self._fixed = moment.astimezone(UTC)

    def run(self) -> None:
        """Run on, with this machine's clock and the skew."""
        with self._lock:
            self._fixed = None

    def skew(self, seconds: float) -> None:
        """Be this much ahead of this machine's clock; negative: behind. Shows while the clock is not fixed."""
        with self._lock:
            self._skew = timedelta(seconds=seconds)

    def skew_stamps(self, seconds: float) -> None:
        """Stamp records this much ahead of the time the org tells; negative: behind."""
        with self._lock:
            self._stamp_skew = timedelta(seconds=seconds)

    def advance(self, seconds: float) -> None:
        """Jump, whether fixed or running."""
        with self._lock:
            if self._fixed is not None:
                self._fixed += timedelta(seconds=seconds)
            else:
                self._skew += timedelta(seconds=seconds)
