"""The queue: which records wait for a person, in which order."""

import duckdb

from pipelines.review.rows import Filters, QueuePage, Sort
from resources.decisions import DecisionStore


def queue(
    con: duckdb.DuckDBPyConnection,
    store: DecisionStore,
    filters: Filters | None = None,
    sort: Sort = "value",
    after_key: str | None = None,
    limit: int = 50,
) -> QueuePage:
    """Return one page of the queue, highest teaching value times worth first.

    ``after_key`` is the ``next_key`` of the page before. Raises ReviewError for a key that is none.
    """
    raise NotImplementedError
