"""Changes that a naive cursor loses: each scenario is run with one as well, which must lose the record."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data_contracts.errors import ReconciliationError
from pipelines.extract import submit
from tests.integration.extract.conftest import account_id
from tests.support.demo_org_client import Scripted, serve_scripted
from tests.support.mirror import Mirror, settings_for

HOUR = 3_600.0
UPDATED = "/updated$"


class NaiveCursor:
    """What most connectors do: everything with a later stamp than the latest seen."""

    def __init__(self, org: Scripted) -> None:
        self._org = org
        self.names: dict[str, str] = {}
        self._latest = "1970-01-01T00:00:00.000+0000"

    def sync(self) -> None:
        after = self._latest.replace("+0000", "Z")
        soql = f"SELECT Id, Name, SystemModstamp FROM Account WHERE SystemModstamp > {after} ORDER BY SystemModstamp"
        for record in self._org.client.query(f"{soql} LIMIT 2000")["records"]:
            self.names[record["Id"]] = record["Name"]
            self._latest = record["SystemModstamp"]


@pytest.fixture
def execute(scripted: Scripted) -> Iterator[Callable[..., Any]]:
    def run(do: str, **arguments: Any) -> Any:
        answer = scripted.client("POST", "/__demo__/execute", json={"do": do, **arguments})
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    yield run
    # On, and never back: what a test has stamped must lie in the past of the next one.
    now = _clock(scripted, stamp_skew_seconds=0)
    if now < (latest := _latest(scripted)):
        _clock(scripted, advance_seconds=(latest - now).total_seconds())
    _clock(scripted, advance_seconds=HOUR)


def _clock(org: Scripted, **wanted: Any) -> datetime:
    answer = org.client("POST", "/__demo__/settings", json={"clock": wanted})
    assert answer.status_code == 200, answer.text
    return datetime.fromisoformat(answer.json()["now"])


def _latest(org: Scripted) -> datetime:
    found = org.client.query("SELECT SystemModstamp FROM Account ORDER BY SystemModstamp DESC LIMIT 1")
    return datetime.fromisoformat(found["records"][0]["SystemModstamp"])


def _names(m: Mirror) -> dict[str, str]:
    return dict(m.rows('SELECT "Id", "Name" FROM salesforce.account WHERE NOT _is_deleted'))


def _truth(org: Scripted) -> dict[str, str]:
    return {record["Id"]: record["Name"] for record in org.client.query("SELECT Id, Name FROM Account")["records"]}


@pytest.fixture
def both(scripted: Scripted, mirror: Callable[..., Mirror]) -> tuple[Mirror, NaiveCursor]:
    """A mirror and a naive cursor, both after a first sync an hour after anything happened."""
    _clock(scripted, advance_seconds=HOUR)
    m, naive = mirror(), NaiveCursor(scripted)
    naive.sync()
    m.sync("full")
    assert _names(m) == naive.names == _truth(scripted)
    return m, naive


@pytest.mark.parametrize("pause", [1.0, 6 * HOUR])
def test_a_transaction_that_commits_after_the_sync(
    pause: float, both: tuple[Mirror, NaiveCursor], scripted: Scripted, execute: Callable[..., Any]
) -> None:
    m, naive = both
    _clock(scripted, advance_seconds=HOUR)
    long = execute("begin")
    execute("create", object="Account", values={"Name": f"Late by {pause}"}, transaction=long)
    _clock(scripted, advance_seconds=pause)
    execute("update", object="Account", id=account_id(1), values={"Name": "In time"})
    _clock(scripted, advance_seconds=HOUR)
    m.sync("delta")
    naive.sync()
    execute("commit", transaction=long)
    _clock(scripted, advance_seconds=HOUR)
    m.sync("delta")
    naive.sync()

    truth = _truth(scripted)
    assert f"Late by {pause}" in truth.values()
    assert f"Late by {pause}" not in naive.names.values(), "the naive cursor has gone past it"
    assert _names(m) == truth


def test_a_long_transaction_that_the_org_does_not_tell_of_is_noticed_and_mended(
    both: tuple[Mirror, NaiveCursor], scripted: Scripted, execute: Callable[..., Any]
) -> None:
    m, _ = both
    scripted.script({"action": "status", "status": 403, "match": {"path": UPDATED}})
    long = execute("begin")
    execute("create", object="Account", values={"Name": "Very late"}, transaction=long)
    _clock(scripted, advance_seconds=HOUR)
    m.sync("delta")
    execute("commit", transaction=long)
    _clock(scripted, advance_seconds=HOUR)
    before = m.rows("SELECT * FROM salesforce.account ORDER BY ALL")
    with pytest.raises(ReconciliationError, match="1 records are missing"):
        m.sync("delta")
    assert m.rows("SELECT * FROM salesforce.account ORDER BY ALL") == before

    mended = m.sync("delta")["account"]
    assert (mended.kind, mended.difference) == ("full", 0), "the next run reads everything"
    assert _names(m) == _truth(scripted)
    assert m.sync("delta")["account"].kind == "delta"


def test_many_records_with_one_stamp(
    both: tuple[Mirror, NaiveCursor], scripted: Scripted, execute: Callable[..., Any]
) -> None:
    m, naive = both
    stamp = _clock(scripted, advance_seconds=HOUR).replace(microsecond=0)
    first = {"where": "NumberOfEmployees < 10", "values": {"Name": "First"}}
    execute("update_where", object="Account", stamp=str(stamp), **first)
    _clock(scripted, advance_seconds=1)
    m.sync("delta")
    naive.sync()
    second = {"where": "NumberOfEmployees = 10", "values": {"Name": "Tied"}}
    execute("update_where", object="Account", stamp=str(stamp), **second)
    _clock(scripted, advance_seconds=HOUR)
    m.sync("delta")
    naive.sync()
    assert naive.names[account_id(9)] == "First"
    assert naive.names[account_id(10)] != "Tied"
    assert _names(m) == _truth(scripted)


def test_an_org_whose_clock_is_not_ours(data: Path, tmp_path: Path) -> None:
    with serve_scripted(data, tmp_path) as org:
        m = Mirror(org.org, tmp_path / "skewed", settings_for("account"))
        for skew in (-2 * HOUR, 2 * HOUR):
            _clock(org, skew_seconds=skew)
            m.sync("full")
            last_run = datetime.now(UTC)
            _clock(org, advance_seconds=30)
            change = {"do": "update", "object": "Account", "id": account_id(2), "values": {"Name": f"Skewed {skew}"}}
            assert org.client("POST", "/__demo__/execute", json=change).status_code == 200
            _clock(org, advance_seconds=HOUR)
            m.sync("delta")
            by_our_clock = f"SELECT Id FROM Account WHERE SystemModstamp >= {last_run:%Y-%m-%dT%H:%M:%SZ}"
            assert org.client.query(by_our_clock)["totalSize"] == (skew > 0), "a cursor of our own clock is late"
            assert _names(m) == _truth(org)


def test_an_org_whose_clock_is_set_back(
    both: tuple[Mirror, NaiveCursor], scripted: Scripted, execute: Callable[..., Any]
) -> None:
    m, naive = both
    execute("update", object="Account", id=account_id(3), values={"Name": "Before"})
    m.sync("full")
    naive.sync()
    _clock(scripted, advance_seconds=-HOUR)
    execute("update", object="Account", id=account_id(4), values={"Name": "After"})
    # Three hours later the clock is past the watermark again.
    _clock(scripted, advance_seconds=3 * HOUR)
    _move_back(m, timedelta(hours=3))
    naive.sync()
    m.sync("delta")
    assert naive.names[account_id(4)] != "After"
    assert _names(m) == _truth(scripted)


def _move_back(m: Mirror, waited: timedelta) -> None:
    """Our own clock did not move on with the org's: let the last run have happened that much earlier by it, too."""
    with m.warehouse.connect() as con:
        con.execute("UPDATE _state.watermark SET clock_offset = clock_offset + ?", [waited.total_seconds()])


def test_a_server_whose_stamps_are_ahead_of_another_s(
    both: tuple[Mirror, NaiveCursor], scripted: Scripted, execute: Callable[..., Any]
) -> None:
    m, naive = both
    _clock(scripted, advance_seconds=HOUR, stamp_skew_seconds=90)
    execute("update", object="Account", id=account_id(5), values={"Name": "Ahead"})
    _clock(scripted, stamp_skew_seconds=0, advance_seconds=100)
    m.sync("delta")
    naive.sync()
    _clock(scripted, stamp_skew_seconds=-60)
    execute("update", object="Account", id=account_id(6), values={"Name": "Behind"})
    _clock(scripted, advance_seconds=HOUR)
    m.sync("delta")
    naive.sync()
    assert naive.names[account_id(6)] != "Behind"
    assert _names(m) == _truth(scripted)


def test_the_watermark_moves_only_with_the_rows(
    both: tuple[Mirror, NaiveCursor], scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    m, _ = both
    mark = "SELECT covered_until FROM _state.watermark WHERE object = 'account'"
    before = m.one(mark)
    _clock(scripted, advance_seconds=HOUR)
    run, plan = m.submit("delta")
    assert m.one(mark) == before
    scripted.script({"action": "status", "status": 400, "match": {"path": "/queryAll"}})
    with pytest.raises(Exception, match="refused"):
        m.finish(run, plan, "account")
    assert m.one(mark) == before
    scripted.script()
    m.sync("delta")
    moved = m.one(mark)
    now = _clock(scripted).replace(tzinfo=None)
    assert timedelta(minutes=50) < moved - before
    assert timedelta(minutes=5) <= now - moved < timedelta(minutes=7)
    # An older full job that is loaded late does not take it back.
    monkeypatch.setattr(submit, "REST_ROWS", -1)
    run, plan = m.submit("full")
    _clock(scripted, advance_seconds=HOUR)
    m.sync("delta")
    latest = m.one(mark)
    m.finish(run, plan, "account")
    assert m.one(mark) == latest > moved


def test_a_whole_second_is_the_smallest_unit(scripted: Scripted, tmp_path: Path) -> None:
    m = Mirror(scripted.org, tmp_path / "seconds", settings_for("account"))
    m.sync("full")
    seen = len(scripted.log())
    m.sync("delta")
    bounds = [entry["query"]["q"] for entry in scripted.log()[seen:] if "SystemModstamp >=" in str(entry["query"])]
    assert bounds
    assert all("SystemModstamp < " in soql for soql in bounds if "COUNT" in soql)
    assert not any(".0" in soql.split("WHERE")[1] for soql in bounds), "SOQL ignores fractions when it compares"
