"""Merges and lead conversions: where every record that hung on the losers or the lead is afterwards."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from apps.demo_org.store import LeadConvert, OrgStore, SObjectError
from tests.integration.demo_org_store.conftest import Clock, loader

USER = "0055g0000000001AAA"


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def shared(clock: Clock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrgStore]:
    with loader(tmp_path_factory.mktemp("org"), clock) as build:
        yield build()


@pytest.fixture
def store(shared: OrgStore, clock: Clock) -> OrgStore:
    """One org for all, emptied for each test."""
    clock.now = Clock().now
    for name in ("Account", "Contact", "Lead", "Opportunity", "OpportunityContactRole", "CampaignMember"):
        shared.update_where(name, "Id != null", {"IsDeleted": True})
        shared.changes.empty_recycle_bin(name)
    clock.now += timedelta(days=1)
    return shared


def values(store: OrgStore, soql: str, *, deleted: bool = False) -> list[dict[str, Any]]:
    query = store.query(soql, include_deleted=deleted)
    try:
        rows = query.records()
    finally:
        query.close()
    return [{k: v for k, v in row.items() if k != "attributes"} for row in rows]


def test_a_merge_moves_every_child_and_bins_the_losers(store: OrgStore, clock: Clock) -> None:
    master, one, two = (store.create("Account", {"Name": n}) for n in ("master", "one", "two"))
    contact = store.create("Contact", {"LastName": "C", "AccountId": one})
    deal = store.create(
        "Opportunity", {"Name": "D", "AccountId": two, "StageName": "Prospecting", "CloseDate": "2026-03-01"}
    )
    task = store.create("Task", {"Subject": "T", "WhatId": one})
    own_child = store.create("Account", {"Name": "below", "ParentId": two})
    store.update("Account", master, {"ParentId": one})
    binned = store.create("Contact", {"LastName": "binned", "AccountId": one})
    store.delete("Contact", binned)
    clock.now += timedelta(minutes=5)
    moved = store.changes.merge("Account", master, [one, two], {"Phone": "1"}, USER)
    assert set(moved) == {contact, deal, task, own_child, master}
    stamp = "2026-02-19T12:05:00.000+0000"
    for name, record, field in (
        ("Contact", contact, "AccountId"),
        ("Opportunity", deal, "AccountId"),
        ("Task", task, "WhatId"),
    ):
        found = store.get(name, record)
        assert (found[field], found["SystemModstamp"]) == (master, stamp)
    assert store.get("Account", own_child)["ParentId"] == master
    kept = store.get("Account", master)
    assert (kept["ParentId"], kept["Phone"], kept["SystemModstamp"]) == (None, "1", stamp)
    losers = values(
        store, "SELECT Id, MasterRecordId, SystemModstamp FROM Account WHERE IsDeleted = true", deleted=True
    )
    assert {row["Id"]: (row["MasterRecordId"], row["SystemModstamp"]) for row in losers} == dict.fromkeys(
        (one, two), (master, stamp)
    )
    assert values(store, f"SELECT AccountId FROM Contact WHERE Id = '{binned}'", deleted=True) == [{"AccountId": one}]
    gone = store.replication.deleted(store.object_type("Account"), clock.now, clock.now + timedelta(minutes=1))
    assert {record for record, _ in gone.records} == {one, two}


def test_undeleting_a_loser_forgets_its_master(store: OrgStore) -> None:
    master, loser = (store.create("Lead", {"LastName": n, "Company": n}) for n in "AB")
    store.changes.merge("Lead", master, [loser], {}, USER)
    store.undelete("Lead", loser)
    assert store.get("Lead", loser)["MasterRecordId"] is None


def test_a_person_stays_a_campaign_member_once(store: OrgStore) -> None:
    campaign, other = (store.create("Campaign", {"Name": n}) for n in "AB")
    master, loser = (store.create("Contact", {"LastName": n}) for n in "AB")
    kept = store.create("CampaignMember", {"CampaignId": campaign, "ContactId": master})
    twice = store.create("CampaignMember", {"CampaignId": campaign, "ContactId": loser})
    moved = store.create("CampaignMember", {"CampaignId": other, "ContactId": loser})
    store.changes.merge("Contact", master, [loser], {}, USER)
    rows = values(store, "SELECT Id, ContactId FROM CampaignMember", deleted=True)
    assert {row["Id"]: row["ContactId"] for row in rows} == {kept: master, moved: master}
    assert store.count("CampaignMember", include_deleted=True) == 2
    assert twice not in {row["Id"] for row in rows}


@pytest.mark.parametrize("losers", [0, 3, "self", "twice", "opportunity"])
def test_merges_that_are_refused(store: OrgStore, losers: int | str) -> None:
    made = [store.create("Account", {"Name": str(n)}) for n in range(4)]
    chosen = {"self": [made[0]], "twice": [made[1], made[1]], "opportunity": [made[1]]}.get(str(losers))
    chosen = made[1 : 1 + int(losers)] if chosen is None else chosen
    with pytest.raises(SObjectError):
        store.changes.merge("Opportunity" if losers == "opportunity" else "Account", made[0], chosen, {}, USER)
    assert store.count("Account") == 4


def test_a_lead_becomes_three_records(store: OrgStore, clock: Clock) -> None:
    lead = store.create(
        "Lead",
        {
            "FirstName": "Ada",
            "LastName": "L",
            "Company": "Acme",
            "Email": "a@x.org",
            "City": "Rome",
            "LeadSource": "Web",
        },
    )
    campaign = store.create("Campaign", {"Name": "C"})
    member = store.create("CampaignMember", {"CampaignId": campaign, "LeadId": lead})
    task = store.create("Task", {"Subject": "T", "WhoId": lead})
    clock.now += timedelta(minutes=5)
    made = store.changes.convert_lead(LeadConvert(lead, "Closed - Converted"), USER)
    assert made.opportunity is not None
    converted = store.get("Lead", lead)
    assert (converted["IsConverted"], converted["ConvertedDate"], converted["Status"]) == (
        True,
        "2026-02-19",
        "Closed - Converted",
    )
    ids = [converted[f"Converted{n}Id"] for n in ("Account", "Contact", "Opportunity")]
    assert ids == [made.account, made.contact, made.opportunity]
    assert converted["SystemModstamp"] == "2026-02-19T12:05:00.000+0000"
    account, contact = store.get("Account", made.account), store.get("Contact", made.contact)
    assert (account["Name"], account["BillingCity"], account["AccountSource"]) == ("Acme", "Rome", "Web")
    assert (contact["Name"], contact["Email"], contact["AccountId"]) == ("Ada L", "a@x.org", made.account)
    deal = store.get("Opportunity", made.opportunity)
    assert (deal["Name"], deal["StageName"], deal["CloseDate"]) == ("Acme-", "Prospecting", "2026-03-31")
    assert values(store, "SELECT ContactId, OpportunityId FROM OpportunityContactRole") == [
        {"ContactId": made.contact, "OpportunityId": made.opportunity}
    ]
    assert store.get("CampaignMember", member)["ContactId"] == made.contact
    assert store.get("Task", task)["WhoId"] == made.contact


def test_joining_existing_records_fills_only_what_is_empty(store: OrgStore) -> None:
    account = store.create("Account", {"Name": "Acme Inc", "Phone": "1"})
    contact = store.create("Contact", {"LastName": "L", "AccountId": account, "LeadSource": "Other"})
    lead = store.create("Lead", {"LastName": "L", "Company": "acme", "Phone": "2", "Title": "CEO", "LeadSource": "Web"})
    wanted = LeadConvert(
        lead, "Closed - Converted", account, contact, create_opportunity=False, overwrite_lead_source=True
    )
    made = store.changes.convert_lead(wanted, USER)
    assert (made.account, made.contact, made.opportunity) == (account, contact, None)
    kept = store.get("Account", account)
    assert (kept["Name"], kept["Phone"]) == ("Acme Inc", "1")
    person = store.get("Contact", contact)
    assert (person["Phone"], person["Title"], person["LeadSource"]) == ("2", "CEO", "Web")


@pytest.mark.parametrize("status", ["Open - Not Contacted", "no such status"])
def test_a_status_that_does_not_convert(store: OrgStore, status: str) -> None:
    lead = store.create("Lead", {"LastName": "L", "Company": "C"})
    with pytest.raises(SObjectError, match="INVALID_STATUS"):
        store.changes.convert_lead(LeadConvert(lead, status), USER)


def test_nothing_is_left_of_a_conversion_that_fails(store: OrgStore, clock: Clock) -> None:
    lead = store.create("Lead", {"LastName": "L", "Company": "C"})
    wanted = LeadConvert(lead, "Closed - Converted", opportunity_name="x" * 200)
    with pytest.raises(SObjectError, match="STRING_TOO_LONG"):
        store.changes.convert_lead(wanted, USER)
    assert (store.count("Account"), store.count("Contact"), store.get("Lead", lead)["IsConverted"]) == (0, 0, False)
    store.changes.convert_lead(LeadConvert(lead, "Closed - Converted"), USER)
    with pytest.raises(SObjectError, match="CANNOT_UPDATE_CONVERTED_LEAD"):
        store.changes.convert_lead(LeadConvert(lead, "Closed - Converted"), USER)


@pytest.mark.parametrize(
    ("today", "expected"),
    [(date(2026, 1, 1), "2026-03-31"), (date(2026, 6, 30), "2026-06-30"), (date(2026, 11, 22), "2026-12-31")],
)
def test_the_opportunity_closes_with_the_quarter(store: OrgStore, clock: Clock, today: date, expected: str) -> None:
    clock.now = clock.now.replace(year=today.year, month=today.month, day=today.day)
    lead = store.create("Lead", {"LastName": "L", "Company": "C"})
    made = store.changes.convert_lead(LeadConvert(lead, "Closed - Converted"), USER)
    assert store.get("Opportunity", made.opportunity or "")["CloseDate"] == expected


def test_emptying_the_bin(store: OrgStore, clock: Clock) -> None:
    start = clock.now
    one, two, live = (store.create("Account", {"Name": n}) for n in "ABC")
    for each in (one, two):
        store.delete("Account", each)
    clock.now += timedelta(minutes=3)
    assert store.changes.empty_recycle_bin("Account", [one]) == [one]
    with pytest.raises(SObjectError, match="not in the recycle bin"):
        store.changes.empty_recycle_bin("Account", [live])
    assert store.changes.empty_recycle_bin("Account") == [two]
    assert store.count("Account", include_deleted=True) == 1
    found = store.replication.deleted(store.object_type("Account"), start, clock.now)
    assert [(i, d) for i, d in found.records] == [(i, start.replace(tzinfo=None)) for i in sorted((one, two))]


def test_what_was_deleted_with_a_record_leaves_the_bin_with_it(store: OrgStore, clock: Clock) -> None:
    account = store.create("Account", {"Name": "A"})
    before, with_it = (store.create("Contact", {"LastName": n, "AccountId": account}) for n in "BC")
    store.delete("Contact", before)
    clock.now += timedelta(minutes=1)
    store.delete("Account", account)
    store.changes.empty_recycle_bin("Account")
    assert [row["Id"] for row in values(store, "SELECT Id FROM Contact", deleted=True)] == [before]
    found = store.replication.deleted(store.object_type("Contact"), clock.now, clock.now + timedelta(minutes=1))
    assert [record for record, _ in found.records] == [with_it]


def test_no_field_comes_or_goes_while_a_transaction_is_open(store: OrgStore) -> None:
    account = store.create("Account", {"Name": "A"})
    transaction = store.transactions.begin()
    with store.transactions.within(transaction):
        store.update("Account", account, {"Name": "B"})
    with pytest.raises(SObjectError, match="UNABLE_TO_LOCK_ROW"):
        store.add_field("Account", "X__c")
    with pytest.raises(SObjectError, match="UNABLE_TO_LOCK_ROW"):
        store.remove_field("Account", "Fax")
    store.add_field("Account", "Formula__c", formula="Name")
    store.transactions.commit(transaction)
    assert store.get("Account", account)["Formula__c"] == "B"
