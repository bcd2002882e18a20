"""Reading the snapshot: which columns it has, rows as dictionaries, which run made it. No table is known here."""

from typing import Any

import duckdb

from data_contracts.contracts import quoted
from pipelines.tables import remembered_columns

MASKED = "(masked:"
KEYS = {"company": "company_id", "person": "person_id"}


def columns_of(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Return column → type of ``schema.table``; empty where the snapshot has no such table."""
    if table.count(".") == 1 and (known := remembered_columns(con)) is not None:
        return known.get(table, {})
    relation = ".".join(quoted(part) for part in table.split("."))
    try:
        return {row[0]: str(row[1]) for row in con.execute(f"DESCRIBE {relation}").fetchall()}
    except (duckdb.CatalogException, duckdb.BinderException):
        return {}


def rows_of(con: duckdb.DuckDBPyConnection, query: str, parameters: object = None) -> list[dict[str, Any]]:
    """Return the rows of a query as dictionaries."""
    found = con.execute(query, parameters)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def row_of(con: duckdb.DuckDBPyConnection, table: str, key: str, value: str) -> dict[str, Any]:
    """Return the row of a table whose ``key`` is ``value``; empty where there is no such row or table."""
    if key not in columns_of(con, table):
        return {}
    found = rows_of(con, f"SELECT * FROM {table} WHERE {quoted(key)} = $value LIMIT 1", {"value": value})
    return found[0] if found else {}


def text(column: str, columns: dict[str, str], alias: str, kind: str = "VARCHAR") -> str:
    """Return SQL of a column where there is one, else a NULL of its type."""
    return f"{alias}.{quoted(column)}" if column in columns else f"NULL::{kind}"


def is_masked(con: duckdb.DuckDBPyConnection) -> bool:
    """Return whether the snapshot holds hashes in place of personal values."""
    found = con.execute(
        "SELECT count(*) FROM duckdb_columns() WHERE database_name = current_database() "
        "AND schema_name = 'standard' AND contains(coalesce(comment, ''), $masked)",
        {"masked": MASKED},
    ).fetchall()
    return bool(found[0][0])


def run_of(con: duckdb.DuckDBPyConnection) -> str:
    """Return the run that made the snapshot; empty for a database that is none."""
    if not columns_of(con, "main._meta"):
        return ""
    rows = con.execute("SELECT run_id FROM main._meta").fetchall()
    return str(rows[0][0]) if rows else ""
