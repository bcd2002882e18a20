"""The last look at a new snapshot before it takes the place of the old one, through a reader's eyes."""

from pathlib import Path

import duckdb

from data_contracts.contracts import quoted
from data_contracts.errors import WarehouseError
from resources.home import Home


def verify(path: Path, counts: dict[str, int], run_id: str) -> None:
    """Open the file at ``path`` as an analyst would and hold it to what was written.

    Raises WarehouseError when a row count or the run id differs, or a table or column has no description.
    """
    with duckdb.connect(str(path), read_only=True) as con:
        wrong = [
            f"{name} has another number of rows than were written"
            for name, rows in counts.items()
            if con.sql(f"SELECT count(*) FROM {'.'.join(map(quoted, name.split('.')))}").fetchall()[0][0] != rows
        ]
        undescribed = con.sql(
            "SELECT table_name FROM duckdb_tables() WHERE coalesce(comment, '') = '' UNION ALL "
            "SELECT table_name || '.' || column_name FROM duckdb_columns() "
            "WHERE NOT internal AND coalesce(comment, '') = ''"
        ).fetchall()
        wrong += [f"{name} has no description" for (name,) in undescribed]
        if con.sql("SELECT run_id FROM main._meta").fetchall() != [(run_id,)]:
            wrong.append("_meta names another run")
    if wrong:
        raise WarehouseError(
            f"the new snapshot is not what was written: {'; '.join(wrong[:5])}",
            why="it was checked before taking the place of the last one, which stays",
            next_step="run: crosswalk sync; if it happens again, the disk or memory is faulty",
        )


def published_run_id(home: Home) -> str | None:
    """Return the run whose snapshot is published; None where there is none or it cannot be read."""
    if not home.published.is_file():
        return None
    try:
        with duckdb.connect(str(home.published), read_only=True) as con:
            return str(con.execute("SELECT run_id FROM _meta").fetchall()[0][0])
    except (duckdb.Error, IndexError):
        return None
