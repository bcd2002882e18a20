"""What changed in the settings since a run, and what settings would fit: on a warehouse made by hand."""

import json
import re
from pathlib import Path

from ruamel.yaml import YAML

from data_contracts.errors import SettingsError, WarehouseError
from data_contracts.settings_file import load_settings
from pipelines.preflight.redact import safe_settings
from pipelines.publish.run_record import begin_run
from pipelines.run import RunContext
from resources.home import Home
from resources.kept_settings import KeptSettings
from tests.integration.imports.conftest import run
from tests.support.org_tables import put, put_crosswalk, put_reference, put_salesforce, run_context, warehouse

BEFORE = """\
objects: {account: {frequency: daily}}
imports: {mapping: {account: {source: {static: secret one}}}}
alerts: {webhook_url: "https://hooks.example/token-one"}
"""
AFTER = """\
objects: {account: {frequency: weekly}, Site__c: {}}
imports: {mapping: {account: {source: {static: secret two}, phone: {add: [Fax]}}}}
alerts: {webhook_url: "https://hooks.example/token-two"}
"""


def a_run(home: Home, file: Path, run_id: str, *, kept: bool = True) -> None:
    """What a run leaves of its settings."""
    settings = load_settings(file)
    made = run_context(run_id)
    with warehouse(home.root) as con:
        begin_run(con, RunContext(run_id, "full", made.started_at, settings.hash()))
    if kept:
        KeptSettings.of(home).keep(settings, safe_settings(settings))


def test_what_changed_is_told_and_no_secret_is_kept(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "crosswalk.yaml"
    file.write_text(BEFORE)
    a_run(home, file, "abc-1")
    assert "The settings are those of run abc-1" in run("settings", "diff", "abc-1").output
    file.write_text(AFTER)
    changes = {item["key"]: item for item in json.loads(run("settings", "diff", "last", "--json").output)["changes"]}
    frequency = changes.pop("objects.account.frequency")
    assert (frequency["before"], frequency["now"], frequency["hidden"]) == ("daily", "weekly", False)
    added = changes.pop("imports.mapping.account.phone.add")
    assert (added["before"], added["now"]) == (None, ["Fax"])
    for key in ("imports.mapping.account.source.static", "alerts.webhook_url"):
        assert changes.pop(key)["hidden"]
    assert {key.rsplit(".", 1)[0] for key in changes} <= {
        "imports.mapping.account.phone", "objects.Site__c", "objects.Site__c.selection"}  # fmt: skip
    assert "another one" in run("settings", "diff", "abc").output
    kept = [path.read_text() for path in (home.root / "settings").iterdir()]
    assert not re.search("secret one|token-one", " ".join(kept))
    assert {path.stat().st_mode & 0o777 for path in (home.root / "settings").iterdir()} == {0o600}


def test_runs_that_cannot_be_compared_with(home: Home, tmp_path: Path) -> None:
    assert isinstance(run("settings", "diff", "last").exception, WarehouseError)
    file = tmp_path / "crosswalk.yaml"
    file.write_text(BEFORE)
    a_run(home, file, "abc-1", kept=False)
    file.write_text(AFTER)
    a_run(home, file, "abc-2")
    for wanted, told in (("xyz", "there is no run 'xyz'"), ("abc", "2 runs begin with 'abc'")):
        refused = run("settings", "diff", wanted).exception
        assert isinstance(refused, SettingsError)
        assert told in str(refused)
    lost = run("settings", "diff", "abc-1").exception
    assert isinstance(lost, SettingsError)
    assert "not in" in str(lost)


def mirror(home: Home) -> None:
    """Forty accounts that hold ids of the reference, a picklist, a second website; contacts with one more phone."""
    accounts = [
        {"Id": f"A{n:02}", "Name": f"Company {n}", "Website": None, "Site_Url__c": f"c{n}.test", "Phone": None,
         "Ref__c": f"C{n:02}", "Tier__c": "gold" if n % 2 else "silver", "Free__c": f"text {n}",
         "OwnerId": ("00Ga", "00Gb", "00Ga")[n] if n < 3 else "005a"}
        for n in range(40)
    ]  # fmt: skip
    contacts = [{"Id": f"K{n:02}", "LastName": f"N{n}", "Phone": None if n % 4 else "1", "HomePhone": "2",
                 "Birth_Title__c": "Dr", "Title": None} for n in range(20)]  # fmt: skip
    kinds = {
        "Account": {"Name": "string", "Website": "url", "Site_Url__c": "url", "Phone": "phone", "Ref__c": "string",
                    "Tier__c": "picklist", "Free__c": "string"},
        "Contact": {"LastName": "string", "Phone": "phone", "HomePhone": "phone", "Title": "string",
                    "Birth_Title__c": "string"},
    }  # fmt: skip
    rows = [
        {"object_name": api, "field_name": name, "label": name, "type": kind}
        for api, fields in kinds.items()
        for name, kind in fields.items()
    ]
    with warehouse(home.root) as con:
        put_salesforce(con, "account", accounts)
        put_salesforce(con, "contact", contacts)
        put_salesforce(con, "event", [], ["Subject"])
        put(con, "salesforce.field", rows, dict.fromkeys([*rows[0], "gone_at"], "VARCHAR"))
        put_crosswalk(con, "account", {"A00": "C00"})
        put_reference(con, "company", [{"company_id": f"C{n:02}", "name": f"c{n}"} for n in range(40)])


def test_suggestions_fit_what_there_is_and_are_right_by_their_own_check(home: Home, tmp_path: Path) -> None:
    assert isinstance(run("settings", "suggest").exception, WarehouseError)
    mirror(home)
    answer = run("settings", "suggest")
    assert answer.exit_code == 0, answer.exception
    lines = [line for line in answer.output.splitlines() if not line.startswith("#")]
    assert [line for line in lines if " # " not in line] == [], "every line has its reason"
    body = YAML(typ="safe").load(answer.output)
    assert body["objects"]["account"]["custom_filters"] == [{"field": "Tier__c"}]
    assert not body["objects"]["event"]["enabled"]
    assert not body["objects"]["task"]["enabled"]
    assert body["objects"]["group"] == {"enabled": True}
    told = "2 queues own 3 live records, and are called by Id without it"
    assert told in answer.output
    assert told in run("settings", "check").output
    assert body["matching"]["reference_id_fields"] == {"account": "Ref__c"}
    assert body["imports"]["mapping"] == {
        "account": {"website": {"add": ["Site_Url__c"]}},
        "contact": {"phone": {"add": ["HomePhone"]}, "title": {"sources": ["Birth_Title__c", "Title"]}},
    }
    assert "15 records have HomePhone and none of Phone, OtherPhone" in answer.output
    assert "40 of 40 different values of it are ids of reference.company" in answer.output
    (tmp_path / "crosswalk.yaml").write_text(answer.output)
    checked = run("settings", "check")
    assert (checked.exit_code, "queue" in checked.output) == (0, False), "what is suggested is not asked for again"
    assert json.loads(run("settings", "suggest", "--json").output)[0]["key"] == "objects.account.enabled"
