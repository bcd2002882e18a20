"""Our share of the org's API requests: counted before each is sent, paused when the org runs short.

Two rules from the settings (``limits.api``). A run sends at most ``per_run`` requests. And when the org as a whole
has used the share ``pause_at`` of its rolling 24 hours, by its own ``Sforce-Limit-Info``, nothing more is sent until
that share is under ``resume_below``: what is above ``pause_at`` is kept for others. Estimating what a run will cost
is ``pipelines.extract.estimate``.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from data_contracts.errors import BudgetError
from data_contracts.settings import ApiBudget

#: Not counted against the allocation by Salesforce: signing in, and the list of API versions.
FREE = ("/services/oauth2/", "/id/")
VERSIONS = "/services/data"
#: Between two looks at the org's count while paused, seconds: a look is a request itself.
LOOK_EVERY = 300.0


def is_free(path: str) -> bool:
    """Whether Salesforce does not count a request to ``path`` against the org's allocation."""
    return path.startswith(FREE) or path.rstrip("/") == VERSIONS


@dataclass
class Pacing:
    """How a pause is spent; ``until`` is when the off-hours window closes, None with Run Now.

    ``patience`` is how many seconds all pauses of a run may last together.
    """

    patience: float = 3600.0
    until: datetime | None = None
    tell: Callable[[str], None] = field(default=lambda _: None, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC), repr=False)


class RequestBudget:
    """Admits requests one by one; thread-safe. A pause holds every thread that wants to send."""

    def __init__(self, rules: ApiBudget, pacing: Pacing | None = None, *, spent: int = 0) -> None:
        self.rules = rules
        self.pacing = pacing or Pacing()
        self.spent = spent
        self.used: int | None = None
        self.allowed: int | None = None
        self._on_the_way = 0
        self._refused = self._gave_up = False
        self._waited = 0.0
        self._lock, self._counting = threading.Lock(), threading.Lock()

    def note(self, used: int | None, allowed: int | None) -> None:
        """Take over what the org last said of itself; None is nothing said."""
        if used is not None and allowed is not None:
            self.used, self.allowed = used, allowed

    def answered(self, *, refused: bool = False) -> None:
        """An admitted request is over; ``refused`` is the org's word that its allocation is used up."""
        with self._counting:
            self._on_the_way = max(0, self._on_the_way - 1)
        self._refused = refused

    def admit(self, path: str, look: Callable[[], None]) -> None:
        """Return when a request to ``path`` may be sent; ``look`` asks the org for its count and calls ``note``.

        Raises BudgetError when the run's own budget is spent, or when the org stays short of requests for longer
        than we wait; from then on every request is refused at once.
        """
        if is_free(path):
            return
        with self._lock:
            if self.spent >= self.rules.per_run:
                raise self._spent()
            if self._gave_up:
                raise self._short()
            if self._short_of_requests():
                self._pause(look)
            self._send_one()

    def left(self) -> int:
        """Requests this run may still send: under its own budget, and under the share at which we pause."""
        own = self.rules.per_run - self.spent
        of_org = self.left_of_org()
        return own if of_org is None else min(own, of_org)

    def left_of_org(self) -> int | None:
        """Requests until the org's use is at the share at which we pause, None where the org has told nothing."""
        if not self.allowed or self.used is None:
            return None
        return max(0, self.ceiling() - self.used)

    def ceiling(self) -> int:
        """The org's use at which we pause: early enough for the looks of a pause to stay under ``pause_at`` too."""
        looks = int(self.pacing.patience // LOOK_EVERY) + 1
        return int((self.allowed or 0) * self.rules.pause_at) - looks

    def _send_one(self) -> None:
        self.spent += 1
        with self._counting:
            self._on_the_way += 1

    def _short_of_requests(self) -> bool:
        if self._refused:
            return True
        # Requests of other threads that the org has not answered yet are used as well.
        return bool(self.allowed) and self.used is not None and self.used + self._on_the_way >= self.ceiling()

    def _share(self) -> float:
        return self.used / self.allowed if self.used is not None and self.allowed else 0.0

    def _pause(self, look: Callable[[], None]) -> None:
        """Wait until the org has requests to spare again."""
        self.pacing.tell(
            f"paused: {self._use()} API requests; going on under {self.rules.resume_below:.0%}, "
            f"asked again every {LOOK_EVERY / 60:.0f} minutes"
        )
        while self._refused or self._share() >= self.rules.resume_below:
            now = self.pacing.now()
            late = self.pacing.until is not None and now >= self.pacing.until
            if late or self._waited >= self.pacing.patience:
                self._gave_up = True
                raise self._short()
            nap = self._nap(now)
            self.pacing.sleep(nap)
            self._waited += nap
            if self.spent >= self.rules.per_run:
                raise self._spent()
            self._send_one()
            look()
        self.pacing.tell(f"resumed: {self._use()} API requests")

    def _nap(self, now: datetime) -> float:
        """Seconds to the next look: never past the end of patience, nor past closing time."""
        left = [LOOK_EVERY, self.pacing.patience - self._waited]
        if self.pacing.until is not None:
            left.append((self.pacing.until - now).total_seconds())
        return max(1.0, min(left))

    def _use(self) -> str:
        if self.used is None or not self.allowed:
            return "the org answers REQUEST_LIMIT_EXCEEDED: it has used all of its"
        share = f"the org has used {self._share():.0%} ({self.used:,} of {self.allowed:,}) of its"
        return f"the org answers REQUEST_LIMIT_EXCEEDED: {share}" if self._refused else share

    def _spent(self) -> BudgetError:
        return BudgetError(
            f"this run has sent {self.spent:,} API requests, all that limits.api.per_run allows",
            why="the rest of the org's allocation is kept for others",
            next_step="run it again to go on from what has landed, or raise limits.api.per_run in crosswalk.yaml",
        )

    def _short(self) -> BudgetError:
        return BudgetError(
            f"{self._use()} API requests of 24 hours",
            why=f"limits.api.pause_at is {self.rules.pause_at:.0%}: what is above it is kept for others",
            next_step=f"wait until the use is under {self.rules.resume_below:.0%} (crosswalk preflight shows it), "
            "then run it again: what has landed is kept",
        )
