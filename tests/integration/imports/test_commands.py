"""The commands an admin sets things up with: init, settings check, fields, clear."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from data_contracts.errors import CrosswalkError, SettingsError, WarehouseError
from data_contracts.settings import Settings
from data_contracts.settings_file import load_settings
from pipelines.imports import build_creation_proposals, build_entity_imports, build_imports
from pipelines.ownership import build_opportunity_ownership, build_ownership
from resources.home import Home
from tests.integration.imports.conftest import run
from tests.support.org_tables import fetch, put, put_crosswalk, put_salesforce, run_context, warehouse

pytestmark = pytest.mark.usefixtures("home")

DESCRIBED = [
    {"object_name": "Account", "field_name": name, "label": label, "type": kind}
    for name, label, kind in (
        ("Name", "Account Name", "string"),
        ("Website", "Website", "url"),
        ("Phone", "Account Phone", "phone"),
        ("BillingAddress", "Billing Address", "address"),
    )
]


def _fill(home: Home) -> None:
    """A warehouse with two accounts, one linked and one unmatched, taken through every step that clear undoes."""
    with warehouse(home.root) as con:
        put_salesforce(con, "account", [{"Id": "A1", "Name": "Acme", "Website": None}, {"Id": "A2", "Name": "B",
                                        "Website": "b.test"}])  # fmt: skip
        put(con, "salesforce.field", DESCRIBED, dict.fromkeys([*DESCRIBED[0], "gone_at"], "VARCHAR"))
        put_crosswalk(con, "account", {"A1": "C1", "A2": None})
        put_crosswalk(con, "contact", {"K1": "P1"})
        build_imports(con, "account", Settings(), run_context())
        build_entity_imports(con, "company", Settings(), run_context())
        build_creation_proposals(con, "account", Settings(), run_context())
        build_ownership(con, "account", Settings(), run_context())
        build_opportunity_ownership(con, Settings(), run_context())


def test_init_writes_a_file_that_loads_and_never_overwrites_one(tmp_path: Path):
    (tmp_path / "c.csv").write_text("id,legal_name\n1,Acme\n")
    result = run("init", "--instance-url", "https://a.my.salesforce.com", "--reference-company", "c.csv",
                  "--column", "company.company_id=id", "--column", "company.name=legal_name")  # fmt: skip
    assert result.exit_code == 0, result.output
    settings = load_settings(tmp_path / "crosswalk.yaml")
    assert settings.reference.company is not None
    assert settings.reference.company.path == str(tmp_path / "c.csv")
    assert settings.reference.company.columns == {"company_id": "id", "name": "legal_name"}
    assert settings.objects["lead"].set_up_on is not None
    assert str(tmp_path) not in (tmp_path / "crosswalk.yaml").read_text()
    before = (tmp_path / "crosswalk.yaml").read_bytes()
    again = run("init")
    assert isinstance(again.exception, SettingsError)
    assert "not overwritten" in str(again.exception)
    assert (tmp_path / "crosswalk.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--reference-person", "none.csv"], "no reference file none.csv"),
        (["--time-zone", "Mars/Base"], "not an IANA time zone"),
        (["--column", "company-name"], "company.name=legal_name"),
    ],
)
def test_init_refuses_what_is_wrong_and_leaves_no_file(tmp_path: Path, arguments: list[str], message: str):
    result = run("init", *arguments)
    assert isinstance(result.exception, SettingsError)
    assert message in str(result.exception)
    assert not (tmp_path / "crosswalk.yaml").exists()


def test_init_asks_when_told_to(tmp_path: Path):
    assert run("init", "--ask", "--json", answer="https://b.my.salesforce.com\n\n\n").exit_code == 0
    assert load_settings(tmp_path / "crosswalk.yaml").connection.instance_url == "https://b.my.salesforce.com"


def test_settings_check_says_ok_and_lists_problems(tmp_path: Path, home: Home):
    assert json.loads(run("settings", "check", "--json").output)["ok"]
    (tmp_path / "crosswalk.yaml").write_text("limits:\n  memroy: 2GB\n")
    result = run("check", "--json")
    report = json.loads(result.output)
    assert result.exit_code == 1
    (problem,) = report["problems"]
    assert (problem["line"], problem["key"], problem["nearest"]) == (2, "limits.memroy", "memory")

    _fill(home)
    (tmp_path / "crosswalk.yaml").write_text(
        "imports:\n  mapping:\n    account:\n      phone: {sources: [Fone]}\n"
        "objects:\n  account: {custom_filters: [{field: Tier__c}]}\n"
    )
    result = run("settings", "check")
    assert result.exit_code == 1
    assert "crosswalk.yaml line 4, imports.mapping.account.phone" in result.output
    assert "did you mean Phone?" in result.output
    assert "'Tier__c'" in result.output


def test_settings_check_looks_for_the_files_they_name(tmp_path: Path):
    (tmp_path / "crosswalk.yaml").write_text("reference:\n  company: {path: c.csv}\n  person: {path: p.csv}\n")
    (tmp_path / "c.csv").write_text("company_id,name\n1,Acme\n")
    result = run("check", "--json")
    (problem,) = json.loads(result.output)["problems"]
    assert (result.exit_code, problem["line"], problem["key"]) == (1, 3, "reference.person.path")
    assert f"no file {tmp_path / 'p.csv'}" in problem["text"]


def test_settings_check_says_once_what_to_do_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CROSSWALK_CONFIG", "nowhere.yaml")
    told = run("settings", "check").output
    assert told.count("Next: ") == 1
    assert "crosswalk init" in told.partition("Next: ")[2]
    (tmp_path / "nowhere.yaml").write_text("limits: {memroy: 2GB}\nobjekts: {}\n")
    told = run("settings", "check").output
    assert told.endswith("Next: correct them, then run: crosswalk settings check\n")
    assert told.count("Next: ") == 1


def test_settings_schema_is_json_with_every_key():
    assert set(json.loads(run("settings", "schema").output)["properties"]) == set(Settings.model_fields)


def test_the_program_prints_a_message_and_no_trace(tmp_path: Path):
    (tmp_path / "bad.yaml").write_text("objects: [\n")
    environment = os.environ | {"CROSSWALK_CONFIG": "bad.yaml", "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-m", "apps.cli.main", "fields", "account"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "bad.yaml" in done.stderr
    assert "crosswalk settings check" in done.stderr
    assert "Traceback" not in done.stderr


def test_fields_lists_what_there_is_and_what_is_mapped(tmp_path: Path, home: Home):
    _fill(home)
    # A mapping with a wrong field is corrected with this very list.
    (tmp_path / "crosswalk.yaml").write_text(
        "imports: {mapping: {account: {phone: {sources: [Fone, Phone]}, name: {sources: [Name]}}}}\n"
    )
    rows = {row["field"]: row for row in json.loads(run("fields", "account", "--json").output)["fields"]}
    assert rows["Name"]["mapped_to"] == ["name"]
    assert rows["Phone"]["mapped_to"] == ["phone 2"]
    assert (rows["Website"]["fill_rate"], rows["Phone"]["fill_rate"]) == (0.5, None)
    assert rows["BillingAddress"]["type"] == "address"
    assert "Account Phone" in run("fields", "account").output


def test_fields_of_nothing(home: Home):
    assert isinstance(run("fields", "account").exception, WarehouseError)
    _fill(home)
    wrong = run("fields", "acount").exception
    assert isinstance(wrong, CrosswalkError)
    assert "did you mean account?" in str(wrong)


def test_clear_asks_removes_one_object_and_the_next_run_brings_it_back(home: Home):
    _fill(home)
    refused = run("clear", "account", answer="n\n")
    assert "crosswalk.account" in refused.output
    assert "Nothing was removed" in refused.output
    removed = json.loads(run("clear", "account", "--yes", "--json").output)["removed"]
    assert removed == {
        "crosswalk.account": 2, "imports.account": 2, "ownership.account": 1, "imports.creation_proposal": 1,
        "imports.value": 1, "imports.company": 1,
    }  # fmt: skip
    with warehouse(home.root) as con:
        kept = fetch(con, "SELECT (SELECT count(*) FROM salesforce.account), (SELECT count(*) FROM crosswalk.contact)")
        assert kept == [(2, 1)]
        put_crosswalk(con, "account", {"A1": "C1", "A2": None})
        build_entity_imports(con, "company", Settings(), run_context("run-2", day=2))
        assert fetch(con, "SELECT name FROM imports.company") == [("Acme",)]


def test_clear_of_nothing_and_of_another_object():
    assert isinstance(run("clear", "account", "--yes").exception, WarehouseError)
    assert run("clear", "user", "--yes").exit_code == 2
    assert run("clear", "account", "--json").exit_code == 2
