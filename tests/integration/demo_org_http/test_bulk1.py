"""Bulk API 1: what was sent is what the org has, in each format; queries whole and in chunks; refusals in its words."""

import csv
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from simple_salesforce import Salesforce, SalesforceMalformedRequest
from simple_salesforce.exceptions import SalesforceGeneralError

from tests.support.demo_org_client import Client, Scripted, serve_scripted, write_csv

J = "/services/async/62.0/job"
NS = "{http://www.force.com/2009/06/asyncapi/dataload}"
ACCOUNTS = 60


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    folder: Path = tmp_path_factory.mktemp("bulk1")
    rows = [[f"Old {n:03d}", f"E{n}", str(n), "2024-05-0" + str(1 + n % 9)] for n in range(ACCOUNTS)]
    write_csv(folder / "Account.csv", ["Name", "Ext_Id__c", "NumberOfEmployees", "Since__c"], rows)
    with serve_scripted(folder, tmp_path_factory.mktemp("served")) as scripted:
        yield scripted


@pytest.fixture
def client(served: Scripted) -> Iterator[Client]:
    yield served.client
    served.script()
    hold(served.client, None)


def hold(client: Client, state: str | None) -> None:
    assert client("POST", "/__demo__/settings", json={"hold_batches": state}).status_code == 200


def create(client: Client, headers: dict[str, str] | None = None, **job: Any) -> str:
    body = {"object": "Account", "operation": "insert", "contentType": "CSV", **job}
    made = client("POST", J, json=body, headers=headers or {})
    assert made.status_code == 201, made.text
    return f"{J}/{made.json()['id']}"


def add(client: Client, job: str, content: str) -> str:
    made = client("POST", f"{job}/batch", data=content.encode(), headers={"Content-Type": "text/csv"})
    assert made.status_code == 201, made.text
    found = made.json()["id"] if made.text.startswith("{") else xml(made)["id"]
    return f"{job}/batch/{found}"


def xml(answer: requests.Response) -> dict[str, str | None]:
    assert answer.headers["Content-Type"].startswith("application/xml"), answer.text
    return {each.tag.removeprefix(NS): each.text for each in ElementTree.fromstring(answer.content)}


def batch_of(client: Client, batch: str) -> dict[str, Any]:
    found: dict[str, Any] = client("GET", batch, headers={"Accept": "application/json"}).json()
    return found


def finish(client: Client, batch: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while (found := batch_of(client, batch))["state"] not in ("Completed", "Failed", "NotProcessed"):
        assert time.monotonic() < deadline, found
        time.sleep(0.01)
    return found


def query(client: Client, soql: str, **job: Any) -> requests.Response:
    url = create(client, operation="query", **job)
    batch = add(client, url, soql)
    assert finish(client, batch)["state"] == "Completed", batch_of(client, batch)
    listed = client("GET", f"{batch}/result")
    result = (
        listed.json()[0]
        if listed.text.startswith("[")
        else next(each.text for each in ElementTree.fromstring(listed.content))
    )
    return client("GET", f"{batch}/result/{result}")


def error_of(answer: requests.Response) -> str:
    assert answer.status_code == 400, answer.text
    return str(xml(answer)["exceptionCode"] if answer.text.startswith("<") else answer.json()["exceptionCode"])


def test_csv_each_record_is_saved_or_told_why_not(client: Client) -> None:
    job = create(client)
    batch = add(client, job, 'Name,NumberOfEmployees\r\n"In, ""quoted""",3\r\n,3\r\nBad,x\r\n')
    info = finish(client, batch)
    assert (info["state"], info["numberRecordsProcessed"], info["numberRecordsFailed"]) == ("Completed", 3, 2)
    head, good, nameless, bad = csv.reader(io.StringIO(client.get(f"{batch}/result").text))
    assert head == ["Id", "Success", "Created", "Error"]
    assert good[1:] == ["true", "true", ""]
    assert nameless == ["", "false", "false", "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"]
    assert (bad[:3], bad[3].partition(":")[0]) == (["", "false", "false"], "INVALID_TYPE_ON_FIELD_IN_RECORD")
    kept = client.query(f"SELECT Name FROM Account WHERE Id = '{good[0]}'")["records"]
    assert [each["Name"] for each in kept] == ['In, "quoted"']
    assert client.get(f"{batch}/request").text.startswith("Name,NumberOfEmployees\r\n")


def test_json_and_xml_batches_change_the_org(client: Client) -> None:
    client("POST", "/__demo__/execute", json={"do": "create", "object": "Account", "values": {"Name": "Changed"}})
    ids = [
        each["Id"] for each in client.query("SELECT Id FROM Account WHERE Name LIKE 'Old 00%' ORDER BY Name")["records"]
    ]
    job = create(client, operation="update", contentType="JSON")
    sent = [{"Id": ids[0], "Phone": "1", "NumberOfEmployees": None}, {"Id": ids[1], "Name": None}, {"Phone": "2"}]
    batch = add(client, job, json.dumps(sent))
    assert finish(client, batch)["numberRecordsFailed"] == 2
    first, second, third = client.get(f"{batch}/result").json()
    assert first == {"id": ids[0], "success": True, "created": False, "errors": []}
    assert (second["id"], second["errors"][0]["statusCode"]) == (ids[1], "REQUIRED_FIELD_MISSING")
    assert (third["id"], third["errors"][0]["statusCode"]) == (None, "MISSING_ARGUMENT")
    job = create(client, operation="update", contentType="XML")
    records = f'<sObject><Id>{ids[0]}</Id><Phone xsi:nil="true"/><Site>a &amp; b</Site></sObject>'
    spaces = f'xmlns="{NS[1:-1]}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    batch = add(client, job, f"<sObjects {spaces}>{records}<sObject><Id>{ids[1]}</Id><Name/></sObject></sObjects>")
    assert finish(client, batch)["state"] == "Completed"
    results = ElementTree.fromstring(client.get(f"{batch}/result").content)
    assert [[(each.tag[len(NS) :], each.text) for each in result] for result in results] == [
        [("id", ids[0]), ("success", "true"), ("created", "false")],
        [("id", ids[1]), ("success", "true"), ("created", "false")],
    ]
    soql = f"SELECT Phone, Site, NumberOfEmployees FROM Account WHERE Id = '{ids[0]}'"
    record = client.query(soql)["records"][0]
    assert (record["Phone"], record["Site"], record["NumberOfEmployees"]) == (None, "a & b", None)


def test_upsert_and_delete_by_batches(client: Client) -> None:
    field = {
        "object": "Account",
        "name": "Ref__c",
        "type": "string",
        "length": 40,
        "externalId": True,
        "idLookup": True,
    }
    assert client("POST", "/__demo__/execute", json={"do": "add_field", **field}).status_code == 200
    for wanted in (["true", "true"], ["false", "false"]):
        job = create(client, operation="upsert", externalIdFieldName="Ref__c")
        batch = add(client, job, "Name,Ref__c\nFresh,R1\nFresh,R2\n")
        finish(client, batch)
        rows = list(csv.DictReader(io.StringIO(client.get(f"{batch}/result").text)))
        assert [row["Created"] for row in rows] == wanted
    refused = client("POST", J, json={"object": "Account", "operation": "hardDelete", "contentType": "CSV"})
    assert error_of(refused) == "FeatureNotEnabled"
    allow = {"do": "set_system_permission", "permission": "BulkApiHardDelete"}
    assert client("POST", "/__demo__/execute", json=allow).status_code == 200
    for operation, remaining in (("delete", 2), ("hardDelete", 0)):
        batch = add(client, create(client, operation=operation), "Id\n" + "\n".join(row["Id"] for row in rows))
        finish(client, batch)
        assert client.query("SELECT COUNT() FROM Account WHERE Name = 'Fresh'")["totalSize"] == 0
        assert client.query("SELECT COUNT() FROM Account WHERE Name = 'Fresh'", "queryAll")["totalSize"] == remaining


def test_a_query_in_three_formats(client: Client) -> None:
    soql = (
        "SELECT Id, Name, Since__c, CreatedDate, Owner.Name FROM Account WHERE Name LIKE 'Old %' ORDER BY Name LIMIT 7"
    )
    wanted = client.query(soql)["records"]
    rows = list(csv.DictReader(io.StringIO(query(client, soql).text)))
    assert [(row["Id"], row["Owner.Name"]) for row in rows] == [(w["Id"], w["Owner"]["Name"]) for w in wanted]
    answer = query(client, soql, contentType="JSON").json()
    for told, rest in zip(answer, wanted, strict=True):
        assert told["attributes"]["url"].endswith(f"v62.0/sobjects/Account/{rest['Id']}")
        # Instants are milliseconds since 1970 in this API's JSON.
        moment = time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime(told["CreatedDate"] / 1000))
        assert (moment, told["Owner"]["Name"]) == (rest["CreatedDate"][:19] + ".000+0000", rest["Owner"]["Name"])
    tree = ElementTree.fromstring(query(client, soql, contentType="XML").content)
    assert [each.findtext(f"{NS}Name") for each in tree] == [each["Name"] for each in wanted]
    assert query(client, "SELECT Id FROM Contact").text == "Records not found for this query\n"


@pytest.mark.parametrize("where", ["", " WHERE NumberOfEmployees > 9 OR Name = 'where'"])
def test_chunks_hold_each_record_once(client: Client, where: str) -> None:
    soql = f"SELECT Id FROM Account{where}"
    job = create(client, {"Sforce-Enable-PKChunking": "chunkSize=13"}, operation="query")
    assert finish(client, add(client, job, soql))["state"] == "NotProcessed"
    listed = client("GET", f"{job}/batch", headers={"Accept": "application/json"}).json()["batchInfo"]
    everything = client.query("SELECT COUNT() FROM Account")["totalSize"]
    assert len(listed) == 1 + -(-everything // 13)
    found: list[str] = []
    for each in listed[1:]:
        batch = f"{job}/batch/{each['id']}"
        assert finish(client, batch)["state"] == "Completed"
        result = next(one.text for one in ElementTree.fromstring(client.get(f"{batch}/result").content))
        found += [line.strip('"') for line in client.get(f"{batch}/result/{result}").text.splitlines()[1:]]
    assert sorted(found) == sorted(each["Id"] for each in client.query(soql)["records"])
    job = create(client, {"Sforce-Enable-PKChunking": "TRUE"}, operation="query")
    failed = finish(client, add(client, job, "SELECT Id FROM Account LIMIT 5"))
    assert (failed["state"], failed["stateMessage"][:12]) == ("Failed", "InvalidBatch")


def test_states_and_counts(client: Client) -> None:
    hold(client, "Queued")
    job = create(client, concurrencyMode="Serial")
    batches = [add(client, job, f"Name\nKept {n}\n") for n in range(2)]
    told = xml(client.get(job))
    assert (told["state"], told["concurrencyMode"]) == ("Open", "Serial")
    assert (told["numberBatchesQueued"], told["numberBatchesTotal"]) == ("2", "2")
    assert error_of(client.get(f"{batches[0]}/result")) == "InvalidBatch"
    hold(client, "InProgress")
    while xml(client.get(job))["numberBatchesInProgress"] == "0":
        time.sleep(0.01)
    # Serial: the second waits for the first.
    assert xml(client.get(job))["numberBatchesQueued"] == "1"
    assert xml(client("POST", job, data="<jobInfo><state>Aborted</state></jobInfo>"))["state"] == "Aborted"
    assert [batch_of(client, batch)["state"] for batch in batches] == ["NotProcessed"] * 2
    assert error_of(client("POST", f"{job}/batch", data="Name\nx\n")) == "InvalidJobState"
    hold(client, None)
    job = create(client)
    batch = add(client, job, "Name\nKept\n")
    assert xml(client("POST", job, data="<jobInfo><state>Closed</state></jobInfo>"))["state"] == "Closed"
    assert finish(client, batch)["state"] == "Completed"
    assert xml(client.get(job))["numberRecordsProcessed"] == "1"
    assert error_of(client("POST", job, data="<jobInfo><state>Aborted</state></jobInfo>")) == "InvalidJobState"


def test_refusals(client: Client) -> None:
    invalid = [
        {"operation": "insort"},
        {"object": "Nothing__c"},
        {"contentType": "PDF"},
        {"operation": "upsert", "externalIdFieldName": "Name__c"},
        {"concurrencyMode": "Sideways"},
    ]
    for each in invalid:
        answer = client("POST", J, json={"object": "Account", "operation": "insert", "contentType": "CSV", **each})
        assert error_of(answer) == "InvalidJob", each
    assert error_of(client("POST", J, data="<jobInfo>")) == "InvalidXML"
    assert error_of(client.get(f"{J}/750000000000000AAA")) == "InvalidJob"
    assert error_of(client.get(J.replace("62.0", "v62.0"))) == "InvalidUrl"
    job = create(client)
    assert error_of(client.get(f"{job}/batch/751000000000000AAA")) == "InvalidBatch"
    assert error_of(client("POST", f"{job}/batch", data="")) == "ClientInputError"
    failed = finish(client, add(client, job, "Name,Nonsense__c\nx,y\n"))
    message = "InvalidBatch : Field name not found : Nonsense__c"
    assert (failed["state"], failed["stateMessage"]) == ("Failed", message)
    failed = finish(client, add(client, create(client, operation="query"), "SELECT Nonsense__c FROM Account"))
    assert failed["stateMessage"].startswith("InvalidBatch : Failed to process query: INVALID_FIELD: ")
    for headers in ({"Authorization": "Bearer wrong"}, {"X-SFDC-Session": "wrong"}):
        assert error_of(client("GET", job, headers=headers)) == "InvalidSessionId"


def test_batches_are_counted_and_faults_bite(served: Scripted, client: Client) -> None:
    limits = client.get("/services/data/v60.0/limits").json()["DailyBulkApiBatches"]
    job = create(client)
    finish(client, add(client, job, "Name\nCounted\n"))
    left = client.get("/services/data/v60.0/limits").json()["DailyBulkApiBatches"]["Remaining"]
    assert left == limits["Remaining"] - 1
    served.script(
        {"action": "job_failed", "message": "Broken", "match": {"path": "/services/async/", "object": "Account"}}
    )
    failed = finish(client, add(client, create(client), "Name\nNever\n"))
    assert (failed["state"], failed["stateMessage"]) == ("Failed", "Broken")
    assert client.query("SELECT COUNT() FROM Account WHERE Name = 'Never'")["totalSize"] == 0
    client("POST", "/__demo__/settings", json={"limit": "DailyBulkApiBatches", "used": limits["Max"]})
    assert error_of(client("POST", f"{job}/batch", data="Name\nx\n")) == "ExceededQuota"
    client("POST", "/__demo__/settings", json={"limit": "DailyBulkApiBatches", "used": 0})


def test_simple_salesforce(served: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library as it is, but for the five seconds that it sleeps between two polls."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", served.org.ca_file)
    monkeypatch.setattr("simple_salesforce.bulk.sleep", lambda seconds: time.sleep(0.02))
    org = Salesforce(instance_url=served.org.url, session_id=served.org.access_token)
    sent = [{"Name": f"Bulk {n}", "NumberOfEmployees": n} for n in range(25)] + [{"Site": "nameless"}]
    results = org.bulk.Account.insert(sent, batch_size=10, use_serial=True)
    assert [each["success"] for each in results] == [True] * 25 + [False]
    assert results[-1]["errors"][0]["fields"] == ["Name"]
    soql = "SELECT Id, Name, NumberOfEmployees FROM Account WHERE Name LIKE 'Bulk %'"
    rows = org.bulk.Account.query(soql, wait=1)
    assert {(row["Id"], row["Name"]) for row in rows} == {
        (result["id"], record["Name"]) for result, record in zip(results[:-1], sent[:-1], strict=True)
    }
    changed = [{"Id": row["Id"], "Name": "Bulk changed"} for row in rows[:3]]
    detailed = org.bulk.Account.update(changed, include_detailed_results=True)
    assert "Bulk changed" in json.dumps(detailed)
    assert all(each["success"] for each in org.bulk.Account.delete([{"Id": row["Id"]} for row in rows]))
    assert org.bulk.Account.query(soql, wait=1) == []
    assert len(org.bulk.Account.query_all(soql, wait=1)) == 25
    with pytest.raises(SalesforceGeneralError, match="INVALID_FIELD"):
        org.bulk.Account.query("SELECT Nonsense__c FROM Account", wait=1)
    with pytest.raises(SalesforceMalformedRequest, match="InvalidJob"):
        org.bulk.Nothing__c.insert([{"Name": "x"}])
