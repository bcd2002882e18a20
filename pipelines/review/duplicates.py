"""Duplicates inside Salesforce: records of one object that are the same entity."""

import duckdb

from data_contracts.mapping import MappedObject
from pipelines.review.rows import DuplicateGroup, DuplicateRecords


def duplicates(
    con: duckdb.DuckDBPyConnection, object_name: MappedObject, after_key: str | None = None, limit: int = 50
) -> tuple[tuple[DuplicateGroup, ...], str | None]:
    """Return a page of entities with several records, most records first, and the key of the next page."""
    raise NotImplementedError


def duplicate_records(con: duckdb.DuckDBPyConnection, object_name: MappedObject, reference_id: str) -> DuplicateRecords:
    """Return the records of one entity side by side; raises ReviewError when fewer than two are linked to it."""
    raise NotImplementedError
