"""Query plans of SOQL and list views, and the list views looked at last."""

from pathlib import Path

from tests.support.demo_org_client import ACCOUNTS, Scripted, V, serve_scripted, write_csv

LISTS = f"{V}/sobjects/Account/listviews"


def test_a_plan_counts_what_it_reads(scripted: Scripted) -> None:
    client = scripted.client
    listed = {each["developerName"]: each["id"] for each in client.get(LISTS).json()["listviews"]}
    big = "SELECT Id FROM Account WHERE NumberOfEmployees > 48"
    expected = client.query(big)["totalSize"]
    for asked in (big, listed["Big_ones"]):
        [plan] = client.get(f"{V}/query/", explain=asked).json()["plans"]
        assert (plan["cardinality"], plan["sobjectCardinality"], plan["sobjectType"]) == (expected, ACCOUNTS, "Account")
        assert set(plan) == {
            *("cardinality", "fields", "leadingOperationType", "notes"),
            *("relativeCost", "sobjectCardinality", "sobjectType"),
        }
    refused = client.get(f"{V}/query", explain="SELECT Nope FROM Account")
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "INVALID_FIELD")
    assert client.get(f"{V}/query", explain="00B5g0000009999").status_code == 404


def test_lists_that_were_opened_are_the_recent_ones(scripted: Scripted) -> None:
    client = scripted.client
    listed = {each["developerName"]: each["id"] for each in client.get(LISTS).json()["listviews"]}
    assert client.get(f"{LISTS}/recent").json()["listviews"] == []
    for name in ("Mine", "Big_ones"):
        assert client.get(f"{LISTS}/{listed[name]}/results").status_code == 200
    recent = client.get(f"{LISTS}/recent").json()
    assert [each["developerName"] for each in recent["listviews"]] == ["Big_ones", "Mine"]
    assert (recent["size"], recent["sobjectType"], recent["done"]) == (2, "Account", True)


def test_a_list_of_mine_is_of_whoever_asks(scripted: Scripted) -> None:
    client = scripted.client
    listed = {each["developerName"]: each["id"] for each in client.get(LISTS).json()["listviews"]}
    told = client.get(f"{LISTS}/{listed['Mine']}/describe").json()
    assert (told["scope"], "USING SCOPE mine" in told["query"]) == ("mine", True)
    before = client.get(f"{LISTS}/{listed['Mine']}/results", limit="2000").json()["size"]
    other = client.query("SELECT Id FROM User WHERE Username = 'ada@demo.example.com'")["records"][0]["Id"]
    mine = client.query("SELECT Id FROM Account ORDER BY Name LIMIT 2000")["records"][:400]
    for start in (0, 200):
        rows = [{"attributes": {"type": "Account"}, "id": r["Id"], "OwnerId": other} for r in mine[start : start + 200]]
        changed = client("PATCH", f"{V}/composite/sobjects", json={"records": rows})
        assert all(each["success"] for each in changed.json())
    total = client.query("SELECT COUNT() FROM Account USING SCOPE mine")["totalSize"]
    after = client.get(f"{LISTS}/{listed['Mine']}/results", limit="2000").json()["size"]
    assert (before, total, after) == (2_000, ACCOUNTS - 400, ACCOUNTS - 400)


def test_a_column_that_is_hidden_is_left_out_of_a_list(tmp_path: Path) -> None:
    write_csv(tmp_path / "Account.csv", ["Name", "Site"], [["Acme", "here"]])
    lists = ["00B5g0000000001", "Sites", "Sites", "Account", "SELECT Name, Site, Id FROM Account"]
    write_csv(tmp_path / "ListView.csv", ["Id", "Name", "DeveloperName", "SobjectType", "Query"], [lists])
    right = {"do": "set_field_permission", "field": "Account.Site"}
    with serve_scripted(tmp_path, tmp_path) as served:
        for shown in (True, False):
            changed = served.client("POST", "/__demo__/execute", json={**right, "read": shown, "edit": shown})
            assert changed.status_code == 200, changed.text
            told = served.client.get(f"{LISTS}/00B5g0000000001/describe").json()
            names = ["Name", "Site", "Id"] if shown else ["Name", "Id"]
            assert [each["fieldNameOrPath"] for each in told["columns"]] == names
            assert told["query"] == f"SELECT {', '.join(names)} FROM Account"
            found = served.client.get(f"{LISTS}/00B5g0000000001/results").json()
            assert [each["value"] for each in found["records"][0]["columns"][:-1]] == ["Acme", "here"][: len(names) - 1]
