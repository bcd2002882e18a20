"""REST and Bulk give the same table; what is sent is read-only; lists; what is asked is counted."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from apps.demo_org.launch import DemoOrg
from data_contracts.errors import ReadOnlyError, SettingsError
from pipelines.extract import land_lists, load_list_membership, submit
from tests.integration.extract.conftest import ACCOUNTS, account_id
from tests.support.demo_org_client import Scripted
from tests.support.mirror import Mirror, settings_for

MakeMirror = Callable[..., Mirror]
OBJECTS = ("account", "contact", "lead", "user", "campaign")


def test_rest_and_bulk_give_equal_tables(still_org: DemoOrg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_rest = Mirror(still_org, tmp_path / "rest", settings_for(*OBJECTS))
    assert {result.bulk_jobs for result in by_rest.sync("full").values()} == {0}
    monkeypatch.setattr(submit, "REST_ROWS", -1)
    by_bulk = Mirror(still_org, tmp_path / "bulk", settings_for(*OBJECTS))
    assert by_bulk.sync("full")["account"].bulk_jobs == 1

    for name in OBJECTS:
        select = f'SELECT * EXCLUDE (_synced_at, _run_id) FROM salesforce."{name}" ORDER BY "Id"'
        assert by_rest.rows(select) == by_bulk.rows(select)
        assert by_rest.rows(f'DESCRIBE salesforce."{name}"') == by_bulk.rows(f'DESCRIBE salesforce."{name}"')


def test_merges_deletes_and_conversions_are_events_and_counted(still_org: DemoOrg, tmp_path: Path) -> None:
    m = Mirror(still_org, tmp_path / "home", settings_for("contact", "lead"))
    results = m.sync("full")
    contact, lead = results["contact"], results["lead"]
    assert (contact.fetched, contact.live, contact.merged, contact.deleted) == (4, 2, 1, 1)
    assert (lead.converted, lead.live) == (1, 2)
    events = m.rows("SELECT salesforce_id, event, related_id, related_ids::VARCHAR FROM ops.record_event ORDER BY ALL")
    assert set(events) == {
        ("003000000000003AAA", "merged", "003000000000002AAA", "[003000000000002AAA]"),
        ("003000000000004AAA", "deleted", None, "[]"),
        ("00Q000000000002AAA", "converted", "003000000000001AAA", f"[003000000000001AAA, {account_id(7)}]"),
    }
    assert len(events) == 3
    again = m.sync("full")
    assert (again["contact"].merged, again["lead"].converted, again["contact"].unchanged) == (0, 0, 4)
    assert len(m.rows("SELECT * FROM ops.record_event")) == len(events), "each event once"


def test_a_custom_object_without_a_contract_is_mirrored(mirror: MakeMirror) -> None:
    m = mirror("Site__c")
    result = m.sync("full")["Site__c"]
    assert (result.object, result.fetched, result.rejected) == ("site__c", 2, 0)
    rows = m.rows('SELECT "Name", "Area__c"::DOUBLE, "Opened__c"::VARCHAR FROM salesforce.site__c ORDER BY "Name"')
    assert rows == [("Dock", 12.5, "2024-02-29"), ("Yard", None, None)]
    types = dict(row[:2] for row in m.rows("DESCRIBE salesforce.site__c"))
    assert (types["_is_deleted"], types["_synced_at"], types["_run_id"]) == ("BOOLEAN", "TIMESTAMP", "VARCHAR")
    assert types["Area__c"].startswith("DECIMAL")
    assert m.sync("delta")["Site__c"].kind == "delta"


def test_every_request_of_a_sync_only_reads(mirror: MakeMirror, scripted: Scripted) -> None:
    m = mirror("account", "contact", "opportunity")
    seen = len(scripted.log())
    m.sync("full")
    m.sync("delta")
    allowed = re.compile(r"POST /services/(oauth2/token|data/v[\d.]+/jobs/query)$")
    for entry in scripted.log()[seen:]:
        line = f"{entry['method']} {entry['path']}"
        assert entry["method"] == "GET" or allowed.match(line), line
    with pytest.raises(ReadOnlyError, match="refused to send PATCH"):
        m.org.session.patch(m.org.session.url(f"/services/data/v62.0/sobjects/Account/{account_id(1)}"), json={})


def test_calls_are_counted_as_the_org_counts_them(mirror: MakeMirror, scripted: Scripted) -> None:
    seen = len(scripted.log())
    m = mirror("account", "contact")
    m.sync("full")
    ours = m.one("SELECT sum(calls) FROM ops.api_usage")
    assert ours == len(scripted.log()) - seen


def test_list_views_become_membership_and_my_lists_are_refused(mirror: MakeMirror) -> None:
    m = mirror(settings=settings_for(objects={"account": {"selection": {"lists": ["Big_ones"]}}}))
    run, plan = m.submit("full")
    assert m.finish(run, plan, "account").live == ACCOUNTS, "with mode all, lists are facets"
    land_lists(m.org, m.home, m.settings, run)
    with m.warehouse.connect() as con:
        rows = load_list_membership(con, m.org, m.home, run)
        found = con.execute(
            "SELECT DISTINCT object_name, list_name, kind, length(list_id) FROM salesforce.list_membership"
        ).fetchall()
    mine = settings_for(objects={"account": {"selection": {"lists": ["Mine"]}}})
    with pytest.raises(SettingsError, match="scope 'mine'"):
        land_lists(m.org, m.home, mine, run)
    unknown = settings_for(objects={"account": {"selection": {"lists": ["Nope"]}}})
    with pytest.raises(SettingsError, match="'Nope'") as caught:
        land_lists(m.org, m.home, unknown, run)
    assert (rows, found) == (99, [("account", "Big ones", "list_view", 18)])
    # Of an object that is switched off nothing is asked, and nothing goes.
    later = replace(run, run_id="later")
    land_lists(m.org, m.home, settings_for("user"), later)
    with m.warehouse.connect() as con:
        assert load_list_membership(con, m.org, m.home, later, ["account"]) == 0
        assert con.execute("SELECT count(*) FROM salesforce.list_membership").fetchall() == [(99,)]
    assert "Big_ones" in str(caught.value)


def test_only_lists_without_advanced_sync_limits_the_mirror(mirror: MakeMirror) -> None:
    chosen = {"account": {"selection": {"mode": "lists", "lists": ["Big_ones"]}, "advanced_sync": False}}
    assert mirror(settings=settings_for(objects=chosen)).sync("full")["account"].live == 99
