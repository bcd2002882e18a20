"""Deciding, and taking back: nothing is kept where somebody else was faster."""

import duckdb

from pipelines.resolve.evidence import evidence_of_pair
from pipelines.resolve.sides import kind_of
from pipelines.review.published import is_masked, row_of, rows_of
from pipelines.review.rows import Decided, Outcome, PairKey, ReviewError, Stale, Version
from resources.decisions import Decision, DecisionStore, Evidence, Judgement, decision_row
from resources.decisions_acts import Head, decide_at, decision_of, head, last_of, undo_at


def decide(
    con: duckdb.DuckDBPyConnection,
    store: DecisionStore,
    user: str,
    key: PairKey,
    judgement: Judgement,
    reason: str | None,
    version: Version,
) -> Outcome:
    """Keep ``user``'s judgement of a pair seen at ``version``, or say who was faster.

    Raises ReviewError for an unknown record or entity.
    """
    evidence = evidence_of_pair(con, key.object, key.salesforce_id, key.reference_id)
    if evidence is None:
        _check_pair(con, store, key, judgement)
    if version.evidence != (evidence.hash if evidence else ""):
        return _other_evidence(con)
    kept = None if is_masked(con) else evidence
    row = decision_row(key.object, key.salesforce_id, key.reference_id, judgement, user, reason or None, kept)
    made = decide_at(store, row, version.acts)
    return stale(made) if isinstance(made, Head) else Decided(made, Version(version.acts + 1, version.evidence))


def undo(store: DecisionStore, user: str, decision_id: int, *, as_admin: bool = False) -> Outcome:
    """Take a judgement back: one's own, or anybody's as an admin. Stale where the record was decided on since.

    Raises ReviewError when there is no such judgement, it is another person's, or it was taken back before.
    """
    made = decision_of(store, decision_id)
    if made is None or (made.decided_by != user and not as_admin):
        raise ReviewError(
            f"decision {decision_id} is not one of yours",
            why="everybody takes back their own decisions; an admin takes back anybody's",
        )
    now = head(store, made.object, made.salesforce_id)
    if now.by_user not in (made.decided_by, user, None) and not as_admin:
        return stale(now)
    taken = undo_at(store, made, user, now.acts)
    if taken is None:
        raise ReviewError(f"decision {decision_id} was taken back before")
    return stale(taken) if isinstance(taken, Head) else Decided(taken, Version(now.acts + 1))


def last_decision(store: DecisionStore, user: str) -> int | None:
    """Return the id of the judgement ``user`` made last and has not taken back, None when there is none."""
    found = last_of(store, user)
    return found.id if found else None


def version_of(store: DecisionStore, key: PairKey, evidence: Evidence | None) -> Version:
    """Return the version of a pair as it stands."""
    return Version(head(store, key.object, key.salesforce_id).acts, evidence.hash if evidence else "")


def stale(now: Head) -> Stale:
    """Say who was faster, when, and what they decided."""
    said = {"positive": "“the same”", "negative": "“not the same”"}.get(now.act or "", now.act)
    who, what = now.by_user or "somebody", "took a decision back" if now.act == "withdrawn" else f"decided {said}"
    when = now.at.strftime(" on %Y-%m-%d at %H:%M:%S UTC") if now.at else ""
    on = f" on {now.reference_id}" if now.reference_id else ""
    judgement = now.act if now.act in ("positive", "negative", "unsure") else None
    message = f"{who} {what}{on}{when}, after this page was opened; nothing was changed"
    return Stale(now.by_user, now.at, judgement, now.reference_id, message)  # type: ignore[arg-type]


def _other_evidence(con: duckdb.DuckDBPyConnection) -> Stale:
    published = rows_of(con, "SELECT published_at FROM main._meta") if _has_meta(con) else []
    when = published[0]["published_at"] if published else None
    message = "a run has brought other values since this page was opened; nothing was changed, look again"
    return Stale(None, when, None, None, message)


def _has_meta(con: duckdb.DuckDBPyConnection) -> bool:
    found = "SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database() AND table_name = '_meta'"
    return bool(con.execute(found).fetchall()[0][0])


def _check_pair(con: duckdb.DuckDBPyConnection, store: DecisionStore, key: PairKey, judgement: Judgement) -> None:
    """Let a pair of which one side is gone be rejected by who accepted it once; nothing else can be said of it."""
    earlier: list[Decision] = [
        made for made in store.decisions(key.object, key.salesforce_id) if made.reference_id == key.reference_id
    ]
    if earlier and judgement != "positive":
        return
    kind = kind_of(key.object)
    there = row_of(con, f"crosswalk.{key.object}", "salesforce_id", key.salesforce_id)
    entity = row_of(con, f"reference.{kind}", f"{kind}_id", key.reference_id)
    missing = f"{key.object} {key.salesforce_id}" if not there else f"{kind} {key.reference_id}" if not entity else ""
    raise ReviewError(
        f"there is no {missing}" if missing else f"{key.object} {key.salesforce_id} is no live record any more",
        why="the last run did not find it" if missing else "it was deleted, merged or converted in Salesforce",
        next_step="go back to the queue",
    )
