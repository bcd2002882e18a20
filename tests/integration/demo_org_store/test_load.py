from pathlib import Path

import pytest

from apps.demo_org.store import DataDirectoryError, OrgStore, checksum, is_id, make_id


def values(store: OrgStore, soql: str) -> list[tuple[object, ...]]:
    return [row for batch in store.query(soql, include_deleted=True).batches(100) for row in batch]


def test_an_empty_org_has_every_standard_object_and_one_user(tmp_path: Path) -> None:
    store = OrgStore.load(None, tmp_path / "org.duckdb")
    counts = {name: store.count(name) for name in store.objects}
    setup = {"FieldPermissions", "ObjectPermissions", "Organization", "PermissionSet", "Profile", "User", "UserLicense"}
    statuses = {"CaseStatus", "LeadStatus", "OpportunityStage", "TaskStatus"}
    assert {name for name, count in counts.items() if count} == setup | statuses
    assert counts["User"] == 1
    assert values(store, "SELECT Id FROM User") == [(store.default_user_id,)]
    assert values(store, "SELECT Id, OrganizationType FROM Organization") == [(store.org_id, "Developer Edition")]
    assert store.org_id.startswith("00D")
    store.close()


def test_missing_columns_get_defaults(load) -> None:  # type: ignore[no-untyped-def]
    store = load(Account=(["Name"], [["a"], ["b"]]), Contact=(["FirstName", "LastName"], [["Ann", "Lee"], ["", "Poe"]]))
    rows = values(store, "SELECT Id, OwnerId, CreatedDate, SystemModstamp, IsDeleted FROM Account")
    assert len({r[0] for r in rows}) == 2
    assert all(is_id(str(r[0])) and str(r[0]).startswith("001") and len(str(r[0])) == 18 for r in rows)
    assert {r[1] for r in rows} == {store.default_user_id}
    assert all(r[2] == r[3] is not None and r[4] is False for r in rows)
    assert values(store, "SELECT Name FROM Contact ORDER BY Name") == [("Ann Lee",), ("Poe",)]
    again = load(Account=(["Name"], [["a"], ["b"]]))
    assert values(again, "SELECT Id, SystemModstamp FROM Account") == [(r[0], r[3]) for r in rows]


def test_ids_are_kept_and_short_ones_extended(load) -> None:  # type: ignore[no-untyped-def]
    short, odd = "001B000001PUvQU", "0015f0KP7qlk2NaAGI"
    store = load(Account=(["Id", "Name", "ParentId"], [[short, "a", odd], [odd, "b", short]]))
    full = short + checksum(short)
    assert values(store, "SELECT Id, ParentId FROM Account ORDER BY Name") == [(full, odd), (odd, full)]
    assert values(store, f"SELECT Parent.Name FROM Account WHERE Id = '{short}'") == [("b",)]
    assert values(store, f"SELECT Name FROM Account WHERE Id IN ('{full}', '{odd}') ORDER BY Name") == [("a",), ("b",)]


def test_custom_columns_are_typed_with_care(load) -> None:  # type: ignore[no-untyped-def]
    header = [
        "Name",
        "Zip__c",
        "Score__c",
        "Key__c",
        "Since__c",
        "Seen__c",
        "Vip__c",
        "Mixed__c",
        "Empty__c",
        "Ext_Id__c",
    ]
    rows = [
        ["a", "01234", "1.25", "A1", "2024-02-29", "2024-02-29T10:00:00Z", "true", "12", "", "17"],
        ["b", "99999", "-3", "B2", "2024-03-01", "2024-03-01T10:00:00+02:00", "FALSE", "twelve", "", "18"],
    ]
    store = load(Account=(header, rows))
    kinds = {name: store.objects["Account"].fields[name].type for name in header[1:]}
    assert kinds == {
        "Zip__c": "string", "Score__c": "double", "Key__c": "string", "Since__c": "date", "Seen__c": "datetime",
        "Vip__c": "boolean", "Mixed__c": "string", "Empty__c": "string", "Ext_Id__c": "string",
    }  # fmt: skip
    assert store.objects["Account"].fields["Score__c"].describe["scale"] == 2
    record = store.query("SELECT Zip__c, Score__c, Seen__c, Vip__c FROM Account WHERE Name = 'b'").records()[0]
    del record["attributes"]
    expected = {"Zip__c": "99999", "Score__c": -3.0, "Seen__c": "2024-03-01T08:00:00.000+0000", "Vip__c": False}
    assert record == expected


def test_custom_objects_and_unrelated_files(load, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    store = load(
        Visit__c=(["Name", "Note__c"], [["v", "n"]]),
        reference_company=(["company_id"], [["1"]]),
        B__c=(["Name"], [["b"]]),
    )
    assert values(store, "SELECT Id, Name, Note__c FROM Visit__c")[0][1:] == ("v", "n")
    prefixes = {store.objects[n].key_prefix for n in ("Visit__c", "B__c")}
    assert len(prefixes) == 2
    assert "reference_company" not in store.objects


def test_values_of_the_wrong_type_become_null_and_are_reported(load) -> None:  # type: ignore[no-untyped-def]
    header = ["Name", "AnnualRevenue", "NumberOfEmployees", "IsDeleted", "CreatedDate"]
    store = load(
        Account=(
            header,
            [["a", "many", "12.0", "perhaps", "yesterday"], ["b", "nan", "x", "true", "2024-01-01T00:00:00Z"]],
        )
    )
    assert {(i.field, i.count) for i in store.load_report} == {
        ("AnnualRevenue", 2), ("NumberOfEmployees", 1), ("IsDeleted", 1), ("CreatedDate", 1),
    }  # fmt: skip
    rows = values(store, "SELECT AnnualRevenue, NumberOfEmployees, IsDeleted FROM Account ORDER BY Name")
    assert rows == [(None, 12, False), (None, None, True)]


def test_a_restore_validates_nothing(load) -> None:  # type: ignore[no-untyped-def]
    long = "x" * 131_072
    store = load(
        Account=(["Name", "CleanStatus", "Site"], [["", "No such status", long]]),
        Lead=(["LastName", "Company"], [["", ""]]),
    )
    assert values(store, "SELECT Name, CleanStatus, Site FROM Account") == [(None, "No such status", long)]
    assert store.count("Lead") == 1


def test_person_accounts_and_derived_fields(load) -> None:  # type: ignore[no-untyped-def]
    store = load(
        Account=(
            ["Name", "IsPersonAccount", "FirstName", "LastName"],
            [["", "true", "Ann", "Lee"], ["Acme", "false", "", ""]],
        ),
        Opportunity=(["Name", "StageName", "CloseDate", "Amount"], [["o", "Closed Won", "2025-05-06", "100"]]),
    )
    assert values(store, "SELECT Name FROM Account ORDER BY Name") == [("Acme",), ("Ann Lee",)]
    row = values(store, "SELECT IsWon, IsClosed, Probability, ExpectedRevenue, FiscalQuarter, Fiscal FROM Opportunity")
    assert row == [(True, True, 100.0, 100.0, 2, "2025 2")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"Name\ncaf\xe9\n", "not UTF-8"),
        (b"Name\n" + b"ok\n" * 5000 + b"caf\xe9\n", "not UTF-8"),
        (b"\xff\xfeN\x00a\x00m\x00e\x00", "not UTF-8"),
        (b"", "has no header"),
        (b"Name,name\na,b\n", "repeats the column"),
        (b"Name,Site\na\n", "cannot be read as CSV"),
        (b"Id,Name\n001B000001PUvQU,a\n001B000001PUvQUIA1,b\n", "1 rows with an Id that another row has"),
    ],
)
def test_unusable_files_are_refused_in_words(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "Account.csv").write_bytes(content)
    with pytest.raises(DataDirectoryError, match="Account.csv") as refused:
        OrgStore.load(tmp_path, tmp_path / "org.duckdb")
    assert says in str(refused.value)
    assert "Next:" in str(refused.value)


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataDirectoryError, match="does not exist"):
        OrgStore.load(tmp_path / "nowhere", tmp_path / "org.duckdb")


def test_byte_order_mark_and_header_case(tmp_path: Path) -> None:
    (tmp_path / "Account.csv").write_bytes("\ufeffNAME,website\nCaf\u00e9,x\n".encode())
    store = OrgStore.load(tmp_path, tmp_path / "org.duckdb")
    assert values(store, "SELECT Name, Website FROM Account") == [("Caf\u00e9", "x")]
    assert values(store, "SELECT Id FROM Account")[0][0] == make_id("001", 1001)
    store.close()
