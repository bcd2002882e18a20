"""Which user of the organisation a CRM user is, kept beside the decisions: every version with author and time.

Rows are only added; the highest version of a user is in force. What is found by itself and what a mapping means for
ownership is ``pipelines.ownership.users``.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError

from data_contracts.errors import CrosswalkError
from resources.decisions import DecisionStore, aware, naive
from resources.decisions_acts import audit
from resources.decisions_schema import USER_MAPPING

#: ``matched``: found by itself. ``mapped``, ``unmapped`` (has none of ours), ``released`` (found by itself again): a
#: person's.
Act = Literal["matched", "mapped", "unmapped", "released"]
Method = Literal["email", "full_name", "person"]
#: Rows written in one statement.
_BATCH = 1_000


@dataclass(frozen=True)
class UserMapping:
    """One version of one CRM user's mapping; ``own_id`` is null unless it is mapped. Times are aware UTC."""

    salesforce_id: str
    version: int
    act: Act
    own_id: str | None
    method: Method | None
    reason: str | None
    decided_by: str
    decided_at: datetime


def mappings_in_force(store: DecisionStore) -> tuple[UserMapping, ...]:
    """Return the last version of every user's mapping, by Id."""
    last = sa.select(USER_MAPPING.c.salesforce_id, sa.func.max(USER_MAPPING.c.version).label("version"))
    newest = last.group_by(USER_MAPPING.c.salesforce_id).subquery()
    query = sa.select(USER_MAPPING).join(
        newest,
        sa.and_(USER_MAPPING.c.salesforce_id == newest.c.salesforce_id, USER_MAPPING.c.version == newest.c.version),
    )
    with store.begin() as connection:
        return tuple(_mapping(row) for row in connection.execute(query.order_by(USER_MAPPING.c.salesforce_id)))


def mapping_versions(store: DecisionStore, salesforce_id: str) -> tuple[UserMapping, ...]:
    """Return every version of one user's mapping, the first one first."""
    with store.begin() as connection:
        return _versions(connection, salesforce_id)


def keep_matched(store: DecisionStore, found: Iterable[UserMapping]) -> None:
    """Add mappings that were found; where somebody has written the same version meanwhile, theirs stays."""
    rows = [asdict(item) | {"decided_at": naive(item.decided_at)} for item in found]
    for start in range(0, len(rows), _BATCH):
        with store.begin() as connection:
            insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
            connection.execute(insert(USER_MAPPING).on_conflict_do_nothing(), rows[start : start + _BATCH])


def correct(
    store: DecisionStore,
    salesforce_id: str,
    act: Act,
    *,
    own_id: str | None = None,
    user: str,
    reason: str | None = None,
    seen: int | None = None,
) -> UserMapping:
    """Keep what a person says about one user, as the next version, and return it; it is in the audit too.

    ``seen`` is the version the person looked at (0: none). Raises CrosswalkError when there is a newer one.
    """
    try:
        with store.begin() as connection:
            before = _versions(connection, salesforce_id)
            version = before[-1].version if before else 0
            if seen is not None and seen != version:
                raise _overtaken(salesforce_id, before[-1] if before else None)
            row = UserMapping(
                salesforce_id, version + 1, act, own_id, "person" if own_id else None, reason, user, datetime.now(UTC)
            )
            _insert(connection, row)
            audit(
                connection, user, f"user {act}", {"object": "user", "salesforce_id": salesforce_id}, detail=own_id or ""
            )
            return row
    except _Collision as error:
        raise _overtaken(salesforce_id, None) from error


class _Collision(Exception):
    """Two wrote the same version at once."""


def _insert(connection: sa.Connection, row: UserMapping) -> None:
    try:
        connection.execute(sa.insert(USER_MAPPING).values(asdict(row) | {"decided_at": naive(row.decided_at)}))
    except IntegrityError as error:
        raise _Collision from error


def _overtaken(salesforce_id: str, last: UserMapping | None) -> CrosswalkError:
    told = f"{last.decided_by} ({last.act}{f' to {last.own_id}' if last.own_id else ''})" if last else "somebody"
    return CrosswalkError(
        f"the mapping of user {salesforce_id} has changed meanwhile: by {told}",
        why="two people must not undo each other's corrections unseen",
        next_step="look at it again, and repeat the correction if it is still needed",
    )


def _versions(connection: sa.Connection, salesforce_id: str) -> tuple[UserMapping, ...]:
    query = sa.select(USER_MAPPING).where(USER_MAPPING.c.salesforce_id == salesforce_id)
    return tuple(_mapping(row) for row in connection.execute(query.order_by(USER_MAPPING.c.version)))


def _mapping(row: sa.Row[Any]) -> UserMapping:
    values = dict(row._mapping)
    return UserMapping(**(values | {"decided_at": aware(values["decided_at"])}))
