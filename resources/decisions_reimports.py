"""What people asked to be imported again, in the decisions store: kept until a run has done it.

What a run does about it is ``pipelines.imports.reimport``.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from resources.decisions import DecisionStore, aware, naive
from resources.decisions_acts import audit
from resources.decisions_schema import REIMPORT


@dataclass(frozen=True)
class Reimport:
    """One wish: a record, or with no ``salesforce_id`` a whole object; times are aware UTC."""

    id: int
    object: str
    salesforce_id: str | None
    asked_by: str
    asked_at: datetime
    run_id: str | None = None
    served_at: datetime | None = None


def ask_reimports(store: DecisionStore, object_name: str, ids: Sequence[str], user: str) -> int:
    """Keep the wish for these records, or without any for the whole object; return how many were not kept before."""
    wanted: set[str | None] = set(ids) or {None}
    with store.begin() as connection:
        waiting = sa.select(REIMPORT.c.salesforce_id).where(
            REIMPORT.c.object == object_name, REIMPORT.c.served_at.is_(None)
        )
        new = sorted(wanted - {row[0] for row in connection.execute(waiting)}, key=str)
        asked = {"object": object_name, "asked_by": user, "asked_at": naive(datetime.now(UTC))}
        for record in new:
            connection.execute(sa.insert(REIMPORT).values(asked | {"salesforce_id": record}))
            audit(connection, user, "reimport", {"object": object_name, "salesforce_id": record})
    return len(new)


def waiting_reimports(store: DecisionStore) -> tuple[Reimport, ...]:
    """Return the wishes that no run has done yet, in the order they were made."""
    return _found(store, REIMPORT.c.served_at.is_(None))


def reimports_of(store: DecisionStore, object_name: str, salesforce_id: str) -> tuple[Reimport, ...]:
    """Return the wishes for one record, done or not."""
    return _found(store, REIMPORT.c.object == object_name, REIMPORT.c.salesforce_id == salesforce_id)


def serve_reimports(store: DecisionStore, wishes: Collection[int], run_id: str) -> None:
    """Note that a run has done these wishes."""
    done = {"run_id": run_id, "served_at": naive(datetime.now(UTC))}
    with store.begin() as connection:
        change = sa.update(REIMPORT).where(REIMPORT.c.id.in_(wishes), REIMPORT.c.served_at.is_(None))
        connection.execute(change.values(done))


def _found(store: DecisionStore, *conditions: sa.ColumnElement[bool]) -> tuple[Reimport, ...]:
    with store.begin() as connection:
        rows = connection.execute(sa.select(REIMPORT).where(*conditions).order_by(REIMPORT.c.id)).mappings().all()
    return tuple(
        Reimport(**(dict(row) | {"asked_at": aware(row["asked_at"]), "served_at": aware(row["served_at"])}))
        for row in rows
    )
