"""The published snapshot as the review reads it: opened once, shared by threads, opened anew when a run has published.

What the queue is made of is ``queue_table.py``.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from data_contracts.contracts import literal
from data_contracts.errors import WarehouseError
from pipelines.review.queue_table import SHARED, build_queue
from pipelines.tables import TableColumns, all_columns, remember_columns

#: The name under which the snapshot is attached.
ALIAS = "analytics"


@dataclass
class _Open:
    """One published file: its identity, the database it is attached to, its columns, and who reads it now."""

    identity: tuple[int, int, int]
    database: duckdb.DuckDBPyConnection
    columns: TableColumns
    readers: int = 0


class ReviewSnapshot:
    """The snapshot of one home for several threads; each ``connect`` gives a connection of its own, read-only.

    Tables that make the queue fast are built once per published file, in memory.
    """

    def __init__(self, path: Path, *, memory_limit: str = "1GB", threads: int | None = None) -> None:
        self._path, self._memory_limit, self._threads = path, memory_limit, threads
        self._lock = threading.Lock()
        self._open: _Open | None = None

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a connection to the newest snapshot.

        Raises WarehouseError when nothing is published, the file is damaged or lacks what the review needs.
        """
        current = self._current()
        cursor = current.database.cursor()
        try:
            cursor.execute(f"USE {ALIAS}")
            remember_columns(cursor, current.columns)
            yield cursor
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise _lacks(self._path) from error
        finally:
            cursor.close()
            self._release(current)

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            if self._open is not None:
                self._open.database.close()
            self._open = None

    def _current(self) -> _Open:
        """Return the newest file's database, one reader more."""
        with self._lock:
            identity = _identity(self._path)
            if self._open is None or self._open.identity != identity:
                before, self._open = self._open, self._attach(identity)
                if before is not None and not before.readers:
                    before.database.close()
            self._open.readers += 1
            return self._open

    def _release(self, used: _Open) -> None:
        with self._lock:
            used.readers -= 1
            if used is not self._open and not used.readers:
                used.database.close()

    def _attach(self, identity: tuple[int, int, int]) -> _Open:
        # In memory, with the file attached: a second connection to the path itself would be given the file it had
        # open before, not the one that has taken its place.
        config: dict[str, str | bool | int | float | list[str]] = {"memory_limit": self._memory_limit}
        if self._threads:
            config["threads"] = self._threads
        database = duckdb.connect(":memory:", config=config)
        try:
            database.execute("SET TimeZone = 'UTC'")
            database.execute(f"ATTACH {literal(str(self._path))} AS {ALIAS} (READ_ONLY)")
            # Whatever a query could be talked into, it reads this file and nothing else.
            database.execute("SET enable_external_access = false")
            database.execute(f"USE {ALIAS}")
            columns = all_columns(database)
            build_queue(database, SHARED)
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            database.close()
            raise _lacks(self._path) from error
        except duckdb.Error as error:
            database.close()
            raise WarehouseError(
                f"cannot read the snapshot {self._path}: {str(error).splitlines()[0]}",
                why="the file is damaged, or was written by another version",
                next_step="crosswalk sync --full",
            ) from error
        return _Open(identity, database, columns)


def _identity(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise WarehouseError(
            f"nothing is published yet in {path.parent}",
            why="no run has ended well so far",
            next_step="crosswalk sync --full (or make demo)",
        ) from error
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _lacks(path: Path) -> WarehouseError:
    return WarehouseError(
        f"the snapshot {path} lacks a table or column that the review shows",
        why="publish.schemas or publish.hidden_columns leaves it out, or the file is of another version",
        next_step="publish it too, then run: crosswalk sync",
    )
