"""The org's allocations and what has been used of them.

Belongs here: the counters behind ``/limits`` and ``Sforce-Limit-Info``. The allocations are those of an
Enterprise Edition org (documented values), in ``limits.json``. Daily and hourly ones are rolling windows on the
org's clock: what was used a day (an hour) ago is there again.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_MAXIMA: dict[str, int] = json.loads((Path(__file__).parent / "limits.json").read_text())
#: Seconds after which a use no longer counts, by how the allocation's name begins.
_WINDOWS: Final = {"Daily": 86_400.0, "Hourly": 3_600.0}
#: Uses are kept by the minute.
_STEP: Final = 60.0


class _Window:
    """What was used of one allocation, by the minute it was used in; never forgotten where it has no window."""

    def __init__(self, limit: str) -> None:
        self._seconds = next((seconds for name, seconds in _WINDOWS.items() if limit.startswith(name)), None)
        self._uses: deque[tuple[float, float]] = deque()
        self._total = 0.0

    def add(self, amount: float, now: float) -> None:
        minute = now // _STEP * _STEP
        if self._uses and self._uses[-1][0] == minute:
            self._uses[-1] = (minute, self._uses[-1][1] + amount)
        else:
            self._uses.append((minute, amount))
        self._total += amount

    def used(self, now: float) -> float:
        while self._seconds is not None and self._uses and self._uses[0][0] <= now - self._seconds:
            self._total -= self._uses.popleft()[1]
        return self._total if self._uses else 0.0

    def reset(self, amount: float, now: float) -> None:
        self._uses.clear()
        self._total = 0.0
        self.add(amount, now)


class Usage:
    """Counts what is used of each allocation. Safe to use from several threads; ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._used = _Windows()
        self._maximum = dict(_MAXIMA)
        self._measures: dict[str, Callable[[], float]] = {}
        self.count("PermissionSets")

    def count(self, limit: str, amount: float = 1) -> None:
        """Use up some of an allocation."""
        with self._lock:
            self._used[limit].add(amount, self._clock())

    def take(self, limit: str, amount: float = 1) -> int | None:
        """Use up some of an allocation that must suffice: None, or the allocation where it does not."""
        with self._lock:
            maximum = self._maximum[limit]
            if self.used(limit) + amount > maximum or self.used(limit) >= maximum:
                return maximum
            self.count(limit, amount)
            return None

    def call(self) -> bool:
        """Count one API request; tell whether it was still within the allocation."""
        return self.take("DailyApiRequests") is None

    def used(self, limit: str) -> float:
        """How much of an allocation is used now."""
        with self._lock:
            measure = self._measures.get(limit)
            return measure() if measure is not None else self._used[limit].used(self._clock())

    def measure(self, limit: str, used: Callable[[], float]) -> None:
        """Have an allocation's use measured when it is asked for, as that of storage is."""
        with self._lock:
            self._measures[limit] = used

    def set(self, limit: str, used: float | None, maximum: int | None) -> None:
        """Pretend that this much has been used just now, or is allowed (for tests)."""
        with self._lock:
            if used is not None:
                self._measures.pop(limit, None)
                self._used[limit].reset(used, self._clock())
            if maximum is not None:
                self._maximum[limit] = maximum

    def header(self) -> str:
        """Return the value of ``Sforce-Limit-Info``."""
        with self._lock:
            return f"api-usage={int(self.used('DailyApiRequests'))}/{self._maximum['DailyApiRequests']}"

    def limits(self) -> dict[str, Any]:
        """Return the body of ``/limits``."""
        with self._lock:
            body: dict[str, Any] = {
                name: {"Max": maximum, "Remaining": max(0, maximum - round(self.used(name)))}
                for name, maximum in self._maximum.items()
            }
        body["PermissionSets"]["CreateCustom"] = {"Max": 1000, "Remaining": 999}
        return body


class _Windows(dict[str, _Window]):
    """Makes the window of an allocation when it is first used."""

    def __missing__(self, limit: str) -> _Window:
        self[limit] = _Window(limit)
        return self[limit]
