"""``imports.feed``: which feed of changes this is and how far it goes; the cursor a consumer resumes from.

The rows of the feed are written by ``values``; a sequence is given once, whatever becomes of the row that had it.
"""

from uuid import uuid4

import duckdb

from data_contracts.contracts import load_contract
from pipelines.run import RunContext
from pipelines.tables import ensure_table, scalar, table_columns


def prepare_feed(con: duckdb.DuckDBPyConnection, run: RunContext) -> None:
    """Make the feed and its one row where there is none; the sequences of an earlier version go on."""
    for name in ("imports.value", "imports.change", "imports.feed"):
        ensure_table(con, load_contract(name))
    if scalar(con, "SELECT count(*) FROM imports.feed") == 0:
        _begin(con, run, scalar(con, "SELECT max(sequence) FROM imports.change"))


def restart_feed(con: duckdb.DuckDBPyConnection) -> None:
    """Forget which feed it is: the next run begins another one, whose sequences go on from this one's.

    For whoever removes imported values without feeding it: a consumer sees another feed_id, and reads them all again.
    """
    if table_columns(con, "imports.feed"):
        con.execute("UPDATE imports.feed SET feed_id = ''")


def last_sequence(con: duckdb.DuckDBPyConnection) -> int:
    """Return the last sequence that was given."""
    return scalar(con, "SELECT last_sequence FROM imports.feed")


def advance(con: duckdb.DuckDBPyConnection, rows: int) -> None:
    """Say that so many sequences more were given."""
    con.execute("UPDATE imports.feed SET last_sequence = last_sequence + ?", [rows])


def close_feed(con: duckdb.DuckDBPyConnection, run: RunContext) -> None:
    """Say where the feed begins after this run; nothing is written where nothing changed."""
    if scalar(con, "SELECT count(*) FROM imports.feed WHERE feed_id = ''"):
        last = last_sequence(con)
        con.execute("DELETE FROM imports.feed")
        _begin(con, run, last)
    note_first(con)


def note_first(con: duckdb.DuckDBPyConnection) -> None:
    """Say which row of the feed is the lowest still there; for whoever removes old ones, too."""
    if not table_columns(con, "imports.feed"):
        return
    lowest = "SELECT min(sequence) AS first FROM imports.change"
    con.execute(
        f"UPDATE imports.feed SET first_sequence = e.first FROM ({lowest}) AS e "
        "WHERE first_sequence IS DISTINCT FROM e.first"
    )


def _begin(con: duckdb.DuckDBPyConnection, run: RunContext, last: int) -> None:
    con.execute(
        "INSERT INTO imports.feed BY NAME SELECT $id AS feed_id, $at::TIMESTAMP AS began_at, $run AS run_id, "
        "NULL AS first_sequence, $last AS last_sequence",
        {"id": uuid4().hex, "at": run.started_at.replace(tzinfo=None), "run": run.run_id, "last": last},
    )
