"""The decisions store, the same on SQLite and on a real PostgreSQL, and its replay into the warehouse."""

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from data_contracts.errors import SettingsError, WarehouseError
from pipelines.resolve.decisions import IN_FORCE, replay_decisions
from resources.decisions import DecisionStore
from tests.support.decision_database import fresh_database
from tests.support.org_tables import fetch, run_context, warehouse

DECIDED = datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of its own for each test."""
    with fresh_database(request, tmp_path) as made:
        yield made


@pytest.fixture
def store(url: str) -> Iterator[DecisionStore]:
    store = DecisionStore(url)
    yield store
    store.close()


def test_what_is_recorded_comes_back_and_outlives_the_process(url: str, store: DecisionStore):
    made = store.record(
        "account", "001A", "C-1", "positive", decided_by="ann", reason="same VAT number", decided_at=DECIDED
    )
    store.record("contact", "003A", "P-1", "negative", decided_by="bo", expires_at=DECIDED)
    store.close()
    reopened = DecisionStore(url)
    assert reopened.decisions("account") == (made,)
    assert made.decided_at == DECIDED
    assert [item.expires_at for item in reopened.decisions()] == [None, DECIDED]
    assert reopened.decisions("contact", "003X") == ()
    reopened.close()


def test_a_withdrawn_decision_stays_and_is_withdrawn_once(store: DecisionStore):
    made = store.record("account", "001A", "C-1", "positive", decided_by="ann")
    assert store.withdraw(made.id, at=DECIDED)
    assert not store.withdraw(made.id)
    assert not store.withdraw(made.id + 1)
    assert [item.withdrawn_at for item in store.decisions()] == [DECIDED]


def test_many_stewards_at_once_lose_nothing(store: DecisionStore):
    def decide(number: int) -> int:
        return store.record("account", f"001{number}", "C-1", "unsure", decided_by="ann").id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(decide, range(40)))) == 40
    assert store.export_arrow().num_rows == 40


def test_replay_gives_match_decision_and_what_holds_today(store: DecisionStore, tmp_path: Path):
    at = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 6)]
    store.record("account", "A1", "C1", "positive", decided_by="ann", decided_at=at[0])
    store.record("account", "A1", "C1", "negative", decided_by="bo", decided_at=at[1])
    back = store.record("account", "A2", "C2", "positive", decided_by="ann", decided_at=at[0])
    store.withdraw(back.id)
    store.record("account", "A3", "C3", "positive", decided_by="ann", decided_at=at[0], expires_at=at[2])
    with warehouse(tmp_path) as con:
        assert replay_decisions(con, store, run_context()) == 4
        assert replay_decisions(con, store, run_context()) == 4
        stored = fetch(con, "SELECT salesforce_id, judgement, withdrawn_at IS NULL FROM match.decision ORDER BY ALL")
        now = con.execute(IN_FORCE, {"at": at[3].replace(tzinfo=None)}).fetchall()
        then = con.execute(IN_FORCE, {"at": at[1].replace(tzinfo=None)}).fetchall()
    assert stored == [("A1", "negative", True), ("A1", "positive", True), ("A2", "positive", False)] + [
        ("A3", "positive", True)
    ]
    assert [row[:4] for row in now] == [("account", "A1", "C1", "negative")]
    assert {row[1] for row in then} == {"A1", "A3"}


def test_an_empty_store_replays_to_an_empty_table(store: DecisionStore, tmp_path: Path):
    with warehouse(tmp_path) as con:
        assert replay_decisions(con, store, run_context()) == 0
        assert fetch(con, "SELECT count(*) FROM match.decision") == [(0,)]


def test_a_store_of_a_newer_version_is_refused(url: str, store: DecisionStore):
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg2://"))
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE crosswalk_decision_schema SET version = 99"))
    engine.dispose()
    with pytest.raises(WarehouseError, match="version 99"):
        DecisionStore(url)


def test_wrong_values_are_refused(store: DecisionStore):
    with pytest.raises(SettingsError, match="maybe"):
        store.record("account", "A", "C", "maybe", decided_by="ann")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="who decided"):
        store.record("account", "A", "C", "positive", decided_by="")
    assert store.decisions() == ()


def test_the_file_is_the_owners_alone(tmp_path: Path):
    DecisionStore(f"sqlite:///{tmp_path / 'd.db'}").close()
    assert stat.S_IMODE((tmp_path / "d.db").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("nonsense", SettingsError, "not a database URL"),
        ("mssql+none://h/d", SettingsError, "no driver"),
        ("postgresql://ann:hidden@127.0.0.1:1/d", WarehouseError, "does not answer"),
        ("sqlite:////no/such/folder/d.db", WarehouseError, "does not answer"),
    ],
)
def test_a_database_that_cannot_be_used_is_named_without_its_password(url: str, error: type[Exception], message: str):
    with pytest.raises(error, match=message) as caught:
        DecisionStore(url)
    assert "hidden" not in str(caught.value)
