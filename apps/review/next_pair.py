"""Where a person goes after deciding: the next pair of the queue they came from, or of the sample they check."""

from collections.abc import Mapping
from urllib.parse import quote

import duckdb

from apps.review.filters import Chosen
from apps.review.formats import query
from pipelines.review import PairKey, bulk_state, queue
from resources.decisions import DecisionStore


def pair_path(key: PairKey, wanted: Mapping[str, str] | None = None) -> str:
    """Return the address of a pair, with the place in the queue it was opened from."""
    path = f"/pair/{key.object}/{quote(key.salesforce_id, safe='')}"
    return f"{path}?{query(wanted or {}, reference_id=key.reference_id)}"


def record_path(object_name: str, salesforce_id: str) -> str:
    """Return the address of a record's history."""
    return f"/record/{object_name}/{quote(salesforce_id, safe='')}"


def next_path(con: duckdb.DuckDBPyConnection, store: DecisionStore, wanted: Chosen) -> str:
    """Return the address of what is to be decided next."""
    if wanted.bulk is not None:
        return _next_of_sample(con, store, wanted.bulk)
    page = queue(con, store, wanted.filters, wanted.sort, wanted.after, limit=1)
    if not page.rows:
        return f"/queue?{query(wanted.without_place)}"
    row = page.rows[0]
    place = {**wanted.query, "after": row.key}
    if row.reference_id is None:
        return record_path(row.object, row.salesforce_id)
    return pair_path(PairKey(row.object, row.salesforce_id, row.reference_id), place)


def _next_of_sample(con: duckdb.DuckDBPyConnection, store: DecisionStore, number: int) -> str:
    for key in bulk_state(con, store, number).sample:
        if not decided(store, key):
            return pair_path(key, {"bulk": str(number)})
    return f"/bulk/{number}"


def decided(store: DecisionStore, key: PairKey) -> bool:
    """Return whether somebody judged this pair and nobody took it back."""
    mine = store.decisions(key.object, key.salesforce_id)
    return any(made.reference_id == key.reference_id and made.withdrawn_at is None for made in mine)
