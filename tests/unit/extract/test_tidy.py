"""The space of replaced rows is taken back at full loads and after many deltas, not after each."""

from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from pipelines.extract.state import prepare_state
from pipelines.extract.tidy import MOST_DELTAS, tidy_seldom
from resources.landing import Manifest

NOW = datetime(2026, 1, 10, tzinfo=UTC)


def _manifest(kind: str) -> Manifest:
    return Manifest(
        org_id="00D", object="account", api_name="Account", purpose="records", kind=kind, transport="rest",
        soql="SELECT Id FROM Account", fields=[], api_version="62.0", match_key="k", restricted=False, since=NOW,
        until=NOW, eligible=3, created_at=NOW, selection_key="s",
    )  # fmt: skip


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA _state").fetchall()
    prepare_state(connection)
    return connection


def _load(con: duckdb.DuckDBPyConnection, kind: str, hour: int, changed: int = 1, of: str = "account") -> None:
    con.execute(
        "INSERT INTO _state.load_result BY NAME SELECT ? AS run_id, ? AS object, ? AS kind, ? AS changed, "
        "'somewhere' AS landing, ? AS ended_at",
        [f"run-{hour}", of, kind, changed, NOW.replace(tzinfo=None) + timedelta(hours=hour)],
    ).fetchall()


def _tidies(con: duckdb.DuckDBPyConnection, kind: str) -> bool:
    tidy_seldom(con, _manifest(kind))
    return con.execute("SELECT current_setting('max_vacuum_tasks')").fetchall()[0][0] > 0


def test_a_delta_leaves_the_blocks_as_they_are_and_a_full_load_does_not(con: duckdb.DuckDBPyConnection) -> None:
    assert not _tidies(con, "delta")
    assert _tidies(con, "full")


def test_every_so_many_deltas_that_changed_something_one_tidies_up(con: duckdb.DuckDBPyConnection) -> None:
    _load(con, "full", 0)
    found = []
    for hour in range(1, 2 * MOST_DELTAS + 1):
        found.append(_tidies(con, "delta"))
        _load(con, "delta", hour)
    assert [number for number, tidies in enumerate(found, 1) if tidies] == [MOST_DELTAS, 2 * MOST_DELTAS]


def test_quiet_days_other_objects_and_deltas_before_a_full_load_do_not_count(con: duckdb.DuckDBPyConnection) -> None:
    for hour in range(MOST_DELTAS - 1):
        _load(con, "delta", hour)
    assert _tidies(con, "delta")
    _load(con, "full", MOST_DELTAS)
    assert not _tidies(con, "delta")
    for hour in range(MOST_DELTAS + 1, 2 * MOST_DELTAS):
        _load(con, "delta", hour, changed=0)
        _load(con, "delta", hour, of="contact")
    assert not _tidies(con, "delta")
