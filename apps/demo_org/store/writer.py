"""The connection that writes to the org: statements in transactions, look-ups as the writer sees them.

Belongs here: what every kind of change is made of. Not here: the rules of one kind of change (``records``, ``merge``,
``convert``).
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import duckdb

from apps.demo_org.store.derived import DEFAULTED, DERIVED, PERSON_ACCOUNT_NAME
from apps.demo_org.store.errors import SObjectError
from apps.demo_org.store.ids import normal_id
from apps.demo_org.store.replication import DELETE_LOG
from apps.demo_org.store.schema import ObjectType
from apps.demo_org.store.text import identifier
from apps.demo_org.store.validation import malformed_id

#: SQL and its arguments.
Statement = tuple[str, list[Any]]


class Writer:
    """Writes to the org, one transaction each, one at a time."""

    def __init__(
        self,
        connect: Callable[[], duckdb.DuckDBPyConnection],
        objects: dict[str, ObjectType],
        clock: Callable[[], datetime],
    ) -> None:
        self._connect, self._clock = connect, clock
        #: The org's object types by name.
        self.objects = objects
        self._con = connect()
        self._made: dict[str, int] = {}
        self._inside = False
        #: Held by every change of records or schema.
        self.lock = threading.RLock()

    def environment(
        self,
    ) -> tuple[Callable[[], duckdb.DuckDBPyConnection], dict[str, ObjectType], Callable[[], datetime]]:
        """What another writer to the same org is made with."""
        return self._connect, self.objects, self._clock

    def share(self, other: "Writer") -> None:
        """Write in turn with another writer and never make an id it made."""
        self._made, self.lock = other._made, other.lock

    def now(self) -> datetime:
        """The server's clock as it is stored: UTC without zone, whole seconds as the API shows them."""
        return self._clock().astimezone(UTC).replace(tzinfo=None, microsecond=0)

    def references_to(self, kind: ObjectType) -> list[tuple[ObjectType, str]]:
        """Every object and field of this org that points to records of an object, merged ones' masters aside."""
        return [
            (child, each["field"])
            for each in kind.children
            if (child := self.objects.get(each["childSObject"])) and child.find(each["field"])
            if each["field"] != "MasterRecordId"
        ]

    def removal(self, kind: ObjectType, record_id: str, deleted_at: datetime | None = None) -> list[Statement]:
        """Statements that remove a record for good and note when it was deleted."""
        noted = [kind.name, record_id, deleted_at or self.now()]
        return [
            (f"DELETE FROM {identifier(kind.name)} WHERE Id = ?", [record_id]),
            (f"INSERT INTO {identifier(DELETE_LOG)} VALUES (?, ?, ?)", noted),
        ]

    def select(self, sql: str, arguments: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Rows as this writer sees them."""
        with self.lock:
            return self._con.execute(sql, list(arguments)).fetchall()

    def row(self, kind: ObjectType, record_id: str, columns: Sequence[str]) -> tuple[Any, ...] | None:
        """Stored values of a record, in the bin or not; None where there is none."""
        listed = ", ".join(identifier(c) for c in columns)
        sql = f"SELECT {listed} FROM {identifier(kind.name)} WHERE Id = ?"
        with self.lock:
            found = self._con.execute(sql, [record_id]).fetchall()
        return found[0] if found else None

    def require_live(self, kind: ObjectType, record_id: str) -> None:
        """Raise unless the record exists and is not in the bin."""
        has_bin = kind.find("IsDeleted") is not None
        row = self.row(kind, record_id, ("IsDeleted",) if has_bin else ("Id",))
        if row is None:
            raise malformed_id(kind, record_id) if normal_id(record_id[:15]) != record_id else unknown_record()
        if has_bin and row[0]:
            raise SObjectError(404, "ENTITY_IS_DELETED", "entity is deleted", [])

    def derive(
        self, kind: ObjectType, ids: Sequence[str], given: set[str], *, creating: bool = False
    ) -> list[Statement]:
        """Statements that compute the records' derived fields anew: as many for all of them as for one."""
        layers: list[dict[str, str]] = []
        if creating or (kind.name == "Opportunity" and "StageName" in given):
            layers.append({n: f"coalesce({e}, {n})" for n, e in DEFAULTED.get(kind.name, {}).items() if n not in given})
        layers.append({n: e for n, e in DERIVED.get(kind.name, {}).items() if n not in given or n == "Name"})
        if kind.name == "Account" and kind.find("IsPersonAccount"):
            layers.append({"Name": f"coalesce({PERSON_ACCOUNT_NAME}, Name)"})
        return [
            (
                f"UPDATE {identifier(kind.name)} SET "
                + ", ".join(f"{identifier(n)} = {e}" for n, e in layer.items() if kind.find(n))
                + f" WHERE Id IN ({placeholders(ids)})",
                list(ids),
            )
            for layer in layers
            if layer
        ]

    def run(self, statements: list[Statement]) -> None:
        """Run statements in one transaction."""
        with self.all_or_nothing():
            for sql, arguments in statements:
                self._con.execute(sql, arguments).fetchall()

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Make every change of the block one transaction, undone if anything in it raises."""
        with self.lock:
            if self._inside:
                yield
                return
            self._con.execute("BEGIN TRANSACTION").fetchall()
            self._inside = True
            try:
                yield
                self._con.execute("COMMIT").fetchall()
            except BaseException as error:
                # A COMMIT that failed has ended the transaction already.
                with suppress(duckdb.TransactionException):
                    self._con.execute("ROLLBACK").fetchall()
                if isinstance(error, duckdb.TransactionException):
                    raise locked_row() from error
                raise
            finally:
                self._inside = False


def known(kind: ObjectType, values: dict[str, Any]) -> dict[str, Any]:
    """The values of fields that the object has."""
    return {name: value for name, value in values.items() if kind.find(name)}


def placeholders(values: Sequence[str]) -> str:
    """The marks of an IN list."""
    return ", ".join("?" for _ in values)


def update_statement(kind: ObjectType, ids: list[str], values: dict[str, Any]) -> Statement:
    """Set values on records."""
    sets = ", ".join(f"{identifier(n)} = ?" for n in values)
    return f"UPDATE {identifier(kind.name)} SET {sets} WHERE Id IN ({placeholders(ids)})", [*values.values(), *ids]


def locked_row() -> SObjectError:
    """Answer where a transaction that has not ended holds the record."""
    return SObjectError(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", [])


def unknown_record() -> SObjectError:
    """Answer for an id without a record."""
    return SObjectError(404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
