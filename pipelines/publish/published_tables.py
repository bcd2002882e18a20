"""What goes into the snapshot: which tables and columns, under which description, hidden or masked.

The settings narrow it (``publish.schemas``, ``hidden_columns``; masks are ``masking``); nothing is written here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from data_contracts.contracts import Column, TableContract, contract_names, load_contract, quoted
from data_contracts.settings import Publish
from pipelines.publish.masking import Policy, check_mask, masked_columns, read_policy, unknown_name
from resources.warehouse import SCHEMAS

#: Every schema an analyst may count on, also while it is empty.
PUBLISHED_SCHEMAS = tuple(schema for schema in SCHEMAS if not schema.startswith("_"))


@dataclass(frozen=True)
class PublishedTable:
    """One table of the snapshot: its columns there, and for each the expression over the warehouse table.

    ``condition`` is the SQL of which of its rows are shown.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    expressions: tuple[str, ...]
    exists: bool
    condition: str = "TRUE"

    @property
    def relation(self) -> str:
        """The quoted ``"schema"."table"``."""
        return ".".join(quoted(part) for part in self.name.split("."))


def published_tables(
    con: duckdb.DuckDBPyConnection, publish: Publish, shown: Mapping[str, str] | None = None
) -> list[PublishedTable]:
    """Return the tables of the snapshot in order of name; ``shown`` is table → which of its rows, where not all.

    Every contract's table is there, empty where the warehouse has none yet, and every other table of the warehouse's
    published schemas (objects an admin added). Names that begin with ``_`` are ours and stay out. Raises SettingsError
    when a schema, hidden or masked column of the settings does not exist: a misspelt one would be published after all.
    """
    schemas = _chosen_schemas(publish)
    tables = _tables(con, {*_warehouse_columns(con), *contract_names()})
    known = [f"{table.name}.{column.name}" for table in tables for column in table.columns]
    for name in publish.hidden_columns:
        if name not in known:
            raise unknown_name("publish.hidden_columns", name, known)
    check_mask(publish, known)
    return _narrowed(tables, schemas, read_policy(con, publish), shown)


def narrowed_tables(
    con: duckdb.DuckDBPyConnection, publish: Publish, shown: Mapping[str, str] | None = None
) -> list[PublishedTable]:
    """Return the tables of an earlier snapshot, the current database of ``con``, as they may be seen now.

    What was masked then stays masked; settings that name what it does not have are no error.
    """
    found = _warehouse_columns(con)
    tables = []
    for table in _tables(con, set(found)):
        mine = {column.name: column.description for column in found[table.name]}
        pairs = [
            (replace(column, description=mine[column.name]), expression)
            for column, expression in zip(table.columns, table.expressions, strict=True)
            if column.name in mine
        ]
        tables.append(_with(table, pairs))
    return _narrowed(tables, publish.schemas or PUBLISHED_SCHEMAS, read_policy(con, publish), shown)


def _tables(con: duckdb.DuckDBPyConnection, names: set[str]) -> list[PublishedTable]:
    warehouse = _warehouse_columns(con)
    described = dict(_rows(con, "SELECT schema_name || '.' || table_name, comment FROM duckdb_tables()"))
    return [
        _table(name, warehouse.get(name), described.get(name))
        for name in sorted(names)
        if name.partition(".")[0] in PUBLISHED_SCHEMAS and not name.partition(".")[2].startswith("_")
    ]


def _narrowed(
    tables: list[PublishedTable], schemas: tuple[str, ...], policy: Policy, rows: Mapping[str, str] | None
) -> list[PublishedTable]:
    shown = []
    for table in tables:
        pairs = [
            pair
            for pair in zip(table.columns, table.expressions, strict=True)
            if f"{table.name}.{pair[0].name}" not in policy.publish.hidden_columns
        ]
        pairs = masked_columns(contract_of(table.name), table.name, pairs, policy)
        if pairs and table.name.partition(".")[0] in schemas:
            shown.append(replace(_with(table, pairs), condition=(rows or {}).get(table.name, "TRUE")))
    return shown


def _with(table: PublishedTable, pairs: Sequence[tuple[Column, str]]) -> PublishedTable:
    columns, expressions = zip(*pairs, strict=True) if pairs else ((), ())
    return replace(table, columns=columns, expressions=expressions)


def contract_of(name: str) -> TableContract | None:
    """Return the contract of ``schema.table``, or None for a table known only at run time."""
    return load_contract(name) if name in contract_names() else None


def _chosen_schemas(publish: Publish) -> tuple[str, ...]:
    chosen = PUBLISHED_SCHEMAS if publish.schemas is None else publish.schemas
    for schema in chosen:
        if schema not in PUBLISHED_SCHEMAS:
            raise unknown_name("publish.schemas", schema, PUBLISHED_SCHEMAS)
    return chosen


def _table(name: str, found: list[Column] | None, comment: str | None) -> PublishedTable:
    """Put the promised columns first, empty where the table lacks them, then those known only at run time."""
    contract = contract_of(name)
    actual = {column.name: column for column in found or ()}
    promised = contract.columns if contract else ()
    extra = [column for column in actual.values() if column.name not in {c.name for c in promised}]
    columns, expressions = [], []
    for column in (*promised, *extra):
        there = actual.get(column.name)
        # An empty column cannot be one that is always filled.
        columns.append(replace(column, type=there.type) if there else replace(column, required=False))
        expressions.append(quoted(column.name) if there else f"NULL::{column.type}")
    description = (contract.description if contract else comment) or f"Records of {name}, as the org has them."
    return PublishedTable(name, description, tuple(columns), tuple(expressions), found is not None)


def _warehouse_columns(con: duckdb.DuckDBPyConnection) -> dict[str, list[Column]]:
    columns: dict[str, list[Column]] = {}
    query = """
        SELECT c.schema_name || '.' || c.table_name, c.column_name, c.data_type, c.comment, NOT c.is_nullable
        FROM duckdb_columns() c JOIN duckdb_tables() t USING (database_oid, schema_oid, table_oid)
        WHERE c.database_name = current_database() AND NOT c.internal
        ORDER BY c.schema_name, c.table_name, c.column_index
    """
    for table, name, kind, comment, required in _rows(con, query):
        description = comment or f"{name}, as the org has it."
        columns.setdefault(table, []).append(Column(name, kind, description, required))
    return columns


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> Iterable[tuple]:  # type: ignore[type-arg]
    return con.sql(query).fetchall()
