"""What was asked of the org: calls, bytes and rows by object and kind of endpoint, and the org's own count.

Counting only; deciding what a budget allows is the caller's.
"""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

_current: ContextVar[str] = ContextVar("salesforce_object", default="")

#: First match wins: a Bulk result page is not a query.
_KINDS = (
    ("oauth", re.compile(r"/services/oauth2/(token|revoke)")),
    ("identity", re.compile(r"/services/oauth2/userinfo|^/id/")),
    ("versions", re.compile(r"^/services/data/?$")),
    ("bulk_result", re.compile(r"/jobs/query/[^/]+/results$")),
    ("bulk_result_pages", re.compile(r"/jobs/query/[^/]+/resultPages$")),
    ("bulk_job", re.compile(r"/jobs/query/[^/]+$")),
    ("bulk_create", re.compile(r"/jobs/query/?$")),
    ("list_view", re.compile(r"/listviews")),
    ("report", re.compile(r"/analytics/reports")),
    ("describe", re.compile(r"/describe/?$|/sobjects/?$")),
    ("replication", re.compile(r"/sobjects/[^/]+/(updated|deleted)/?$")),
    ("query", re.compile(r"/query(All)?(/|$)")),
    ("limits", re.compile(r"/limits/?$")),
)

#: Kinds that Salesforce does not count against the org's allocation.
FREE_KINDS = frozenset({"oauth", "identity", "versions"})


@dataclass(frozen=True)
class EndpointUsage:
    """Calls made for one object on one kind of endpoint; ``object_name`` is empty for calls of no object."""

    object_name: str
    endpoint: str
    calls: int
    bytes: int
    rows: int


class Usage:
    """Thread-safe counters of one client."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], list[int]] = {}
        self.org_used: int | None = None
        self.org_allowed: int | None = None
        self.org_used_before: int | None = None
        self._counted = 0

    def count(self, path: str, *, calls: int = 0, size: int = 0, rows: int = 0) -> None:
        """Add to the counters of the object set by :func:`attributed_to` and the endpoint kind of ``path``."""
        kind = endpoint_kind(path)
        with self._lock:
            self._counted += calls if kind not in FREE_KINDS else 0
            entry = self._counts.setdefault((_current.get(), kind), [0, 0, 0])
            for index, value in enumerate((calls, size, rows)):
                entry[index] += value

    def note_limit(self, header: str | None) -> None:
        """Keep what ``Sforce-Limit-Info`` (``api-usage=18/15000``) says of the org."""
        if header and (found := re.search(r"(?<!-)api-usage=(\d+)/(\d+)", header)):
            self.org_used, self.org_allowed = int(found[1]), int(found[2])
            if self.org_used_before is None:
                self.org_used_before = self.org_used

    def counted_calls(self) -> int:
        """Calls so far that Salesforce counts, taken or not."""
        with self._lock:
            return self._counted

    def total_calls(self) -> int:
        """Calls counted and not yet taken."""
        with self._lock:
            return sum(entry[0] for entry in self._counts.values())

    def rows(self) -> tuple[EndpointUsage, ...]:
        """Return the counters, sorted."""
        with self._lock:
            return tuple(EndpointUsage(*key, *entry) for key, entry in sorted(self._counts.items()))

    def take(self, object_name: str | None = None) -> tuple[EndpointUsage, ...]:
        """Return and reset the counters of ``object_name``, or all: each count is recorded once."""
        with self._lock:
            keys = sorted(key for key in self._counts if object_name is None or key[0] == object_name)
            return tuple(EndpointUsage(*key, *self._counts.pop(key)) for key in keys)


def endpoint_kind(path: str) -> str:
    """Return the kind of endpoint, for example ``describe`` or ``bulk_result``."""
    return next((kind for kind, pattern in _KINDS if pattern.search(path)), "other")


@contextmanager
def attributed_to(object_name: str) -> Iterator[None]:
    """Count the calls made inside for ``object_name``."""
    token = _current.set(object_name)
    try:
        yield
    finally:
        _current.reset(token)


@dataclass(frozen=True)
class Limit:
    """One org limit: what is allowed and what is left."""

    allowed: int
    left: int


@dataclass(frozen=True)
class OrgLimits:
    """The org's limits by Salesforce's own names, for example ``DailyApiRequests``."""

    limits: Mapping[str, Limit]

    @classmethod
    def from_json(cls, body: Mapping[str, Mapping[str, int]]) -> "OrgLimits":
        """Read the answer of ``/limits``; entries without Max and Remaining are left out."""
        return cls(
            {name: Limit(int(entry["Max"]), int(entry["Remaining"])) for name, entry in body.items() if "Max" in entry}
        )

    def get(self, name: str) -> Limit | None:
        """Return the limit, or None where the org does not tell."""
        return self.limits.get(name)
