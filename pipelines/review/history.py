"""What happened to a record, newest first."""

import duckdb

from data_contracts.mapping import MappedObject
from pipelines.review.rows import Event
from resources.decisions import DecisionStore


def history(
    con: duckdb.DuckDBPyConnection, store: DecisionStore, object_name: MappedObject, salesforce_id: str
) -> tuple[Event, ...]:
    """Return decisions, link changes and events in Salesforce of one record."""
    raise NotImplementedError
