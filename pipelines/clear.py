"""Clearing one object: its matches, imports and ownership leave the warehouse, and nothing else does.

Salesforce, the mirror, human decisions and accepted proposals are not touched; the next run builds it all again.
"""

import duckdb

from data_contracts.mapping import ENTITY, MappedObject
from pipelines.imports.kept import import_anew
from pipelines.tables import scalar, table_columns, transaction


def _rows_of(object_name: MappedObject) -> dict[str, str]:
    """Table → which of its rows belong to the object, in the order they go."""
    everything = dict.fromkeys(
        (
            f"match.{object_name}_candidate",
            f"crosswalk.{object_name}",
            f"imports.{object_name}",
            f"ownership.{object_name}",
        ),
        "TRUE",
    )
    mine = f"object = '{object_name}'"
    return everything | {
        "ownership.opportunity": mine,
        "imports.creation_proposal": f"{mine} AND status = 'proposed'",
        "imports.value": mine,
    }


def clearable(con: duckdb.DuckDBPyConnection, object_name: MappedObject) -> dict[str, int]:
    """Return how many rows clearing the object would remove, per table that has any."""
    counts = {
        table: scalar(con, f"SELECT count(*) FROM {table} WHERE {condition}")
        for table, condition in _rows_of(object_name).items()
        if table_columns(con, table)
    }
    return {table: count for table, count in counts.items() if count}


def clear_matches(con: duckdb.DuckDBPyConnection, object_name: MappedObject) -> dict[str, int]:
    """Remove them, all or nothing, and return how many rows went per table.

    A reference entity none of whose values is left goes from ``imports.company`` or ``imports.person`` too.
    """
    removed = clearable(con, object_name)
    kind = ENTITY[object_name]
    with transaction(con):
        for table, condition in _rows_of(object_name).items():
            if table in removed:
                con.execute(f"DELETE FROM {table} WHERE {condition}")
        if table_columns(con, f"imports.{kind}") and table_columns(con, "imports.value"):
            orphans = (
                f"FROM imports.{kind} WHERE reference_id NOT IN "
                f"(SELECT reference_id FROM imports.value WHERE entity = '{kind}')"
            )
            if count := scalar(con, f"SELECT count(*) {orphans}"):
                con.execute(f"DELETE {orphans}")
                removed[f"imports.{kind}"] = count
        import_anew(con, object_name)
    return removed
