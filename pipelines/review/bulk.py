"""Accepting many pairs at once: above a threshold, after a sample of them was checked by a person."""

import random

import duckdb

from data_contracts.mapping import MappedObject
from pipelines.resolve.evidence import evidence_query
from pipelines.review.pending import pending_decisions
from pipelines.review.published import is_masked, run_of
from pipelines.review.queue_table import queue_table
from pipelines.review.rows import Bulk, PairKey, ReviewError
from resources.decisions import Decision, DecisionStore, Evidence, decision_row
from resources.decisions_bulk import BulkRow, apply_bulk, begin_bulk, read_bulk, undo_bulk

#: What may be accepted unseen: undecided, without a veto, and clearly ahead of the record's other candidates, which the
#: probability says: the candidates of one record share it.
_ELIGIBLE = """
SELECT salesforce_id, reference_id FROM {queue} AS q
WHERE q.object = $object AND q.waiting = 'undecided' AND q.status = 'in_review' AND q.veto IS NULL
  AND q.reference_id IS NOT NULL AND q.match_probability >= $threshold
  AND q.salesforce_id NOT IN (SELECT salesforce_id FROM _pending_decisions WHERE object = $object)
ORDER BY salesforce_id"""


def bulk_sample(
    con: duckdb.DuckDBPyConnection,
    store: DecisionStore,
    user: str,
    object_name: MappedObject,
    threshold: float,
    *,
    size: int = 20,
) -> Bulk:
    """Draw a sample of the undecided pairs at or above ``threshold`` and keep it; the pairs of it are then decided.

    Pairs with a veto, returned and deferred ones are not among them. Raises ReviewError when there is none, or for a
    threshold at which a pair is as likely wrong as right.
    """
    if not 0.5 < threshold <= 1:
        raise ReviewError(
            f"{threshold:g} is no threshold for accepting unseen", why="it lies above 0.5, and at 1 at the most"
        )
    pairs = _eligible(con, store, object_name, threshold)
    if not pairs:
        raise ReviewError(
            f"no undecided {object_name} has a probability of {threshold:g} or more", next_step="lower the threshold"
        )
    drawn = random.SystemRandom().sample(pairs, min(size, len(pairs)))
    number = begin_bulk(store, user, object_name, threshold, len(pairs), drawn, run_of(con))
    return bulk_state(con, store, number)


def bulk_state(con: duckdb.DuckDBPyConnection, store: DecisionStore, bulk_id: int) -> Bulk:
    """Return how far the sample is checked; raises ReviewError for an unknown id."""
    kept = _read(store, bulk_id)
    said = {pair: _judgement(store, kept, pair) for pair in kept.sample}
    count = list(said.values()).count
    return Bulk(
        id=kept.id,
        object=kept.object,  # type: ignore[arg-type]
        threshold=kept.threshold,
        pairs=kept.pairs,
        sample=tuple(PairKey(kept.object, *pair) for pair in kept.sample),  # type: ignore[arg-type]
        accepted=count("positive"),
        rejected=count("negative"),
        unsure=count("unsure"),
        made_by=kept.made_by,
        made_at=kept.made_at,
        applied_at=kept.applied_at,
    )


def bulk_accept(con: duckdb.DuckDBPyConnection, store: DecisionStore, user: str, bulk_id: int) -> int:
    """Accept every pair of the bulk that is still undecided; return how many.

    Raises ReviewError while the sample is not checked, when a pair of it was not accepted, when another run has been
    published since it was drawn, or when it was applied before.
    """
    bulk, kept = bulk_state(con, store, bulk_id), _read(store, bulk_id)
    if kept.run_id != run_of(con):
        raise ReviewError(
            "another run has been published since the sample was drawn",
            why="its pairs and probabilities are others",
            next_step="draw a new sample",
        )
    if bulk.open:
        raise ReviewError(
            f"{bulk.open} of {len(bulk.sample)} pairs of the sample are not decided", next_step="decide them first"
        )
    if bulk.rejected or bulk.unsure:
        raise ReviewError(
            f"{bulk.rejected} pairs of the sample were rejected and {bulk.unsure} left unsure",
            why="what is accepted unseen would be wrong as often",
            next_step="raise the threshold and draw a new sample",
        )
    rows = _rows(con, store, user, bulk)
    made = apply_bulk(store, kept, user, rows)
    if made is None:
        raise ReviewError(f"bulk {bulk_id} was applied before")
    return made


def bulk_undo(store: DecisionStore, user: str, bulk_id: int) -> int:
    """Take back what a bulk accepted, records decided on since excepted; return how many."""
    return undo_bulk(store, _read(store, bulk_id), user)


def _eligible(
    con: duckdb.DuckDBPyConnection, store: DecisionStore, object_name: str, threshold: float
) -> list[tuple[str, str]]:
    con.register("_pending_decisions", pending_decisions(con, store).table)
    try:
        query = _ELIGIBLE.format(queue=queue_table(con))
        return con.execute(query, {"object": object_name, "threshold": threshold}).fetchall()
    finally:
        con.unregister("_pending_decisions")


def _rows(con: duckdb.DuckDBPyConnection, store: DecisionStore, user: str, bulk: Bulk) -> list[dict[str, object]]:
    """Return the judgements of a bulk with what spoke for each."""
    pairs = _eligible(con, store, bulk.object, bulk.threshold)
    reason = f"accepted in bulk from {bulk.threshold:g}, after all {len(bulk.sample)} of a sample were accepted"
    if not pairs:
        return []
    spoke: dict[tuple[str, str], Evidence] = {}
    if not is_masked(con):
        con.execute("CREATE OR REPLACE TEMP TABLE review_bulk (salesforce_id VARCHAR, reference_id VARCHAR)")
        con.execute(
            "INSERT INTO review_bulk SELECT unnest($a), unnest($b)",
            dict(zip("ab", zip(*pairs, strict=True), strict=True)),
        )
        found = con.execute(evidence_query(con, bulk.object, "review_bulk")).fetchall()
        spoke = {(row[0], row[1]): Evidence(*row[2:]) for row in found}
        con.execute("DROP TABLE review_bulk")
    return [decision_row(bulk.object, *pair, "positive", user, reason, spoke.get(pair)) for pair in pairs]


def _judgement(store: DecisionStore, bulk: BulkRow, pair: tuple[str, str]) -> str | None:
    """Return what a person said of a pair of the sample last; another entity accepted for the record rejects it."""
    made: list[Decision] = [
        one
        for one in store.decisions(bulk.object, pair[0])
        if one.withdrawn_at is None and one.decided_at >= bulk.made_at
    ]
    mine = [one for one in made if one.reference_id == pair[1]]
    if mine:
        return mine[-1].judgement
    return "negative" if any(one.judgement == "positive" for one in made) else None


def _read(store: DecisionStore, bulk_id: int) -> BulkRow:
    found = read_bulk(store, bulk_id)
    if found is None:
        raise ReviewError(f"there is no bulk acceptance {bulk_id}", next_step="draw a sample first")
    return found
