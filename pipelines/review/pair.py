"""One pair with everything a person needs to decide it."""

import duckdb

from pipelines.review.rows import PairKey, PairView
from resources.decisions import DecisionStore


def pair(con: duckdb.DuckDBPyConnection, store: DecisionStore, key: PairKey) -> PairView:
    """Return both sides, the candidates, the mapped fields before and after, the decisions and the version.

    The entity need not be a candidate (search for another one). Raises ReviewError for an unknown record or entity.
    """
    raise NotImplementedError
