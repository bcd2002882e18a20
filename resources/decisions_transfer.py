"""Many decisions at once, from another store: added once, taken back where the other store says so.

What a file of decisions looks like is ``pipelines.review.decision_csv``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from resources.decisions import DecisionStore, naive
from resources.decisions_acts import audit
from resources.decisions_schema import DECISION, HEAD

#: What makes two rows the same decision.
IDENTITY = ("object", "salesforce_id", "reference_id", "judgement", "decided_by", "decided_at")
BATCH = 5_000


@dataclass(frozen=True)
class Transferred:
    """What an import came to: rows added, rows that were there before, and of those taken back now."""

    added: int
    known: int
    withdrawn: int


def import_decisions(store: DecisionStore, rows: Sequence[Mapping[str, Any]], user: str) -> Transferred:
    """Add decisions the store does not have, in one transaction. ``rows`` have the columns of ``match.decision``.

    Times are aware UTC. One that is there and not taken back is taken back where ``withdrawn_at`` says so.
    """
    wanted = [_stored(row) for row in rows]
    with store.begin() as connection:
        insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
        # First of all a write: what is compared below cannot change under it on SQLite.
        audit(connection, user, "import decisions", detail=f"{len(rows)} rows")
        columns = [DECISION.c[name] for name in IDENTITY]
        found = connection.execute(sa.select(*columns, DECISION.c.id, DECISION.c.withdrawn_at)).all()
        known = {tuple(row[:6]): (row[6], row[7]) for row in found}
        fresh: dict[tuple[Any, ...], dict[str, Any]] = {}
        back: list[dict[str, Any]] = []
        for row in wanted:
            identity = tuple(row[name] for name in IDENTITY)
            if identity not in known:
                fresh.setdefault(identity, row)
            elif row["withdrawn_at"] is not None and known[identity][1] is None:
                back.append(row | {"key": known[identity][0]})
        added = list(fresh.values())
        for start in range(0, len(added), BATCH):
            connection.execute(sa.insert(DECISION), added[start : start + BATCH])
        if back:
            taken = sa.update(DECISION).where(DECISION.c.id == sa.bindparam("key"))
            change = [{"key": row["key"], "at": row["withdrawn_at"]} for row in back]
            connection.execute(taken.values(withdrawn_at=sa.bindparam("at")), change)
        heads = _heads([*added, *back], user)
        for start in range(0, len(heads), BATCH):
            told = insert(HEAD)
            more = {name: told.excluded[name] for name in ("by_user", "at", "act", "reference_id")}
            upsert = told.on_conflict_do_update(
                index_elements=[HEAD.c.object, HEAD.c.salesforce_id],
                set_=more | {"acts": HEAD.c.acts + told.excluded.acts},
            )
            connection.execute(upsert, heads[start : start + BATCH])
    return Transferred(len(added), len(rows) - len(added), len(back))


def _stored(row: Mapping[str, Any]) -> dict[str, Any]:
    times = {name: naive(row.get(name)) for name in ("decided_at", "expires_at", "withdrawn_at")}
    names = ("object", "salesforce_id", "reference_id", "judgement", "reason", "decided_by")
    return {name: row.get(name) for name in names} | times


def _heads(rows: Sequence[Mapping[str, Any]], user: str) -> list[dict[str, Any]]:
    """Return one row per record: how many acts more, the last of them."""
    now = naive(datetime.now(UTC))
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        key = (row["object"], row["salesforce_id"])
        acts = found[key]["acts"] + 1 if key in found else 1
        act = "withdrawn" if row["withdrawn_at"] else row["judgement"]
        told = {"acts": acts, "act": act, "by_user": row["decided_by"] or user, "at": now}
        found[key] = {"object": key[0], "salesforce_id": key[1], "reference_id": row["reference_id"]} | told
    return list(found.values())
