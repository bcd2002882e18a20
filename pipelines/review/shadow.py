"""Shadow mode: the match an org keeps in a field of its own, beside ours."""

import duckdb

from data_contracts.mapping import MappedObject
from pipelines.review.rows import Shadow


def shadow(
    con: duckdb.DuckDBPyConnection,
    object_name: MappedObject,
    field: str,
    after_key: str | None = None,
    limit: int = 50,
) -> Shadow:
    """Compare ``salesforce.<object>.<field>`` with the crosswalk; a lookup to Account is compared with the account.

    Raises ReviewError for a field that the mirror does not hold, naming near ones.
    """
    raise NotImplementedError


def shadow_fields(con: duckdb.DuckDBPyConnection, object_name: MappedObject) -> tuple[str, ...]:
    """Return the custom text and lookup fields that could hold a match."""
    raise NotImplementedError
