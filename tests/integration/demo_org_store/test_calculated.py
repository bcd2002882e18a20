"""Formula and roll-up fields: their values against Python's, and that no stamp moves when they change."""

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from apps.demo_org.store import OrgStore, SObjectError
from tests.integration.demo_org_store.conftest import Clock, Loader


@pytest.fixture(scope="module")
def store(module_load: Loader) -> OrgStore:
    accounts = [["0015g0000000001AAC", "Acme", "Energy", "10", "", "2026-02-10"]]
    accounts += [["0015g0000000002AAA", "Beta", "", "", "0015g0000000001AAC", ""]]
    contacts = [["0035g0000000001AAB", "Ada", "Lovelace", "0015g0000000001AAC"]]
    contacts += [["0035g0000000002AAB", "", "Single", "0015g0000000002AAA"], ["0035g0000000003AAB", "No", "Parent", ""]]
    deals = [["0015g0000000001AAC", "10.5", "Closed Won"], ["0015g0000000001AAC", "4", "Prospecting"]]
    return module_load(
        Account=(["Id", "Name", "Industry", "NumberOfEmployees", "ParentId", "Since__c"], accounts),
        Contact=(["Id", "FirstName", "LastName", "AccountId"], contacts),
        Opportunity=(["AccountId", "Amount", "StageName"], deals),
    )


def column(store: OrgStore, soql: str) -> list[Any]:
    query = store.query(soql)
    try:
        return [list(row.values())[1] for row in query.records()]
    finally:
        query.close()


@pytest.mark.parametrize(
    ("type", "formula", "expected"),
    [
        ("string", "Account.Industry", ["Energy", None, None]),
        ("string", "Account.Parent.Name & '!'", ["!", "Acme!", "!"]),
        ("string", "IF(ISBLANK(FirstName), 'none', UPPER(LEFT(FirstName, 2)))", ["AD", "none", "NO"]),
        (
            "string",
            'Account.Name + " (" + TEXT(Account.NumberOfEmployees * 1.50) + ")"',
            ["Acme (15)", "Beta ()", " ()"],
        ),
        ("double", "(Account.NumberOfEmployees + 2) / 4 - -1", [4.0, None, None]),
        ("double", "Account.NumberOfEmployees / 0", [None, None, None]),
        ("double", "LEN(LastName) * 2", [16.0, 12.0, 12.0]),
        ("boolean", "Account.Industry = 'Energy' && NOT(FirstName = 'Bob')", [True, False, False]),
        ("boolean", "OR(CONTAINS(LastName, 'ing'), LastName <> 'Parent')", [True, True, False]),
        ("double", "TODAY() - Account.Since__c", [8.0, None, None]),
        ("date", "Account.Since__c + 30", ["2026-03-12", None, None]),
        ("string", "CASE(LastName, 'Lovelace', 'a', 'Single', 'b', 'c')", ["a", "b", "c"]),
        ("string", "'it\\'s'", ["it's", "it's", "it's"]),
        ("string", "Owner.Name", ["Integration User"] * 3),
    ],
)
def test_formulas(store: OrgStore, type: str, formula: str, expected: list[Any]) -> None:
    name = "Test__c"
    store.add_field("Contact", name, type, formula=formula, scale=2)
    try:
        found = column(store, f"SELECT {name} FROM Contact ORDER BY Id")
        if type == "boolean":
            found = [bool(value) for value in found]
        assert found == expected
    finally:
        store.remove_field("Contact", name)


@pytest.mark.parametrize(
    "formula", ["", "Nope__c", "Account.Nope", "1 +", "Name * 2", "LEFT(Name)", "BOGUS(1)", "1 = 'a'", "'a' 'b'", "#"]
)
def test_formulas_salesforce_would_not_save(store: OrgStore, formula: str) -> None:
    with pytest.raises(SObjectError, match="INVALID_FORMULA"):
        store.add_field("Contact", "Bad__c", "string", formula=formula)
    assert store.object_type("Contact").find("Bad__c") is None


def test_blank_numbers_as_zero_where_the_field_says_so(store: OrgStore) -> None:
    store.add_field("Account", "Zero__c", "double", formula="NumberOfEmployees + 1", formulaTreatNullNumberAsZero=True)
    assert column(store, "SELECT Zero__c FROM Account ORDER BY Id") == [11, 1]


@pytest.mark.parametrize(
    ("rollup", "expected"),
    [
        ({"object": "Opportunity"}, [2, 0]),
        ({"object": "Opportunity", "function": "SUM", "field": "Amount"}, [14.5, 0]),
        ({"object": "Opportunity", "function": "SUM", "field": "Amount", "where": "IsWon = true"}, [10.5, 0]),
        ({"object": "Opportunity", "function": "MAX", "field": "Amount"}, [10.5, None]),
        ({"object": "Account", "key": "ParentId"}, [1, 0]),
    ],
)
def test_roll_ups(store: OrgStore, rollup: dict[str, str], expected: list[float | None]) -> None:
    store.add_field("Account", "Total__c", "double", rollup=rollup, scale=2)
    try:
        assert column(store, "SELECT Total__c FROM Account ORDER BY Id") == expected
        # Through a formula of a child, a filter, an order and an aggregate.
        store.add_field("Contact", "Parents__c", "double", formula="Account.Total__c * 2", scale=2)
        doubled = [None if value is None else value * 2 for value in expected]
        assert column(store, "SELECT Parents__c FROM Contact WHERE AccountId != null ORDER BY Id") == doubled
        assert column(
            store, "SELECT Account.Total__c FROM Contact WHERE Account.Total__c > 0 ORDER BY Account.Total__c"
        )
        assert column(store, "SELECT MAX(Total__c) FROM Account") == [max(v for v in expected if v is not None)]
        store.remove_field("Contact", "Parents__c")
    finally:
        store.remove_field("Account", "Total__c")


def test_a_calculated_field_is_described_and_read_only(store: OrgStore) -> None:
    store.add_field("Account", "Loud__c", "string", formula="UPPER(Name)")
    field = next(f for f in store.describe("Account")["fields"] if f["name"] == "Loud__c")
    assert (field["calculated"], field["calculatedFormula"]) == (True, "UPPER(Name)")
    assert (field["createable"], field["updateable"], field["filterable"], len(field)) == (False, False, True, 57)
    with pytest.raises(SObjectError, match="INVALID_FIELD_FOR_INSERT_UPDATE"):
        store.create("Account", {"Name": "x", "Loud__c": "X"})


def test_it_changes_without_a_stamp_and_bulk_sees_it(load: Loader, clock: Clock, tmp_path: Path) -> None:
    store = load()
    store.add_field("Contact", "Trade__c", "string", formula="Account.Industry")
    account = store.create("Account", {"Name": "A", "Industry": "Energy"})
    contact = store.create("Contact", {"LastName": "C", "AccountId": account})
    before = store.get("Contact", contact)
    clock.now += timedelta(minutes=5)
    store.update("Account", account, {"Industry": "Banking"})
    after = store.get("Contact", contact)
    assert (before["Trade__c"], after["Trade__c"]) == ("Energy", "Banking")
    assert {k: v for k, v in after.items() if k != "Trade__c"} == {k: v for k, v in before.items() if k != "Trade__c"}
    kind = store.object_type("Contact")
    assert store.replication.updated(kind, clock.now, clock.now + timedelta(minutes=1)).ids == []
    (page,) = store.write_bulk_csv("SELECT Id, Trade__c FROM Contact WHERE Trade__c = 'banking'", tmp_path / "bulk")
    with page.path.open(newline="") as stream:
        assert list(csv.reader(stream)) == [["Id", "Trade__c"], [contact, "Banking"]]
