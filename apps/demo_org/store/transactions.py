"""Long transactions: records stamped when they are changed and seen by others only when it commits.

Belongs here: beginning, entering and ending one. Apex, flows and large imports make such transactions in Salesforce;
whoever reads by SystemModstamp misses their rows unless it heeds latestDateCovered. Not here: the changes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

import duckdb

from apps.demo_org.store.errors import SObjectError
from apps.demo_org.store.records import Records
from apps.demo_org.store.writer import locked_row


class LongTransaction(Records):
    """Writes on a connection of its own, committed all at once at the end."""

    def __init__(self, committed: Records, started: datetime) -> None:
        super().__init__(*committed.environment())
        self.share(committed)
        self.started = started
        self._con.execute("BEGIN TRANSACTION").fetchall()

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Change records without ending the transaction."""
        with self.lock:
            try:
                yield
            except duckdb.TransactionException as error:
                raise locked_row() from error

    def end(self, statement: str) -> None:
        """COMMIT or ROLLBACK, and let the connection go."""
        with self.lock:
            try:
                self._con.execute(statement).fetchall()
            except duckdb.TransactionException as error:
                raise locked_row() from error
            finally:
                self._con.close()


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

    @contextmanager
    def within(self, name: str | None) -> Iterator[None]:
        """Have the changes this thread makes in the block belong to a transaction (None: to none)."""
        token = self._current.set(self._find(name) if name is not None else None)
        try:
            yield
        finally:
            self._current.reset(token)

    def records(self) -> Records:
        """What writes for the calling thread."""
        return self._current.get() or self._committed

    def oldest_start(self) -> datetime | None:
        """When the oldest open transaction began."""
        with self._committed.lock:
            return min((found.started for found in self._open.values()), default=None)

    def _find(self, name: str) -> LongTransaction:
        if name not in self._open:
            raise SObjectError(400, "INVALID_PARAMETER_VALUE", f"no open transaction is named {name}")
        return self._open[name]
