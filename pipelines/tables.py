"""Small helpers every step uses on warehouse tables; what a table holds is its room's business."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from weakref import WeakKeyDictionary

import duckdb

from data_contracts.contracts import Column, TableContract, literal, quoted

TableColumns = dict[str, dict[str, str]]

#: Tables beside those of ``ops`` that are never made anew.
_OUTLIVING = ("imports.change", "imports.creation_proposal", "salesforce.field")
#: Connection to a database that does not change → its tables and their columns.
_REMEMBERED: "WeakKeyDictionary[duckdb.DuckDBPyConnection, TableColumns]" = WeakKeyDictionary()


def all_columns(con: duckdb.DuckDBPyConnection) -> TableColumns:
    """Return ``schema.table`` → column name → DuckDB type of the current database."""
    found: TableColumns = {}
    for schema, table, name, kind in con.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = current_database() ORDER BY schema_name, table_name, column_index"
    ).fetchall():
        found.setdefault(f"{schema}.{table}", {})[name] = kind
    return found


def remember_columns(con: duckdb.DuckDBPyConnection, columns: TableColumns) -> None:
    """Answer from ``columns`` what ``table_columns`` is asked on ``con``, as long as ``con`` lives.

    For a read-only file only: nothing notices a table that comes or changes later.
    """
    _REMEMBERED[con] = columns


def remembered_columns(con: duckdb.DuckDBPyConnection) -> TableColumns | None:
    """Return what is remembered for ``con``, None where nothing is."""
    return _REMEMBERED.get(con)


def table_columns(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Return column name → DuckDB type of ``schema.table``; empty when there is no such table.

    Not to be asked of a table that the open transaction has dropped.
    """
    if (known := remembered_columns(con)) is not None:
        return known.get(table, {})
    schema, _, name = table.partition(".")
    if _is_committed(con, schema, name):
        # Asked on the connection itself: its transaction may have altered the table.
        rows = con.execute(f"DESCRIBE {quoted(schema)}.{quoted(name)}").fetchall()
        return {row[0]: row[1] for row in rows}
    rows = con.execute(
        "SELECT column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = current_database() AND schema_name = ? AND table_name = ? ORDER BY column_index",
        [schema, name],
    ).fetchall()
    return dict(rows)


def _is_committed(con: duckdb.DuckDBPyConnection, schema: str, name: str) -> bool:
    """Whether a table is there for everybody.

    ``duckdb_columns()`` goes through every table of every database, 2 to 20 ms where this takes half of one. It is
    asked on a cursor, since a name that is not found would end the connection's own transaction.
    """
    try:
        with con.cursor() as other:
            other.execute(f"DESCRIBE {quoted(schema)}.{quoted(name)}").fetchall()
    except duckdb.Error:
        return False
    return True


def described_columns(con: duckdb.DuckDBPyConnection, table: str) -> list[Column]:
    """Return the columns of ``schema.table`` with their comments; empty when there is no such table."""
    schema, _, name = table.partition(".")
    rows = con.execute(
        "SELECT column_name, data_type, coalesce(comment, ''), NOT is_nullable FROM duckdb_columns() "
        "WHERE database_name = current_database() AND schema_name = ? AND table_name = ? ORDER BY column_index",
        [schema, name],
    ).fetchall()
    return [Column(*row) for row in rows]


def replace_table(con: duckdb.DuckDBPyConnection, contract: TableContract, extra: Sequence[Column] = ()) -> None:
    """Create the contract's table anew and empty, with its comments and the columns known only at run time.

    In one transaction: every comment would else wait for the disk, and a killed process leave some of them out.
    """
    with nullcontext() if _in_transaction(con) else transaction(con):
        con.execute(contract.ddl(extra=extra, replace=True))
        for statement in contract.comments(extra=extra):
            con.execute(statement)


def _in_transaction(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether a transaction is open: without one every statement has a transaction of its own."""
    first, second = (con.execute("SELECT txid_current()").fetchall() for _ in range(2))
    return first == second


def ensure_table(con: duckdb.DuckDBPyConnection, contract: TableContract) -> None:
    """Create the contract's table with its comments where there is none; rows stay where there is one.

    A table of ``ops``, the feed of changes, the proposals and the describe snapshot outlive versions of Crosswalk:
    columns promised since one was made are added to it.
    """
    present = table_columns(con, contract.name)
    if not present:
        replace_table(con, contract)
    elif contract.name.startswith("ops.") or contract.name in _OUTLIVING:
        for column in contract.columns:
            if column.name not in present:
                target = f"{contract.relation} ADD COLUMN IF NOT EXISTS {quoted(column.name)} {column.type}"
                con.execute(f"ALTER TABLE {target}").fetchall()
                comment = f"{contract.relation}.{quoted(column.name)} IS {literal(column.description)}"
                con.execute(f"COMMENT ON COLUMN {comment}").fetchall()


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Run the block as one transaction: all of it, or after an exception nothing."""
    con.execute("BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        con.execute("ROLLBACK")
        raise
    con.execute("COMMIT")


def scalar(con: duckdb.DuckDBPyConnection, query: str, parameters: object = None) -> int:
    """Return the one number a query gives; null is 0."""
    # fetchall, not fetchone: an unfinished result would block the connection's next statement.
    rows = con.execute(query, parameters).fetchall()
    return int(rows[0][0] or 0) if rows else 0
