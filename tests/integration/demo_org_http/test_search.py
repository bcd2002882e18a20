"""SOSL: whole words, in any case, in the fields asked for, as the records are now."""

from typing import Any

import pytest

from tests.support.demo_org_client import Client, Scripted, V


@pytest.fixture(scope="module")
def client(scripted: Scripted) -> Client:
    made = [
        ("Account", {"Name": "Zephyr Works", "Phone": "020 7946", "Site": "Leeds"}),
        ("Account", {"Name": "Zephyrus", "Site": "zephyr"}),
        ("Account", {"Name": "Works (Zephyr)", "NumberOfEmployees": 7}),
        ("Contact", {"FirstName": "Zephyr", "LastName": "O'Brien", "Email": "z@works.example"}),
    ]
    for name, values in made:
        assert scripted.client("POST", f"{V}/sobjects/{name}", json=values).status_code == 201
    return scripted.client


def search(client: Client, sosl: str) -> list[dict[str, Any]]:
    answer = client.get(f"{V}/search", q=sosl)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["searchRecords"]
    return found


@pytest.mark.parametrize(
    ("sosl", "names"),
    [
        ("FIND {zephyr} IN NAME FIELDS RETURNING Account(Name)", {"Zephyr Works", "Works (Zephyr)"}),
        ("FIND {zephyr} RETURNING Account(Name)", {"Zephyr Works", "Works (Zephyr)", "Zephyrus"}),
        ("FIND {Zephyr*} IN NAME FIELDS RETURNING Account(Name)", {"Zephyr Works", "Works (Zephyr)", "Zephyrus"}),
        ("find {works ZEPHYR} in all fields returning Account(Name)", {"Zephyr Works", "Works (Zephyr)"}),
        ('FIND {"zephyr works"} IN ALL FIELDS RETURNING Account(Name)', {"Zephyr Works"}),
        ("FIND {7946} IN PHONE FIELDS RETURNING Account(Name)", {"Zephyr Works"}),
        ("FIND {zephyr} RETURNING Account(Name WHERE NumberOfEmployees = 7 OR Name = 'x')", {"Works (Zephyr)"}),
        ("FIND {zephyr} RETURNING Account(Name ORDER BY Name DESC LIMIT 1)", {"Zephyrus"}),
        ("FIND {z@works.example} IN EMAIL FIELDS RETURNING Account(Name), Contact(Name)", {"Zephyr O'Brien"}),
        ("FIND {zephyr} IN NAME FIELDS RETURNING Account(Name), Contact(Name) LIMIT 1", {"Zephyr Works"}),
        ("FIND {nowhere} RETURNING Account(Name)", set()),
    ],
)
def test_what_is_found(client: Client, sosl: str, names: set[str]) -> None:
    assert {record["Name"] for record in search(client, sosl)} == names


def test_without_returning_and_refusals(client: Client) -> None:
    found = search(client, "FIND {zephyr} IN NAME FIELDS")
    assert [record["attributes"]["type"] for record in found] == ["Account", "Account", "Contact"]
    for sosl, code in (
        ("SELECT Id FROM Account", "MALFORMED_SEARCH"),
        ("FIND {x} RETURNING Account(Nonsense__c)", None),
        ("FIND {zephyr} RETURNING Account(Nonsense__c)", "INVALID_FIELD"),
        ("FIND {x} RETURNING ???", "MALFORMED_SEARCH"),
    ):
        answer = client.get(f"{V}/search", q=sosl)
        assert (answer.json()[0]["errorCode"] if answer.status_code == 400 else None) == code
