"""Bringing a table of the imports up to staged rows: what is the same is left alone, to the last row."""

from collections.abc import Sequence

import duckdb

from data_contracts.contracts import Column, TableContract, quoted
from pipelines.tables import replace_table, scalar, table_columns

#: Above this share of rows to write, a table is made anew: it is faster, and leaves no holes.
ANEW = 0.3


def has_shape(con: duckdb.DuckDBPyConnection, contract: TableContract, extra: Sequence[Column]) -> bool:
    """Return whether the table stands with exactly the contract's columns and ``extra``."""
    wanted = {column.name: column.type for column in (*contract.columns, *extra)}
    return list(table_columns(con, contract.name).items()) == list(wanted.items())


def write_rows(
    con: duckdb.DuckDBPyConnection,
    contract: TableContract,
    extra: Sequence[Column],
    staged: str,
    scope: str | None,
    *,
    shaped: bool,
) -> int:
    """Bring the table up to the temporary table ``staged``, which has its columns; return how many rows were written.

    ``scope`` is a temporary table of the keys that may differ, None for all. ``shaped`` is what ``has_shape`` said
    before the transaction began. Removed rows count as written.
    """
    columns = [quoted(column.name) for column in (*contract.columns, *extra)]
    key, standing = columns[0], contract.relation
    rows = scalar(con, f"SELECT count(*) FROM {standing}") if shaped else 0
    if rows == 0:
        return _make_anew(con, contract, extra, staged)
    within = f"SEMI JOIN {scope} USING ({key})" if scope else ""
    mark = f"hash({', '.join(columns[1:])})"
    con.execute(f"""
CREATE OR REPLACE TEMP TABLE import_other AS
SELECT {key} FROM (SELECT {key}, {mark} AS mark FROM {staged}) AS n
FULL JOIN (SELECT {key}, {mark} AS mark FROM {standing} {within}) AS o USING ({key})
WHERE n.mark IS DISTINCT FROM o.mark""")
    others = scalar(con, "SELECT count(*) FROM import_other")
    if scope is None and others > ANEW * rows:
        _make_anew(con, contract, extra, staged)
    elif others:
        con.execute(f"DELETE FROM {standing} USING import_other AS t WHERE t.{key} = {standing}.{key}")
        con.execute(f"INSERT INTO {standing} BY NAME FROM {staged} SEMI JOIN import_other USING ({key})")
    if scope is None:
        for statement in contract.comments(extra=extra):
            con.execute(statement)
    con.execute("DROP TABLE import_other")
    return others


def _make_anew(con: duckdb.DuckDBPyConnection, contract: TableContract, extra: Sequence[Column], staged: str) -> int:
    replace_table(con, contract, extra)
    con.execute(f"INSERT INTO {contract.relation} BY NAME FROM {staged}")
    return scalar(con, f"SELECT count(*) FROM {contract.relation}")
