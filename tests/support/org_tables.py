"""Builds small warehouse tables by hand, as extraction and resolution would leave them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from data_contracts.contracts import load_contract, quoted
from pipelines.run import RunContext
from resources.warehouse import Warehouse

Row = Mapping[str, Any]
SYNCED = datetime(2026, 3, 1, 1, 0, tzinfo=UTC).replace(tzinfo=None)


@contextmanager
def warehouse(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty warehouse with every schema."""
    with Warehouse(folder / "warehouse.duckdb", memory_limit="512MB", threads=2).connect() as con:
        yield con


def run_context(run_id: str = "run-1", kind: Any = "full", day: int = 1) -> RunContext:
    return RunContext(run_id, kind, datetime(2026, 3, day, 2, 0, tzinfo=UTC), "abc")


def put(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Row], types: Mapping[str, str]) -> None:
    """Create ``schema.table`` anew with exactly the columns of ``types``; a missing value is null."""
    columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in types.items())
    relation = ".".join(quoted(part) for part in table.split("."))
    con.execute(f"CREATE OR REPLACE TABLE {relation} ({columns})")
    if rows:
        # One statement: row by row each would wait for the disk.
        marks = ", ".join(f"({', '.join('?' for _ in types)})" for _ in rows)
        values = [row.get(name) for row in rows for name in types]
        con.execute(f"INSERT INTO {relation} VALUES {marks}", values).fetchall()


#: DuckDB types of the API fields that are not text.
FIELD_TYPES = {
    "Amount": "DECIMAL(18,2)",
    "AnnualRevenue": "DECIMAL(18,0)",
    "CreatedDate": "TIMESTAMP",
    "IsActive": "BOOLEAN",
    "IsClosed": "BOOLEAN",
    "IsConverted": "BOOLEAN",
    "IsWon": "BOOLEAN",
    "LastActivityDate": "DATE",
    "LastModifiedDate": "TIMESTAMP",
    "NumberOfEmployees": "BIGINT",
    "SystemModstamp": "TIMESTAMP",
}


def put_salesforce(con: duckdb.DuckDBPyConnection, name: str, rows: Sequence[Row], fields: Sequence[str] = ()) -> None:
    """``salesforce.<name>`` with the fields the rows have, and ``fields`` besides."""
    names = list(dict.fromkeys(["Id", *fields, *(key for row in rows for key in row)]))
    types = {key: FIELD_TYPES.get(key, "VARCHAR") for key in names}
    types |= {"_is_deleted": "BOOLEAN", "_synced_at": "TIMESTAMP", "_run_id": "VARCHAR"}
    filled = [{"_is_deleted": False, "_synced_at": SYNCED, "_run_id": "run-1"} | dict(row) for row in rows]
    put(con, f"salesforce.{name}", filled, types)


def put_crosswalk(con: duckdb.DuckDBPyConnection, name: str, links: Mapping[str, str | None], **more: str) -> None:
    """``crosswalk.<name>``: record id → entity id (linked by rule) or None (unmatched); ``more``: id → status."""
    rows: list[Row] = [
        {
            "salesforce_id": record,
            "status": "linked" if entity else more.get(record, "unmatched"),
            "reference_id": entity,
            "method": more.get(f"{record}_method", "rule") if entity else None,
        }
        for record, entity in links.items()
    ]
    columns = ("salesforce_id", "status", "reference_id", "method")
    put(con, f"crosswalk.{name}", rows, dict.fromkeys(columns, "VARCHAR"))


def put_reference(con: duckdb.DuckDBPyConnection, kind: str, rows: Sequence[Row]) -> None:
    """``reference.company`` or ``reference.person`` as their contracts promise them."""
    types = load_contract(f"reference.{kind}").column_types()
    put(con, f"reference.{kind}", [{"origin": "source"} | dict(row) for row in rows], types)


def fetch(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return con.execute(query).fetchall()
