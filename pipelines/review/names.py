"""What records and entities are called, for lists that know only their ids."""

from collections.abc import Iterable, Mapping

import duckdb

from data_contracts.mapping import MappedObject
from pipelines.resolve.sides import kind_of
from pipelines.review.published import columns_of


def record_names(con: duckdb.DuckDBPyConnection, name: MappedObject, ids: Iterable[str]) -> Mapping[str, str]:
    """Return record id → name, for those of ``ids`` that have one."""
    return _names(con, f"standard.{name}", "salesforce_id", ids)


def entity_names(con: duckdb.DuckDBPyConnection, name: MappedObject, ids: Iterable[str]) -> Mapping[str, str]:
    """Return entity id → name, for those of ``ids`` that have one; the entities are those of the object's kind."""
    kind = kind_of(name)
    return _names(con, f"standard.{kind}", f"{kind}_id", ids)


def _names(con: duckdb.DuckDBPyConnection, table: str, key: str, ids: Iterable[str]) -> dict[str, str]:
    if "name_raw" not in columns_of(con, table):
        return {}
    query = (
        f"SELECT {key}, name_raw FROM {table} WHERE {key} IN (SELECT unnest($ids::VARCHAR[])) AND name_raw IS NOT NULL"
    )
    return dict(con.execute(query, {"ids": sorted(set(ids))}).fetchall())
