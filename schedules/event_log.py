"""How the embedded Dagster instance writes to SQLite: without two waits for the disk per event.

Dagster opens and closes its database for every event of a run, and closing the last connection of a write-ahead log
copies it into the database and waits for the disk, twice. A connection that stays open while a run works leaves that
to its end. With ``synchronous = NORMAL`` a commit does not wait either; in a write-ahead log that is safe against a
killed process, and after a power cut the last events may be missing, never damaged
(https://sqlite.org/pragma.html#pragma_synchronous). The databases of the home itself are not touched.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.pool import Pool


@contextmanager
def kept_open(folder: Path) -> Iterator[None]:
    """Keep every SQLite database below ``folder`` open from its first use to the end of the block."""
    below, held = str(folder.resolve()) + "/", dict[str, sqlite3.Connection]()

    def connected(connection: Any, _record: object) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return
        file = next((row[2] for row in connection.execute("PRAGMA database_list") if row[1] == "main"), "")
        if not file.startswith(below):
            return
        connection.execute("PRAGMA synchronous = NORMAL")
        if file not in held:
            held[file] = stack.enter_context(closing(sqlite3.connect(file, check_same_thread=False)))
            # A connection takes part in the log once it has read.
            held[file].execute("SELECT count(*) FROM sqlite_master").fetchall()

    with ExitStack() as stack:
        event.listen(Pool, "connect", connected)
        stack.callback(event.remove, Pool, "connect", connected)
        yield
