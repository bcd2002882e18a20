"""How often somebody may fail to sign in: counted per name and address, per address and per name.

Counts live in this process and are bounded in number; nothing about a password is kept.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_SECONDS = 15 * 60
#: Failures within the window after which one waits. The last is wide: a stranger must not be able to lock a steward
#: out from another address.
PER_NAME_AND_ADDRESS, PER_ADDRESS, PER_NAME = 5, 20, 50
#: Keys that are remembered; the longest unused go first.
MOST_KEYS = 10_000


@dataclass(frozen=True)
class _Limit:
    key: tuple[str, str, str]
    most: int


class Throttle:
    """Counts failed sign-ins in a sliding window; safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[tuple[str, str, str], deque[float]] = OrderedDict()

    def begin(self, name: str, address: str) -> int:
        """Count an attempt as failed before it is made, and return 0; or the seconds to wait, counting nothing.

        Counted first, many attempts at once cannot slip through together; ``succeeded`` takes them back.
        """
        with self._lock:
            now = self._clock()
            wait = max(self._wait(limit, now) for limit in _limits(name, address))
            if wait > 0:
                return int(wait) + 1
            for limit in _limits(name, address):
                self._failures.setdefault(limit.key, deque()).append(now)
                self._failures.move_to_end(limit.key)
            while len(self._failures) > MOST_KEYS:
                self._failures.popitem(last=False)
        return 0

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of this name from this address; one attempt less on the wider counts."""
        with self._lock:
            pair, *wider = _limits(name, address)
            self._failures.pop(pair.key, None)
            for limit in wider:
                if self._failures.get(limit.key):
                    self._failures[limit.key].pop()

    def _wait(self, limit: _Limit, now: float) -> float:
        times = self._failures.get(limit.key)
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        if not times:
            self._failures.pop(limit.key, None)
            return 0
        return times[0] + WINDOW_SECONDS - now if len(times) >= limit.most else 0


def _limits(name: str, address: str) -> tuple[_Limit, _Limit, _Limit]:
    return (
        _Limit(("both", name, address), PER_NAME_AND_ADDRESS),
        _Limit(("address", "", address), PER_ADDRESS),
        _Limit(("name", name, ""), PER_NAME),
    )
