"""Columns of a mirrored table brought to what the org describes now, without losing what they held.

Which columns a table has is ``pipelines.extract.table``; their new values come with the rows, or with ``fill``.
"""

from collections.abc import Sequence

from duckdb import DuckDBPyConnection

from data_contracts.contracts import quoted
from pipelines.extract.table import TableShape, kept_name
from pipelines.tables import scalar, table_columns
from resources.landing import LandedField


def fit_columns(con: DuckDBPyConnection, shape: TableShape, fields: Sequence[LandedField]) -> None:
    """Give the stored table every column of ``shape``, the selected ``fields`` with the type they have now.

    A field of another type keeps its column where that holds every old value exactly. Otherwise the old values move to
    the column ``kept_name`` names, which is retired, and the field's own begins empty: a value of an earlier type must
    not pass for a current one. The table must be in a transaction.
    """
    relation = shape.relation()
    stored = {name.lower(): (name, kind) for name, kind in table_columns(con, f"salesforce.{shape.table}").items()}
    selected = {field.name.lower() for field in fields}
    for column in shape.columns:
        name, kind = stored.get(column.name.lower(), ("", ""))
        if not name:
            con.execute(f"ALTER TABLE {relation} ADD COLUMN {quoted(column.name)} {column.type}").fetchall()
            continue
        if name != column.name:
            con.execute(f"ALTER TABLE {relation} RENAME COLUMN {quoted(name)} TO {quoted(column.name)}").fetchall()
        if kind != column.type and column.name.lower() in selected:
            _retype(con, relation, column.name, kind, column.type, stored)


def _retype(
    con: DuckDBPyConnection, relation: str, name: str, old: str, new: str, stored: dict[str, tuple[str, str]]
) -> None:
    column, kept = quoted(name), kept_name(name, old)
    back = f"TRY_CAST(TRY_CAST({column} AS {new}) AS {old})"
    using = f"TRY_CAST({column} AS {new})"
    if scalar(con, f"SELECT count(*) FROM {relation} WHERE {column} IS DISTINCT FROM {back}"):
        if kept.lower() not in stored:
            con.execute(f"ALTER TABLE {relation} ADD COLUMN {quoted(kept)} {old}").fetchall()
        # Where the type changes back and forth, the latest value of each type stays.
        con.execute(f"UPDATE {relation} SET {quoted(kept)} = {column} WHERE {column} IS NOT NULL").fetchall()
        using = f"NULL::{new}"
    con.execute(f"ALTER TABLE {relation} ALTER COLUMN {column} TYPE {new} USING {using}").fetchall()
