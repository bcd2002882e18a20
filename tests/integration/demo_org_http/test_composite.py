"""sObject Collections, Composite, graph, batch and tree: order, references, all or none, what they cost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.demo_org_client import Client, Scripted, V, serve_scripted, write_csv

C = f"{V}/composite"
ACCOUNT = {"type": "Account"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder: Path = tmp_path_factory.mktemp("composite")
    write_csv(folder / "Account.csv", ["Name", "Ext_Id__c"], [[f"Old {n}", f"E{n // 2}"] for n in range(4)])
    with serve_scripted(folder, tmp_path_factory.mktemp("served")) as scripted:
        served: Scripted = scripted
        yield served.client


def post(client: Client, path: str, body: Any, method: str = "POST", status: int = 200) -> Any:
    answer = client(method, f"{C}{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def named(client: Client, pattern: str) -> int:
    return int(client.query(f"SELECT COUNT() FROM Account WHERE Name LIKE '{pattern}'")["totalSize"])


def calls(client: Client) -> int:
    return int(client.get(f"{V}/limits").json()["DailyApiRequests"]["Remaining"])


def step(reference: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    found = {"referenceId": reference, "method": method, "url": f"{V}{path}"}
    return found if body is None else {**found, "body": body}


def test_records_are_saved_each_by_itself_and_answered_in_order(client: Client) -> None:
    before = calls(client)
    records = [
        {"attributes": ACCOUNT, "Name": "Each 1"},
        {"attributes": ACCOUNT},
        {"attributes": {"type": "Nope"}, "Name": "x"},
        {"attributes": {"type": "Contact"}, "LastName": "Each"},
    ]
    found = post(client, "/sobjects", {"records": records})
    # One call for all records, one for asking.
    assert calls(client) == before - 2
    assert [each["success"] for each in found] == [True, False, False, True]
    assert found[1]["errors"] == [
        {"statusCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [Name]", "fields": ["Name"]}
    ]
    assert (found[0]["id"][:3], found[3]["id"][:3], found[2]["errors"][0]["statusCode"]) == (
        "001",
        "003",
        "INVALID_TYPE",
    )

    changed = [{"attributes": ACCOUNT, "id": found[0]["id"], "Name": "Each 2"}, {"attributes": ACCOUNT, "Name": "x"}]
    told = post(client, "/sobjects", {"records": changed}, "PATCH")
    assert (told[0], told[1]["errors"][0]["statusCode"]) == (
        {"id": found[0]["id"], "success": True, "errors": []},
        "MISSING_ARGUMENT",
    )
    unknown = "0015g0000009999AAA"
    read = post(client, "/sobjects/Account", {"ids": [unknown, found[0]["id"][:15]], "fields": ["Name"]})
    assert [each and each["Name"] for each in read] == [None, "Each 2"]
    gone = client("DELETE", f"{C}/sobjects?ids={found[0]['id']},{found[0]['id']},{found[3]['id']}").json()
    assert [each["success"] for each in gone] == [True, False, True]
    assert gone[1]["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"
    assert client.get(f"{C}/sobjects/Account", ids=found[0]["id"], fields="Name").json() == [None]


def test_all_or_none_leaves_nothing_behind(client: Client) -> None:
    records = [
        {"attributes": ACCOUNT, "Name": "None 1"},
        {"attributes": ACCOUNT},
        {"attributes": ACCOUNT, "Name": "None 2"},
    ]
    found = post(client, "/sobjects", {"allOrNone": True, "records": records})
    codes = [each["errors"][0]["statusCode"] for each in found]
    assert codes == [
        *("ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING", "ALL_OR_NONE_OPERATION_ROLLED_BACK")
    ]
    assert named(client, "None%") == 0
    assert all(each["success"] for each in post(client, "/sobjects", {"allOrNone": True, "records": records[::2]}))
    assert named(client, "None%") == 2


def test_upsert_by_external_id(client: Client) -> None:
    records = [{"attributes": ACCOUNT, "Ext_Id__c": key, "Name": f"Up {key}"} for key in ("E0", "N", "N")]
    records.append({"attributes": ACCOUNT, "Name": "Up none"})
    found = post(client, "/sobjects/Account/Ext_Id__c", {"records": records}, "PATCH")
    assert [(each["success"], each["created"]) for each in found] == [
        *((False, True), (True, True), (True, False), (False, True))
    ]
    assert found[1]["id"] == found[2]["id"]
    codes = [found[n]["errors"][0]["statusCode"] for n in (0, 3)]
    assert codes == ["DUPLICATE_EXTERNAL_ID", "MISSING_ARGUMENT"]
    without = [{"attributes": ACCOUNT, "Id": None, "Name": "Up id"}]
    assert post(client, "/sobjects/Account/Id", {"records": without}, "PATCH")[0]["created"] is True
    several = client("PATCH", f"{V}/sobjects/Account/Ext_Id__c/E1", json={"Name": "x"})
    assert several.status_code == 300
    assert [url.rpartition("/")[0] for url in several.json()] == [f"{V}/sobjects/Account"] * 2


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([{"attributes": ACCOUNT, "Name": "x"}] * 201, "EXCEEDED_ID_LIMIT"),
        ([{"attributes": {"type": t}, "Name": "x"} for t in ["Account", "Contact"] * 6], "LIMIT_EXCEEDED"),
        ([{"Name": "x"}], "INVALID_TYPE"),
        ("x", "JSON_PARSER_ERROR"),
    ],
)
def test_a_collection_has_limits(client: Client, records: Any, code: str) -> None:
    assert post(client, "/sobjects", {"records": records}, status=400)[0]["errorCode"] == code


def test_later_subrequests_use_what_earlier_ones_answered(client: Client) -> None:
    before = calls(client)
    steps = [
        step("made", "POST", "/sobjects/Account", {"Name": "Whole"}),
        step("person", "POST", "/sobjects/Contact", {"LastName": "Of @{made.id}", "AccountId": "@{made.id}"}),
        step("seen", "GET", "/sobjects/Account/@{made.id}?fields=Name"),
        step("asked", "GET", "/query?q=SELECT Id, Account.Name FROM Contact WHERE AccountId = '@{made.id}'"),
        step("again", "PATCH", "/sobjects/Contact/@{asked.records[0].Id}", {"Title": "CEO"}),
    ]
    found = post(client, "", {"allOrNone": True, "compositeRequest": steps})["compositeResponse"]
    assert calls(client) == before - 2
    assert [each["httpStatusCode"] for each in found] == [201, 201, 200, 200, 204]
    assert found[0]["httpHeaders"]["Location"] == f"{V}/sobjects/Account/{found[0]['body']['id']}"
    assert (found[2]["body"]["Name"], found[3]["body"]["records"][0]["Account"]["Name"]) == ("Whole", "Whole")
    assert client.query("SELECT Title FROM Contact WHERE LastName LIKE 'Of 001%'")["records"][0]["Title"] == "CEO"


def test_a_failed_composite_is_undone_as_a_whole_or_step_by_step(client: Client) -> None:
    steps = [
        step("made", "POST", "/sobjects/Account", {"Name": "Half"}),
        step("bad", "POST", "/sobjects/Contact", {"AccountId": "@{made.id}"}),
        step("after", "POST", "/sobjects/Contact", {"LastName": "x", "AccountId": "@{bad.id}"}),
    ]
    found = post(client, "", {"allOrNone": True, "compositeRequest": steps})["compositeResponse"]
    codes = [each["body"][0]["errorCode"] for each in found]
    assert codes == ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING", "PROCESSING_HALTED"]
    assert named(client, "Half") == 0
    found = post(client, "", {"compositeRequest": steps})["compositeResponse"]
    assert [each["httpStatusCode"] for each in found] == [201, 400, 400]
    assert "No value for bad.id found in bad" in found[2]["body"][0]["message"]
    assert named(client, "Half") == 1


def test_a_query_too_long_for_an_address_goes_in_a_body(client: Client) -> None:
    soql = f"SELECT Id FROM Account WHERE Name IN ({', '.join(repr(f'{n:0200d}') for n in range(90))}, 'Old 1')"
    assert client.get(f"{V}/query", q=soql).status_code == 414
    found = post(client, "", {"compositeRequest": [step("long", "GET", f"/query?q={soql}")]})["compositeResponse"]
    assert (found[0]["httpStatusCode"], found[0]["body"]["totalSize"]) == (200, 1)


@pytest.mark.parametrize(
    "steps",
    [
        [step(f"n{n}", "GET", "/limits") for n in range(26)],
        [step(f"n{n}", "GET", "/query?q=SELECT Id FROM Account") for n in range(6)],
        [step("same", "GET", "/limits")] * 2,
        [],
    ],
)
def test_a_composite_has_limits(client: Client, steps: list[Any]) -> None:
    assert len(post(client, "", {"compositeRequest": steps}, status=400)) == 1


def test_a_composite_in_a_composite_and_an_unknown_resource_are_not_found(client: Client) -> None:
    steps = [step("inner", "POST", "/composite/batch", {}), step("nope", "GET", "/sobjects/Nope")]
    steps.append({"referenceId": "far", "method": "GET", "url": "https://elsewhere.example/services/data/v60.0/limits"})
    found = post(client, "", {"compositeRequest": steps})["compositeResponse"]
    assert [each["httpStatusCode"] for each in found] == [404, 404, 404]


def test_each_graph_is_all_or_none(client: Client) -> None:
    good = [
        step("made", "POST", "/sobjects/Account", {"Name": "Graph good"}),
        step("d", "DELETE", "/sobjects/Account/@{made.id}"),
    ]
    bad = [
        step("made", "POST", "/sobjects/Account", {"Name": "Graph bad"}),
        step("wrong", "POST", "/sobjects/Account", {}),
    ]
    graphs = [{"graphId": "1", "compositeRequest": good}, {"graphId": "2", "compositeRequest": bad}]
    found = post(client, "/graph", {"graphs": graphs})["graphs"]
    assert [each["isSuccessful"] for each in found] == [True, False]
    assert [each["httpStatusCode"] for each in found[0]["graphResponse"]["compositeResponse"]] == [201, 204]
    assert named(client, "Graph bad") == 0


def test_every_subrequest_of_a_batch_counts(client: Client) -> None:
    before = calls(client)
    requests = [{"method": "GET", "url": f"v60.0/{path}"} for path in ("limits", "nope", "limits")]
    found = post(client, "/batch", {"haltOnError": True, "batchRequests": requests})
    assert [each["statusCode"] for each in found["results"]] == [200, 404, 412]
    assert (found["hasErrors"], calls(client)) == (True, before - 3)


def test_a_tree_is_saved_with_its_branches_or_not_at_all(client: Client) -> None:
    def tree(email: str) -> dict[str, Any]:
        contact = {"attributes": {"type": "Contact", "referenceId": "c"}, "LastName": "Leaf", "Email": email}
        account = {
            "attributes": {"type": "Account", "referenceId": "a"},
            "Name": "Root",
            "Contacts": {"records": [contact]},
        }
        return {"records": [account]}

    found = post(client, "/tree/Account", tree("leaf@example.com"), status=201)
    assert (found["hasErrors"], [each["referenceId"] for each in found["results"]]) == (False, ["a", "c"])
    assert (
        client.query("SELECT Account.Name FROM Contact WHERE LastName = 'Leaf'")["records"][0]["Account"]["Name"]
        == "Root"
    )
    found = post(client, "/tree/Account", tree("bad"), status=400)
    assert (found["results"][0]["referenceId"], found["results"][0]["errors"][0]["statusCode"]) == (
        *("c", "INVALID_EMAIL_ADDRESS"),
    )
    assert named(client, "Root") == 1
