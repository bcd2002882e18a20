"""Acts of people on the decisions store that must not cross each other, and the audit of them.

Each is one transaction: the count of acts on the record moves first, and only from where the person saw it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from resources.decisions import (
    LIGHT,
    Decision,
    DecisionStore,
    Evidence,
    add_decision,
    advance,
    aware,
    naive,
    take_back,
    to_decision,
)
from resources.decisions_schema import AUDIT, CREATION, DECISION, HEAD


@dataclass(frozen=True)
class Head:
    """How many acts a record has seen, and the last of them: who, when (aware UTC), what, on which entity."""

    acts: int = 0
    by_user: str | None = None
    at: datetime | None = None
    act: str | None = None
    reference_id: str | None = None


@dataclass(frozen=True)
class AuditRow:
    """Who did what, when (aware UTC), to which record and entity."""

    id: int
    at: datetime
    by_user: str
    action: str
    object: str | None
    salesforce_id: str | None
    reference_id: str | None
    detail: str | None


def decide_at(store: DecisionStore, row: Mapping[str, Any], acts: int, *, action: str = "decide") -> Decision | Head:
    """Keep a judgement on a record that has seen ``acts`` acts; else keep nothing and return its head.

    ``row`` is ``resources.decisions.decision_row``.
    """
    with store.begin() as connection:
        if not advance(connection, row, row["judgement"], acts):
            return read_head(connection, row["object"], row["salesforce_id"])
        made = add_decision(connection, row)
        audit(connection, row["decided_by"], action, row, detail=row["judgement"])
        return made


class _TakenBackBefore(Exception):
    """Ends the transaction of an undo that has nothing to take back."""


def undo_at(store: DecisionStore, made: Decision, user: str, acts: int | None) -> Decision | Head | None:
    """Take ``made`` back if its record has seen ``acts`` acts (None: whatever it has); None if it was before."""
    row = {"object": made.object, "salesforce_id": made.salesforce_id, "reference_id": made.reference_id}
    try:
        with store.begin() as connection:
            if not advance(connection, row | {"decided_by": user}, "withdrawn", acts):
                return read_head(connection, made.object, made.salesforce_id)
            if not take_back(connection, made.id):
                raise _TakenBackBefore
            created = sa.update(CREATION).where(CREATION.c.decision_id == made.id, CREATION.c.withdrawn_at.is_(None))
            connection.execute(created.values(withdrawn_at=naive(datetime.now(UTC))))
            audit(connection, user, "undo", row, detail=made.judgement)
            return to_decision(connection.execute(sa.select(*LIGHT).where(DECISION.c.id == made.id)).one())
    except _TakenBackBefore:
        return None


def head(store: DecisionStore, object_name: str, salesforce_id: str) -> Head:
    """Return how many acts a record has seen and the last of them."""
    with store.begin() as connection:
        return read_head(connection, object_name, salesforce_id)


def read_head(connection: sa.Connection, object_name: str, salesforce_id: str) -> Head:
    """Return a record's head within a transaction."""
    query = sa.select(HEAD).where(HEAD.c.object == object_name, HEAD.c.salesforce_id == salesforce_id)
    row = connection.execute(query).first()
    return Head(row.acts, row.by_user, aware(row.at), row.act, row.reference_id) if row else Head()


def decision_of(store: DecisionStore, decision_id: int) -> Decision | None:
    """Return one judgement by its id."""
    with store.begin() as connection:
        row = connection.execute(sa.select(DECISION).where(DECISION.c.id == decision_id)).first()
    return to_decision(row) if row else None


def last_of(store: DecisionStore, user: str) -> Decision | None:
    """Return the judgement ``user`` made last and has not taken back; those of a bulk are taken back as a bulk."""
    mine = (DECISION.c.decided_by == user, DECISION.c.withdrawn_at.is_(None), DECISION.c.bulk_id.is_(None))
    with store.begin() as connection:
        row = connection.execute(sa.select(DECISION).where(*mine).order_by(DECISION.c.id.desc()).limit(1)).first()
    return to_decision(row) if row else None


def changed_since(store: DecisionStore, last_id: int, moment: datetime) -> tuple[Decision, ...]:
    """Return judgements made after the one with ``last_id``, or taken back since ``moment``, in order."""
    recent = sa.or_(DECISION.c.id > last_id, DECISION.c.withdrawn_at >= naive(moment))
    with store.begin() as connection:
        rows = connection.execute(sa.select(*LIGHT).where(recent).order_by(DECISION.c.id)).all()
    return tuple(to_decision(row) for row in rows)


def count_after(store: DecisionStore, last_id: int) -> int:
    """Return how many judgements came after the one with ``last_id``, taken back or not."""
    with store.begin() as connection:
        query = sa.select(sa.func.count()).select_from(DECISION).where(DECISION.c.id > last_id)
        return int(connection.execute(query).scalar_one())


def evidence_of(store: DecisionStore, decision_id: int) -> Evidence | None:
    """Return what spoke for a judgement when it was made, if that was kept."""
    columns = (DECISION.c.evidence, DECISION.c.evidence_record, DECISION.c.evidence_entity)
    with store.begin() as connection:
        row = connection.execute(sa.select(*columns).where(DECISION.c.id == decision_id)).first()
    return Evidence(*row) if row and row[0] else None


def pin_evidence(store: DecisionStore, found: Iterable[tuple[int, Evidence]]) -> int:
    """Keep what speaks for judgements that came without it; return how many there were."""
    rows = [{"key": key, "hash": e.hash, "record": e.record, "entity": e.entity} for key, e in found]
    if not rows:
        return 0
    values = {"evidence": "hash", "evidence_record": "record", "evidence_entity": "entity"}
    change = (
        sa.update(DECISION)
        .where(DECISION.c.id == sa.bindparam("key"), DECISION.c.evidence.is_(None))
        .values({column: sa.bindparam(name) for column, name in values.items()})
    )
    with store.begin() as connection:
        connection.execute(change, rows)
    return len(rows)


def audit(
    connection: sa.Connection, user: str, action: str, record: Mapping[str, Any] | None = None, *, detail: str = ""
) -> None:
    """Add a row to the audit within a transaction."""
    of = {name: (record or {}).get(name) for name in ("object", "salesforce_id", "reference_id")}
    row = of | {"at": naive(datetime.now(UTC)), "by_user": user, "action": action, "detail": detail or None}
    connection.execute(sa.insert(AUDIT).values(row))


def add_audit(
    store: DecisionStore, user: str, action: str, record: Mapping[str, Any] | None = None, *, detail: str = ""
) -> None:
    """Add a row to the audit, for acts that decide nothing (a sign-in, a refusal, an export)."""
    with store.begin() as connection:
        audit(connection, user, action, record, detail=detail)


def audit_rows(
    store: DecisionStore,
    *,
    user: str | None = None,
    salesforce_id: str | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> Sequence[AuditRow]:
    """Return rows of the audit, newest first, of one person or record if asked, older than ``before_id``."""
    query = sa.select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
    if user is not None:
        query = query.where(AUDIT.c.by_user == user)
    if salesforce_id is not None:
        query = query.where(AUDIT.c.salesforce_id == salesforce_id)
    if before_id is not None:
        query = query.where(AUDIT.c.id < before_id)
    with store.begin() as connection:
        rows = connection.execute(query).mappings().all()
    return [AuditRow(**(dict(row) | {"at": aware(row["at"])})) for row in rows]
