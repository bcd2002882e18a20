"""Queries by REST: keyset pages that can be taken up, long ones in parts, and tables equal to those of Bulk."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from data_contracts.errors import ExtractionError
from pipelines.extract import download_object, rest_pages, submit
from resources.landing import LandingFolder
from resources.salesforce import rest
from tests.integration.extract.conftest import ACCOUNTS
from tests.support.demo_org_client import Scripted, serve_scripted, write_csv
from tests.support.mirror import Mirror, settings_for

MakeMirror = Callable[..., Mirror]
NO_BULK = {
    "action": "status",
    "status": 400,
    "body": [{"errorCode": "FEATURENOTENABLED", "message": "Bulk API is not enabled for this org"}],
    "match": {"method": "POST", "path": "/jobs/query/?$"},
}
EQUAL = 'SELECT * EXCLUDE (_synced_at, _run_id) FROM salesforce.{} ORDER BY "Id"'


def _queries(log: list[dict[str, Any]], wanted: str = "ORDER BY Id") -> list[str]:
    return [str(entry["query"]) for entry in log if wanted in str(entry["query"])]


def test_without_bulk_rows_come_by_keyset_pages(
    mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submit, "REST_ROWS", -1)
    monkeypatch.setattr(rest_pages, "PAGE_ROWS", 500)
    by_bulk = mirror(name="bulk")
    by_bulk.sync("full")
    scripted.script(NO_BULK)
    seen = len(scripted.log())
    m = mirror()
    result = m.sync("full")["account"]
    asked = _queries(scripted.log()[seen:])
    assert (result.live, result.bulk_jobs, len(asked)) == (ACCOUNTS, 0, 3)
    assert [re.search(r"Id > '(\w+)'", soql) is not None for soql in asked] == [False, True, True]
    assert not [entry for entry in scripted.log()[seen:] if re.search(r"/query(All)?/01g", entry["path"])], "no cursors"
    assert m.rows(EQUAL.format("account")) == by_bulk.rows(EQUAL.format("account"))
    assert m.rows("DESCRIBE salesforce.account") == by_bulk.rows("DESCRIBE salesforce.account")


def test_killed_between_two_pages_goes_on_after_the_last(
    mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest_pages, "PAGE_ROWS", 300)
    m = mirror()
    _, plan = m.submit("full")
    real, begun = rest_pages.write_rest_pages, []

    def dying(*arguments: Any) -> int:
        begun.append(arguments)
        if len(begun) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(rest_pages, "write_rest_pages", dying)
    with pytest.raises(KeyboardInterrupt):
        download_object(m.org, m.home, plan.require("account"))
    monkeypatch.setattr(rest_pages, "write_rest_pages", real)
    seen = len(scripted.log())
    assert m.sync("full")["account"].live == ACCOUNTS
    asked = _queries(scripted.log()[seen:])
    assert len(asked) == ACCOUNTS // 300 + 1 - 2
    assert all("Id > '" in soql for soql in asked)


@pytest.mark.parametrize("kind", ["full", "delta"])
def test_a_page_lost_from_the_middle_is_fetched_again(
    kind: Any, mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest_pages, "PAGE_ROWS", 300)
    m = mirror()
    if kind == "delta":
        m.sync("full")
        change = {"do": "update_where", "object": "Account", "where": "Name != null", "values": {"Phone": "+1"}}
        assert scripted.client("POST", "/__demo__/execute", json=change).status_code == 200
        clock = {"clock": {"advance_seconds": 3_600}}
        assert scripted.client("POST", "/__demo__/settings", json=clock).status_code == 200
    _, plan = m.submit(kind)
    download_object(m.org, m.home, plan.require("account"))
    folder = LandingFolder.open(m.home.landing / plan.require("account").landing)
    assert len(folder.manifest.pages) > 3
    (folder.path / folder.manifest.pages[1].file).unlink()
    m.sync(kind)
    assert m.one("SELECT count(*) FROM salesforce.account WHERE \"Phone\" = '+1'") == (
        ACCOUNTS if kind == "delta" else 0
    )
    assert m.one("SELECT count(*) FROM salesforce.account") == ACCOUNTS


@pytest.mark.parametrize("condition", ["", "NumberOfEmployees < 700 OR Name LIKE 'Company 9%'"])
def test_a_query_too_long_for_a_url_goes_in_parts(
    condition: str, mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {"account": {"selection": {"mode": "condition", "condition": condition}} if condition else {}}
    whole = mirror(settings=settings_for(objects=chosen), name="whole")
    whole.sync("full")
    scripted.script(NO_BULK)
    monkeypatch.setattr(rest, "LONGEST_URL", 700)
    monkeypatch.setattr(rest_pages, "PAGE_ROWS", 400)
    seen = len(scripted.log())
    m = mirror(settings=settings_for(objects=chosen))
    m.sync("full")
    asked = _queries(scripted.log()[seen:])
    assert len({soql.split(" FROM ")[0] for soql in asked}) > 1
    assert all("SELECT Id, SystemModstamp" in soql for soql in asked)
    assert m.rows(EQUAL.format("account")) == whole.rows(EQUAL.format("account"))


def test_parts_of_two_versions_are_never_joined(
    mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.script(NO_BULK)
    monkeypatch.setattr(rest, "LONGEST_URL", 700)
    m = mirror("contact")
    real = m.org.rest.query
    changed: list[str] = []

    def moving(soql: str, **more: Any) -> Iterator[list[dict[str, Any]]]:
        for page in real(soql, **more):
            if "ORDER BY Id" in soql and len(changed) < 3:
                changed.append(soql)
                page[0]["SystemModstamp"] = f"2026-01-01T00:00:0{len(changed)}.000+0000"
            yield page

    monkeypatch.setattr(m.org.rest, "query", moving)
    assert m.sync("full")["contact"].live == 2
    assert len(changed) == 3
    changed.clear()
    monkeypatch.setattr(rest_pages, "ATTEMPTS", 1)
    with pytest.raises(ExtractionError, match="records change faster"):
        m.sync("full")


def test_a_condition_too_long_for_any_url_is_refused(
    mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.script(NO_BULK)
    m = mirror()
    run, plan = m.submit("full")
    monkeypatch.setattr(rest, "LONGEST_URL", 60)
    with pytest.raises(ExtractionError, match="too long for a query by REST"):
        m.finish(run, plan, "account")


KINDS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "Text__c": ({"type": "string", "length": 255}, ["NA", "None", "00123", ' "quoted", ', "ünïcödé \u2028", ""]),
    "Area__c": ({"type": "textarea", "length": 131072}, ["a\nb", "a\r\nb", "\\n", "x" * 70_000, "'", ""]),
    "Money__c": ({"type": "currency", "precision": 18, "scale": 2}, ["98765432.1", "0.01", "-1", "1e7", "9.9E7", ""]),
    "Share__c": ({"type": "percent", "precision": 5, "scale": 2}, ["99.99", "0", "-0.5", "100", "12.3", ""]),
    "Size__c": (
        {"type": "double", "precision": 18, "scale": 6},
        ["0.000001", "123456789012.123456", "1", "2", "3", ""],
    ),
    "Count__c": ({"type": "int"}, ["0", "-5", "2147483647", "7", "8", ""]),
    "Day__c": ({"type": "date"}, ["2024-02-29", "1700-01-01", "4000-12-31", "2000-01-01", "1999-12-31", ""]),
    "Moment__c": ({"type": "datetime"}, ["2024-02-29T23:59:59.000Z", "1700-01-01T00:00:00.000Z", "", "", "", ""]),
    "Flag__c": ({"type": "boolean"}, ["true", "false", "true", "false", "true", "false"]),
    "Many__c": ({"type": "multipicklist", "length": 4099}, ["a;b", "a", "NA;None", "", "null", ""]),
    "Mail__c": ({"type": "email", "length": 80}, ["a@example.com", "", "b@example.com", "", "", ""]),
    "Link__c": ({"type": "url", "length": 255}, ["https://a.example/?q=1,2", "", "", "", "", ""]),
    "Call__c": ({"type": "phone", "length": 40}, ["+1 (555) 010-0000", "0015550100", "", "", "", ""]),
}


def test_every_type_is_the_same_by_rest_in_parts_and_by_bulk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "org"
    folder.mkdir()
    write_csv(folder / "Thing__c.csv", ["Name"], [[f"Thing {n}"] for n in range(6)])
    with serve_scripted(folder, tmp_path) as org:
        for name, (attributes, _) in KINDS.items():
            field = {"do": "add_field", "object": "Thing__c", "name": name, **attributes}
            assert org.client("POST", "/__demo__/execute", json=field).status_code == 200
        ids = [record["Id"] for record in org.client.query("SELECT Id FROM Thing__c ORDER BY Id")["records"]]
        for row, record in enumerate(ids):
            for name, (attributes, values) in KINDS.items():
                body = {name: _sent(attributes["type"], values[row])}
                answer = org.client("PATCH", f"/services/data/v62.0/sobjects/Thing__c/{record}", json=body)
                assert answer.status_code == 204, (name, values[row], answer.text)
        tables = []
        for transport in ("rest", "parts", "bulk"):
            monkeypatch.setattr(submit, "REST_ROWS", 10_000 if transport == "rest" else -1)
            monkeypatch.setattr(rest, "LONGEST_URL", 330 if transport == "parts" else 8_000)
            org.script(*([NO_BULK] if transport == "parts" else []))
            m = Mirror(org.org, tmp_path / transport, settings_for("Thing__c"))
            result = m.sync("full")["Thing__c"]
            assert (result.live, result.rejected, result.bulk_jobs) == (6, 0, int(transport == "bulk"))
            tables.append((m.rows("DESCRIBE salesforce.thing__c"), m.rows(EQUAL.format("thing__c"))))
            if transport == "parts":
                folder_of = next((m.home.landing / "thing__c").glob("*/manifest.json")).parent
                assert len(rest_pages.field_chunks(m.org, LandingFolder.open(folder_of).manifest)) > 1
        assert tables[0] == tables[1] == tables[2]


def _sent(kind: str, value: str) -> Any:
    if kind == "boolean":
        return value == "true"
    if value == "":
        return None
    return float(value) if kind in ("currency", "percent", "double") else int(value) if kind == "int" else value
