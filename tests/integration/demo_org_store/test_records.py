from datetime import timedelta
from typing import Any

import pytest

from apps.demo_org.store import OrgStore, SObjectError
from apps.demo_org.store.records import MultipleMatchesError
from tests.integration.demo_org_store.conftest import Clock  # type: ignore[import-untyped, unused-ignore]

A, B = "001000000000001AAA", "001000000000002AAA"
STAMPS = ["CreatedDate", "LastModifiedDate", "SystemModstamp"]


def restore(load: Any) -> OrgStore:
    return load(  # type: ignore[no-any-return]
        Account=(["Id", "Name", "Ext_Id__c"], [[A, "a", "x1"], [B, "b", "x2"]]),
        Contact=(["Id", "LastName", "AccountId"], [["003000000000001AAA", "c", A]]),
    )


@pytest.fixture
def store(load: Any) -> OrgStore:
    return restore(load)


@pytest.fixture(scope="module")
def refusing(module_load: Any) -> OrgStore:
    """An org for changes that must leave it as it is."""
    return restore(module_load)


def stamps(store: OrgStore, record_id: str) -> list[str]:
    record = store.get("Account", record_id, STAMPS)
    return [record[s] for s in STAMPS]


def test_stamps_move_as_in_salesforce(store: OrgStore, clock: Clock) -> None:
    made = store.create("Account", {"Name": " Acme ", "website": "", "AnnualRevenue": "12.5"})
    start = "2026-02-18T12:00:00.000+0000"
    assert stamps(store, made) == [start] * 3
    record = store.get("Account", made, ["Name", "Website", "AnnualRevenue", "OwnerId", "CreatedById"])
    del record["attributes"]
    owner = store.default_user_id
    assert record == {"Name": "Acme", "Website": None, "AnnualRevenue": 13, "OwnerId": owner, "CreatedById": owner}
    clock.now += timedelta(hours=1)
    store.update("account", made[:15], {"Name": "Acme 2"})
    assert stamps(store, made) == [start, "2026-02-18T13:00:00.000+0000", "2026-02-18T13:00:00.000+0000"]
    clock.now += timedelta(hours=1)
    assert store.update_where("Account", f"Id = '{made}'", {"Rating": "Hot"}, stamp=False) == 1
    assert stamps(store, made)[2] == "2026-02-18T13:00:00.000+0000"
    assert store.update_where("Account", "Name LIKE 'Acme%'", {"Rating": "Cold"}) == 1
    assert stamps(store, made)[2] == "2026-02-18T14:00:00.000+0000"


def test_delete_takes_details_along_and_undelete_brings_them_back(store: OrgStore, clock: Clock) -> None:
    orphan = store.create("Contact", {"LastName": "d", "AccountId": A})
    store.delete("Contact", orphan)
    clock.now += timedelta(minutes=5)
    store.delete("Account", A)
    assert (store.count("Contact"), store.count("Contact", include_deleted=True)) == (0, 2)
    row = store.query(f"SELECT IsDeleted, SystemModstamp FROM Account WHERE Id = '{A}' ALL ROWS").records()[0]
    assert (row["IsDeleted"], row["SystemModstamp"]) == (True, "2026-02-18T12:05:00.000+0000")
    clock.now += timedelta(minutes=5)
    store.undelete("Account", A)
    assert [r["LastName"] for r in store.query("SELECT LastName FROM Contact").records()] == ["c"]
    assert stamps(store, A)[2] == "2026-02-18T12:10:00.000+0000"
    store.hard_delete("Account", B)
    assert store.count("Account", include_deleted=True) == 1


def test_derived_fields_follow(store: OrgStore) -> None:
    values = {"Name": "o", "StageName": "Prospecting", "CloseDate": "2026-05-06", "Amount": 200, "AccountId": A}
    made = store.create("Opportunity", values)
    fields = ["IsClosed", "IsWon", "Probability", "ExpectedRevenue", "FiscalYear", "FiscalQuarter"]

    def now() -> list[Any]:
        record = store.get("Opportunity", made, fields)
        return [record[f] for f in fields]

    assert now() == [False, False, 10.0, 20.0, 2026, 2]
    store.update("Opportunity", made, {"StageName": "Closed Won"})
    assert now() == [True, True, 100.0, 200.0, 2026, 2]
    store.update("Opportunity", made, {"StageName": "Closed Lost", "Probability": 5, "CloseDate": "2025-12-31"})
    assert now() == [True, False, 5.0, 10.0, 2025, 4]
    contact = store.create("Contact", {"FirstName": "Ann", "LastName": "Lee"})
    store.update("Contact", contact, {"LastName": "Poe"})
    assert store.get("Contact", contact, ["Name"])["Name"] == "Ann Poe"


def test_upsert_by_external_id(store: OrgStore) -> None:
    assert store.upsert("Account", "Ext_Id__c", "x2", {"Name": "b2"}) == (B, False)
    made, created = store.upsert("Account", "ext_id__c", "x3", {"Name": "c"})
    assert created
    assert store.get("Account", made, ["Ext_Id__c"])["Ext_Id__c"] == "x3"
    store.update("Account", made, {"Ext_Id__c": "x2"})
    with pytest.raises(MultipleMatchesError) as several:
        store.upsert("Account", "Ext_Id__c", "x2", {"Name": "z"})
    assert (several.value.status, set(several.value.ids)) == (300, {B, made})
    with pytest.raises(SObjectError, match="Provided external ID field does not exist or is not accessible: Site"):
        store.upsert("Account", "Site", "1", {})


GONE = "001000000000009AAA"


@pytest.mark.parametrize(
    ("change", "status", "code", "message", "fields"),
    [
        (
            lambda s: s.create("Account", {"Site": "x"}),
            400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", ["Name"],
        ),
        (
            lambda s: s.update("Account", A, {"Name": None}),
            400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", ["Name"],
        ),
        (
            lambda s: s.create("Account", {"Name": "x", "FavoritePet__c": "cat"}),
            400, "INVALID_FIELD", "No such column 'FavoritePet__c' on sobject of type Account", None,
        ),
        (
            lambda s: s.create("Account", {"Name": "x", "CreatedDate": "2026-01-01T00:00:00Z"}),
            400, "INVALID_FIELD_FOR_INSERT_UPDATE",
            "Unable to create/update fields: CreatedDate. Please check the security settings of this field and verify "
            "that it is read/write for your profile or permission set.", ["CreatedDate"],
        ),
        (
            lambda s: s.create("Account", {"Name": "x", "CleanStatus": "Terrible"}),
            400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Clean Status: bad value for restricted picklist field: Terrible", ["CleanStatus"],
        ),
        (
            lambda s: s.update("Account", A, {"Site": "y" * 81}),
            400, "STRING_TOO_LONG", f"Account Site: data value too large: {'y' * 81} (max length=80)", ["Site"],
        ),
        (
            lambda s: s.update("Account", A, {"AnnualRevenue": "much"}),
            400, "INVALID_TYPE_ON_FIELD_IN_RECORD", "Annual Revenue: value not of required type: much",
            ["AnnualRevenue"],
        ),
        (
            lambda s: s.create("Contact", {"LastName": "x", "Email": "nobody"}),
            400, "INVALID_EMAIL_ADDRESS", "Email: invalid email address: nobody", ["Email"],
        ),
        (
            lambda s: s.update("Account", A, {"ParentId": "parent"}),
            400, "MALFORMED_ID", "Parent Account ID: id value of incorrect type: parent", ["ParentId"],
        ),
        (
            lambda s: s.update("Account", A, {"ParentId": "003000000000001AAA"}),
            400, "MALFORMED_ID", "Parent Account ID: id value of incorrect type: 003000000000001AAA", ["ParentId"],
        ),
        (
            lambda s: s.update("Account", A, {"ParentId": GONE}),
            400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [],
        ),
        (lambda s: s.update("Account", GONE, {}), 404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []),
        (
            lambda s: s.delete("Account", "001x"),
            400, "MALFORMED_ID", "Account ID: id value of incorrect type: 001x", ["Id"],
        ),
        (lambda s: s.get("Account", GONE), 404, "NOT_FOUND", "The requested resource does not exist", None),
        (lambda s: s.create("Movie__c", {}), 404, "NOT_FOUND", "The requested resource does not exist", None),
        (lambda s: s.undelete("Account", A), 400, "UNDELETE_FAILED", "Entity is not in the recycle bin", []),
        (
            lambda s: s.delete("User", s.default_user_id),
            400, "INVALID_TYPE_FOR_OPERATION", "entity type User does not support delete", [],
        ),
    ],
)  # fmt: skip
def test_refusals(
    refusing: OrgStore, change: Any, status: int, code: str, message: str, fields: list[str] | None
) -> None:
    before = refusing.query("SELECT FIELDS(ALL) FROM Account LIMIT 200").records()
    with pytest.raises(SObjectError) as refused:
        change(refusing)
    assert (refused.value.status, refused.value.code) == (status, code)
    assert (refused.value.message, refused.value.fields) == (message, fields)
    assert set(refused.value.body()) == {"message", "errorCode"} | ({"fields"} if fields is not None else set())
    assert refusing.query("SELECT FIELDS(ALL) FROM Account LIMIT 200").records() == before


def test_a_deleted_record_is_refused(store: OrgStore) -> None:
    store.delete("Account", B)
    for change in (
        lambda: store.delete("Account", B),
        lambda: store.update("Account", B, {"Name": "x"}),
        lambda: store.get("Account", B),
    ):
        with pytest.raises(SObjectError, match="entity is deleted") as refused:
            change()
        assert (refused.value.status, refused.value.code, refused.value.fields) == (404, "ENTITY_IS_DELETED", [])


def test_fields_come_and_go(store: OrgStore) -> None:
    store.add_field("Account", "Vip__c", "boolean")
    store.add_field("Account", "Partner__c", "reference", referenceTo=["Account"])
    store.update("Account", A, {"Vip__c": True, "Partner__c": B})
    record = store.query("SELECT Vip__c, Partner__r.Name FROM Account ORDER BY Name").records()
    assert [r["Vip__c"] for r in record] == [True, False]
    assert record[0]["Partner__r"]["Name"] == "b"
    described = {f["name"]: f for f in store.describe("Account")["fields"]}
    assert (described["Vip__c"]["type"], len(described["Vip__c"])) == ("boolean", 57)
    store.remove_field("Account", "Vip__c")
    assert "Vip__c" not in [f["name"] for f in store.describe("Account")["fields"]]
    with pytest.raises(SObjectError, match="No such column 'Vip__c'"):
        store.update("Account", A, {"Vip__c": True})


def test_references_by_external_id(store: OrgStore) -> None:
    made = store.create("Contact", {"LastName": "x", "Account": {"Ext_Id__c": "x2"}})
    assert store.get("Contact", made, ["AccountId"])["AccountId"] == B
    with pytest.raises(SObjectError) as refused:
        store.create("Contact", {"LastName": "x", "Account": {"Ext_Id__c": "nope"}})
    assert refused.value.code == "INVALID_FIELD"
    expected = "Foreign key external ID: nope not found for field Ext_Id__c in entity Account"
    assert refused.value.message == expected
