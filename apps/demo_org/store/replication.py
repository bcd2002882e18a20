"""What changed and what was deleted in a span of time: getUpdated and getDeleted over the records.

Belongs here: the windows, the ids, how far the answer reaches, the log of records that are gone for good.
Not here: the HTTP resources (``apps/demo_org/replication.py``), the changes themselves.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import duckdb

from apps.demo_org.store.errors import SObjectError
from apps.demo_org.store.schema import ObjectType
from apps.demo_org.store.text import identifier

#: Records that no longer exist: object, id, when they were deleted. No object can have this name.
DELETE_LOG: Final = "~deleted"
DELETE_LOG_DDL: Final = (
    f'CREATE TABLE IF NOT EXISTS "{DELETE_LOG}" (object VARCHAR, record_id VARCHAR, deleted_at TIMESTAMP)'
)
#: Documented: the ids one call returns at most, and how far back it reaches.
MAXIMUM_IDS: Final = 600_000
UPDATED_DAYS: Final = 30
DELETED_DAYS: Final = 15


@dataclass(frozen=True)
class Updated:
    """Ids of the records that changed, in order, and up to when the answer is complete."""

    ids: list[str]
    latest_date_covered: datetime


@dataclass(frozen=True)
class Deleted:
    """Ids and dates of the records that were deleted, since when there is a log, up to when it is complete."""

    records: list[tuple[str, datetime]]
    earliest_date_available: datetime
    latest_date_covered: datetime


class Replication:
    """Answers about changes; ``clock`` is the org's, ``oldest_open`` the start of the oldest open transaction."""

    def __init__(
        self,
        connect: Callable[[], duckdb.DuckDBPyConnection],
        clock: Callable[[], datetime],
        no_writes: AbstractContextManager[Any],
        oldest_open: Callable[[], datetime | None],
    ) -> None:
        self._connect, self._clock, self._oldest_open = connect, clock, oldest_open
        # Held while an answer is made: a change is stamped and committed with it held too.
        self._no_writes = no_writes
        self._lock = threading.Lock()
        self._purged: dict[str, datetime] = {}
        #: More ids than this are refused; a test may lower it.
        self.maximum_ids = MAXIMUM_IDS

    def updated(self, kind: ObjectType, start: datetime, end: datetime) -> Updated:
        """Records created, changed or undeleted from ``start`` on and before ``end``, by SystemModstamp."""
        since, until = self._window(kind, start, end, UPDATED_DAYS)
        live = "NOT IsDeleted AND " if kind.find("IsDeleted") else ""
        sql = f"SELECT Id FROM {identifier(kind.name)} WHERE {live}SystemModstamp >= ? AND SystemModstamp < ?"
        with self._no_writes:
            covered = self._covered(until)
            rows = self._rows(sql + f" ORDER BY SystemModstamp, Id LIMIT {self.maximum_ids + 1}", [since, until])
        return Updated([row[0] for row in rows], covered)

    def deleted(self, kind: ObjectType, start: datetime, end: datetime) -> Deleted:
        """Records deleted from ``start`` on and before ``end``: those in the bin and those gone for good."""
        since, until = self._window(kind, start, end, DELETED_DAYS)
        earliest = self.earliest(kind)
        if since < earliest:
            raise _bad_date(f"startDate before {kind.name} replication enabled date")
        span = "{0} >= $since AND {0} < $until"
        sql = f'SELECT record_id, deleted_at FROM "{DELETE_LOG}" WHERE object = $object AND {span.format("deleted_at")}'
        if kind.find("IsDeleted"):
            sql += f" UNION SELECT Id, SystemModstamp FROM {identifier(kind.name)} WHERE IsDeleted AND "
            sql += span.format("SystemModstamp")
        sql += f" ORDER BY 2, 1 LIMIT {self.maximum_ids + 1}"
        with self._no_writes:
            covered = self._covered(until)
            rows = self._rows(sql, {"object": kind.name, "since": since, "until": until})
        return Deleted([(row[0], row[1]) for row in rows], earliest, covered)

    def earliest(self, kind: ObjectType) -> datetime:
        """Since when deletions of an object are known."""
        oldest = _whole_minute(self._clock()) - timedelta(days=DELETED_DAYS)
        with self._lock:
            return max(oldest, self._purged.get(kind.name, oldest))

    def purge(self, kind: ObjectType, before: datetime) -> int:
        """Forget deletions before a moment, as Salesforce does when the log grows; how many."""
        moment = _stored(before)
        with self._lock:
            self._purged[kind.name] = moment
        sql = f'DELETE FROM "{DELETE_LOG}" WHERE object = ? AND deleted_at < ? RETURNING 1'
        con = self._connect()
        try:
            return len(con.execute(sql, [kind.name, moment]).fetchall())
        finally:
            con.close()

    def _window(self, kind: ObjectType, start: datetime, end: datetime, days: int) -> tuple[datetime, datetime]:
        """The span in whole minutes (seconds are ignored, as documented), or why it is refused."""
        if not kind.describe["replicateable"]:
            message = f"entity type {kind.name} does not support replication"
            raise SObjectError(400, "INVALID_TYPE_FOR_OPERATION", message)
        since, until, now = _whole_minute(start), _whole_minute(end), _whole_minute(self._clock())
        if _stored(end) <= _stored(start):
            raise _bad_date("endDate must be after startDate")
        if until <= since:
            raise _bad_date("startDate and endDate must be at least one minute apart")
        if since < now - timedelta(days=days):
            raise _bad_date(f"startDate cannot be more than {days} days ago")
        if since > now:
            raise _bad_date("startDate cannot be in the future")
        return since, until

    def _covered(self, until: datetime) -> datetime:
        """How far an answer that ends at ``until`` is complete: open transactions have changes it does not show."""
        limits = [until, _whole_minute(self._clock())]
        oldest = self._oldest_open()
        if oldest is not None:
            limits.append(_whole_minute(oldest))
        return min(limits)

    def _rows(self, sql: str, parameters: list[datetime] | dict[str, object]) -> list[tuple[str, datetime]]:
        con = self._connect()
        try:
            rows = con.execute(sql, parameters).fetchall()
        finally:
            con.close()
        if len(rows) > self.maximum_ids:
            message = f"The number of ids exceeds the limit of {self.maximum_ids}; ask for a shorter timespan"
            raise SObjectError(400, "EXCEEDED_ID_LIMIT", message)
        return rows


def _stored(moment: datetime) -> datetime:
    """A moment as the database has it: UTC without zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _whole_minute(moment: datetime) -> datetime:
    return _stored(moment).replace(second=0, microsecond=0)


def _bad_date(message: str) -> SObjectError:
    return SObjectError(400, "INVALID_REPLICATION_DATE", message)
