"""Reading the mirrored org for the command line: the published snapshot, or the warehouse before the first publish.

Nothing is written here.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from data_contracts.errors import WarehouseError
from resources.home import Home


@contextmanager
def open_mirror(home: Home, *, private: bool = False) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """Open the snapshot, else the warehouse, read-only; None when there is neither.

    ``private`` asks for the warehouse first: what is hidden or masked in the snapshot is there as it is. Raises
    WarehouseError when the file belongs to a running sync.
    """
    files = (home.warehouse, home.published) if private else (home.published, home.warehouse)
    file = next((file for file in files if file.is_file()), None)
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
