"""Settings and mappings held against a real org: fields, lists, reports, counts, packages; one record brought live."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from apps.cli.main import cli
from data_contracts.errors import CrosswalkError
from resources.home import Home
from tests.integration.preflight.conftest import CANARIES, Admin

Run = Callable[..., Result]
OBJECTS = "objects: {task: {enabled: false}, event: {enabled: false}, opportunity_contact_role: {enabled: false}%s}\n"


@pytest.fixture
def run(admin: Admin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command with settings of its own in a home that has mirrored nothing."""
    monkeypatch.chdir(tmp_path)
    for name, value in admin.scripted.org.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CROSSWALK_HOME", str(tmp_path / "home"))

    def invoke(*arguments: str, text: str = OBJECTS % "") -> Result:
        (tmp_path / "crosswalk.yaml").write_text(text)
        return CliRunner().invoke(cli, arguments)

    return invoke


def test_settings_that_the_org_bears_out(run: Run) -> None:
    more = ", account: {selection: {mode: lists, lists: [Big_ones]}}"
    answer = json.loads(run("settings", "check", "--org", "--json", text=OBJECTS % more).output)
    assert answer["ok"], answer
    notes = " ".join(answer["notes"])
    assert "account: 30 of 40 records selected, list view Big_ones: 30" in notes
    assert "lead: 1 records" in notes


@pytest.mark.parametrize(
    ("text", "key", "told"),
    [
        (OBJECTS % ", account: {custom_filters: [{field: Industri}]}", "objects.account.custom_filters.0", "Industry?"),
        (
            OBJECTS % ", account: {custom_filters: [{field: Phone}]}",
            "objects.account.custom_filters.0",
            "of type phone",
        ),
        (OBJECTS % ", account: {selection: {mode: lists, lists: [Big_one]}}", "objects.account.selection", "Big_one"),
        (OBJECTS % ", account: {selection: {reports: [All_accounts]}}", "objects.account.selection", "refused"),
        (OBJECTS % ", Shop__c: {}", "objects.Shop__c", "does not show object Shop__c"),
        (OBJECTS % "" + "limits: {records: {account: 10}}\n", "limits.records.account", "40 records, over the limit"),
        (
            OBJECTS % "" + "matching: {reference_id_fields: {account: Tier__c}}\n",
            "matching.reference_id_fields.account",
            "no field 'Tier__c'",
        ),
        (
            OBJECTS % "" + "imports: {mapping: {lead: {email: {sources: [Emial]}}}}\n",
            "imports.mapping.lead.email",
            "did you mean Email?",
        ),
        (
            OBJECTS % "" + "exports: {mapping: {account: {Actve__c: {sources: [name]}}}}\n",
            "exports.mapping.account.Actve__c",
            "no field 'Actve__c'",
        ),
    ],
)
def test_what_the_org_does_not_bear_out(run: Run, text: str, key: str, told: str) -> None:
    answer = run("settings", "check", "--org", "--json", text=text)
    (problem,) = json.loads(answer.output)["problems"]
    assert answer.exit_code == 1
    assert problem["key"] == key
    assert told in problem["text"]
    assert problem["line"] in (None, 1, 2)


def test_a_mapping_is_tested_on_a_record_of_the_org_before_the_first_sync(run: Run, tmp_path: Path) -> None:
    text = OBJECTS % "" + "imports: {mapping: {contact: {phone: {sources: [Phone], transform: phone}}}}\n"
    answer = run("mapping", "test", "contact", "--org", text=text)
    assert answer.exit_code == 0, answer.output
    assert "+15550109999" in answer.output
    assert "contact: passed" in answer.output
    files = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert {path.name for path in files} - {"crosswalk.lock", "home.json"} == {"mapping_tests.json"}
    assert not [word for word in CANARIES if word in files[0].read_text()]
    assert "no live contact" in run("mapping", "test", "contact", "003000000000009AAA", "--org", text=text).output
    assert run("mapping", "validate", "--org", text=text).exit_code == 0


def test_fields_are_asked_of_the_org(run: Run, admin: Admin) -> None:
    rows = {row["field"]: row for row in json.loads(run("fields", "account", "--org", "--json").output)["fields"]}
    assert rows["Website"]["fill_rate"] == 0.75
    assert rows["acme__Tier__c"]["package"] == "acme"
    wrong = run("fields", "acount", "--org").exception
    assert isinstance(wrong, CrosswalkError)
    assert "did you mean account?" in str(wrong)


def test_a_switched_off_integration_is_told(run: Run) -> None:
    answer = run("settings", "check", text="connection: {enabled: false}\n")
    assert answer.exit_code == 0
    assert "switched off" in answer.output
    assert not Home.from_environment().warehouse.exists()
