"""Reading the mirrored org for the command line: the published snapshot, or the warehouse before the first publish.

Nothing is written here.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from data_contracts.errors import WarehouseError
from pipelines.tables import table_columns
from resources.home import Home

#: Compound fields are described and never mirrored: their parts are.
_COMPOUND = ("address", "location", "base64")


@contextmanager
def open_mirror(home: Home) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """Open the snapshot, else the warehouse, read-only; None when there is neither.

    Raises WarehouseError when the only file there is belongs to a running sync.
    """
    file = next((file for file in (home.published, home.warehouse) if file.is_file()), None)
    if file is None:
        yield None
        return
    try:
        con = duckdb.connect(str(file), read_only=True)
    except duckdb.Error as error:
        raise WarehouseError(
            f"{file.name} cannot be read now",
            why="a sync is writing it, or it was written by a newer DuckDB",
            next_step="wait for the sync to end (crosswalk status), then run the command again",
        ) from error
    try:
        yield con
    finally:
        con.close()


def described_fields(con: duckdb.DuckDBPyConnection, object_name: str) -> frozenset[str]:
    """Return the API names of the fields the org offered when it was last described; empty when it never was."""
    if not table_columns(con, "salesforce.field"):
        return frozenset()
    rows = con.execute(
        "SELECT field_name FROM salesforce.field "
        "WHERE lower(replace(object_name, '_', '')) = ? AND gone_at IS NULL AND type NOT IN (?, ?, ?)",
        [object_name.replace("_", ""), *_COMPOUND],
    ).fetchall()
    return frozenset(name for (name,) in rows)
