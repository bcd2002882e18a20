"""A mapping is used once it has passed its test; what breaks it stops its object's import, and no other.

The warehouse is small and made by hand; the commands run in this process.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from data_contracts.errors import SettingsError, WarehouseError
from data_contracts.settings import Settings
from pipelines.imports import build_entity_imports, build_imports
from pipelines.imports.mapping_gate import Stop, find_stop, settle_stop, stopped
from resources.home import Home
from resources.mapping_tests import MappingTests
from tests.integration.imports.conftest import run
from tests.support.org_tables import (
    fetch,
    put,
    put_crosswalk,
    put_reference,
    put_salesforce,
    run_context,
    warehouse,
)

TYPES = {"Name": "string", "Website": "url", "Phone": "phone", "Fax": "phone", "NumberOfEmployees": "int"}
YAML = "imports: {mapping: {account: {phone: {sources: [Fax, Phone]}}}}\n"
Run = Callable[..., Result]


def fill(con: Any, **types: str | None) -> None:
    """Two accounts, one of them linked, and a describe; ``types`` are other types, None for a field that is gone."""
    put_salesforce(con, "account", [
        {"Id": "001000000000001AAA", "Name": "Acme", "Phone": "1", "Fax": "9", "Website": None, "NumberOfEmployees": 5},
        {"Id": "001000000000002AAA", "Name": "Bolt", "Phone": "2", "Fax": None, "Website": "b.test"},
    ])  # fmt: skip
    put_crosswalk(con, "account", {"001000000000001AAA": "C1", "001000000000002AAA": None})
    put_reference(con, "company", [{"company_id": "C1", "name": "ACME", "phone": "1"}])
    rows = [
        {"object_name": "Account", "field_name": name, "label": name, "type": types.get(name, kind) or kind,
         "gone_at": "2026-03-02" if types.get(name, kind) is None else None}
        for name, kind in TYPES.items()
    ]  # fmt: skip
    put(
        con,
        "salesforce.field",
        rows,
        dict.fromkeys(["object_name", "field_name", "label", "type", "gone_at"], "VARCHAR"),
    )


def changed() -> Settings:
    return Settings.model_validate({"imports": {"mapping": {"account": {"phone": {"sources": ["Fax", "Phone"]}}}}})


def step(con: Any, chosen: Settings, tests: MappingTests, day: int = 1) -> Stop | None:
    """What the asset does."""
    found, context = find_stop(con, "account", chosen, tests), run_context(f"run-{day}", day=day)
    settle_stop(con, "account", found, context)
    if found is None:
        build_imports(con, "account", chosen, context)
        build_entity_imports(con, "company", chosen, context)
    return found


PHONES = "SELECT phone FROM imports.account ORDER BY salesforce_id"


def test_the_default_needs_no_test_and_a_changed_one_does(home: Home, tmp_path: Path) -> None:
    tests = MappingTests.of(home)
    with warehouse(home.root) as con:
        fill(con)
        assert step(con, Settings(), tests) is None
        found = step(con, changed(), tests, day=2)
        assert found is not None
        assert "was changed" in found.reason
        assert "crosswalk mapping test account" in found.next_step
        assert stopped(con, ("account", "contact")) == ["account"]
        assert fetch(con, PHONES) == [("1",), ("2",)], "what was imported stays"
        assert step(con, changed(), tests, day=3) is not None
        assert fetch(con, "SELECT since::VARCHAR, run_id FROM ops.import_stop") == [("2026-03-02 02:00:00", "run-3")]

    (tmp_path / "crosswalk.yaml").write_text(YAML)
    passed = json.loads(run("mapping", "test", "account", "--json").output)
    rows = {row["target"]: row for row in passed["tests"][0]["rows"]}
    assert passed["ok"]
    assert (rows["phone"]["before"], rows["phone"]["after"], rows["phone"]["effect"]) == ("1", "9", "changed")
    assert (rows["phone"]["won"], rows["phone"]["reference"]) == ("1 Fax", "1")
    assert (rows["website"]["effect"], rows["employees"]["effect"]) == ("empty", "same")
    kept = (home.root / "mapping_tests.json").read_text()
    assert "Acme" not in kept
    assert "0010000000" not in kept
    with warehouse(home.root) as con:
        assert fetch(con, PHONES) == [("1",), ("2",)], "a test keeps nothing"
        assert step(con, changed(), tests, day=4) is None
        assert stopped(con, ("account",)) == []
        assert fetch(con, PHONES) == [("9",), ("2",)]
        assert fetch(con, "SELECT phone FROM imports.company") == [("9",)]


@pytest.mark.parametrize(
    ("types", "words"),
    [
        ({"Phone": None}, ["mapped field Phone of account has vanished", "deleted or renamed", "field-level security"]),
        (
            {"NumberOfEmployees": "string"},
            ["changed its type: NumberOfEmployees from int to", "made anew"],
        ),
        ({"Phone": None, "Name": "picklist"}, ["Phone of account has vanished", "Name from string to picklist"]),
    ],
)
def test_a_field_that_vanished_or_changed_its_type_stops_the_import_and_is_accepted_by_a_test(
    home: Home, types: dict[str, str | None], words: list[str]
) -> None:
    tests = MappingTests.of(home)
    with warehouse(home.root) as con:
        fill(con)
        assert step(con, Settings(), tests) is None
        fill(con, **types)
        found = step(con, Settings(), tests, day=2)
        assert found is not None
        assert [word for word in words if word not in str(found)] == []
        assert "accept it: crosswalk mapping test account" in found.next_step
        assert fetch(con, PHONES) == [("1",), ("2",)]
        fill(con)
        assert step(con, Settings(), tests, day=3) is None, "the field is back"
        fill(con, **types)
    assert run("mapping", "test", "account").exit_code == 0
    with warehouse(home.root) as con:
        assert step(con, Settings(), tests, day=4) is None


def test_a_configured_field_that_is_not_there_stops_the_import(home: Home, tmp_path: Path) -> None:
    chosen = Settings.model_validate({"imports": {"mapping": {"account": {"phone": {"sources": ["Fone"]}}}}})
    with warehouse(home.root) as con:
        fill(con)
        found = step(con, chosen, MappingTests.of(home))
        assert found is not None
        assert "no field 'Fone' on account; did you mean Phone?" in found.reason
        assert "field-level security" in found.reason
    (tmp_path / "crosswalk.yaml").write_text("imports: {mapping: {account: {phone: {sources: [Fone]}}}}\n")
    answer = run("mapping", "test", "account")
    assert answer.exit_code == 1
    assert "not passed; syncs do not use this mapping" in answer.output
    refused = run("mapping", "validate", "account", "--json")
    assert refused.exit_code == 1
    assert "crosswalk.yaml line 1" in json.loads(refused.output)["objects"][0]["problems"][0]


def test_deleted_records_leave_while_the_import_stands_still(home: Home) -> None:
    tests = MappingTests.of(home)
    with warehouse(home.root) as con:
        fill(con)
        step(con, Settings(), tests)
        con.execute("UPDATE salesforce.account SET _is_deleted = TRUE WHERE Name = 'Acme'")
        assert step(con, changed(), tests, day=2) is not None
        assert fetch(con, PHONES) == [("2",)]
        assert step(con, Settings(), tests, day=3) is None
        assert fetch(con, "SELECT count(*) FROM imports.company") == [(0,)], "the entity it stood for is built anew"


@pytest.mark.parametrize(
    ("row", "record", "told"),
    [
        (
            "employees: {sources: [Website], type: integer}",
            "2",
            "employees: nothing fits the type BIGINT of",
        ),
        (
            "mail: {sources: [Website], transform: email}",
            "2",
            "mail: the transform email leaves nothing of",
        ),
        ("phone: {sources: [Fax], required: true}", "2", "phone is required and empty in this record"),
        ("phone: {sources: [Fax]}", "3", "the mirror has no live account 001000000000003AAA"),
    ],
)
def test_what_a_record_does_not_bring_through(home: Home, tmp_path: Path, row: str, record: str, told: str) -> None:
    (tmp_path / "crosswalk.yaml").write_text(f"imports:\n  mapping:\n    account:\n      {row}\n")
    with warehouse(home.root) as con:
        fill(con)
    answer = run("mapping", "test", "account", f"00100000000000{record}AAA")
    assert answer.exit_code == 1
    assert told in " ".join(answer.output.split())
    assert not (home.root / "mapping_tests.json").exists()


def test_a_record_with_nothing_in_it(home: Home) -> None:
    with warehouse(home.root) as con:
        fill(con)
        con.execute("UPDATE salesforce.account SET Name = NULL, Phone = NULL, Website = NULL, NumberOfEmployees = NULL")
    assert "nothing of this record comes through" in run("mapping", "test", "account").output


def test_commands_without_a_mirror_and_with_a_damaged_note(home: Home) -> None:
    missing = run("mapping", "test", "account").exception
    assert isinstance(missing, WarehouseError)
    assert "crosswalk mapping test account --org" in str(missing)
    validated = run("mapping", "validate")
    assert validated.exit_code == 0
    assert "fields were not checked" in validated.output
    assert "account: hash" in validated.output
    assert "which needs no test" in validated.output
    (home.root / "mapping_tests.json").write_text("[1]")
    damaged = run("mapping", "validate").exception
    assert isinstance(damaged, SettingsError)
    assert "mapping_tests.json" in str(damaged)


def test_validate_says_when_a_mapping_is_not_tested(home: Home, tmp_path: Path) -> None:
    (tmp_path / "crosswalk.yaml").write_text(YAML)
    with warehouse(home.root) as con:
        fill(con)
    told = run("mapping", "validate", "account").output
    assert "1 Fax, 2 Phone" in told
    assert "not tested" in told
    assert "Next: crosswalk mapping test account" in told
    assert run("mapping", "test", "account", "001000000000001").exit_code == 0, "an Id of 15 characters"
    assert "tested 20" in run("mapping", "validate", "account").output


def test_fields_marks_packages_and_both_directions(home: Home, tmp_path: Path) -> None:
    (tmp_path / "crosswalk.yaml").write_text(
        "imports: {mapping: {account: {tier: {sources: [acme__Tier__c]}, rank: {sources: [old__Rank__c]}}}}\n"
    )
    with warehouse(home.root) as con:
        fill(con)
        more = [("acme__Tier__c", None), ("old__Rank__c", "2026-03-02"), ("Left__c", "2026-03-02")]
        for name, gone in more:
            con.execute(
                "INSERT INTO salesforce.field BY NAME SELECT 'Account' AS object_name, ? AS field_name, ? AS label, "
                "'string' AS type, ? AS gone_at", [name, name, gone])  # fmt: skip
    rows = {row["field"]: row for row in json.loads(run("fields", "account", "--json").output)["fields"]}
    assert (rows["acme__Tier__c"]["package"], rows["acme__Tier__c"]["greyed"]) == ("acme", False)
    assert (rows["old__Rank__c"]["package"], rows["old__Rank__c"]["greyed"], rows["old__Rank__c"]["gone"]) == (
        "old", True, True)  # fmt: skip
    assert (rows["Left__c"]["package"], rows["Left__c"]["gone"]) == (None, True)
    assert rows["Phone"]["mapped_to"] == ["phone"]
    assert rows["Phone"]["exported_from"] == "phone"
    assert rows["Phone"]["fill_rate"] == 1.0
    text = run("fields", "account").output
    assert "old, not installed" in text
