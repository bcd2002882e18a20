"""Accepting many pairs at once: above a threshold, after a sample of them was checked by a person."""

import duckdb

from data_contracts.mapping import MappedObject
from pipelines.review.rows import Bulk
from resources.decisions import DecisionStore


def bulk_sample(
    con: duckdb.DuckDBPyConnection,
    store: DecisionStore,
    user: str,
    object_name: MappedObject,
    threshold: float,
    *,
    size: int = 20,
) -> Bulk:
    """Draw a sample of the undecided pairs at or above ``threshold`` and keep it; the pairs of it are then decided.

    Pairs with a veto, returned ones and ambiguous ones are not among them. Raises ReviewError when there is none.
    """
    raise NotImplementedError


def bulk_state(con: duckdb.DuckDBPyConnection, store: DecisionStore, bulk_id: int) -> Bulk:
    """Return how far the sample is checked; raises ReviewError for an unknown id."""
    raise NotImplementedError


def bulk_accept(con: duckdb.DuckDBPyConnection, store: DecisionStore, user: str, bulk_id: int) -> int:
    """Accept every pair of the bulk that is still undecided; return how many.

    Raises ReviewError while the sample is not checked, when a pair of it was not accepted, or when it was applied.
    """
    raise NotImplementedError


def bulk_undo(store: DecisionStore, user: str, bulk_id: int) -> int:
    """Take back what a bulk accepted, records decided on since excepted; return how many."""
    raise NotImplementedError
