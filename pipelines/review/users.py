"""CRM users and whom of the organisation they are, as published, with what people have said since; and corrections.

How users are matched is ``pipelines.ownership.users``; a correction counts from the next run on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

import duckdb

from data_contracts.settings import Settings
from pipelines.review.published import columns_of, is_masked, rows_of
from pipelines.review.rows import ReviewError
from resources.decisions import DecisionStore
from resources.user_mappings import Act, UserMapping, correct, mapping_versions, mappings_in_force

#: Which users a list shows: those a person is needed for (and nobody has corrected since), or by how they stand.
Shown = Literal["waiting", "mapped", "unmapped", "inactive", "queues", "all"]
SHOWN: tuple[Shown, ...] = get_args(Shown)
#: Most own users a search shows.
MOST_HITS = 20
_CONDITIONS: Mapping[Shown, str] = {
    "waiting": "u.needs_person AND NOT list_contains($corrected, u.salesforce_id)",
    "mapped": "u.mapped_user IS NOT NULL",
    "unmapped": "u.mapped_user IS NULL AND u.kind = 'user'",
    "inactive": "NOT u.is_active",
    "queues": "u.kind = 'queue'",
    "all": "TRUE",
}
_COLUMNS = (
    "u.salesforce_id, u.kind, u.name, u.email, u.is_active, u.record_count, u.status, u.needs_person, u.mapped_user, "
    "u.mapped_user_name, u.method, u.reason, u.decided_by, u.decided_at, u.mapping_version"
)


def are_configured(con: duckdb.DuckDBPyConnection) -> bool:
    """Return whether the settings of the published run name own users at all."""
    if "status" not in columns_of(con, "ownership.user"):
        return True
    return not rows_of(con, "SELECT 1 AS one FROM ownership.user WHERE status = 'not_configured' LIMIT 1", {})


@dataclass(frozen=True)
class CrmUser:
    """One row of ``ownership.user``; ``pending`` is a person's correction that the next run will use."""

    salesforce_id: str
    kind: str
    name: str | None
    email: str | None
    is_active: bool | None
    record_count: int
    status: str
    needs_person: bool
    mapped_user: str | None
    mapped_user_name: str | None
    method: str | None
    reason: str
    decided_by: str | None
    decided_at: datetime | None
    mapping_version: int
    pending: UserMapping | None = None


@dataclass(frozen=True)
class OwnUser:
    """One of the organisation's own users; ``fits`` says that its e-mail address or name is the CRM user's."""

    user_id: str
    name: str | None
    email: str | None
    is_active: bool
    fits: bool = False


@dataclass(frozen=True)
class UserView:
    """One CRM user, its versions (newest first), and own users to choose from; ``version`` is what was looked at."""

    user: CrmUser
    versions: tuple[UserMapping, ...]
    candidates: tuple[OwnUser, ...]
    version: int
    masked: bool
    from_settings: bool = field(default=False)


def crm_users(
    con: duckdb.DuckDBPyConnection,
    store: DecisionStore,
    shown: Shown = "waiting",
    text: str = "",
    *,
    offset: int = 0,
    limit: int = 100,
) -> tuple[tuple[CrmUser, ...], int]:
    """Return users that need a person first, then by how many records they own, and how many there are in all."""
    pending = _pending(con, store)
    condition = _CONDITIONS[shown]
    parameters: dict[str, object] = {"text": text.lower()}
    if "$corrected" in condition:
        parameters["corrected"] = list(pending)
    sought = "contains(lower(concat_ws(' ', u.salesforce_id, u.name, u.email, u.mapped_user)), $text)"
    of = f"FROM ownership.user AS u WHERE {condition} AND {sought}"
    total = int(con.execute(f"SELECT count(*) {of}", parameters).fetchall()[0][0])
    rows = rows_of(
        con,
        f"SELECT {_COLUMNS} {of} ORDER BY u.needs_person DESC, u.record_count DESC, u.name, u.salesforce_id "
        "LIMIT $limit OFFSET $offset",
        parameters | {"limit": limit, "offset": offset},
    )
    return tuple(CrmUser(**row, pending=pending.get(row["salesforce_id"])) for row in rows), total


def crm_user(con: duckdb.DuckDBPyConnection, store: DecisionStore, settings: Settings, wanted: str) -> UserView:
    """Return the user with Id, e-mail address or name ``wanted``, with every version of its mapping.

    Raises ReviewError where none or several are meant.
    """
    rows = rows_of(
        con,
        f"SELECT {_COLUMNS}, u.candidates FROM ownership.user AS u WHERE u.salesforce_id = $wanted "
        "OR left(u.salesforce_id, 15) = $wanted OR lower(u.email) = lower($wanted) OR lower(u.name) = lower($wanted) "
        "ORDER BY u.salesforce_id LIMIT 11",
        {"wanted": wanted},
    )
    if len(rows) != 1:
        ids = ", ".join(row["salesforce_id"] for row in rows[:10])
        raise ReviewError(
            f"{len(rows)} users of the CRM are meant: {ids}"
            if rows
            else f"no user of the CRM is called {wanted[:80]!r}",
            why="a user is named by Id, or by an e-mail address or name that nobody else has",
            next_step="run: crosswalk users list --show all",
        )
    row = rows[0]
    fitting = row.pop("candidates")
    versions = mapping_versions(store, row["salesforce_id"])
    version = versions[-1].version if versions else 0
    last = versions[-1] if versions and version > row["mapping_version"] else None
    by_hand = {key[:15] for key in settings.users.by_hand}
    masked = is_masked(con)
    candidates = _own_users(con, fitting) if isinstance(fitting, list) and not masked else ()
    user = CrmUser(**row, pending=last)
    return UserView(user, versions[::-1], candidates, version, masked, user.salesforce_id[:15] in by_hand)


def search_own_users(con: duckdb.DuckDBPyConnection, text: str) -> tuple[OwnUser, ...]:
    """Return own users whose id, name or address holds every word of ``text``."""
    words = text.lower().split()[:6]
    holds = " AND ".join(f"contains(lower(concat_ws(' ', user_id, name, email)), $w{n})" for n in range(len(words)))
    rows = rows_of(
        con,
        f"SELECT user_id, name, email, is_active FROM ownership.own_user WHERE {holds or 'FALSE'} "
        f"ORDER BY is_active DESC, name, user_id LIMIT {MOST_HITS}",
        {f"w{n}": word for n, word in enumerate(words)},
    )
    return tuple(OwnUser(**row) for row in rows)


def correct_user(
    con: duckdb.DuckDBPyConnection,
    store: DecisionStore,
    settings: Settings,
    by: str,
    salesforce_id: str,
    act: Act,
    *,
    own_id: str | None = None,
    reason: str | None = None,
    seen: int | None = None,
) -> UserMapping:
    """Keep what person ``by`` says of a user: ``mapped`` to ``own_id``, ``unmapped``, or ``released``.

    ``seen`` is the version that was looked at. Raises ReviewError for a user or own user that does not exist and for
    one that the settings map, CrosswalkError where somebody else was faster.
    """
    view = crm_user(con, store, settings, salesforce_id)
    key = view.user.salesforce_id
    if view.from_settings:
        raise ReviewError(
            f"user {key} is mapped in the settings",
            why="users.by_hand comes before what is said here",
            next_step="change it there, or take it out there first",
        )
    if act == "mapped":
        _must_exist(con, own_id, masked=view.masked)
    if act == "released" and not view.versions:
        raise ReviewError(f"user {key} has no mapping to take back", next_step="crosswalk users show " + key)
    return correct(store, key, act, own_id=own_id if act == "mapped" else None, user=by, reason=reason, seen=seen)


def _must_exist(con: duckdb.DuckDBPyConnection, own_id: str | None, *, masked: bool) -> None:
    """Raise ReviewError for an own user that is not among those published; of masked ones, nothing can be said."""
    if not own_id:
        raise ReviewError("no own user was chosen", next_step="choose one, or say that it is none of ours")
    there = con.execute("SELECT count(*), count(*) FILTER (user_id = $id) FROM ownership.own_user", {"id": own_id})
    total, found = there.fetchall()[0]
    if total and not found and not masked:
        near = ", ".join(user.user_id for user in search_own_users(con, own_id)[:5])
        raise ReviewError(
            f"there is no own user {own_id[:80]!r}" + (f"; did you mean {near}?" if near else ""),
            why=f"ownership.own_user has {total:,} users, as of the last run",
            next_step="name one by its user_id, or add it to the source of users and run: crosswalk sync",
        )


def _own_users(con: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> tuple[OwnUser, ...]:
    rows = rows_of(
        con,
        "SELECT user_id, name, email, is_active, TRUE AS fits FROM ownership.own_user "
        "WHERE list_contains($ids, user_id) ORDER BY name, user_id",
        {"ids": list(ids)},
    )
    return tuple(OwnUser(**row) for row in rows)


def _pending(con: duckdb.DuckDBPyConnection, store: DecisionStore) -> dict[str, UserMapping]:
    """Return user → what a person has said that the published run did not know."""
    said = {made.salesforce_id: made for made in mappings_in_force(store) if made.act != "matched"}
    if not said:
        return {}
    known = dict(
        con.execute(
            "SELECT salesforce_id, mapping_version FROM ownership.user WHERE list_contains($ids, salesforce_id)",
            {"ids": list(said)},
        ).fetchall()
    )
    return {key: made for key, made in said.items() if made.version > known.get(key, made.version)}
