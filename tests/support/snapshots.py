"""What two published snapshots must agree in, whatever runs made them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb

#: Columns that say which run wrote a row, or when: they differ between any two runs, and say nothing of the data.
OF_THE_RUN = {
    "_run_id", "run_id",  # the run that wrote the row
    "_synced_at", "rejected_at", "proposed_at", "changed_at", "created_at", "detected_at", "occurred_at",  # when it did
    "first_seen", "last_seen",  # when a describe first and last showed the field
    "linked_since",  # when it was first linked; that it is set follows the status, which is compared
}  # fmt: skip

#: Tables that tell the story of runs, not of records: a home with another history tells another one.
ABOUT_RUNS = {
    "ops.sync_run",  # one row per run, killed ones too
    "ops.run_statistics",  # one row per run and object; what is new to a fresh home is unchanged to a killed one
    "ops.api_usage",  # what each run asked; a resumed one asks less
    "ops.link_segment",  # link rates of each run
    "ops.fill_rate",  # and how its fields were filled
    "ops.alarm",  # what was wrong then
    "ops.link_approval",  # who let a run through
    "ops.link_history",  # what each run came to
    "ops.ownership_history",
    "imports.feed",  # which feed a home has, and how far it goes
    "ops.publication",  # when each was published
}


#: Tables to which every load appends what it met again: the same cells count once.
APPENDED = {"ops.reject"}


@contextmanager
def by_another_name(path: Path) -> Iterator[Path]:
    """The file as it is now: where a reader of this process holds an earlier one of that name, DuckDB shares it."""
    name = path.with_name(f".{uuid4().hex}.duckdb")
    name.hardlink_to(path)
    try:
        yield name
    finally:
        name.unlink()


def content(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every published table but those about runs, without the columns of the run, in a fixed order."""
    with by_another_name(path) as name, duckdb.connect(str(name), read_only=True) as con:
        tables = con.sql(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE schema_name <> 'main' ORDER BY 1"
        ).fetchall()
        return {name: _rows(con, name) for (name,) in tables if name not in ABOUT_RUNS}


def _rows(con: duckdb.DuckDBPyConnection, name: str) -> list[tuple[Any, ...]]:
    types = {row[0]: row[1] for row in con.sql(f"DESCRIBE {name}").fetchall() if row[0] not in OF_THE_RUN}
    # Sums made by several threads differ in the last bit of a float from run to run, uninterrupted or not.
    listed = ", ".join(
        f'round("{column}", 6) AS "{column}"' if kind in ("DOUBLE", "FLOAT") else f'"{column}"'
        for column, kind in types.items()
    )
    distinct = "DISTINCT" if name in APPENDED else ""
    return con.sql(f"SELECT {distinct} {listed} FROM {name} ORDER BY ALL").fetchall()


def column(path: Path, table: str, key: str, value: str) -> dict[Any, Any]:
    """One column of a published table by another."""
    with duckdb.connect(str(path), read_only=True) as con:
        return dict(con.sql(f"SELECT {key}, {value} FROM {table}").fetchall())
