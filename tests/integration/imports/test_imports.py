"""Mapped imports on hand-made tables: what a record and an entity get."""

from pathlib import Path

import pytest

from data_contracts.errors import SettingsError
from data_contracts.settings import Settings
from pipelines.imports import build_entity_imports, build_imports
from tests.integration.imports.conftest import load
from tests.support.org_tables import fetch, put_crosswalk, put_reference, put_salesforce, run_context, warehouse


def test_every_live_record_has_a_row_and_a_status(tmp_path: Path):
    with warehouse(tmp_path) as con:
        load(con)
        result = build_imports(con, "account", Settings(), run_context())
        rows = fetch(con, "SELECT salesforce_id, reference_id, data_status FROM imports.account ORDER BY 1")
    assert rows == [
        ("A1", "C1", "in sync"),
        ("A2", "C1", "different"),
        ("A3", None, "no match"),
        ("A4", None, "skipped"),
    ]
    assert result.statuses == {"in sync": 1, "different": 1, "no match": 1, "skipped": 1}
    assert any("Industry" in note for note in result.notes)


def test_an_address_moves_as_a_whole(tmp_path: Path):
    with warehouse(tmp_path) as con:
        load(con)
        build_imports(con, "account", Settings(), run_context())
        build_entity_imports(con, "company", Settings(), run_context())
        records = fetch(con, "SELECT street, city FROM imports.account WHERE salesforce_id IN ('A1', 'A2') ORDER BY 2")
        entity = fetch(con, "SELECT street, city FROM imports.company")
    assert records == [("Main 1", "Bergen"), (None, "Oslo")]
    assert entity == [(None, "Oslo")], "the street of another record's address must not fill the gap"


def test_the_primary_record_speaks_first_and_the_next_fills_its_blanks(tmp_path: Path):
    with warehouse(tmp_path) as con:
        load(con)
        build_entity_imports(con, "company", Settings(), run_context())
        row = fetch(con, "SELECT reference_id, source_count, name, website, phone, employees FROM imports.company")
        origin = fetch(con, "SELECT field, salesforce_id, source_field FROM imports.value ORDER BY 1")
    assert row == [("C1", 2, "Acme Inc", "https://www.acme.test/", "+47 22 00 00 00", 10)]
    assert origin == [
        ("city", "A1", "BillingCity"),
        ("employees", "A1", "NumberOfEmployees"),
        ("name", "A1", "Name"),
        ("phone", "A2", "Phone"),
        ("website", "A1", "Website"),
    ]


def test_a_record_says_which_of_its_values_differ(tmp_path: Path):
    with warehouse(tmp_path) as con:
        load(con)
        build_imports(con, "account", Settings(), run_context())
        rows = fetch(con, "SELECT salesforce_id, different_fields FROM imports.account ORDER BY 1")
    assert rows == [("A1", []), ("A2", ["name", "phone", "street", "city", "employees"]), ("A3", None), ("A4", None)]


def test_an_order_of_survivors_for_half_an_address_or_for_nothing_is_refused(tmp_path: Path):
    for name, told in (("street", "moves with its group.*write address instead"), ("emial", "write email instead")):
        survivorship = {"targets": {name: ["most_recent"]}}
        settings = Settings.model_validate({"imports": {"survivorship": survivorship}})
        with warehouse(tmp_path) as con:
            load(con)
            with pytest.raises(SettingsError, match=f"(?s){told}"):
                build_entity_imports(con, "company", settings, run_context())


def test_a_contact_speaks_before_a_lead_of_the_same_person(tmp_path: Path):
    with warehouse(tmp_path) as con:
        put_salesforce(con, "contact", [{"Id": "K1", "LastName": "Ng", "Email": None, "MobilePhone": "1"}])
        put_salesforce(con, "lead", [{"Id": "L1", "LastName": "Old", "Email": "ng@x.test", "IsConverted": False}])
        put_crosswalk(con, "contact", {"K1": "P1"})
        put_crosswalk(con, "lead", {"L1": "P1"})
        build_entity_imports(con, "person", Settings(), run_context())
        person = fetch(con, "SELECT last_name, email, mobile, source_count FROM imports.person")
        origin = fetch(con, "SELECT object FROM imports.value WHERE field = 'email'")
    assert person == [("Ng", "ng@x.test", "1", 2)]
    assert origin == [("lead",)]


def test_the_configured_order_decides_who_is_primary(tmp_path: Path):
    accounts = [
        {"Id": "A1", "Name": "old", "CreatedDate": "2020-01-01", "SystemModstamp": "2020-01-01"},
        {"Id": "A2", "Name": "recent", "CreatedDate": "2022-01-01", "SystemModstamp": "2026-01-01"},
        {"Id": "A3", "Name": "selling", "CreatedDate": "2023-01-01", "SystemModstamp": "2024-01-01"},
    ]
    orders = {"selling": ["open_opportunities"], "recent": ["most_recent"], "old": ["oldest"]}
    for expected, order in orders.items():
        settings = Settings.model_validate({"imports": {"primary": order}})
        (folder := tmp_path / expected).mkdir()
        with warehouse(folder) as con:
            put_salesforce(con, "account", accounts)
            put_salesforce(con, "opportunity", [{"Id": "O", "AccountId": "A3", "IsClosed": False}])
            put_crosswalk(con, "account", {"A1": "C", "A2": "C", "A3": "C"})
            build_entity_imports(con, "company", settings, run_context())
            assert fetch(con, "SELECT name FROM imports.company") == [(expected,)]


def test_a_record_without_a_required_value_is_left_out(tmp_path: Path):
    settings = Settings.model_validate(
        {"imports": {"mapping": {"account": {"website": {"sources": ["Website"], "required": True}}}}}
    )
    with warehouse(tmp_path) as con:
        load(con)
        build_imports(con, "account", settings, run_context())
        build_entity_imports(con, "company", settings, run_context())
        statuses = fetch(con, "SELECT salesforce_id FROM imports.account WHERE data_status = 'skipped' ORDER BY 1")
        entity = fetch(con, "SELECT source_count, phone FROM imports.company")
    assert statuses == [("A2",), ("A4",)]
    assert entity == [(1, None)]


def test_a_configured_field_the_org_lacks_stops_before_anything_is_written(tmp_path: Path):
    settings = Settings.model_validate({"imports": {"mapping": {"account": {"name": {"sources": ["Nane"]}}}}})
    with warehouse(tmp_path) as con:
        load(con)
        build_imports(con, "account", Settings(), run_context())
        before = fetch(con, "SELECT * FROM imports.account ORDER BY ALL")
        with pytest.raises(SettingsError, match=r"Nane.*did you mean Name"):
            build_imports(con, "account", settings, run_context("run-2"))
        assert fetch(con, "SELECT * FROM imports.account ORDER BY ALL") == before


def test_static_values_and_transforms(tmp_path: Path):
    mapping = {
        "source_system": {"static": "it's ours"},
        "object": {"static": "a name the feed uses too"},
        "domain": {"sources": ["Website"], "transform": "domain"},
        "phone": {"sources": ["Phone"], "transform": "phone"},
        "name": {"sources": ["Name"], "transform": "upper"},
    }
    settings = Settings.model_validate({"imports": {"mapping": {"account": mapping}}})
    with warehouse(tmp_path) as con:
        load(con)
        build_imports(con, "account", settings, run_context())
        build_entity_imports(con, "company", settings, run_context())
        rows = fetch(con, "SELECT name, domain, phone, source_system FROM imports.account ORDER BY salesforce_id")
        comment = fetch(con, "SELECT comment FROM duckdb_columns() WHERE table_name = 'account' "
                             "AND schema_name = 'imports' AND column_name = 'domain'")  # fmt: skip
    assert rows[:2] == [("ACME INC", "acme.test", None, "it's ours"), ("ACME", None, "+4722000000", "it's ours")]
    assert comment == [("mapped value, from Website",)]


def test_blank_text_is_no_value(tmp_path: Path):
    with warehouse(tmp_path) as con:
        put_salesforce(con, "account", [{"Id": "A1", "Name": "  ", "Phone": " ", "Website": "a.test"}])
        put_crosswalk(con, "account", {"A1": "C1"})
        build_entity_imports(con, "company", Settings(), run_context())
        assert fetch(con, "SELECT field FROM imports.value") == [("website",)]


def test_no_reference_and_no_link_leaves_empty_entities(tmp_path: Path):
    with warehouse(tmp_path) as con:
        put_salesforce(con, "account", [{"Id": "A1", "Name": "x"}])
        put_crosswalk(con, "account", {"A1": None})
        assert build_imports(con, "account", Settings(), run_context()).statuses == {"no match": 1}
        result = build_entity_imports(con, "company", Settings(), run_context())
        people = build_entity_imports(con, "person", Settings(), run_context())
    assert (result.entities, result.values.standing, people.entities) == (0, 0, 0)


@pytest.mark.parametrize(
    ("mine", "theirs", "status"),
    [
        ("+47 22 33 44 55", "22334455", "in sync"),
        ("(0) 22-33-44-55", "+4722334455", "in sync"),
        ("22334455", "22334456", "different"),
        ("4455", "22334455", "different"),
        ("22334455", None, "different"),
    ],
)
def test_a_phone_number_is_compared_by_its_digits(tmp_path: Path, mine: str, theirs: str | None, status: str):
    with warehouse(tmp_path) as con:
        put_salesforce(con, "account", [{"Id": "A1", "Phone": mine}])
        put_reference(con, "company", [{"company_id": "C1", "phone": theirs}])
        put_crosswalk(con, "account", {"A1": "C1"})
        assert build_imports(con, "account", Settings(), run_context()).statuses == {status: 1}
