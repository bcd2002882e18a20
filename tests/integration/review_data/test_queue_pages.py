"""Pages of the queue against a plain sort of all its rows, bulk acceptance, and the snapshot under several readers."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from data_contracts.errors import WarehouseError
from pipelines.review import (
    Filters,
    PairKey,
    ReviewError,
    ReviewSnapshot,
    bulk_accept,
    bulk_sample,
    bulk_state,
    bulk_undo,
    decide,
    pair,
    queue,
    search,
)
from pipelines.review.rows import QueueRow, Sort
from resources.decisions import DecisionStore
from tests.support.review_scale import waiting_snapshot

WAITING = 230


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return waiting_snapshot(tmp_path_factory.mktemp("scale") / "analytics.duckdb", WAITING, records=400, entities=300)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DecisionStore]:
    found = DecisionStore(f"sqlite:///{tmp_path / 'd.db'}")
    yield found
    found.close()


@pytest.fixture
def snapshot(published: Path) -> Iterator[ReviewSnapshot]:
    found = ReviewSnapshot(published, memory_limit="256MB", threads=1)
    yield found
    found.close()


def order(sort: Sort) -> Any:
    """The order of the pages, written down once more."""
    keys: dict[str, Any] = {
        "value": lambda row: (-row.rank_value, -row.teaching_value),
        "teaching": lambda row: (-row.teaching_value, -row.worth),
        "worth": lambda row: (-row.worth, -row.teaching_value),
        "probability": lambda row: (-row.match_probability,),
        "name": lambda row: (row.name,),
    }
    return lambda row: (*keys[sort](row), row.object, row.salesforce_id)


def walk(con: Any, store: DecisionStore, filters: Filters, sort: Sort, limit: int) -> list[QueueRow]:
    rows: list[QueueRow] = []
    key = None
    while True:
        page = queue(con, store, filters, sort, key, limit)
        rows += page.rows
        if (key := page.next_key) is None:
            assert page.total == len(rows)
            return rows


@pytest.mark.parametrize("sort", get_args(Sort))
def test_pages_are_a_sort_of_all_that_waits(snapshot: ReviewSnapshot, store: DecisionStore, sort: Sort) -> None:
    with snapshot.connect() as con:
        rows = walk(con, store, Filters(), sort, 37)
        everything = queue(con, store, limit=1000).rows
    assert len(everything) == WAITING
    assert [row.salesforce_id for row in rows] == [row.salesforce_id for row in sorted(everything, key=order(sort))]
    for row in rows:
        assert row.rank_value == pytest.approx(row.teaching_value * row.worth)


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        (Filters(object="contact"), lambda row: False),
        (Filters(min_probability=0.4, max_probability=0.6), lambda row: 0.4 <= row.match_probability < 0.6),
        (Filters(with_worth=True), lambda row: row.worth > 0),
        (Filters(text="  NUMBER 12 "), lambda row: "number 12" in (row.candidate_name or "").lower()),
        (Filters(text="001000000000007AAA"), lambda row: row.salesforce_id == "001000000000007AAA"),
        (Filters(text="' OR true --"), lambda row: False),
        (Filters(country="DE", waiting="undecided"), lambda row: True),
        (Filters(country="FR"), lambda row: False),
    ],
)
def test_filters(snapshot: ReviewSnapshot, store: DecisionStore, filters: Filters, passes: Any) -> None:
    with snapshot.connect() as con:
        everything = queue(con, store, limit=1000).rows
        found = walk(con, store, filters, "value", 50)
    assert [row.salesforce_id for row in found] == [row.salesforce_id for row in everything if passes(row)]


@pytest.mark.parametrize("key", ["x", "é", "WyJ2YWx1ZSJd", "eyJhIjoxfQ", "bnVsbA", "WyJ2YWx1ZSIsIm4iLDEsImEiLCJiIl0"])
def test_a_changed_key_is_refused(snapshot: ReviewSnapshot, store: DecisionStore, key: str) -> None:
    with snapshot.connect() as con, pytest.raises(ReviewError, match="no place in the queue"):
        queue(con, store, after_key=key)


def test_teaching_value_is_the_models_own_or_the_distance_from_certainty(
    snapshot: ReviewSnapshot, store: DecisionStore
) -> None:
    with snapshot.connect() as con:
        rows = {row.salesforce_id: row for row in queue(con, store, limit=1000).rows}
    own, none = rows["001000000000001AAA"], rows["001000000000003AAA"]
    assert own.teaching_value == pytest.approx(31 / 50)
    assert none.match_probability is not None
    assert none.teaching_value == pytest.approx(1 - abs(2 * none.match_probability - 1))


def test_a_bulk_needs_its_sample_checked_and_takes_the_rest(snapshot: ReviewSnapshot, store: DecisionStore) -> None:
    with snapshot.connect() as con:
        with pytest.raises(ReviewError, match="no threshold"):
            bulk_sample(con, store, "ann", "account", 0.2)
        bulk = bulk_sample(con, store, "ann", "account", 0.7, size=4)
        assert len(bulk.sample) == bulk.open == 4
        with pytest.raises(ReviewError, match="4 of 4 pairs of the sample are not decided"):
            bulk_accept(con, store, "ann", bulk.id)
        accept(con, store, bulk.sample[:3])
        rejected = bulk.sample[3]
        decide(con, store, "bo", rejected, "negative", None, pair(con, store, rejected).version)
        with pytest.raises(ReviewError, match="1 pairs of the sample were rejected"):
            bulk_accept(con, store, "ann", bulk.id)
        higher = bulk_sample(con, store, "ann", "account", 0.8, size=3)
        assert rejected not in higher.sample
        accept(con, store, higher.sample)
        made = bulk_accept(con, store, "ann", higher.id)
        assert made == higher.pairs - 3
        with pytest.raises(ReviewError, match="applied before"):
            bulk_accept(con, store, "ann", higher.id)
        assert bulk_state(con, store, higher.id).applied_at is not None
        assert queue(con, store, Filters(min_probability=0.8)).total == 0
        assert all(one.evidence for one in store.decisions() if one.bulk_id)
        assert bulk_undo(store, "ann", higher.id) == made
        assert queue(con, store, Filters(min_probability=0.8)).total == made
        with pytest.raises(ReviewError, match="no bulk acceptance 99"):
            bulk_state(con, store, 99)


def accept(con: Any, store: DecisionStore, keys: tuple[PairKey, ...]) -> None:
    for key in keys:
        decide(con, store, "bo", key, "positive", None, pair(con, store, key).version)


def test_the_waterfall_leads_from_the_prior_to_the_match_weight(snapshot: ReviewSnapshot, store: DecisionStore) -> None:
    with snapshot.connect() as con:
        candidates = pair(con, store, PairKey("account", "001000000000005AAA", "c5")).candidates
    assert [c.rank for c in candidates] == [1, 2, 3]
    for candidate in candidates:
        assert candidate.waterfall[0].start == 0
        assert candidate.waterfall[-1].end == pytest.approx(candidate.match_weight)
        for before, bar in zip(candidate.waterfall, candidate.waterfall[1:], strict=False):
            assert bar.start == before.end
            assert bar.end - bar.start == pytest.approx(bar.bits)


def test_a_new_snapshot_is_read_while_an_old_page_is_still_being_made(published: Path, tmp_path: Path) -> None:
    path = tmp_path / "analytics.duckdb"
    shutil.copy(published, path)
    store, snapshot = DecisionStore(f"sqlite:///{tmp_path / 'd.db'}"), ReviewSnapshot(path, threads=1)
    with snapshot.connect() as old:
        assert queue(old, store).total == WAITING
        waiting_snapshot(tmp_path / "next.duckdb", 5, records=10, entities=9).replace(path)
        with snapshot.connect() as new:
            assert queue(new, store).total == 5
            assert queue(old, store).total == WAITING
    with snapshot.connect() as con:
        assert queue(con, store).total == 5
    path.unlink()
    with pytest.raises(WarehouseError, match="nothing is published"), snapshot.connect():
        pass
    path.write_bytes(b"no database")
    with pytest.raises(WarehouseError, match="cannot read the snapshot"), snapshot.connect():
        pass
    snapshot.close()
    store.close()


def test_a_search_that_takes_too_long_is_ended_and_says_so(snapshot: ReviewSnapshot) -> None:
    with snapshot.connect() as con:
        found = search(con, "company", "c7", seconds=0.0)
        assert [hit.reference_id for hit in found.hits] == ["c7"], "what an id, domain or number finds is there"
        assert found.slow
        assert search(con, "company", "firm 7 number").hits[0].reference_id == "c7"
