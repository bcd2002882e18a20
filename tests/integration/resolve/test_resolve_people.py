"""Contacts and leads: the person, the company, and the account a lead belongs to."""

from pathlib import Path
from typing import Any

from tests.support.resolution import connect, links, put, resolve_all

COMPANIES = [
    {"company_id": "c1", "name": "Acme Widgets Inc", "website": "acme.com"},
    {"company_id": "c2", "name": "Globex Corporation", "website": "globex.com"},
]
PEOPLE = [
    {"person_id": "p1", "company_id": "c1", "first_name": "Robert", "last_name": "Stone", "email": "bob@acme.com"},
    {"person_id": "p2", "company_id": "c2", "first_name": "Anna", "last_name": "Lindqvist", "birthdate": "1980-02-03"},
    {"person_id": "p3", "company_id": "c2", "first_name": "Peter", "last_name": "Obuya"},
]
ACCOUNT = {"Id": "A1".ljust(18, "0"), "Name": "Acme Widgets", "Website": "acme.com"}
K1, K2, K3 = (f"K{i}".ljust(18, "0") for i in (1, 2, 3))
L1, L2 = (f"L{i}".ljust(18, "0") for i in (1, 2))


def person(key: str, first: str | None, last: str, **more: Any) -> dict[str, Any]:
    return {"Id": key, "FirstName": first, "LastName": last, "Email": None, "Birthdate": None, "AccountId": None} | more


def test_contacts_get_their_person_and_their_company(tmp_path: Path) -> None:
    contacts = [
        person(K1, "Bob", "Stone", AccountId=ACCOUNT["Id"]),
        person(K2, "Anna", "Lindqvist", Birthdate="1980-02-03", Email="al@globex.com.invalid"),
        person(K3, None, "[[unknown]]"),
    ]
    with connect() as con:
        put(con, "salesforce.account", [ACCOUNT])
        put(con, "salesforce.contact", contacts)
        put(con, "reference.company", COMPANIES)
        put(con, "reference.person", PEOPLE)
        resolve_all(con, "account", tmp_path)
        resolve_all(con, "contact", tmp_path)
        found = links(con, "contact")
        rows = con.sql(
            "SELECT salesforce_id, rule_code, company_reference_id, company_method FROM crosswalk.contact ORDER BY 1"
        ).fetchall()
        empty = con.sql("SELECT count(*) FROM crosswalk.contact WHERE coalesce(company_reason, '') = ''").fetchall()
    assert found[K1] == ("linked", "p1")
    assert found[K2] == ("linked", "p2")
    assert found[K3] == ("skipped", None)
    assert rows[0] == (K1, "PER_NAME_ACCOUNT", "c1", "account")
    assert rows[1][2:] == ("c2", "domain")
    assert empty == [(0,)]


def test_leads_get_their_person_their_company_and_their_account(tmp_path: Path) -> None:
    leads = [
        person(L1, "Robert", "Stone", Email="bob@acme.com", Company="ACME"),
        person(L2, "Nobody", "Anyone", Company="Globex Corp."),
    ]
    with connect() as con:
        put(con, "salesforce.account", [ACCOUNT])
        put(con, "salesforce.lead", leads)
        put(con, "reference.company", COMPANIES)
        put(con, "reference.person", PEOPLE)
        resolve_all(con, "account", tmp_path)
        resolve_all(con, "lead", tmp_path)
        rows = con.sql(
            "SELECT salesforce_id, status, reference_id, rule_code, company_reference_id, company_method, account_id "
            "FROM crosswalk.lead ORDER BY 1"
        ).fetchall()
    assert rows[0] == (L1, "linked", "p1", "PER_EMAIL", "c1", "domain", ACCOUNT["Id"])
    assert rows[1] == (L2, "unmatched", None, None, "c2", "name", None)
