"""The warehouse against the org's own count: a lost record is noticed, a busy org is no error."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from data_contracts.errors import ReconciliationError
from pipelines.extract import download_object, load_object, org_count
from resources.landing import LandingFolder
from tests.integration.extract.conftest import account_id
from tests.support.demo_org_client import Scripted
from tests.support.mirror import Mirror, settings_for

MakeMirror = Callable[..., Mirror]
COUNTS = "SELECT org_count, warehouse_count, difference, explanation FROM _state.load_result WHERE run_id = ?"


def _execute(org: Scripted, do: str, **arguments: Any) -> Any:
    answer = org.client("POST", "/__demo__/execute", json={"do": do, "object": "Account", **arguments})
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def _later(org: Scripted, seconds: float = 3_600.0) -> None:
    """Everything so far is long settled."""
    clock = {"clock": {"advance_seconds": seconds}}
    assert org.client("POST", "/__demo__/settings", json=clock).status_code == 200


def _live(org: Scripted, where: str = "") -> int:
    return int(org.client.query(f"SELECT COUNT() FROM Account{where}")["totalSize"])


def test_equal_counts_are_recorded(mirror: MakeMirror, scripted: Scripted) -> None:
    _later(scripted)
    m = mirror()
    m.sync("full")
    m.sync("delta")
    live = _live(scripted)
    for run in ("run-1", "run-2"):
        assert m.rows(COUNTS, run) == [(live, live, 0, None)]


@pytest.mark.parametrize("change", [None, "one more"])
def test_a_lost_record_fails_the_load_and_the_next_run_mends_it(
    change: str | None, mirror: MakeMirror, scripted: Scripted
) -> None:
    _later(scripted)
    m = mirror()
    m.sync("full")
    with m.warehouse.connect() as con:
        con.execute('DELETE FROM salesforce.account WHERE "Id" = ?', [account_id(700)]).fetchall()
    _later(scripted)
    if change:
        _execute(scripted, "update", id=account_id(20), values={"Name": change})
    before = m.rows("SELECT * FROM salesforce.account ORDER BY ALL")
    mark = m.rows("SELECT * FROM _state.watermark")
    with pytest.raises(ReconciliationError, match="1 records are missing") as caught:
        m.sync("delta")
    assert "Next: run: crosswalk sync --object account" in str(caught.value)
    assert m.rows("SELECT * FROM salesforce.account ORDER BY ALL") == before
    assert m.rows("SELECT * FROM _state.watermark") == mark

    _, plan = m.submit("delta")
    assert plan.objects["account"].kind == "full"
    assert "1 records are missing" in plan.objects["account"].reason
    assert m.sync("delta")["account"].difference == 0
    assert m.sync("delta")["account"].kind == "delta", "and after that all is well"


@pytest.mark.parametrize(("kind", "named"), [("full", True), ("delta", True), ("delta", False)])
def test_an_org_that_changes_while_it_is_read(
    kind: Any, named: bool, mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not named:
        monkeypatch.setattr(org_count, "MANY", 0)
    _later(scripted)
    m = mirror()
    m.sync("full")
    doomed = [_execute(scripted, "create", values={"Name": f"Doomed {n}"}) for n in range(3)]
    _later(scripted)
    run, plan = m.submit(kind)
    _execute(scripted, "create", values={"Name": "During"})
    _execute(scripted, "update", id=account_id(30), values={"Name": "During"})
    _execute(scripted, "delete", id=doomed[0])
    _execute(scripted, "hard_delete", id=doomed[1])
    result = m.finish(run, plan, "account")

    assert result.org_count == _live(scripted)
    assert result.difference == (result.warehouse_count or 0) - (result.org_count or 0)
    assert bool(result.explanation) or not result.difference
    _later(scripted)
    m.sync("delta")
    last = m.sync("delta")["account"]
    assert (last.difference, last.live) == (0, _live(scripted))


def test_what_is_gone_for_good_is_marked_by_the_delta_that_the_log_tells(
    mirror: MakeMirror, scripted: Scripted
) -> None:
    doomed = _execute(scripted, "create", values={"Name": "Doomed"})
    _later(scripted)
    m = mirror()
    m.sync("full")
    _execute(scripted, "hard_delete", id=doomed)
    _later(scripted)
    first = m.sync("delta")["account"]
    assert (first.difference, first.deleted, first.explanation) == (0, 1, None)
    row = m.rows('SELECT _is_deleted, _run_id FROM salesforce.account WHERE "Id" = ?', doomed)
    assert row == [(True, "run-2")]
    events = m.rows(
        "SELECT run_id, event, occurred_at < detected_at FROM ops.record_event WHERE salesforce_id = ?", doomed
    )
    assert [event[:2] for event in events] == [("run-2", "hard_deleted")]
    assert events[0][2] is not None, "the log says when"
    assert m.sync("delta")["account"].deleted == 0, "once"


def test_what_is_gone_for_good_and_no_log_tells_is_swept_by_the_next_delta(
    mirror: MakeMirror, scripted: Scripted
) -> None:
    doomed = _execute(scripted, "create", values={"Name": "Doomed"})
    _later(scripted)
    m = mirror()
    m.sync("full")
    # Deleted within the minute that the log does not cover yet.
    assert scripted.client("POST", "/__demo__/settings", json={"clock": {"now": "2030-05-01T12:00:30Z"}}).ok
    m.sync("delta")
    _execute(scripted, "hard_delete", id=doomed)
    first = m.sync("delta")["account"]
    assert (first.difference, first.deleted) == (1, 0)
    assert "went for good" in str(first.explanation)
    second = m.sync("delta")["account"]
    assert (second.difference, second.deleted, second.explanation) == (0, 1, None)
    row = m.rows('SELECT _is_deleted, _run_id FROM salesforce.account WHERE "Id" = ?', doomed)
    assert row == [(True, "run-4")]
    events = m.rows("SELECT run_id, event FROM ops.record_event WHERE salesforce_id = ?", doomed)
    assert events == [("run-4", "hard_deleted")]
    seen = len(scripted.log())
    m.sync("delta")
    assert not [entry for entry in scripted.log()[seen:] if "SELECT Id FROM" in str(entry["query"])], "swept once"
    assert scripted.client("POST", "/__demo__/settings", json={"clock": {"now": None}}).ok


@pytest.mark.parametrize(
    ("moment", "do"), [("settled", "hard_delete"), ("changed", "delete"), ("looked for", "hard_delete")]
)
def test_deleted_while_the_org_is_counting(
    moment: str, do: str, mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deletion between any two of the calls is no error, and the next two runs settle it."""
    doomed = _execute(scripted, "create", values={"Name": "Doomed"})
    _execute(scripted, "hard_delete", id=_execute(scripted, "create", values={"Name": "Looked for"}))
    _later(scripted)
    m = mirror()
    m.sync("full")
    _execute(scripted, "hard_delete", id=_execute(scripted, "create", values={"Name": "Looked for"}))
    _later(scripted, 1.0)
    run, plan = m.submit("delta")
    download_object(m.org, m.home, plan.require("account"))
    folder = LandingFolder.open(m.home.landing / plan.require("account").landing)
    module, name = {
        "settled": (org_count, "_count"),
        "changed": (org_count, "_changed"),
        "looked for": (org_count, "_deletions"),
    }[moment]
    real = getattr(module, name)

    def deleting(*arguments: Any) -> Any:
        if name != "_count" or len(arguments) == 3:
            monkeypatch.setattr(module, name, real)
            _execute(scripted, do, id=doomed)
            _later(scripted, 5.0)
            m.org.session.read("/services/data", "tell its time")
        return real(*arguments)

    monkeypatch.setattr(module, name, deleting)
    org_count.count_org(m.org, folder, None)
    with m.warehouse.connect() as con:
        load_object(con, m.home, m.settings, plan.require("account"), run)
    _later(scripted)
    m.sync("delta")
    last = m.sync("delta")["account"]
    assert (last.difference, last.live) == (0, _live(scripted))


def test_more_left_over_than_can_have_gone_unseen(mirror: MakeMirror, scripted: Scripted) -> None:
    _later(scripted)
    m = mirror()
    m.sync("full")
    with m.warehouse.connect() as con:
        con.execute(
            "INSERT INTO salesforce.account BY NAME SELECT * REPLACE (replace(\"Id\", 'AAA', 'ZZZ') AS \"Id\") "
            'FROM salesforce.account ORDER BY "Id" LIMIT 150'
        ).fetchall()
    with pytest.raises(ReconciliationError, match="150 too many") as caught:
        m.sync("delta")
    assert "access may have been narrowed" in str(caught.value)


def test_a_selection_is_compared_with_itself(mirror: MakeMirror, scripted: Scripted) -> None:
    _later(scripted)
    chosen = {"account": {"selection": {"mode": "condition", "condition": "NumberOfEmployees >= 1150"}}}
    m = mirror(settings=settings_for(objects=chosen))
    where = " WHERE NumberOfEmployees >= 1150"
    first = m.sync("full")["account"]
    assert (first.org_count, first.difference) == (_live(scripted, where), 0)
    _execute(scripted, "update", id=account_id(1160), values={"NumberOfEmployees": 3})
    _execute(scripted, "update", id=account_id(40), values={"NumberOfEmployees": 4_000})
    run, plan = m.submit("delta")
    _execute(scripted, "update", id=account_id(1161), values={"NumberOfEmployees": 3})
    m.finish(run, plan, "account")
    _later(scripted)
    last = m.sync("delta")["account"]
    assert (last.org_count, last.difference) == (_live(scripted, where), 0)


@pytest.mark.parametrize("seed", [7])
def test_any_order_of_changes_and_runs_ends_equal(seed: int, mirror: MakeMirror, scripted: Scripted) -> None:
    chance = random.Random(seed)
    m = mirror()
    m.sync("full")
    made: list[str] = []

    def change() -> None:
        for _ in range(chance.randrange(4)):
            what = chance.choice(["create", "update", "delete", "hard_delete", "undelete"])
            if what == "create":
                made.append(_execute(scripted, "create", values={"Name": f"Random {chance.random()}"}))
            elif made:
                values = {"values": {"Name": f"Changed {chance.random()}"}} if what == "update" else {}
                body = {"do": what, "object": "Account", "id": chance.choice(made), **values}
                scripted.client("POST", "/__demo__/execute", json=body)

    for _ in range(6):
        change()
        _later(scripted, chance.choice([1.0, 400.0]))
        run, plan = m.submit(chance.choice(["full", "delta", "delta"]))
        change()
        download_object(m.org, m.home, plan.require("account"))
        change()
        m.finish(run, plan, "account")
    _later(scripted)
    m.sync("delta")
    m.sync("delta")
    page = scripted.client.query("SELECT Id, Name FROM Account ORDER BY Id")
    records = page["records"]
    while not page["done"]:
        page = scripted.client.get(page["nextRecordsUrl"]).json()
        records += page["records"]
    stored = m.rows('SELECT "Id", "Name" FROM salesforce.account WHERE NOT _is_deleted ORDER BY "Id"')
    assert stored == [(record["Id"], record["Name"]) for record in records]
