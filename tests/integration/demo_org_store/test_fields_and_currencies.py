"""Fields defined beside the data, several currencies, numbers in their scale."""

import json
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.demo_org.store import DataDirectoryError, OrgStore, SObjectError, SoqlError
from apps.demo_org.store.validation import checked_values
from tests.integration.demo_org_store.conftest import write_csv

FIELDS: list[dict[str, object]] = [
    {"object": "Account", "name": "Code__c", "type": "string", "length": 20},
    {"object": "Account", "name": "Spend__c", "type": "currency", "scale": 4},
    {"object": "Account", "name": "Loud__c", "formula": "UPPER(Name) & TEXT(Deals__c)"},
    {"object": "Account", "name": "Deals__c", "type": "double", "rollup": {"object": "Opportunity"}},
]


def data(folder: Path, fields: object) -> Path:
    folder.mkdir(exist_ok=True)
    write_csv(folder / "Account.csv", ["Name", "Code__c", "Spend__c"], [["a", "007", "1.23456"], ["b", "8", ""]])
    currencies = [
        ["USD", "1", "2", "true", "true"],
        ["JPY", "150", "0", "true", "false"],
        ["DEM", "2", "2", "false", ""],
    ]
    header = ["IsoCode", "ConversionRate", "DecimalPlaces", "IsActive", "IsCorporate"]
    write_csv(folder / "CurrencyType.csv", header, currencies)
    write_csv(folder / "Opportunity.csv", ["Name", "CurrencyIsoCode", "Amount"], [["d", "JPY", "5"], ["e", "", "6"]])
    (folder / "_fields.json").write_text(json.dumps(fields))
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrgStore]:
    folder = tmp_path_factory.mktemp("org")
    found = OrgStore.load(data(folder / "data", [*FIELDS[:2], FIELDS[3], FIELDS[2]]), folder / "org.duckdb")
    yield found
    found.close()


def rows(store: OrgStore, soql: str) -> list[list[object]]:
    query = store.query(soql)
    try:
        return [list(record.values())[1:] for record in query.records()]
    finally:
        query.close()


def test_defined_fields_keep_their_type_whatever_the_values_look_like(store: OrgStore) -> None:
    described = {f["name"]: f for f in store.describe("Account")["fields"]}
    assert (described["Code__c"]["type"], described["Code__c"]["length"]) == ("string", 20)
    assert (described["Spend__c"]["type"], described["Spend__c"]["scale"]) == ("currency", 4)
    assert rows(store, "SELECT Code__c, Loud__c FROM Account ORDER BY Name") == [["007", "A0"], ["8", "B0"]]


@pytest.mark.parametrize(
    "fields", ["{}", [{"object": "Nope", "name": "X__c"}], [FIELDS[2]], [{**FIELDS[0], "type": "?"}]]
)
def test_a_fields_file_that_cannot_be_used(tmp_path: Path, fields: object) -> None:
    with pytest.raises(DataDirectoryError, match=r"_fields\.json cannot be used"):
        OrgStore.load(data(tmp_path / "data", fields), tmp_path / "org.duckdb")


def test_records_have_a_currency(store: OrgStore) -> None:
    assert rows(store, "SELECT Name, CurrencyIsoCode FROM Opportunity ORDER BY Name") == [["d", "JPY"], ["e", "USD"]]
    assert rows(store, "SELECT IsoCode, IsActive FROM CurrencyType ORDER BY IsoCode") == [
        ["DEM", False],
        ["JPY", True],
        ["USD", True],
    ]
    field = next(f for f in store.describe("Opportunity")["fields"] if f["name"] == "CurrencyIsoCode")
    assert [(p["value"], p["defaultValue"]) for p in field["picklistValues"]] == [("USD", True), ("JPY", False)]
    made = store.create("Account", {"Name": "new"})
    assert store.get("Account", made)["CurrencyIsoCode"] == "USD"
    store.update("Account", made, {"CurrencyIsoCode": "JPY"})
    with pytest.raises(SObjectError, match="INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"):
        store.update("Account", made, {"CurrencyIsoCode": "DEM"})
    with pytest.raises(SoqlError, match="convertCurrency"):
        store.query("SELECT convertCurrency(Amount) FROM Opportunity")
    store.delete("Account", made)


def test_an_org_of_one_currency_knows_nothing_of_them(tmp_path: Path) -> None:
    store = OrgStore.load(None, tmp_path / "org.duckdb")
    try:
        assert store.object_type("Account").find("CurrencyIsoCode") is None
        with pytest.raises(SoqlError, match="INVALID_TYPE"):
            store.query("SELECT IsoCode FROM CurrencyType")
    finally:
        store.close()


def test_which_currency_is_corporate_must_be_said(tmp_path: Path) -> None:
    folder = data(tmp_path / "data", [])
    write_csv(folder / "CurrencyType.csv", ["IsoCode"], [["USD"]])
    with pytest.raises(DataDirectoryError, match="corporate"):
        OrgStore.load(folder, tmp_path / "org.duckdb")


@settings(deadline=None)
@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6))
def test_numbers_are_rounded_half_up_to_their_scale(store: OrgStore, value: Decimal) -> None:
    kept = checked_values(store.object_type("Account"), {"Spend__c": str(value)}, creating=False)["Spend__c"]
    assert Decimal(str(kept)) == value.quantize(Decimal("0.0001"), ROUND_HALF_UP)


@pytest.mark.parametrize(("value", "expected"), [("2.00005", 2.0001), (-2.00005, -2.0001), (1e8 + 0.00004, 1e8)])
def test_a_rounded_number_is_what_is_read(store: OrgStore, value: object, expected: float) -> None:
    account = store.create("Account", {"Name": "n", "Spend__c": value})
    try:
        assert store.get("Account", account, ["Spend__c"])["Spend__c"] == expected
    finally:
        store.hard_delete("Account", account)


@pytest.mark.parametrize("value", ["1e15", -(10**16), "1e400"])
def test_numbers_out_of_range(store: OrgStore, value: object) -> None:
    with pytest.raises(SObjectError, match="NUMBER_OUTSIDE_VALID_RANGE"):
        store.create("Account", {"Name": "n", "Spend__c": value})


@pytest.mark.parametrize("value", ["NaN", "inf", "1,5", True, [1]])
def test_what_is_no_number(store: OrgStore, value: object) -> None:
    with pytest.raises(SObjectError, match="INVALID_TYPE_ON_FIELD_IN_RECORD"):
        store.create("Account", {"Name": "n", "Spend__c": value})
