from typing import Any

import pytest

from apps.demo_org.store import OrgStore, SoqlError, Visibility

A, B, C = "001000000000001AAA", "001000000000002AAA", "001000000000003AAA"
OWNER, QUEUE = "005000000000009AAA", "00G000000000009AAA"


def restore(load: Any) -> OrgStore:
    return load(  # type: ignore[no-any-return]
        Account=(
            [
                "Id",
                "Name",
                "OwnerId",
                "ParentId",
                "BillingCity",
                "AnnualRevenue",
                "IsDeleted",
                "CreatedDate",
                "Tags__c",
            ],
            [
                [A, "Acme", OWNER, "", "Berlin", "10.5", "false", "2026-02-18T11:59:59.900Z", "x"],
                [B, "acme GmbH", OWNER, A, "", "", "false", "2026-02-17T00:00:00.000Z", ""],
                [C, "Zeta_1 100%", "", B, "Berlin", "2e7", "true", "2025-12-31T23:59:59.000Z", "y"],
            ],
        ),
        Contact=(
            ["FirstName", "LastName", "AccountId", "Email"],
            [["Ann", "Lee", A, "ann@a.example"], ["Bob", "Ray", A, ""], ["Cy", "Ott", C, "cy@z.example"]],
        ),
        Lead=(["LastName", "Company", "OwnerId"], [["Q", "q", QUEUE], ["U", "u", OWNER]]),
        User=(["Id", "FirstName", "LastName", "Username"], [[OWNER, "Olga", "Own", "olga@o.example"]]),
        Group=(["Id", "Name", "Type"], [[QUEUE, "Queue One", "Queue"]]),
    )


@pytest.fixture(scope="module")
def store(module_load: Any) -> OrgStore:
    return restore(module_load)


@pytest.fixture
def changing(load: Any) -> OrgStore:
    return restore(load)


def names(store: OrgStore, condition: str, **options: Any) -> list[str]:
    query = store.query(f"SELECT Name FROM Account WHERE {condition}", **options)
    return sorted(r["Name"] for r in query.records())


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("Name = 'ACME'", ["Acme"]),
        ("Name != 'acme'", ["acme GmbH"]),
        ("BillingCity != 'Berlin'", ["acme GmbH"]),
        ("NOT BillingCity = 'Berlin'", ["acme GmbH"]),
        ("NOT (BillingCity = 'Berlin' AND Name LIKE 'A%')", ["acme GmbH"]),
        ("BillingCity = null", ["acme GmbH"]),
        ("BillingCity = ''", ["acme GmbH"]),
        ("BillingCity IN ('', 'Rome')", ["acme GmbH"]),
        ("ParentId != ''", ["acme GmbH"]),
        ("BillingCity NOT IN ('Rome', 'Paris')", ["Acme", "acme GmbH"]),
        ("BillingCity IN ('berlin', null)", ["Acme", "acme GmbH"]),
        ("Name LIKE 'acme_%'", ["acme GmbH"]),
        ("AnnualRevenue > 10 AND AnnualRevenue <= 10.5", ["Acme"]),
        ("AnnualRevenue < 100", ["Acme"]),
        ("AnnualRevenue = 1.05e1", ["Acme"]),
        ("CreatedDate = TODAY", ["Acme"]),
        ("CreatedDate = YESTERDAY OR CreatedDate > TODAY", ["acme GmbH"]),
        ("CreatedDate = LAST_N_DAYS:1", ["Acme", "acme GmbH"]),
        ("CreatedDate = 2026-02-18T11:59:59Z", ["Acme"]),
        ("CreatedDate > 2026-02-18T11:59:59Z", []),
        ("CreatedDate >= 2026-02-18T16:59:59+05:00", ["Acme"]),
        ("CreatedDate < 2026-02-18T11:59:59.900Z", ["acme GmbH"]),
        ("CreatedDate IN (2026-02-17T00:00:00Z)", ["acme GmbH"]),
        ("IsDeleted = false", ["Acme", "acme GmbH"]),
        ("IsDeleted = true", []),
        ("Owner.Name = 'olga own' AND Parent.Name = 'Acme'", ["acme GmbH"]),
        ("Id IN (SELECT AccountId FROM Contact WHERE Email != null)", ["Acme"]),
        ("Id NOT IN (SELECT AccountId FROM Contact)", ["acme GmbH"]),
        ("Id = '001000000000001'", ["Acme"]),
        ("ParentId = '" + A.lower() + "'", ["acme GmbH"]),
    ],
)
def test_conditions(store: OrgStore, condition: str, expected: list[str]) -> None:
    assert names(store, condition) == expected


def test_deleted_rows_and_escaped_wildcards(store: OrgStore) -> None:
    assert names(store, "Name LIKE '%\\_1 100\\%'", include_deleted=True) == ["Zeta_1 100%"]
    assert names(store, "Name LIKE 'Acm\\_'", include_deleted=True) == []
    assert names(store, "IsDeleted = true ALL ROWS") == ["Zeta_1 100%"]


def test_records_are_nested_and_spelled_as_described(store: OrgStore) -> None:
    soql = (
        "select id, parent.owner.NAME, parent.name, annualrevenue, createddate, tags__c from account order by name desc"
    )
    records = store.query(soql).records(version="v59.0")
    base = "/services/data/v59.0/sobjects"
    assert records[0] == {
        "attributes": {"type": "Account", "url": f"{base}/Account/{B}"},
        "Id": B,
        "Parent": {
            "attributes": {"type": "Account", "url": f"{base}/Account/{A}"},
            "Owner": {"attributes": {"type": "User", "url": f"{base}/User/{OWNER}"}, "Name": "Olga Own"},
            "Name": "Acme",
        },
        "AnnualRevenue": None,
        "CreatedDate": "2026-02-17T00:00:00.000+0000",
        "Tags__c": None,
    }
    assert records[1]["Parent"] is None
    assert (records[1]["AnnualRevenue"], records[1]["CreatedDate"]) == (10.5, "2026-02-18T11:59:59.900+0000")


def test_polymorphic_owner(store: OrgStore) -> None:
    records = store.query("SELECT Owner.Name, Owner.Type, OwnerId FROM Lead ORDER BY LastName").records()
    assert [r["Owner"]["Name"] for r in records] == ["Queue One", "Olga Own"]
    assert [r["Owner"]["Type"] for r in records] == ["Group", "User"]
    assert [r["Owner"]["attributes"]["type"] for r in records] == ["Group", "User"]


def test_child_subquery(store: OrgStore) -> None:
    child = "(SELECT LastName FROM Contacts ORDER BY LastName DESC LIMIT 1)"
    soql = f"SELECT Name, {child} FROM Account ORDER BY CreatedDate DESC"
    first, second = store.query(soql).records()
    assert (first["Contacts"]["totalSize"], first["Contacts"]["records"][0]["LastName"]) == (1, "Ray")
    assert second["Contacts"] is None


def test_aggregates(store: OrgStore) -> None:
    query = store.query("SELECT COUNT() FROM Account")
    assert (query.kind, query.total(), query.records()) == ("count", 2, [])
    listed = "BillingCity city, COUNT(Id), SUM(AnnualRevenue) total, COUNT_DISTINCT(OwnerId)"
    soql = f"SELECT {listed} FROM Account GROUP BY BillingCity"
    rows = store.query(soql + " HAVING COUNT(Id) > 1", include_deleted=True).records()
    assert rows == [
        {"attributes": {"type": "AggregateResult"}, "city": "Berlin", "expr0": 2, "total": 20000010.5, "expr1": 2}
    ]
    assert store.query("SELECT MAX(CreatedDate) FROM Account").records()[0]["expr0"] == "2026-02-18T11:59:59.900+0000"
    by_year = store.query(
        "SELECT CALENDAR_YEAR(CreatedDate) y, COUNT(Id) n FROM Account GROUP BY CALENDAR_YEAR(CreatedDate)"
    )
    assert [(r["y"], r["n"]) for r in by_year.records()] == [(2026, 2)]


def test_order_limit_offset_and_nulls(store: OrgStore) -> None:
    def ordered(tail: str) -> list[str]:
        return [r["Name"] for r in store.query(f"SELECT Name FROM Account {tail}", include_deleted=True).records()]

    assert ordered("ORDER BY AnnualRevenue") == ["acme GmbH", "Acme", "Zeta_1 100%"]
    assert ordered("ORDER BY AnnualRevenue DESC NULLS LAST") == ["Zeta_1 100%", "Acme", "acme GmbH"]
    assert ordered("ORDER BY Name LIMIT 1 OFFSET 1") == ["acme GmbH"]
    assert ordered("LIMIT 0") == []


def test_fields_functions(store: OrgStore) -> None:
    everything = store.query("SELECT FIELDS(ALL) FROM Account LIMIT 200")
    assert [c.path[0] for c in everything.columns] == list(store.objects["Account"].fields)
    custom = store.query("SELECT FIELDS(CUSTOM), Name FROM Account LIMIT 200")
    assert [c.path for c in custom.columns] == [("Tags__c",), ("Name",)]
    assert everything.records()[0]["BillingAddress"]["city"] == "Berlin"
    with pytest.raises(SoqlError, match="LIMIT of at most 200"):
        store.query("SELECT FIELDS(ALL) FROM Account")


def test_scope_mine(store: OrgStore) -> None:
    soql = "SELECT Name FROM Account USING SCOPE mine"
    assert [r["Name"] for r in store.query(soql, user=store.default_user_id, include_deleted=True).records()] == [
        "Zeta_1 100%"
    ]
    assert store.query(soql, user=OWNER).total() == 2


def test_pages_of_a_query_stay_as_they_were(changing: OrgStore) -> None:
    query = changing.query("SELECT Id, Name FROM Account ORDER BY Name")
    assert query.total() == 2
    changing.update("Account", A, {"Name": "Changed"})
    changing.delete("Account", B)
    assert [r["Name"] for r in query.records(0, 1) + query.records(1, 1)] == ["Acme", "acme GmbH"]
    query.close()


def test_hidden_fields_and_objects(changing: OrgStore) -> None:
    changing.visibility = Visibility(frozenset({("Account", "Tags__c"), ("User", "Name")}), frozenset({"Contact"}))
    for soql, code in [
        ("SELECT Tags__c FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Tags__c = 'x'", "INVALID_FIELD"),
        ("SELECT Owner.Name FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Contact", "INVALID_TYPE"),
        ("SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)", "INVALID_TYPE"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "INVALID_TYPE"),
    ]:
        with pytest.raises(SoqlError) as refused:
            changing.query(soql)
        assert refused.value.code == code
    assert "Tags__c" not in [f["name"] for f in changing.describe("Account")["fields"]]
    assert "Tags__c" not in [c.path[0] for c in changing.query("SELECT FIELDS(ALL) FROM Account LIMIT 1").columns]
    assert "Contact" not in [o["name"] for o in changing.describe_global()["sobjects"]]
    assert changing.query("SELECT Tags__c FROM Account", visibility=Visibility()).total() == 2


NO_COLUMN = (
    " If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)


@pytest.mark.parametrize(
    ("soql", "code", "message"),
    [
        (
            "SELECT Bacon__c FROM Account LIMIT 2",
            "INVALID_FIELD",
            "\nSELECT Bacon__c FROM Account LIMIT 2\n       ^\nERROR at Row:1:Column:8\n"
            "No such column 'Bacon__c' on entity 'Account'." + NO_COLUMN,
        ),
        (
            "select count() from XYZZY",
            "INVALID_TYPE",
            "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\n"
            "sObject type 'XYZZY' is not supported. If you are attempting to use a custom object, be sure to append "
            "the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate "
            "names.",
        ),
        ("SELECT Id FROM Account WHERE Id = 'no'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: no"),
        (
            "SELECT Id FROM Account WHERE Id LIKE '001%'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on id field",
        ),
        (
            "SELECT Id FROM Account WHERE IsDeleted > true",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on boolean",
        ),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", "must be of type string and should be enclosed"),
        (
            "SELECT Id FROM Account WHERE AnnualRevenue = '5'",
            "INVALID_FIELD",
            "must be of type currency and should not",
        ),
        ("SELECT Id FROM Account WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Account WHERE CreatedDate > SOMEDAY", "MALFORMED_QUERY", "unexpected token: 'SOMEDAY'"),
        ("SELECT Id FROM Account WHERE Name = TODAY", "INVALID_FIELD", "must be of type string"),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered in a query call"),
        ("SELECT Id FROM Account ORDER BY Description", "MALFORMED_QUERY", "can not be sorted in a query call"),
        ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "Field must be grouped or aggregated: Name"),
        ("SELECT Nope.Name FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Nope' in field path"),
        ("SELECT Id, (SELECT Id FROM Nopes) FROM Account", "INVALID_TYPE", "Didn't understand relationship 'Nopes'"),
        ("SELECT Name n FROM Account", "MALFORMED_QUERY", "only aggregate expressions use field aliasing"),
        ("SELECT Name, name FROM Account", "INVALID_FIELD", "duplicate field selected: Name"),
        ("SELECT Id FROM Account WHERE Name INCLUDES ('a')", "INVALID_QUERY_FILTER_OPERATOR", "multi-select picklist"),
        (
            "SELECT Id FROM Account WHERE CreatedDate > 2026-13-45T00:00:00Z",
            "INVALID_QUERY_FILTER_OPERATOR",
            "2026-13-45",
        ),
    ],
)
def test_errors(store: OrgStore, soql: str, code: str, message: str) -> None:
    with pytest.raises(SoqlError) as refused:
        store.query(soql)
    assert refused.value.code == code
    assert message in refused.value.message
    assert refused.value.message.endswith(message) or not message.startswith("\n")


def test_multi_select_picklists(changing: OrgStore) -> None:
    changing.add_field("Account", "Tags2__c", "multipicklist")
    changing.update("Account", A, {"Tags2__c": "red;green"})
    changing.update("Account", B, {"Tags2__c": "blue"})
    assert names(changing, "Tags2__c INCLUDES ('red;green', 'pink')") == ["Acme"]
    assert names(changing, "Tags2__c INCLUDES ('red;blue')") == []
    assert names(changing, "Tags2__c EXCLUDES ('red')") == ["acme GmbH"]
