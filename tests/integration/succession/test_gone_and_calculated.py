"""What moves no stamp: records gone for good or out of the selection, and calculated fields."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.demo_org_client import Scripted, serve_scripted, write_csv
from tests.support.mirror import Mirror, settings_for

ACCOUNTS = 20


def aid(number: int) -> str:
    return f"0010{number:011d}AAA"


def cid(number: int) -> str:
    return f"0030{number:011d}AAA"


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    folder = tmp_path_factory.mktemp("org")
    accounts = [[aid(n), f"Company {n}", "Energy", str(n)] for n in range(ACCOUNTS)]
    write_csv(folder / "Account.csv", ["Id", "Name", "Industry", "NumberOfEmployees"], accounts)
    contacts = [[cid(n), aid(n), f"Person {n}"] for n in range(ACCOUNTS)]
    write_csv(folder / "Contact.csv", ["Id", "AccountId", "LastName"], contacts)
    with serve_scripted(folder, tmp_path_factory.mktemp("scripted")) as served:
        field = {"do": "add_field", "object": "Contact", "name": "Trade__c", "type": "string", "length": 80}
        assert served.client("POST", "/__demo__/execute", json={**field, "formula": "TEXT(Account.Industry)"}).ok
        yield served


@pytest.fixture
def execute(scripted: Scripted) -> Callable[..., Any]:
    def run(do: str, **arguments: Any) -> Any:
        answer = scripted.client("POST", "/__demo__/execute", json={"do": do, **arguments})
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    return run


def later(scripted: Scripted, seconds: int = 3_600) -> None:
    answer = scripted.client("POST", "/__demo__/settings", json={"clock": {"advance_seconds": seconds}})
    assert answer.status_code == 200


def mirror(scripted: Scripted, root: Path, *objects: str, **more: Any) -> Mirror:
    return Mirror(scripted.org, root, settings_for(*objects, **more))


def with_formula(refresh: str = "nightly") -> dict[str, Any]:
    mapped = {"imports": {"mapping": {"contact": {"trade": {"sources": ["Trade__c"]}}}}}
    return {"objects": {"contact": {"calculated_refresh": refresh}}, **mapped}


@pytest.mark.parametrize(("refresh", "seen"), [("nightly", True), ("never", False), ("weekly", False)])
def test_a_mapped_formula_is_fresh_although_no_stamp_moved(
    refresh: str, seen: bool, scripted: Scripted, execute: Callable[..., Any], tmp_path: Path
) -> None:
    execute("update", object="Account", id=aid(3), values={"Industry": "Energy"})
    later(scripted)
    m = mirror(scripted, tmp_path, **with_formula(refresh))
    m.sync("full")
    stamp = m.one('SELECT "SystemModstamp" FROM salesforce.contact WHERE "Id" = ?', cid(3))
    execute("update", object="Account", id=aid(3), values={"Industry": "Banking"})
    later(scripted)
    result = m.sync("delta")["contact"]

    row = m.rows('SELECT "Trade__c", "SystemModstamp", _run_id FROM salesforce.contact WHERE "Id" = ?', cid(3))
    if not seen:
        assert row == [("Energy", stamp, "run-1")]
        assert (result.recalculated, result.fetched) == (None, 0)
        return
    assert row == [("Banking", stamp, "run-2")], "the stamp is the org's own"
    assert (result.recalculated, result.recalculated_fields) == (1, '{"Trade__c": 1}')
    assert (result.fetched, result.changed, result.difference) == (0, 0, 0)
    again = m.sync("delta")["contact"]
    assert (again.recalculated, again.recalculated_fields) == (0, None)
    assert m.one("SELECT count(*) FROM salesforce.contact WHERE _run_id = 'run-3'") == 0, "nothing is rewritten"


def test_a_refresh_costs_one_job_and_none_where_nothing_uses_the_field(scripted: Scripted, tmp_path: Path) -> None:
    later(scripted)
    for name, more, jobs in (("used", with_formula(), 1), ("unused", {"objects": {"contact": {}}}, 0)):
        m = mirror(scripted, tmp_path / name, **more)
        m.sync("full")
        before = len(scripted.log())
        m.sync("delta")
        asked = [
            entry for entry in scripted.log()[before:] if "SELECT Id, Trade__c FROM Contact" in str(entry["query"])
        ]
        assert len(asked) == jobs
        assert len(scripted.log()) - before <= 6, "a quiet day"


def test_a_killed_refresh_is_taken_up_and_counted_once(
    scripted: Scripted, execute: Callable[..., Any], tmp_path: Path
) -> None:
    later(scripted)
    m = mirror(scripted, tmp_path, **with_formula())
    m.sync("full")
    execute("update", object="Account", id=aid(4), values={"Industry": "Retail"})
    later(scripted)
    run, plan = m.submit("delta")
    first = m.finish(run, plan, "contact")
    second = m.finish(run, plan, "contact")
    assert first.recalculated == second.recalculated == 1
    assert m.one("SELECT count(*) FROM _state.load_result WHERE recalculated IS NOT NULL") == 1
    assert m.one('SELECT "Trade__c" FROM salesforce.contact WHERE "Id" = ?', cid(4)) == "Retail"


@pytest.mark.parametrize("kind", ["delta", "full"])
def test_deleted_and_left_the_selection_are_told_apart(
    kind: Any, scripted: Scripted, execute: Callable[..., Any], tmp_path: Path
) -> None:
    chosen = {"account": {"selection": {"mode": "condition", "condition": "NumberOfEmployees < 1000"}}}
    gone = execute("create", object="Account", values={"Name": "Gone", "NumberOfEmployees": 5})
    left = execute("create", object="Account", values={"Name": "Left", "NumberOfEmployees": 5})
    gone, left = (item if isinstance(item, str) else item["id"] for item in (gone, left))
    later(scripted)
    m = mirror(scripted, tmp_path, objects=chosen)
    m.sync("full")
    execute("hard_delete", object="Account", id=gone)
    execute("update", object="Account", id=left, values={"NumberOfEmployees": 5_000})
    later(scripted)
    result = m.sync(kind)["account"]

    assert (result.deleted, result.removed, result.difference) == (1, 1, 0)
    events = dict(m.rows("SELECT salesforce_id, event FROM ops.record_event WHERE run_id = 'run-2'"))
    assert events == {gone: "hard_deleted", left: "removed"}
    kept = m.rows('SELECT "Id", _is_deleted FROM salesforce.account WHERE "Id" IN (?, ?)', gone, left)
    assert kept == [(gone, True)]


def test_a_purged_log_makes_the_next_run_full(scripted: Scripted, execute: Callable[..., Any], tmp_path: Path) -> None:
    doomed = execute("create", object="Account", values={"Name": "Doomed"})
    doomed = doomed if isinstance(doomed, str) else doomed["id"]
    later(scripted)
    m = mirror(scripted, tmp_path, "account")
    m.sync("full")
    execute("hard_delete", object="Account", id=doomed)
    later(scripted, 7_200)
    now = m.org.server_time()
    execute("purge_delete_log", object="Account", before=f"{now:%Y-%m-%dT%H:%M:%SZ}")
    later(scripted)
    m.sync("delta")
    run, plan = m.submit("delta")
    assert plan.objects["account"].kind == "full"
    assert "log of deletions reaches back to" in plan.objects["account"].reason
    assert m.finish(run, plan, "account").deleted == 1
    assert m.rows("SELECT event FROM ops.record_event WHERE salesforce_id = ?", doomed) == [("hard_deleted",)]
    assert m.submit("delta")[1].objects["account"].kind == "delta"
