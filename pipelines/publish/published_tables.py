"""What goes into the snapshot: which tables and columns, under which description, hidden or masked.

The settings narrow it (``publish.schemas``, ``hidden_columns``, ``mask_personal``); nothing is written here.
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import duckdb

from data_contracts.contracts import Column, TableContract, contract_names, load_contract, quoted
from data_contracts.errors import SettingsError
from data_contracts.settings import Publish
from resources.warehouse import SCHEMAS

#: Every schema an analyst may count on, also while it is empty.
PUBLISHED_SCHEMAS = tuple(schema for schema in SCHEMAS if not schema.startswith("_"))

#: Types that may hold personal text in a column no contract classifies (a custom field of a contact).
TEXT_TYPES = ("VARCHAR", "DATE", "VARCHAR[]", "JSON")


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
    when a schema or hidden column of the settings does not exist: a misspelt one would be published after all.
    """
    schemas = _chosen_schemas(publish)
    warehouse = _warehouse_columns(con)
    described = dict(_rows(con, "SELECT schema_name || '.' || table_name, comment FROM duckdb_tables()"))
    names = sorted({*warehouse, *contract_names()})
    tables = [
        _table(name, warehouse.get(name), described.get(name))
        for name in names
        if name.partition(".")[0] in PUBLISHED_SCHEMAS and not name.partition(".")[2].startswith("_")
    ]
    tables = [replace(table, condition=(shown or {}).get(table.name, "TRUE")) for table in tables]
    tables = _without_hidden(tables, publish.hidden_columns)
    if publish.mask_personal:
        tables = [_masked(table) for table in tables]
    return [table for table in tables if table.name.partition(".")[0] in schemas]


def contract_of(name: str) -> TableContract | None:
    """Return the contract of ``schema.table``, or None for a table known only at run time."""
    return load_contract(name) if name in contract_names() else None


def _chosen_schemas(publish: Publish) -> tuple[str, ...]:
    chosen = PUBLISHED_SCHEMAS if publish.schemas is None else publish.schemas
    for schema in chosen:
        if schema not in PUBLISHED_SCHEMAS:
            raise _unknown("publish.schemas", schema, PUBLISHED_SCHEMAS)
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


def _without_hidden(tables: list[PublishedTable], hidden: tuple[str, ...]) -> list[PublishedTable]:
    known = [f"{table.name}.{column.name}" for table in tables for column in table.columns]
    for name in hidden:
        if name not in known:
            raise _unknown("publish.hidden_columns", name, known)
    shown = []
    for table in tables:
        kept = [
            pair for pair in zip(table.columns, table.expressions, strict=True) if _full(table, pair[0]) not in hidden
        ]
        if kept:
            columns, expressions = zip(*kept, strict=True)
            shown.append(replace(table, columns=columns, expressions=expressions))
    return shown


def _masked(table: PublishedTable) -> PublishedTable:
    """Replace personal values by a keyed hash: equal values stay equal, which is all that joins and counts need."""
    contract = contract_of(table.name)
    promised = {column.name for column in contract.columns} if contract else set()
    # Beside personal data, or where nothing is classified, an unclassified text is taken to be personal too.
    doubtful = contract is None or contract.is_personal
    columns, expressions = [], []
    for column, expression in zip(table.columns, table.expressions, strict=True):
        unknown = column.name not in promised and column.type in TEXT_TYPES and not _is_key(column.name)
        if column.personal or (doubtful and unknown):
            expression = (
                "left(sha256(getvariable('masking_key') || sha256(getvariable('masking_key') || "
                f"({expression})::VARCHAR)), 32)"
            )
            column = replace(column, type="VARCHAR", description=f"{column.description} (masked: a keyed hash)")
        columns.append(column)
        expressions.append(expression)
    return replace(table, columns=tuple(columns), expressions=tuple(expressions))


def _is_key(name: str) -> bool:
    return name.startswith("_") or name.endswith(("Id", "_id"))


def _full(table: PublishedTable, column: Column) -> str:
    return f"{table.name}.{column.name}"


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


def _unknown(key: str, value: str, known: Iterable[str]) -> SettingsError:
    near = difflib.get_close_matches(value, list(known), n=1)
    return SettingsError(
        f"{key}: {value!r} does not exist",
        why=f"did you mean {near[0]!r}?" if near else "no published schema, table or column has this name",
        next_step="correct it in crosswalk.yaml; nothing was published, the last snapshot stays",
    )
