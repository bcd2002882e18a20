"""How the embedded Dagster instance writes to SQLite: without two waits for the disk per event.

Dagster opens and closes its database for every event of a run, and closing the last connection of a write-ahead log
copies it into the database and waits for the disk, twice. A connection that stays open while a run works leaves that
to its end. With ``synchronous = NORMAL`` a commit does not wait either; in a write-ahead log that is safe against a
killed process, and after a power cut the last events may be missing, never damaged
(https://sqlite.org/pragma.html#pragma_synchronous). The databases of the home itself are not touched.
"""

import atexit
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.pool import Pool

_OF_THIS_PROCESS = ExitStack()


@cache
def keep_open(folder: Path) -> None:
    """Keep them open to the end of this process: one that Dagster has started for a run, or to serve what there is."""
    _OF_THIS_PROCESS.enter_context(kept_open(folder))
    atexit.register(_OF_THIS_PROCESS.close)


@contextmanager
def kept_open(folder: Path) -> Iterator[None]:
    """Keep every SQLite database below ``folder`` open from its first use to the end of the block."""
    below, held, logged = str(folder.resolve()) + "/", dict[str, sqlite3.Connection](), set[str]()

    def connected(connection: Any, _record: object) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return
        file = next((row[2] for row in connection.execute("PRAGMA database_list") if row[1] == "main"), "")
        if not file.startswith(below):
            return
        connection.execute("PRAGMA synchronous = NORMAL")
        if file not in held:
            held[file] = stack.enter_context(closing(sqlite3.connect(file, check_same_thread=False)))
        if file not in logged:
            # A connection takes part in the log once it has read; a new database has no log at its first connection.
            held[file].execute("SELECT count(*) FROM sqlite_master").fetchall()
            if held[file].execute("PRAGMA journal_mode").fetchone() == ("wal",):
                logged.add(file)

    with ExitStack() as stack:
        event.listen(Pool, "connect", connected)
        stack.callback(event.remove, Pool, "connect", connected)
        yield
