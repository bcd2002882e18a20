"""Clearing one object: its matches, imports and ownership leave the warehouse, and nothing else does.

Salesforce, the mirror, human decisions and accepted proposals are not touched; the next run builds it all again.
"""

import duckdb

from data_contracts.mapping import ENTITY, MappedObject
from data_contracts.settings import Settings
from pipelines.imports.kept import import_anew
from pipelines.ownership import build_search
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
    """Return how many rows clearing the object would remove, per table that has any.

    An entity that only records of the object stand for goes from ``imports.company`` or ``imports.person`` too.
    """
    rows = _rows_of(object_name) | _orphans(con, object_name)
    counts = {
        table: scalar(con, f"SELECT count(*) FROM {table} WHERE {condition}")
        for table, condition in rows.items()
        if table_columns(con, table)
    }
    return {table: count for table, count in counts.items() if count}


def _orphans(con: duckdb.DuckDBPyConnection, object_name: MappedObject) -> dict[str, str]:
    kind = ENTITY[object_name]
    if not table_columns(con, "imports.value"):
        return {}
    others = f"SELECT reference_id FROM imports.value WHERE entity = '{kind}' AND object <> '{object_name}'"
    return {f"imports.{kind}": f"reference_id NOT IN ({others})"}


def clear_matches(con: duckdb.DuckDBPyConnection, object_name: MappedObject, settings: Settings) -> dict[str, int]:
    """Remove them, all or nothing, and return how many rows went per table; ``ownership.search`` is made anew."""
    removed = clearable(con, object_name)
    # Asked before anything goes: which entities are left is told by the values that are there now.
    rows = _orphans(con, object_name) | _rows_of(object_name)
    with transaction(con):
        for table, condition in rows.items():
            if table in removed:
                con.execute(f"DELETE FROM {table} WHERE {condition}")
        import_anew(con, object_name)
    build_search(con, settings)
    return removed
