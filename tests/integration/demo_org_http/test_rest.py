from typing import Any

import pytest
import requests

from apps.demo_org.launch import DemoOrg
from tests.support.demo_org_client import ACCOUNTS, Client, V

NOT_FOUND = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]


def test_versions_need_no_token_and_are_not_counted(client: Client) -> None:
    answer = requests.get(client.base + "/services/data", verify=client.org.ca_file, timeout=10)
    found = answer.json()
    assert "Sforce-Limit-Info" not in answer.headers
    assert {"label": "Summer '23", "url": "/services/data/v58.0", "version": "58.0"} in found
    assert [found[0]["version"], found[-1]["version"]] == ["31.0", "66.0"]
    assert found[-1]["label"] == "Spring '26"


def test_headers_are_those_recorded(client: Client) -> None:
    used = [int(client.get(V).headers["Sforce-Limit-Info"].removeprefix("api-usage=").split("/")[0]) for _ in "ab"]
    answer = client.get(f"{V}/sobjects")
    assert used[1] == used[0] + 1
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["Cache-Control"] == "no-cache,must-revalidate,max-age=0,no-store,private"
    assert answer.headers["X-Robots-Tag"] == "none"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("token", ["", "Bearer ", "Bearer 00Dxx0000000001!nothing", "OAuth nothing"])
def test_no_valid_token_is_401_as_recorded(client: Client, token: str) -> None:
    answer = client("GET", f"{V}/limits", headers={"Authorization": token})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Token")
    assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    assert "Sforce-Limit-Info" not in answer.headers


def test_another_authorization_scheme_is_named(client: Client) -> None:
    answer = client("GET", f"{V}/limits", headers={"Authorization": "Digest x"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (401, "INVALID_AUTH_HEADER")


@pytest.mark.parametrize(
    "path",
    [
        "/services/data/viAmABadVersion/sobjects/Account",
        "/services/data/v99.0/limits",
        f"{V}/nothing",
        f"{V}/sobjects/PlayingCard__c",
        f"{V}/sobjects/PlayingCard__c/describe",
        f"{V}/jobs/query//750000000000001AAA",
        f"{V}/jobs/query/750000000000999AAA",
        f"{V}/sobjects/Account/listviews/00B000000000999AAA",
    ],
)
def test_what_does_not_exist_is_404(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


def test_a_wrong_method_is_405(client: Client) -> None:
    answer = client("DELETE", f"{V}/limits")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (405, "METHOD_NOT_ALLOWED")


def test_too_long_addresses_and_headers_are_refused(client: Client) -> None:
    soql = "SELECT Id FROM Account WHERE Name = '" + "x" * 20_000 + "'"
    assert client.get(f"{V}/query", q=soql).status_code == 414
    assert client("GET", f"{V}/limits", headers={"X-Long": "x" * 17_000}).status_code == 431


def test_query_pages_with_next_records_url(client: Client) -> None:
    answer = client("GET", f"{V}/query/", params={"q": "SELECT Id, Name FROM Account ORDER BY Name"})
    first = answer.json()
    assert (first["totalSize"], first["done"], len(first["records"])) == (ACCOUNTS, False, 2000)
    last = client.get(first["nextRecordsUrl"]).json()
    assert last == client.get(first["nextRecordsUrl"]).json()
    assert last["done"] is True
    assert "nextRecordsUrl" not in last
    names = [record["Name"] for record in first["records"] + last["records"]]
    assert names == [f"Company {n:05d}" for n in range(ACCOUNTS)]
    record = first["records"][0]
    assert record["attributes"] == {"type": "Account", "url": f"{V}/sobjects/Account/{record['Id']}"}


def test_batch_size_is_honoured_down_to_200(client: Client) -> None:
    for asked, given in (("batchSize=500", 500), ("batchSize=10", 200), ("batchSize=9999", 2000)):
        answer = client(
            "GET", f"{V}/query", params={"q": "SELECT Id FROM Account"}, headers={"Sforce-Query-Options": asked}
        )
        assert len(answer.json()["records"]) == given


def test_count_and_columns(client: Client) -> None:
    assert client.query("SELECT COUNT() FROM Account") == {"totalSize": ACCOUNTS, "done": True, "records": []}
    columns = client.get(f"{V}/query", q="SELECT Id, Name, Owner.Name FROM Account", columns="true").json()
    assert [column["columnName"] for column in columns["columnMetadata"]] == ["Id", "Name", "Owner"]
    assert columns["columnMetadata"][2]["joinColumns"][0]["columnName"] == "Name"
    assert (columns["entityName"], columns["keyPrefix"], columns["idSelected"]) == ("Account", "001", True)
    assert set(columns["columnMetadata"][0]) == {
        "aggregate", "apexType", "booleanType", "columnName", "custom", "displayName", "foreignKeyName",
        "insertable", "joinColumns", "numberType", "textType", "updatable",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("soql", "code", "text"),
    [
        ("SELEKT Name FROM Account", "MALFORMED_QUERY", "unexpected token: SELEKT"),
        ("", "MALFORMED_QUERY", "A query string has to be specified"),
        ("SELECT Bacon__c FROM Account LIMIT 2", "INVALID_FIELD", "ERROR at Row:1:Column:8"),
    ],
)
def test_a_bad_query_is_400_as_recorded(client: Client, soql: str, code: str, text: str) -> None:
    answer = client.get(f"{V}/query", q=soql)
    (error,) = answer.json()
    assert (answer.status_code, error["errorCode"]) == (400, code)
    assert text in error["message"]
    assert "Sforce-Limit-Info" in answer.headers


def test_an_unknown_cursor_is_refused(client: Client) -> None:
    for locator in ("0r8000000000999AAA-2000", "nonsense"):
        answer = client.get(f"{V}/query/{locator}")
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def test_describe_global_and_object(client: Client) -> None:
    listed = client.get(f"{V}/sobjects/").json()
    entry = next(each for each in listed["sobjects"] if each["name"] == "Account")
    assert client.get(f"{V}/sobjects/Account").json()["objectDescribe"] == entry
    described = client.get(entry["urls"]["describe"]).json()
    fields = {field["name"]: field for field in described["fields"]}
    assert fields["Legacy__c"]["custom"] is True
    assert fields["Name"]["nameField"] is True
    assert len(fields["Name"]) == 57


def test_limits_count_and_may_end_with_a_slash(client: Client) -> None:
    before, after = (client.get(f"{V}/limits/").json() for _ in "ab")
    assert before["DailyApiRequests"]["Remaining"] - after["DailyApiRequests"]["Remaining"] == 1
    assert client.get(f"{V}/limits/recordCount", sObjects="Account,Nothing").json() == {
        "sObjects": [{"count": ACCOUNTS, "name": "Account"}]
    }


def test_list_views(client: Client) -> None:
    index = client.get(f"{V}/sobjects/Account/listviews").json()
    assert (index["size"], index["sobjectType"], index["done"]) == (2, "Account", True)
    big = next(each for each in index["listviews"] if each["developerName"] == "Big_ones")
    assert client.get(big["url"]).json() == big
    described = client.get(big["describeUrl"]).json()
    assert described["whereCondition"] == {"field": "NumberOfEmployees", "operator": "greaterThan", "values": ["48"]}
    assert described["scope"] == "everything"
    wanted = [record["Name"] for record in client.query(described["query"])["records"]]
    assert len(wanted) > 25
    results = client.get(big["resultsUrl"]).json()
    assert _names(results) == wanted[:25]
    assert (results["done"], results["size"], results["label"]) == (False, 25, "Big ones")
    rest = client.get(big["resultsUrl"], limit=2000, offset=25).json()
    assert (_names(rest), rest["done"]) == (wanted[25:], True)
    assert {"fieldNameOrPath", "label", "selectListItem", "sortDirection", "type"} <= results["columns"][0].keys()
    assert client.get(big["resultsUrl"], limit=3000).status_code == 400


def _names(results: dict[str, Any]) -> list[str]:
    return [record["columns"][0]["value"] for record in results["records"]]


def test_plain_http_serves_the_same_org(client: Client, org: DemoOrg) -> None:
    assert org.http_url is not None
    plain = Client(org, org.http_url)
    assert plain.query("SELECT COUNT() FROM Account") == client.query("SELECT COUNT() FROM Account")
