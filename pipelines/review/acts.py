"""Deciding, and taking back: nothing is kept where somebody else was faster."""

import duckdb

from pipelines.review.rows import Outcome, PairKey, Version
from resources.decisions import DecisionStore, Judgement


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
    raise NotImplementedError


def undo(store: DecisionStore, user: str, decision_id: int, *, as_admin: bool = False) -> Outcome:
    """Take a judgement back: one's own, or anybody's as an admin. Stale where the record was decided on since.

    Raises ReviewError when there is no such judgement, it is another person's, or it was taken back before.
    """
    raise NotImplementedError


def last_decision(store: DecisionStore, user: str) -> int | None:
    """Return the id of the judgement ``user`` made last and has not taken back, None when there is none."""
    raise NotImplementedError
