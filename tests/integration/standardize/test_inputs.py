"""What a record's fields become before any cleaning: one whole address, other names, persons with an account."""

from typing import Any

from data_contracts.settings import Settings
from pipelines.standardize import standardize
from pipelines.standardize.values import registrable_domain
from tests.support.resolution import connect, put, run_context

BILLING: dict[str, Any] = {
    "BillingStreet": None,
    "BillingCity": None,
    "BillingPostalCode": None,
    "BillingCountry": None,
}
SHIPPING: dict[str, Any] = {
    "ShippingStreet": None,
    "ShippingCity": None,
    "ShippingPostalCode": None,
    "ShippingCountry": None,
}


def standard(table: str, rows: list[dict[str, Any]], columns: str) -> list[Any]:
    source = f"reference.{table}" if table in ("company", "person") else f"salesforce.{table}"
    with connect() as con:
        put(con, source, rows)
        standardize(con, table, Settings(), run_context())  # type: ignore[arg-type]
        return con.sql(f"SELECT {columns} FROM standard.{table} ORDER BY ALL").fetchall()


def test_an_address_is_taken_whole_from_one_place() -> None:
    columns = "salesforce_id, street_name, city_clean, postal_code_clean, country_code"
    rows = [
        BILLING | SHIPPING | {"Id": "1", "BillingCity": "Bonn", "ShippingStreet": "Elm St 4", "ShippingCountry": "US"},
        BILLING | SHIPPING | {"Id": "2", "BillingCountry": "Germany", "ShippingCity": "Nice", "ShippingCountry": "FR"},
        BILLING | SHIPPING | {"Id": "3", "BillingCountry": "Germany"},
    ]
    assert standard("account", rows, columns) == [
        ("1", None, "bonn", None, None),
        ("2", None, "nice", None, "FR"),
        ("3", None, None, None, "DE"),
    ]


def test_other_names_come_from_the_name_and_from_the_reference() -> None:
    rows: list[dict[str, Any]] = [
        {"company_id": "1", "name": "Acme Inc. (formerly Bolt Ltd)", "other_names": None},
        {"company_id": "2", "name": "Globex", "other_names": "Globex Trading Co; The Old Mill GmbH"},
        {"company_id": "3", "name": "Hooli", "other_names": '["Nucleus LLC", "n/a"]'},
        {"company_id": "4", "name": "Initech", "other_names": None},
    ]
    assert standard("company", rows, "company_id, other_names") == [
        ("1", ["acme", "bolt"]),
        ("2", ["globex trading", "mill old"]),
        ("3", ["nucleus"]),
        ("4", []),
    ]


def test_a_person_account_is_an_account_and_says_so() -> None:
    rows = [
        {"Id": "1", "Name": None, "FirstName": "Ann", "LastName": "Lee", "IsPersonAccount": "true"},
        {"Id": "2", "Name": "Acme", "FirstName": None, "LastName": None, "IsPersonAccount": "false"},
    ]
    assert standard("account", rows, "name_core, is_person") == [("acme", False), ("ann lee", True)]


def test_sandbox_suffixes_are_undone_in_web_addresses_too() -> None:
    rows = [{"company_id": "1", "name": "Acme", "website": "https://www.acme.co.uk.invalid/x"}]
    assert standard("company", rows, "domain") == [("acme.co.uk",)]


HOSTS = (
    *(
        "acme.com",
        "www.acme.com",
        "shop.acme.com",
        "acme.co.uk",
        "co.uk",
        "a.b.acme.co.uk",
        "blogspot.com",
        "x.github.io",
    ),
    *(
        "foo.ck",
        "b.foo.ck",
        "a.foo.ck",
        "city.kawasaki.jp",
        "a.b.kawasaki.jp",
        "acme.de",
        "acme.co.jp",
        "b.acme.tokyo.jp",
    ),
    *("acme.unknowntld", "bücher.example.de", "acme.com.br", "x.blogspot.com", "compute.amazonaws.com", "kobe.jp"),
)


def test_the_quick_way_to_a_domain_says_what_the_list_says() -> None:
    rows = [{"company_id": f"{i:02}", "name": "x", "website": f"https://{host}/"} for i, host in enumerate(HOSTS)]
    hosts = [host.removeprefix("www.") for host in HOSTS]
    assert standard("company", rows, "company_id, domain") == [
        (f"{i:02}", registrable_domain(host) if "." in host else None) for i, host in enumerate(hosts)
    ]
