"""The private warehouse: how a DuckDB connection to it is opened and closed, not what is in it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from data_contracts.errors import WarehouseError

#: Schemas of the warehouse; ``_state`` is private bookkeeping and is never published.
SCHEMAS = (
    "salesforce",
    "reference",
    "standard",
    "match",
    "crosswalk",
    "imports",
    "ownership",
    "insight",
    "ops",
    "_state",
)


@dataclass(frozen=True)
class Warehouse:
    """One writer's door to ``warehouse.duckdb``.

    ``memory_limit`` is DuckDB's own (for example ``2GB``); beyond it DuckDB spills to ``<file>.tmp``.
    """

    path: Path
    memory_limit: str = "2GB"
    threads: int | None = None
    lock_wait_seconds: float = 20.0

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the warehouse for writing, with every schema present; always closed, also on an exception."""
        connection = self._open_with_retry()
        try:
            for schema in SCHEMAS:
                connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            yield connection
        finally:
            connection.close()

    def _open_with_retry(self) -> duckdb.DuckDBPyConnection:
        deadline = time.monotonic() + self.lock_wait_seconds
        while True:
            try:
                return self._open()
            except duckdb.Error as error:
                if "set lock" not in str(error).lower():
                    raise WarehouseError(
                        f"cannot open the warehouse {self.path}: {str(error).splitlines()[0]}",
                        why="the file is damaged, or was written by a newer DuckDB",
                        next_step="move the file aside and run: crosswalk sync --full",
                    ) from error
                if time.monotonic() > deadline:
                    raise WarehouseError(
                        f"the warehouse {self.path} is locked by another process",
                        why="analysts read published/analytics.duckdb; the warehouse has one writer",
                        next_step="close whatever has it open, then run the command again",
                    ) from error
                time.sleep(0.25)

    def _open(self) -> duckdb.DuckDBPyConnection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": self.memory_limit,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": False,
        }
        if self.threads:
            config["threads"] = self.threads
        connection = duckdb.connect(str(self.path), config=config)
        connection.execute("SET TimeZone = 'UTC'")
        # DuckDB 2 draws one over any log, file or terminal, where a statement takes more than two seconds.
        connection.execute("SET enable_progress_bar = false")
        self.path.chmod(0o600)
        return connection
