"""Decided proposals in the decisions store: which records become entities of the reference, and which do not.

What an accepted one becomes in the reference is ``pipelines.review.creations``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from resources.decisions import Decision, DecisionStore, add_decision, advance, aware, naive
from resources.decisions_acts import Head, audit, read_head
from resources.decisions_schema import CREATION

Status = Literal["accepted", "rejected"]


@dataclass(frozen=True)
class Creation:
    """A decided proposal. ``values`` are canonical columns of the entity; times are aware UTC."""

    object: str
    salesforce_id: str
    kind: str
    reference_id: str
    status: Status
    values: Mapping[str, str | None]
    reason: str | None
    decided_by: str
    decided_at: datetime
    withdrawn_at: datetime | None = None


def decide_creation(
    store: DecisionStore, made: Creation, acts: int, decision: Mapping[str, Any] | None
) -> Decision | Head | None:
    """Keep a decided proposal, and the judgement that links the record to what is created, if its head is at ``acts``.

    Returns the judgement (None for a rejected proposal), or the head where somebody was faster.
    """
    record = {"object": made.object, "salesforce_id": made.salesforce_id, "reference_id": made.reference_id}
    act = "positive" if decision else "rejected"
    with store.begin() as connection:
        if not advance(connection, record | {"decided_by": made.decided_by}, act, acts):
            return read_head(connection, made.object, made.salesforce_id)
        mine = (CREATION.c.object == made.object, CREATION.c.salesforce_id == made.salesforce_id)
        earlier = sa.update(CREATION).where(*mine, CREATION.c.withdrawn_at.is_(None))
        connection.execute(earlier.values(withdrawn_at=naive(datetime.now(UTC))))
        linked = add_decision(connection, decision) if decision else None
        row = record | {
            "kind": made.kind,
            "status": made.status,
            "values_json": json.dumps(dict(made.values), ensure_ascii=False),
            "reason": made.reason,
            "decided_by": made.decided_by,
            "decided_at": naive(made.decided_at),
            "decision_id": linked.id if linked else None,
        }
        connection.execute(sa.insert(CREATION).values(row))
        audit(connection, made.decided_by, "create" if linked else "reject proposal", record)
        return linked


def creations(store: DecisionStore, *, withdrawn: bool = False) -> tuple[Creation, ...]:
    """Return the decided proposals in force, in the order they were decided; with ``withdrawn`` those taken back."""
    query = sa.select(CREATION).order_by(CREATION.c.id)
    taken = CREATION.c.withdrawn_at
    with store.begin() as connection:
        rows = connection.execute(query.where(taken.is_not(None) if withdrawn else taken.is_(None))).mappings().all()
    return tuple(_creation(row) for row in rows)


def _creation(row: Mapping[Any, Any]) -> Creation:
    plain: dict[str, Any] = {
        name: row[name] for name in ("object", "salesforce_id", "kind", "reference_id", "status", "reason")
    }
    times: dict[str, Any] = {"decided_at": aware(row["decided_at"]), "withdrawn_at": aware(row["withdrawn_at"])}
    return Creation(**plain, **times, decided_by=row["decided_by"], values=json.loads(row["values_json"]))
