"""Two people never decide one record unknowingly, on SQLite and on PostgreSQL, from threads and from processes."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.review import Decided, ReviewError, Stale, last_decision, undo
from resources.decisions import Decision, DecisionStore, decision_row
from resources.decisions_acts import Head, audit_rows, decide_at, head
from resources.decisions_bulk import apply_bulk, begin_bulk, read_bulk, undo_bulk
from resources.decisions_transfer import import_decisions
from tests.support.decide_at_once import SPAWN, all_at_once

A = "001000000000001AAA"


def row(user: str, record: str = A, entity: str = "c1", judgement: str = "positive") -> dict[str, object]:
    return decision_row("account", record, entity, judgement, user, None, None)  # type: ignore[arg-type]


def test_of_many_threads_one_decides_and_the_others_are_told_who(url: str, store: DecisionStore) -> None:
    users = [f"user{number}" for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        for acts in range(4):
            said = all_at_once(pool, url, users, A, acts)
            winners = [user for user, faster in said.items() if faster is None]
            assert len(winners) == 1
            assert {faster for faster in said.values() if faster} == set(winners)
    made = store.decisions("account", A)
    assert len(made) == 4
    assert head(store, "account", A).acts == 4


def test_of_two_processes_one_decides(url: str, store: DecisionStore) -> None:
    with ProcessPoolExecutor(2, mp_context=SPAWN) as pool:
        for acts in range(3):
            said = all_at_once(pool, url, ["ann", "bo"], A, acts)
            assert set(said.values()) < {"ann", "bo", None}
            assert sum(faster is None for faster in said.values()) == 1
    assert len(store.decisions("account", A)) == 3


def test_whoever_comes_later_is_told_who_when_and_what(store: DecisionStore) -> None:
    before = datetime.now(UTC)
    assert isinstance(decide_at(store, row("ann", judgement="negative"), 0), Decision)
    told = decide_at(store, row("bo"), 0)
    assert isinstance(told, Head)
    assert (told.acts, told.by_user, told.act, told.reference_id) == (1, "ann", "negative", "c1")
    assert told.at is not None
    assert before <= told.at <= datetime.now(UTC)
    assert [made.decided_by for made in store.decisions()] == ["ann"]
    assert isinstance(decide_at(store, row("bo"), told.acts), Decision)


def test_the_older_way_of_recording_and_an_import_count_as_acts_too(store: DecisionStore) -> None:
    store.record("account", A, "c1", "positive", decided_by="ann")
    assert isinstance(decide_at(store, row("bo"), 0), Head)
    import_decisions(store, [row("cy") | {"decided_at": datetime(2026, 1, 1, tzinfo=UTC)}], "cy")
    assert head(store, "account", A).acts == 2
    assert isinstance(decide_at(store, row("bo"), 1), Head)


def test_undo_is_ones_own_an_admins_and_never_twice(store: DecisionStore) -> None:
    made = decide_at(store, row("ann"), 0)
    assert isinstance(made, Decision)
    with pytest.raises(ReviewError, match="not one of yours"):
        undo(store, "bo", made.id)
    assert last_decision(store, "ann") == made.id
    assert last_decision(store, "bo") is None
    assert isinstance(undo(store, "ann", made.id), Decided)
    with pytest.raises(ReviewError, match="taken back before"):
        undo(store, "ann", made.id)
    again = decide_at(store, row("ann"), 2)
    assert isinstance(again, Decision)
    assert isinstance(undo(store, "root", again.id, as_admin=True), Decided)
    assert [one.action for one in audit_rows(store)] == ["undo", "decide", "undo", "decide"]
    assert [one.by_user for one in audit_rows(store, user="root")] == ["root"]


def test_an_undo_after_somebody_elses_decision_is_stale(store: DecisionStore) -> None:
    made = decide_at(store, row("ann"), 0)
    assert isinstance(made, Decision)
    assert isinstance(decide_at(store, row("bo", entity="c2"), 1), Decision)
    told = undo(store, "ann", made.id)
    assert isinstance(told, Stale)
    assert told.who == "bo"
    assert "nothing was changed" in told.message
    assert all(one.withdrawn_at is None for one in store.decisions())


def test_a_bulk_takes_no_record_that_somebody_decided_meanwhile_and_is_applied_once(store: DecisionStore) -> None:
    records = [f"001{number:012d}AAA" for number in range(12)]
    number = begin_bulk(store, "ann", "account", 0.9, 12, [(records[0], "c1")], "r1")
    bulk = read_bulk(store, number)
    assert bulk is not None
    assert bulk.sample == ((records[0], "c1"),)
    assert isinstance(decide_at(store, row("bo", records[3], judgement="negative"), 0), Decision)
    rows = [row("ann", record) for record in records]
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: apply_bulk(store, bulk, "ann", rows), range(2)))
    assert sorted(made, key=str) == [11, None]
    assert isinstance(decide_at(store, row("cy", records[5], "c2"), 1), Decision)
    assert undo_bulk(store, bulk, "ann") == 10, "the record cy decided since stays"
    kept = [one for one in store.decisions() if one.withdrawn_at is None]
    assert {(one.salesforce_id, one.decided_by) for one in kept} == {
        (records[3], "bo"),
        (records[5], "ann"),
        (records[5], "cy"),
    }


def test_a_store_of_version_1_is_brought_up_with_its_decisions(url: str) -> None:
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg2://"))
    serial = "SERIAL" if "postgresql" in url else "INTEGER"
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE crosswalk_decision_schema (version INTEGER PRIMARY KEY)"))
        connection.execute(sa.text("INSERT INTO crosswalk_decision_schema VALUES (1)"))
        columns = "object VARCHAR(40) NOT NULL, salesforce_id VARCHAR(18) NOT NULL, reference_id TEXT NOT NULL, "
        columns += (
            "judgement VARCHAR(8) NOT NULL, reason TEXT, decided_by TEXT NOT NULL, decided_at TIMESTAMP NOT NULL, "
        )
        columns += "expires_at TIMESTAMP, withdrawn_at TIMESTAMP"
        connection.execute(sa.text(f"CREATE TABLE crosswalk_decision (id {serial} PRIMARY KEY, {columns})"))
        told = f"'account', '{A}', 'c1', 'positive', 'ann', '2026-01-01 00:00:00.000000'"
        names = "object, salesforce_id, reference_id, judgement, decided_by, decided_at"
        connection.execute(sa.text(f"INSERT INTO crosswalk_decision ({names}) VALUES ({told})"))
    engine.dispose()
    with ThreadPoolExecutor(4) as pool:
        for opened in pool.map(DecisionStore, [url] * 4):
            opened.close()
    store = DecisionStore(url)
    assert [(one.decided_by, one.evidence) for one in store.decisions("account", A)] == [("ann", None)]
    assert isinstance(decide_at(store, row("bo"), 0), Head), "the old decision counts as an act"
    assert isinstance(decide_at(store, row("bo"), 1), Decision)
    store.close()


def test_the_store_of_another_home_is_another_store(tmp_path: Path) -> None:
    first, second = (DecisionStore(f"sqlite:///{tmp_path / name}.db") for name in ("one", "two"))
    decide_at(first, row("ann"), 0)
    assert head(second, "account", A).acts == 0
    first.close()
    second.close()
