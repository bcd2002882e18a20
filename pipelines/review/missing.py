"""Creating what the reference misses: a proposal accepted by a person is an entity from the next run on."""

from collections.abc import Mapping

import duckdb

from data_contracts.mapping import MappedObject
from pipelines.review.rows import Outcome, Proposal, Stale, Version
from resources.decisions import DecisionStore


def proposals(
    con: duckdb.DuckDBPyConnection,
    store: DecisionStore,
    object_name: MappedObject | None = None,
    after_key: str | None = None,
    limit: int = 50,
) -> tuple[tuple[Proposal, ...], str | None]:
    """Return a page of proposals nobody has decided, in the order of object and Id, and the key of the next page."""
    raise NotImplementedError


def proposal(
    con: duckdb.DuckDBPyConnection, store: DecisionStore, object_name: MappedObject, salesforce_id: str
) -> tuple[Proposal, Version]:
    """Return what a record (proposed or not) would become, entities of the reference that look like it, and a version.

    Raises ReviewError for a record that is unknown or has no name.
    """
    raise NotImplementedError


def create_missing(
    con: duckdb.DuckDBPyConnection,
    store: DecisionStore,
    user: str,
    object_name: MappedObject,
    salesforce_id: str,
    version: Version,
    *,
    values: Mapping[str, str | None] | None = None,
    reason: str | None = None,
) -> Outcome:
    """Accept a proposal: an entity of origin ``created`` is made and linked to the record by the next run.

    ``values`` replace single values of the proposal.
    """
    raise NotImplementedError


def reject_proposal(
    con: duckdb.DuckDBPyConnection,
    store: DecisionStore,
    user: str,
    object_name: MappedObject,
    salesforce_id: str,
    version: Version,
    *,
    reason: str | None = None,
) -> Stale | None:
    """Say that a record is not worth creating; returns Stale where somebody was faster."""
    raise NotImplementedError
