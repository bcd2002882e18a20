"""Long transactions: records stamped when they are changed and seen by others only when it commits.

Belongs here: beginning, entering and ending one. Apex, flows and large imports make such transactions in Salesforce;
whoever reads by SystemModstamp misses their rows unless it heeds latestDateCovered. Not here: the changes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import cast

import duckdb

from apps.demo_org.store.errors import SObjectError
from apps.demo_org.store.records import Records
from apps.demo_org.store.writer import locked_row

_SNAPSHOT = "CREATE TEMP TABLE result AS "


class LongTransaction(Records):
    """Writes on a connection of its own, committed all at once at the end."""

    def __init__(self, committed: Records, started: datetime) -> None:
        super().__init__(*committed.environment())
        self.share(committed)
        self.started = started
        #: What to do once it has ended.
        self.afterwards: list[Callable[[], None]] = []
        self._con.execute("BEGIN TRANSACTION").fetchall()

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Change records without ending the transaction."""
        with self.lock:
            try:
                yield
            except duckdb.TransactionException as error:
                raise locked_row() from error

    def own_reads(self) -> duckdb.DuckDBPyConnection:
        """Reads inside the transaction."""
        return cast("duckdb.DuckDBPyConnection", OwnReads(self._con, self._connect()))

    def end(self, statement: str) -> None:
        """COMMIT or ROLLBACK, and let the connection go."""
        with self.lock:
            try:
                self._con.execute(statement).fetchall()
            except duckdb.TransactionException as error:
                raise locked_row() from error
            finally:
                self._con.close()


class OwnReads:
    """A connection as a query takes it that sees what a transaction changed; closing it leaves the transaction open.

    The query's snapshot lies on a connection of its own: rows of an open transaction have no row numbers from 0,
    by which pages are cut.
    """

    def __init__(self, inside: duckdb.DuckDBPyConnection, beside: duckdb.DuckDBPyConnection) -> None:
        self._inside, self._beside = inside, beside
        self._last = inside

    def execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Run a statement inside the transaction, or on the snapshot."""
        if sql.startswith(_SNAPSHOT):
            rows = self._inside.sql(sql.removeprefix(_SNAPSHOT)).to_arrow_table()
            self._last = self._beside.register("rows_inside", rows).execute(f"{_SNAPSHOT}FROM rows_inside")
        else:
            self._last = (self._beside if " FROM result" in sql else self._inside).execute(sql)
        return self._last

    def fetchmany(self, size: int) -> list[tuple[object, ...]]:
        """The next rows of the last statement."""
        return self._last.fetchmany(size)

    def close(self) -> None:
        """Drop the snapshot of the query."""
        self._beside.close()


class Transactions:
    """The open transactions of an org, and the one the calling thread is inside of."""

    def __init__(self, committed: Records, clock: Callable[[], datetime]) -> None:
        self._committed, self._clock = committed, clock
        self._open: dict[str, LongTransaction] = {}
        self._begun = 0
        self._current: ContextVar[LongTransaction | None] = ContextVar("transaction", default=None)

    def begin(self) -> str:
        """Begin a transaction now; its name."""
        with self._committed.lock:
            self._begun += 1
            name = f"transaction-{self._begun}"
            self._open[name] = LongTransaction(self._committed, self._clock())
        return name

    def commit(self, name: str) -> None:
        """Make a transaction's changes visible, with the stamps they were made with."""
        self._end(name, "COMMIT")

    def rollback(self, name: str) -> None:
        """Undo a transaction's changes."""
        self._end(name, "ROLLBACK")

    def _end(self, name: str, statement: str) -> None:
        with self._committed.lock:
            found = self._find(name)
            try:
                found.end(statement)
            finally:
                del self._open[name]
                for done in found.afterwards:
                    done()

    @contextmanager
    def within(self, name: str | None) -> Iterator[None]:
        """Have the changes this thread makes in the block belong to a transaction (None: to none)."""
        token = self._current.set(self._find(name) if name is not None else None)
        try:
            yield
        finally:
            self._current.reset(token)

    def afterwards(self, done: Callable[[], None]) -> None:
        """Have something done when the calling thread's transaction has ended; nothing where it is in none."""
        current = self._current.get()
        if current is not None:
            current.afterwards.append(done)

    def records(self) -> Records:
        """What writes for the calling thread."""
        return self._current.get() or self._committed

    def connect(self) -> duckdb.DuckDBPyConnection:
        """What the calling thread reads with: inside a transaction, its own changes too."""
        current = self._current.get()
        return self._committed.environment()[0]() if current is None else current.own_reads()

    def oldest_start(self) -> datetime | None:
        """When the oldest open transaction began."""
        with self._committed.lock:
            return min((found.started for found in self._open.values()), default=None)

    def _find(self, name: str) -> LongTransaction:
        if name not in self._open:
            raise SObjectError(400, "INVALID_PARAMETER_VALUE", f"no open transaction is named {name}")
        return self._open[name]
