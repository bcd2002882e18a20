"""The org's allocations and what has been used of them.

Belongs here: the counters behind ``/limits`` and ``Sforce-Limit-Info``. The allocations are those of an
Enterprise Edition org (documented values), in ``limits.json``.
"""

import json
import threading
from pathlib import Path
from typing import Any

_MAXIMA: dict[str, int] = json.loads((Path(__file__).parent / "limits.json").read_text())


class Usage:
    """Counts what is used of each allocation since the start. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: dict[str, float] = {"PermissionSets": 1}
        self._maximum = dict(_MAXIMA)

    def count(self, limit: str, amount: float = 1) -> None:
        """Use up some of an allocation."""
        with self._lock:
            self._used[limit] = self._used.get(limit, 0) + amount

    def take(self, limit: str, amount: float = 1) -> int | None:
        """Use up some of an allocation; where it does not suffice, use none and return its maximum."""
        with self._lock:
            if self._used.get(limit, 0) + amount > self._maximum[limit]:
                return self._maximum[limit]
            self._used[limit] = self._used.get(limit, 0) + amount
            return None

    def call(self) -> bool:
        """Count one API request; tell whether it was still within the allocation."""
        with self._lock:
            if self._used.get("DailyApiRequests", 0) >= self._maximum["DailyApiRequests"]:
                return False
            self._used["DailyApiRequests"] = self._used.get("DailyApiRequests", 0) + 1
            return True

    def set(self, limit: str, used: float | None, maximum: int | None) -> None:
        """Pretend that this much has been used, or is allowed (for tests)."""
        with self._lock:
            if used is not None:
                self._used[limit] = used
            if maximum is not None:
                self._maximum[limit] = maximum

    def header(self) -> str:
        """Return the value of ``Sforce-Limit-Info``."""
        with self._lock:
            used = int(self._used.get("DailyApiRequests", 0))
            return f"api-usage={used}/{self._maximum['DailyApiRequests']}"

    def limits(self) -> dict[str, Any]:
        """Return the body of ``/limits``."""
        with self._lock:
            body: dict[str, Any] = {
                name: {"Max": maximum, "Remaining": max(0, maximum - round(self._used.get(name, 0)))}
                for name, maximum in self._maximum.items()
            }
        body["PermissionSets"]["CreateCustom"] = {"Max": 1000, "Remaining": 999}
        return body
