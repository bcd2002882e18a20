"""A small warehouse in memory for matching tests: tables from plain rows, one call to standardize and resolve."""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from data_contracts.settings import Settings
from pipelines.resolve import ResolveResult, resolve
from pipelines.run import RunContext
from pipelines.standardize import TABLES, standardize
from resources.warehouse import SCHEMAS

Rows = Sequence[dict[str, Any]]


def run_context(run_id: str = "r1", kind: str = "full", day: int = 1) -> RunContext:
    return RunContext(run_id, kind, datetime(2026, 3, day, 2, tzinfo=UTC))  # type: ignore[arg-type]


def connect(path: Path | None = None) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(str(path) if path else ":memory:")
    con.execute("SET TimeZone = 'UTC'")
    for schema in SCHEMAS:
        con.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
    return con


def put(con: duckdb.DuckDBPyConnection, table: str, rows: Rows) -> None:
    """Create ``table`` from rows of text; a salesforce table gets its bookkeeping columns unless rows have them."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    con.register("_rows", pa.table({name: pa.array([row.get(name) for row in rows]) for name in names}))
    deleted = ", false AS _is_deleted" if table.startswith("salesforce.") and "_is_deleted" not in names else ""
    con.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT *{deleted} FROM _rows")
    con.unregister("_rows")


def read_csv(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]


def resolve_all(
    con: duckdb.DuckDBPyConnection,
    name: Any,
    folder: Path,
    settings: Settings | None = None,
    run: RunContext | None = None,
) -> ResolveResult:
    settings, run = settings or Settings(), run or run_context()
    for table in TABLES:
        standardize(con, table, settings, run)
    return resolve(con, name, settings, run, models_dir=folder / "models")


def links(con: duckdb.DuckDBPyConnection, name: str) -> dict[str, tuple[str, str | None]]:
    """Record → (status, entity)."""
    found = con.sql(f"SELECT salesforce_id, status, reference_id FROM crosswalk.{name}").fetchall()
    return {row[0]: (row[1], row[2]) for row in found}
