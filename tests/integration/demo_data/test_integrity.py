"""What the files promise about ids, references, stamps and truth."""

import datetime as dt
from collections.abc import Callable

import pytest

from apps.demo_org.generate import DemoSummary

Table = Callable[[str], list[dict[str, str]]]
PREFIX = {
    "Account": "001",
    "Contact": "003",
    "Lead": "00Q",
    "Opportunity": "006",
    "User": "005",
    "Group": "00G",
    "Campaign": "701",
    "CampaignMember": "00v",
    "OpportunityContactRole": "00K",
    "Task": "00T",
    "ListView": "00B",
    "Report": "00O",
}
REFERENCES = {
    "Account": {
        "MasterRecordId": "Account",
        "ParentId": "Account",
        "PersonContactId": "Contact",
        "CreatedById": "User",
    },
    "Contact": {"MasterRecordId": "Contact", "AccountId": "Account", "OwnerId": "User", "LastModifiedById": "User"},
    "Lead": {"MasterRecordId": "Lead", "ConvertedAccountId": "Account", "ConvertedContactId": "Contact"},
    "Opportunity": {"AccountId": "Account", "CampaignId": "Campaign", "OwnerId": "User"},
    "OpportunityContactRole": {"OpportunityId": "Opportunity", "ContactId": "Contact"},
    "CampaignMember": {"CampaignId": "Campaign", "ContactId": "Contact", "LeadId": "Lead"},
    "Task": {"WhoId": "Contact", "WhatId": "Account"},
    "User": {"ManagerId": "User"},
}
TRUTHS = [
    ("account", "Account", "company"),
    ("account_person", "Account", "person"),
    ("contact", "Contact", "person"),
    ("contact_company", "Contact", "company"),
    ("lead", "Lead", "person"),
    ("lead_company", "Lead", "company"),
]


def eighteen(fifteen: str) -> str:
    """The 18-character form, from the documentation's rule: a bit per capital, five characters to a letter."""
    suffix = ""
    for start in (0, 5, 10):
        bits = "".join("1" if letter.isupper() else "0" for letter in reversed(fifteen[start : start + 5]))
        suffix += "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[int(bits, 2)]
    return fifteen + suffix


@pytest.mark.parametrize(("name", "prefix"), PREFIX.items())
def test_ids_are_valid_unique_and_in_order(table: Table, name: str, prefix: str) -> None:
    ids = [row["Id"] for row in table(name)]
    assert ids
    assert all(i.startswith(prefix) and len(i) == 18 and eighteen(i[:15]) == i for i in ids)
    assert ids == sorted(set(ids))
    assert len({i.lower() for i in ids}) == len(ids), "equal but for case would break case-insensitive stores"


@pytest.mark.parametrize(
    ("name", "field", "target"),
    [(name, field, to) for name, fields in REFERENCES.items() for field, to in fields.items()],
)
def test_lookups_find_their_record(table: Table, name: str, field: str, target: str) -> None:
    known = {row["Id"] for row in table(target)}
    used = {row[field] for row in table(name)} - {""}
    assert used
    assert used <= known


def test_owners_are_users_and_for_some_leads_queues(table: Table) -> None:
    owners = {row["OwnerId"] for row in table("Lead")}
    queues = {row["Id"] for row in table("Group") if row["Type"] == "Queue"}
    assert owners <= {row["Id"] for row in table("User")} | queues
    assert owners & queues
    assert {row["OwnerId"] for row in table("Account")} <= {row["Id"] for row in table("User")}


@pytest.mark.parametrize("name", ["Account", "Contact", "Lead", "Opportunity", "User", "Campaign", "Task"])
def test_stamps_never_run_backwards(table: Table, demo: DemoSummary, name: str) -> None:
    end = dt.datetime.combine(demo.as_of, dt.time(), dt.UTC)
    for row in table(name):
        created, modified, stamp = (
            dt.datetime.fromisoformat(row[field]) for field in ("CreatedDate", "LastModifiedDate", "SystemModstamp")
        )
        assert created <= modified <= stamp < end


def test_merged_records_are_deleted_and_name_a_live_master(table: Table) -> None:
    for name in ("Account", "Contact", "Lead"):
        live = {row["Id"] for row in table(name) if row["IsDeleted"] == "false"}
        merged = [row for row in table(name) if row["MasterRecordId"]]
        assert merged
        assert all(row["IsDeleted"] == "true" and row["MasterRecordId"] in live for row in merged)


def test_live_records_hang_on_live_accounts(table: Table) -> None:
    live = {row["Id"] for row in table("Account") if row["IsDeleted"] == "false"}
    assert {row["AccountId"] for row in table("Contact") if row["IsDeleted"] == "false"} - {""} <= live
    assert {row["AccountId"] for row in table("Opportunity")} <= live
    assert {row["ConvertedAccountId"] for row in table("Lead")} - {""} <= live


def test_converted_leads_point_at_a_contact_of_that_account(table: Table) -> None:
    account_of = {row["Id"]: row["AccountId"] for row in table("Contact")}
    converted = [row for row in table("Lead") if row["IsConverted"] == "true"]
    assert all(account_of[row["ConvertedContactId"]] == row["ConvertedAccountId"] for row in converted)
    assert all(row["CreatedDate"][:10] <= row["ConvertedDate"] for row in converted)
    assert not any(row["ConvertedDate"] for row in table("Lead") if row["IsConverted"] == "false")


def test_person_accounts_and_their_contacts_are_one(table: Table) -> None:
    contacts = {row["Id"]: row for row in table("Contact")}
    people = [row for row in table("Account") if row["IsPersonAccount"] == "true"]
    for account in people:
        contact = contacts[account["PersonContactId"]]
        assert contact["AccountId"] == account["Id"]
        assert (contact["LastName"], contact["Email"]) == (account["LastName"], account["PersonEmail"])
        assert account["Name"] == f"{account['FirstName']} {account['LastName']}"
        assert contact["IsPersonAccount"] == "true"
    assert len(people) == sum(row["IsPersonAccount"] == "true" for row in contacts.values())


def test_contact_roles_are_contacts_of_the_opportunity_s_account(table: Table) -> None:
    account_of = {row["Id"]: row["AccountId"] for row in table("Contact")}
    deal = {row["Id"]: row["AccountId"] for row in table("Opportunity")}
    assert all(account_of[row["ContactId"]] == deal[row["OpportunityId"]] for row in table("OpportunityContactRole"))


@pytest.mark.parametrize(("truth", "name", "entity"), TRUTHS)
def test_truth_names_live_records_and_entities_once(table: Table, truth: str, name: str, entity: str) -> None:
    live = {row["Id"] for row in table(name) if row["IsDeleted"] == "false"}
    entities = {row[f"{entity}_id"] for row in table(f"reference/{entity}")}
    rows = table(f"truth/{truth}")
    assert rows
    assert len({row["salesforce_id"] for row in rows}) == len(rows)
    assert {row["salesforce_id"] for row in rows} <= live
    assert {row["reference_id"] for row in rows} <= entities


def test_both_sides_hold_what_the_other_lacks(table: Table) -> None:
    linked = {row["salesforce_id"] for row in table("truth/account")}
    companies = [row for row in table("Account") if row["IsDeleted"] == "false" and row["IsPersonAccount"] == "false"]
    assert 0.05 < sum(row["Id"] not in linked for row in companies) / len(companies) < 0.3
    known = {row["reference_id"] for row in table("truth/account")}
    assert 0.1 < sum(row["company_id"] not in known for row in table("reference/company")) / 2000 < 0.5


def test_stored_reference_ids_agree_with_the_truth(table: Table) -> None:
    for name, field, truths in [
        ("Account", "Reference_Company_Id__c", ["account"]),
        ("Account", "Reference_Person_Id__c", ["account_person"]),
        ("Contact", "Reference_Person_Id__c", ["contact"]),
        ("Lead", "Reference_Person_Id__c", ["lead"]),
    ]:
        truth = {row["salesforce_id"]: row["reference_id"] for part in truths for row in table(f"truth/{part}")}
        stored = [row for row in table(name) if row[field] and row["IsDeleted"] == "false"]
        assert stored
        assert all(truth[row["Id"]] == row[field] for row in stored)


def test_lead_accounts_are_accounts_of_the_lead_s_company(table: Table) -> None:
    company_of_account = {row["salesforce_id"]: row["reference_id"] for row in table("truth/account")}
    company_of_lead = {row["salesforce_id"]: row["reference_id"] for row in table("truth/lead_company")}
    pairs = [(row["salesforce_id"], row["account_id"]) for row in table("truth/lead_account")]
    assert pairs
    assert all(company_of_account.get(account) == company_of_lead.get(lead) for lead, account in pairs)


def test_reference_parents_exist(table: Table) -> None:
    ids = {row["company_id"] for row in table("reference/company")}
    parents = {row["parent_id"] for row in table("reference/company")} - {""}
    assert parents
    assert parents <= ids
    assert {row["company_id"] for row in table("reference/person")} - {""} <= ids


def test_the_summary_counts_the_rows(table: Table, demo: DemoSummary) -> None:
    assert {name: len(table(name.removesuffix(".csv"))) for name in demo.rows} == demo.rows
