"""Proposals of missing entities as files, CSV and Parquet, for the product that owns the reference.

What a proposal is, is ``proposals``. A file is written aside and put in its place by one rename.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Literal

import duckdb

from data_contracts.contracts import literal
from pipelines.tables import table_columns

Format = Literal["csv", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "parquet")
STATUSES = ("proposed", "accepted", "rejected")
TABLE = "imports.creation_proposal"
#: Name of the files in the published folder, without its ending.
PUBLISHED = "creation_proposal"


def write_proposals(
    con: duckdb.DuckDBPyConnection, path: Path, form: Format, *, mode: int, statuses: Collection[str] = STATUSES
) -> int:
    """Write the proposals of these statuses to ``path``, in order of object and Id, and return how many there are.

    ``mode`` is that of the file. An OSError or a DuckDB error leaves what was there before.
    """
    draft = path.with_name(f".{path.name}.tmp")
    options = "FORMAT csv, HEADER" if form == "csv" else "FORMAT parquet, COMPRESSION zstd"
    order = ", ".join(name for name in ("object", "salesforce_id") if name in table_columns(con, TABLE))
    chosen = ", ".join(map(literal, statuses))
    where = f"WHERE status IN ({chosen})" if set(statuses) != set(STATUSES) else ""
    try:
        draft.touch(mode=0o600)
        rows = con.execute(
            f"COPY (SELECT * FROM {TABLE} {where} ORDER BY {order or 'ALL'}) TO {literal(str(draft))} ({options})"
        ).fetchall()
        draft.chmod(mode)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return int(rows[0][0])


def publish_proposals(published: Path) -> int | None:
    """Write the proposals of the snapshot ``published`` beside it, as both kinds of file; return how many there are.

    They are as the snapshot has them, masked where it is; None, and no file, where it has none.
    """
    files = {form: published.with_name(f"{PUBLISHED}.{form}") for form in FORMATS}
    rows: int | None = None
    with duckdb.connect(str(published), read_only=True) as con:
        if table_columns(con, TABLE):
            for form, path in files.items():
                rows = write_proposals(con, path, form, mode=0o644)
    if rows is None:
        for path in files.values():
            path.unlink(missing_ok=True)
    return rows
