"""Full and delta runs against an org that people change in between."""

import re
from collections.abc import Callable

import pytest

from pipelines.extract import download_object
from tests.integration.extract.conftest import ACCOUNTS, account_id
from tests.support.demo_org_client import Scripted, V
from tests.support.mirror import Mirror, settings_for

MakeMirror = Callable[..., Mirror]


def _next_second(org: Scripted) -> None:
    """A delta's upper bound is a whole second: a change of this second belongs to the next delta.

    The org's Date header is itself up to a second old.
    """
    clock = {"clock": {"advance_seconds": 3}}
    assert org.client("POST", "/__demo__/settings", json=clock).status_code == 200


def _patch(org: Scripted, number: int, **values: object) -> None:
    assert org.client("PATCH", f"{V}/sobjects/Account/{account_id(number)}", json=values).status_code == 204


def _create(org: Scripted, object_name: str, **values: object) -> str:
    answer = org.client("POST", f"{V}/sobjects/{object_name}", json=values)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _delete(org: Scripted, object_name: str, record: str) -> None:
    assert org.client("DELETE", f"{V}/sobjects/{object_name}/{record}").status_code == 204


@pytest.mark.usefixtures("always_bulk")
def test_full_run_by_bulk_gives_typed_rows_with_comments(mirror: MakeMirror) -> None:
    m = mirror()
    result = m.sync("full")["account"]

    assert (result.eligible, result.fetched, result.new, result.unchanged) == (ACCOUNTS, ACCOUNTS, ACCOUNTS, 0)
    assert result.bulk_jobs == 1
    row = m.rows(
        'SELECT "Name", "BillingStreet", "NumberOfEmployees", "Region__c", "CreatedDate"::VARCHAR, _is_deleted '
        'FROM salesforce.account WHERE "Id" = ?',
        account_id(2),
    )
    assert row == [("Company 2", 'Dock 1\n"West" gate, 2', 2, "null", "2025-03-01 10:00:00", False)]
    texts = m.rows('SELECT "Region__c", count(*) FROM salesforce.account GROUP BY ALL ORDER BY ALL')
    assert texts == [("EMEA", 300), ("NA", 300), ("None", 300), ("null", 300)]
    comments = m.rows(
        "SELECT count(*) FROM duckdb_columns() WHERE schema_name = 'salesforce' AND table_name = 'account' "
        "AND comment IS NULL"
    )
    assert comments == [(0,)]
    assert m.one("SELECT count(*) FROM ops.record_event") == 0


def test_delta_brings_created_changed_deleted_and_undeleted(mirror: MakeMirror, scripted: Scripted) -> None:
    m = mirror()
    m.sync("full")
    _patch(scripted, 10, Name="Renamed")
    created = _create(scripted, "Account", Name="Brand new")
    _delete(scripted, "Account", account_id(11))
    _next_second(scripted)
    first = m.sync("delta")["account"]

    assert (first.kind, first.new, first.changed, first.deleted) == ("delta", 1, 2, 1)
    assert first.fetched == first.new + first.changed + first.unchanged
    assert m.one('SELECT "Name" FROM salesforce.account WHERE "Id" = ?', account_id(10)) == "Renamed"
    assert m.rows('SELECT _is_deleted, _run_id FROM salesforce.account WHERE "Id" = ?', account_id(11)) == [
        (True, "run-2")
    ]
    events = m.rows("SELECT salesforce_id, event FROM ops.record_event ORDER BY ALL")
    assert events == sorted([(account_id(11), "deleted"), (created, "created")]), "a plain change is none"

    scripted.client("POST", "/__demo__/undelete", json={"object": "Account", "id": account_id(11)})
    _next_second(scripted)
    second = m.sync("delta")["account"]
    assert (second.new, second.deleted) == (0, 0)
    assert second.unchanged == 2, "the overlap fetches the earlier changes again and they change nothing"
    assert m.one('SELECT _is_deleted FROM salesforce.account WHERE "Id" = ?', account_id(11)) is False
    assert m.one("SELECT count(*) FROM ops.record_event WHERE event = 'undeleted'") == 1


def test_delta_equals_full(mirror: MakeMirror, scripted: Scripted) -> None:
    by_delta = mirror(name="delta")
    by_delta.sync("full")
    for number in range(20, 40):
        _patch(scripted, number, Website=f"https://new{number}.example", NumberOfEmployees=None)
    _delete(scripted, "Account", account_id(41))
    _next_second(scripted)
    by_delta.sync("delta")
    by_full = mirror(name="full")
    by_full.sync("full")

    select = 'SELECT * EXCLUDE (_synced_at, _run_id) FROM salesforce.account ORDER BY "Id"'
    assert by_delta.rows(select) == by_full.rows(select)


def test_a_record_asked_for_again_is_read_although_it_did_not_change(mirror: MakeMirror, scripted: Scripted) -> None:
    m = mirror()
    m.sync("full")
    ids = [account_id(50), account_id(51)]
    with m.warehouse.connect() as con:
        # What a formula field or a restored permission does: another value, and no stamp that moves.
        con.execute('UPDATE salesforce.account SET "Name" = \'stale\' WHERE list_contains(?, "Id")', [ids]).fetchall()
    _next_second(scripted)
    assert m.sync("delta")["account"].changed == 0
    m.again = {"account": (ids[0],)}
    _next_second(scripted)
    result = m.sync("delta")["account"]
    assert (result.kind, result.changed) == ("delta", 1)
    assert result.fetched == result.new + result.changed + result.unchanged
    assert m.rows('SELECT "Name" FROM salesforce.account WHERE list_contains(?, "Id") ORDER BY "Id"', ids) == [
        ("Company 50",),
        ("stale",),
    ]


CALLS = {"describe": "/describe ", "count": "SELECT COUNT", "covered": "/updated ", "ids": "SELECT Id FROM"}


@pytest.mark.parametrize("condition", ["", "NumberOfEmployees < 100"])
def test_a_quiet_day_costs_at_most_six_calls_an_object_and_rewrites_nothing(
    condition: str, mirror: MakeMirror, scripted: Scripted
) -> None:
    selection = {"mode": "condition", "condition": condition} if condition else {}
    m = mirror(settings=settings_for(objects={"account": {"selection": selection}}))
    # Changes of the last hour, made by other tests, may lie in the overlap and would be read again.
    hour = {"clock": {"advance_seconds": 3_600}}
    assert scripted.client("POST", "/__demo__/settings", json=hour).status_code == 200
    m.sync("full")
    before = m.rows('SELECT "Id", _synced_at FROM salesforce.account ORDER BY ALL')
    day = {"clock": {"advance_seconds": 86_400}}
    assert scripted.client("POST", "/__demo__/settings", json=day).status_code == 200
    seen = len(scripted.log())
    result = m.sync("delta")["account"]

    assert (result.kind, result.fetched, result.difference) == ("delta", 0, 0)
    assert m.rows('SELECT "Id", _synced_at FROM salesforce.account ORDER BY ALL') == before
    asked = [
        next(name for name, pattern in CALLS.items() if re.search(pattern, f"{entry['path']} {entry['query']}"))
        for entry in scripted.log()[seen:]
    ]
    ids = ["ids"] if condition else []
    assert sorted(asked) == sorted(["describe", "count", "count", "covered", "count", *ids])
    assert len(asked) <= 6
    assert m.one("SELECT sum(calls) FROM ops.api_usage WHERE run_id = 'run-2'") == len(asked)


def test_hard_deleted_record_is_marked_by_the_full_run(mirror: MakeMirror, scripted: Scripted) -> None:
    doomed = _create(scripted, "Account", Name="Doomed")
    m = mirror()
    m.sync("full")
    _next_second(scripted)
    scripted.client("POST", "/__demo__/execute", json={"do": "hard_delete", "object": "Account", "id": doomed})
    result = m.sync("full")["account"]

    assert (result.deleted, result.removed) == (1, 0)
    assert m.rows('SELECT "Name", _is_deleted, _run_id FROM salesforce.account WHERE "Id" = ?', doomed) == [
        ("Doomed", True, "run-2")
    ]
    assert m.rows("SELECT salesforce_id, event FROM ops.record_event WHERE run_id = 'run-2'") == [
        (doomed, "hard_deleted")
    ]
    assert m.sync("full")["account"].deleted == 0, "counted once"


def test_an_older_version_never_replaces_a_newer_one(mirror: MakeMirror, scripted: Scripted) -> None:
    m = mirror()
    m.sync("full")
    slow_run, slow_plan = m.submit("full")
    download_object(m.org, m.home, slow_plan.require("account"))
    _patch(scripted, 50, Name="Newest")
    _next_second(scripted)
    # The delta must not find and take up the full job's folder: it is another query.
    m.sync("delta")
    m.finish(slow_run, slow_plan, "account")

    assert m.one('SELECT "Name" FROM salesforce.account WHERE "Id" = ?', account_id(50)) == "Newest"


def test_empty_object_syncs_as_empty_and_marks_the_rest(mirror: MakeMirror, scripted: Scripted) -> None:
    campaign = _create(scripted, "Campaign", Name="Only one")
    m = mirror("campaign")
    assert m.sync("full")["campaign"].live == 1
    _delete(scripted, "Campaign", campaign)
    result = m.sync("full")["campaign"]
    assert (result.eligible, result.live, result.deleted) == (0, 0, 1)


def test_selection_by_condition_drops_what_leaves_it_at_the_next_delta(mirror: MakeMirror, scripted: Scripted) -> None:
    chosen = {"account": {"selection": {"mode": "condition", "condition": "NumberOfEmployees >= 1190"}}}
    m = mirror(settings=settings_for(objects=chosen))
    assert m.sync("full")["account"].live == 10
    _patch(scripted, 1195, NumberOfEmployees=5)
    result = m.sync("delta")["account"]

    assert (result.kind, result.removed, result.live) == ("delta", 1, 9)
    assert m.rows('SELECT "Id" FROM salesforce.account WHERE "Id" = ?', account_id(1195)) == []


def test_a_changed_selection_makes_the_next_delta_full(mirror: MakeMirror) -> None:
    m = mirror()
    m.sync("full")
    m.settings = settings_for(objects={"account": {"selection": {"mode": "condition", "condition": "Name != 'x'"}}})
    _, plan = m.submit("delta")
    assert (plan.objects["account"].kind, plan.objects["account"].reason) == ("full", "the selection changed")


def test_a_new_field_is_backfilled_and_a_gone_one_keeps_its_values(mirror: MakeMirror, scripted: Scripted) -> None:
    m = mirror()
    m.sync("full")
    execute = "/__demo__/execute"
    added = {"do": "add_field", "object": "Account", "name": "Segment__c", "type": "string", "length": 40}
    assert scripted.client("POST", execute, json=added).status_code == 200
    _patch(scripted, 60, Segment__c="Public sector")
    assert m.sync("delta")["account"].kind == "delta"
    assert m.one('SELECT "Segment__c" FROM salesforce.account WHERE "Id" = ?', account_id(60)) == "Public sector"

    gone = {"do": "remove_field", "object": "Account", "name": "Segment__c"}
    assert scripted.client("POST", execute, json=gone).status_code == 200
    for kind in ("delta", "full"):
        m.sync(kind)
        kept = m.one('SELECT "Segment__c" FROM salesforce.account WHERE "Id" = ?', account_id(60))
        assert kept == "Public sector", kind
    changes = m.rows(
        "SELECT field_name, change, message FROM ops.schema_change WHERE field_name = 'Segment__c' ORDER BY detected_at"
    )
    assert [entry[:2] for entry in changes] == [("Segment__c", "added"), ("Segment__c", "removed")]
    assert "deleted" in changes[1][2]
    assert "field-level security" in changes[1][2]
    assert m.one("SELECT gone_at IS NOT NULL FROM salesforce.field WHERE field_name = 'Segment__c'") is True
