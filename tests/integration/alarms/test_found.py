"""Which alarms the tables of a few runs give cause for, and how long each stays on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data_contracts.contracts import load_contract
from data_contracts.settings import Settings
from pipelines.alarms.alarm import CODES, Alarm
from pipelines.alarms.found import find_alarms, write_fill_rates
from pipelines.alarms.record import active_alarms, note_delivery, record_alarms
from pipelines.publish.invariants import check_invariants
from pipelines.tables import ensure_table
from tests.support.org_tables import fetch, put, run_context, warehouse

AT = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
QUIET = {"new": 0, "changed": 0, "removed": 0, "deleted": 0, "warehouse_count": 1000, "link_rate": 0.8}


def _run(con: Any, day: int, name: str = "account", **figures: Any) -> None:
    """One run of one object, ``day`` days after the first."""
    row = {"run_id": f"run-{day}", "object": name, "kind": "delta", "trigger": "schedule", "settings_hash": "h"}
    row |= QUIET | {"fetched": 0, "started_at": _day(day), "fetch_started_at": _day(day)} | figures
    names = ", ".join(row)
    marks = ", ".join("?" for _ in row)
    con.execute(f"INSERT INTO ops.run_statistics ({names}) VALUES ({marks})", [*row.values()]).fetchall()


def _day(day: int) -> datetime:
    return (AT + timedelta(days=day)).replace(tzinfo=None)


@pytest.fixture
def con(tmp_path: Path) -> Any:
    with warehouse(tmp_path) as opened:
        for name in ("run_statistics", "fill_rate", "schema_change", "alarm", "sync_run"):
            ensure_table(opened, load_contract(f"ops.{name}"))
        yield opened


def _found(con: Any, day: int, **alerts: Any) -> dict[tuple[str, str, str], Alarm]:
    settings = Settings.model_validate({"alerts": alerts})
    found = find_alarms(con, settings, run_id=f"run-{day}", at=AT + timedelta(days=day))
    return {alarm.key: alarm for alarm in found}


def test_a_link_rate_is_held_against_the_best_of_seven_runs(con: Any) -> None:
    for day, rate in enumerate([0.9, 0.80, 0.79, 0.78]):
        _run(con, day, link_rate=rate, new=1)
    alarm = _found(con, 3)["link_rate_fell", "account", "*"]
    assert alarm.measured == pytest.approx(0.12)
    assert "78.0 %" in alarm.message
    assert "90.0 %" in alarm.message
    assert _found(con, 3, link_rate_drop=0.121) == {}, "the threshold is the settings'"
    for day in range(4, 8):
        _run(con, day, link_rate=0.78, new=1)
    assert _found(con, 7), "the best is still among the seven"
    _run(con, 8, link_rate=0.78, new=1)
    assert _found(con, 8) == {}, "what has stood for seven runs is how it is"


def test_many_removed_counts_the_last_run_of_each_object(con: Any) -> None:
    _run(con, 0, removed=60, deleted=50, warehouse_count=890)
    _run(con, 0, "lead", removed=99, warehouse_count=901)
    assert _found(con, 0).keys() == {("many_removed", "account", "*")}
    assert "110 of 1000" in _found(con, 0)["many_removed", "account", "*"].message
    _run(con, 1, new=1)
    assert _found(con, 1) == {}


def test_a_quiet_week_is_told_for_matched_objects_that_sync_by_schedule(con: Any) -> None:
    for day in range(9):
        _run(con, day, changed=1 if day == 0 else 0)
        _run(con, day, "campaign")
        _run(con, day, "lead", changed=1 if day == 5 else 0)
    assert _found(con, 7) == {}
    assert _found(con, 8).keys() == {("no_data_changed", "account", "*")}
    by_hand = Settings.model_validate({"objects": {"account": {"frequency": "manual"}}})
    assert find_alarms(con, by_hand, run_id="run-8", at=AT + timedelta(days=8)) == []


def test_a_matching_field_that_empties(con: Any) -> None:
    columns = {"salesforce_id": "VARCHAR", "name_clean": "VARCHAR", "domain": "VARCHAR", "phone": "VARCHAR"}
    for day, with_domain in enumerate((80, 60)):
        rows = [
            {"salesforce_id": str(n), "name_clean": "x", "domain": "x.org" if n < with_domain else None, "phone": ""}
            for n in range(100)
        ]
        put(con, "standard.account", rows, columns)
        assert write_fill_rates(con, run_context(f"run-{day}", day=day + 1)) == 3
    rates = fetch(con, "SELECT field, records, filled FROM ops.fill_rate WHERE run_id = 'run-1' ORDER BY field")
    assert rates == [("domain", 100, 60), ("name_clean", 100, 100), ("phone", 100, 0)]
    found = _found(con, 1)
    assert found.keys() == {("fill_rate_fell", "account", "domain")}
    assert found["fill_rate_fell", "account", "domain"].measured == pytest.approx(0.2)
    assert check_invariants(con, load_contract("ops.fill_rate")).blocking_failures == ()


def test_drift_of_a_needed_field_stays_on_until_it_returns(con: Any) -> None:
    def change(day: int, field: str, what: str, *, needed: bool = True) -> None:
        con.execute(
            "INSERT INTO ops.schema_change (run_id, detected_at, object_name, field_name, change, needed, message) "
            "VALUES (?, ?, 'Account', ?, ?, ?, 'said')",
            [f"run-{day}", _day(day), field, what, needed],
        ).fetchall()

    change(0, "Website", "removed")
    change(0, "Fax", "removed", needed=False)
    change(1, "Phone", "retyped")
    assert _found(con, 1).keys() == {("schema_drift", "account", "Website"), ("schema_drift", "account", "Phone")}
    assert _found(con, 2).keys() == {("schema_drift", "account", "Website")}
    change(3, "Website", "returned")
    assert _found(con, 3) == {}


def test_an_alarm_is_raised_once_seen_again_and_cleared_where_it_was_looked_for(con: Any) -> None:
    one, two = Alarm("link_rate_fell", "low", "account", measured=0.1), Alarm("quota_paused", "empty")
    assert record_alarms(con, [one, two], lambda *_: True, run_id="a", at=AT).raised == (one, two)
    note_delivery(con, [one, two], "webhook")
    worse = Alarm("link_rate_fell", "lower", "account", measured=0.2)
    later = AT + timedelta(days=1)
    assert not record_alarms(con, [worse], lambda code, _: code != "quota_paused", run_id="b", at=later)
    assert {alarm.message for alarm in active_alarms(con)} == {"lower", "empty"}
    ended = record_alarms(con, [], lambda *_: True, run_id="c", at=later + timedelta(days=1))
    assert {alarm.code for alarm in ended.cleared} == {"link_rate_fell", "quota_paused"}
    assert active_alarms(con) == []
    again = record_alarms(con, [one], lambda *_: True, run_id="d", at=later + timedelta(days=2))
    assert again.raised == (one,)
    rows = fetch(con, "SELECT alarm, run_id, delivery, cleared_at IS NULL FROM ops.alarm ORDER BY raised_at, alarm")
    assert rows == [
        *(("link_rate_fell", "a", "webhook", False), ("quota_paused", "a", "webhook", False)),
        ("link_rate_fell", "d", None, True),
    ]
    assert check_invariants(con, load_contract("ops.alarm")).blocking_failures == ()


def test_the_contract_knows_every_alarm() -> None:
    (column,) = [item for item in load_contract("ops.alarm").columns if item.name == "alarm"]
    assert set(column.allowed) == set(CODES)
