"""Bulk acceptances in the decisions store: the sample that was drawn, and the judgements that were made at once.

Which pairs are drawn and whether the sample allows it is ``pipelines.review.bulk``.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from resources.decisions import DecisionStore, aware, naive
from resources.decisions_acts import audit
from resources.decisions_schema import BULK, DECISION, HEAD

#: Rows per statement.
BATCH = 5_000


@dataclass(frozen=True)
class BulkRow:
    """A bulk acceptance; ``sample`` are pairs (record, entity), times aware UTC."""

    id: int
    object: str
    threshold: float
    pairs: int
    sample: tuple[tuple[str, str], ...]
    run_id: str
    made_by: str
    made_at: datetime
    applied_by: str | None
    applied_at: datetime | None


def begin_bulk(
    store: DecisionStore,
    user: str,
    object_name: str,
    threshold: float,
    pairs: int,
    sample: Sequence[tuple[str, str]],
    run_id: str,
) -> int:
    """Keep a drawn sample; return the number of the bulk."""
    row = {
        "object": object_name,
        "threshold": threshold,
        "pairs": pairs,
        "sample_json": json.dumps(list(sample)),
        "run_id": run_id,
        "made_by": user,
        "made_at": naive(datetime.now(UTC)),
    }
    with store.begin() as connection:
        key = connection.execute(sa.insert(BULK).values(row)).inserted_primary_key
        assert key is not None
        audit(connection, user, "bulk sample", {"object": object_name}, detail=f"{pairs} pairs from {threshold:g}")
    return int(key[0])


def read_bulk(store: DecisionStore, bulk_id: int) -> BulkRow | None:
    """Return a bulk acceptance by its number."""
    with store.begin() as connection:
        row = connection.execute(sa.select(BULK).where(BULK.c.id == bulk_id)).mappings().first()
    if row is None:
        return None
    sample = tuple((pair[0], pair[1]) for pair in json.loads(row["sample_json"]))
    plain = {name: row[name] for name in ("id", "object", "threshold", "pairs", "run_id", "made_by", "applied_by")}
    return BulkRow(**plain, sample=sample, made_at=aware(row["made_at"]), applied_at=aware(row["applied_at"]))  # type: ignore[arg-type]


def apply_bulk(store: DecisionStore, bulk: BulkRow, user: str, rows: Sequence[Mapping[str, Any]]) -> int | None:
    """Keep the judgements of a bulk on records nobody has decided on yet; return how many, None if it was applied.

    ``rows`` are of ``resources.decisions.decision_row``. All of it or nothing: one transaction.
    """
    now = naive(datetime.now(UTC))
    once = sa.update(BULK).where(BULK.c.id == bulk.id, BULK.c.applied_at.is_(None))
    made = 0
    with store.begin() as connection:
        if not connection.execute(once.values(applied_by=user, applied_at=now)).rowcount:
            return None
        insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            heads = [_head(row, user, now) for row in part]
            fresh = insert(HEAD).on_conflict_do_nothing().returning(HEAD.c.salesforce_id)
            mine = set(connection.execute(fresh, heads).scalars())
            kept = [{**row, "bulk_id": bulk.id} for row in part if row["salesforce_id"] in mine]
            if kept:
                connection.execute(sa.insert(DECISION), kept)
            made += len(kept)
        audit(connection, user, "bulk accept", {"object": bulk.object}, detail=f"{made} pairs, bulk {bulk.id}")
    return made


def undo_bulk(store: DecisionStore, bulk: BulkRow, user: str) -> int:
    """Take back what a bulk accepted, on records that have seen no other act since; return how many.

    No other bulk takes them: they wait for a person.
    """
    now = naive(datetime.now(UTC))
    untouched = sa.select(HEAD.c.salesforce_id).where(HEAD.c.object == bulk.object, HEAD.c.acts == 1)
    mine = (
        DECISION.c.bulk_id == bulk.id,
        DECISION.c.withdrawn_at.is_(None),
        DECISION.c.salesforce_id.in_(untouched),
    )
    with store.begin() as connection:
        taken = sa.update(DECISION).where(*mine).values(withdrawn_at=now).returning(DECISION.c.salesforce_id)
        records = list(connection.execute(taken).scalars())
        for start in range(0, len(records), 500):
            part = records[start : start + 500]
            heads = sa.update(HEAD).where(HEAD.c.object == bulk.object, HEAD.c.salesforce_id.in_(part))
            connection.execute(heads.values(acts=2, act="withdrawn", by_user=user, at=now))
        audit(connection, user, "bulk undo", {"object": bulk.object}, detail=f"{len(records)} pairs, bulk {bulk.id}")
    return len(records)


def _head(row: Mapping[str, Any], user: str, now: datetime | None) -> dict[str, Any]:
    told = {name: row[name] for name in ("object", "salesforce_id", "reference_id")}
    return told | {"acts": 1, "act": row["judgement"], "by_user": user, "at": now}
