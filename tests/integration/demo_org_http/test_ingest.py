"""Bulk 2.0 ingest: what was uploaded is what the org has, row by row, and each row's fate is told."""

import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.demo_org_client import Client, Scripted, V, serve_scripted, write_csv

J = f"{V}/jobs/ingest"
FILES = ("successfulResults", "failedResults", "unprocessedrecords")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    folder: Path = tmp_path_factory.mktemp("ingest")
    rows = [[f"0015g000000000{n}", f"Old {n}", f"E{n // 2}", "1"] for n in range(1, 7)]
    write_csv(folder / "Account.csv", ["Id", "Name", "Ext_Id__c", "Phone"], rows)
    with serve_scripted(folder, tmp_path_factory.mktemp("served")) as scripted:
        yield scripted


@pytest.fixture(scope="module")
def client(served: Scripted) -> Client:
    return served.client


def submit(client: Client, content: str, **job: Any) -> str:
    created = client("POST", J, json={"object": "Account", "operation": "insert", "contentType": "CSV", **job})
    assert created.status_code == 200, created.text
    assert (created.json()["state"], created.json()["contentUrl"][:8]) == ("Open", "services")
    url = f"{J}/{created.json()['id']}"
    sent = client("PUT", f"{url}/batches", data=content.encode(), headers={"Content-Type": "text/csv"})
    assert (sent.status_code, sent.content) == (201, b"")
    assert client("PATCH", url, json={"state": "UploadComplete"}).json()["state"] == "UploadComplete"
    return url


def finish(client: Client, url: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while True:
        found: dict[str, Any] = client.get(url).json()
        if found["state"] in ("JobComplete", "Failed", "Aborted"):
            return found
        assert time.monotonic() < deadline, f"the job is still {found['state']}"
        time.sleep(0.02)


def results(client: Client, url: str, delimiter: str = ",") -> tuple[list[list[str]], ...]:
    texts = [client.get(f"{url}/{name}").content.decode() for name in FILES]
    return tuple(list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)) for text in texts)


def load(client: Client, content: str, **job: Any) -> tuple[dict[str, Any], tuple[list[list[str]], ...]]:
    url = submit(client, content, **job)
    return finish(client, url), results(client, url)


def test_each_row_is_saved_or_told_why_not(client: Client) -> None:
    content = 'Name,NumberOfEmployees,BillingState\n"In, ""quoted""",3,\n,3,CA\nBad,x,CA\n'
    url = submit(client, content)
    info = finish(client, url)
    assert {key: info[key] for key in ("state", "jobType", "numberRecordsProcessed", "numberRecordsFailed")} == {
        "state": "JobComplete",
        "jobType": "V2Ingest",
        "numberRecordsProcessed": 3,
        "numberRecordsFailed": 2,
    }
    good, bad, rest = (client.get(f"{url}/{name}").text for name in FILES)
    header = "Name,NumberOfEmployees,BillingState"
    made = good[len(f'"sf__Id","sf__Created",{header}\n') + 1 :][:18]
    assert good == f'"sf__Id","sf__Created",{header}\n"{made}","true","In, ""quoted""","3",""\n'
    assert bad == (
        f'"sf__Id","sf__Error",{header}\n'
        '"","REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --","","3","CA"\n'
        '"","INVALID_TYPE_ON_FIELD_IN_RECORD:Employees: value not of required type: x:NumberOfEmployees --",'
        '"Bad","x","CA"\n'
    )
    assert rest == f"{header}\n"
    record = client.get(f"{V}/sobjects/Account/{made}", fields="Name,NumberOfEmployees,BillingState").json()
    assert (record["Name"], record["NumberOfEmployees"], record["BillingState"]) == ('In, "quoted"', 3, None)


PLAIN = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(
    lambda text: text == text.strip() and text != "#N/A"
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(PLAIN, st.integers(0, 99_999)), min_size=1, max_size=8), crlf=st.booleans())
@pytest.mark.parametrize(("delimiter", "mark"), [("COMMA", ","), ("PIPE", "|"), ("BACKQUOTE", "`")])
def test_what_goes_in_is_what_the_org_has(
    client: Client, delimiter: str, mark: str, rows: list[tuple[str, int]], crlf: bool
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=mark, lineterminator="\r\n" if crlf else "\n")
    writer.writerows([("Name", "NumberOfEmployees"), *rows])
    url = submit(client, out.getvalue(), lineEnding="CRLF" if crlf else "LF", columnDelimiter=delimiter)
    assert finish(client, url)["state"] == "JobComplete"
    good, bad, _ = results(client, url, mark)
    assert (len(bad), [row[2:] for row in good[1:]]) == (1, [[name, str(number)] for name, number in rows])
    read = client(
        "POST",
        f"{V}/composite/sobjects/Account",
        json={"ids": [row[0] for row in good[1:]], "fields": ["Name", "NumberOfEmployees"]},
    ).json()
    assert [(each["Name"], each["NumberOfEmployees"]) for each in read] == rows


def test_update_leaves_empty_values_and_empties_on_request(client: Client) -> None:
    info, (good, bad, _) = load(
        client, "Id,Name,Phone\n0015g0000000001,,2\n0015g0000000002,New,#N/A\n,x,\n", operation="update"
    )
    assert (info["numberRecordsFailed"], [row[:2] for row in good[1:]]) == (
        1,
        [["0015g0000000001", "false"], ["0015g0000000002", "false"]],
    )
    assert bad[1][1] == "MISSING_ARGUMENT:Id not specified in an update call:--"
    read = client.query(
        "SELECT Name, Phone FROM Account WHERE Id IN ('0015g0000000001', '0015g0000000002') ORDER BY Id"
    )
    assert [(each["Name"], each["Phone"]) for each in read["records"]] == [("Old 1", "2"), ("New", None)]


def test_upsert_and_parents_by_external_id(client: Client) -> None:
    job = {"operation": "upsert", "externalIdFieldName": "Ext_Id__c"}
    info, (good, bad, _) = load(client, "Ext_Id__c,Name\nE1,Twice\nE0,Once\nFresh,Made\nFresh,Changed\n", **job)
    assert [row[1:] for row in good[1:]] == [
        *(["false", "E0", "Once"], ["true", "Fresh", "Made"], ["false", "Fresh", "Changed"])
    ]
    assert (info["externalIdFieldName"], bad[1][1].partition(":")[0]) == ("Ext_Id__c", "DUPLICATE_EXTERNAL_ID")
    info, (good, bad, _) = load(client, "LastName,Account.Ext_Id__c\nIn,Fresh\nOut,Nobody\n", object="Contact")
    assert (len(good), bad[1][1].partition(":")[0]) == (2, "INVALID_FIELD")
    asked = client.query("SELECT Account.Name FROM Contact WHERE LastName = 'In'")
    assert asked["records"][0]["Account"]["Name"] == "Changed"


def test_delete_goes_to_the_bin_and_hard_delete_past_it(client: Client) -> None:
    info, (good, bad, _) = load(client, "Id\n0015g0000000005\n0015g0000000005\n", operation="delete")
    assert (len(good), bad[1][:2]) == (2, ["0015g0000000005", "ENTITY_IS_DELETED:entity is deleted:--"])
    refused = client("POST", J, json={"object": "Account", "operation": "hardDelete"})
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "FEATURENOTENABLED")
    allow = {"do": "set_system_permission", "permission": "BulkApiHardDelete"}
    assert client("POST", "/__demo__/execute", json=allow).status_code == 200
    load(client, "Id\n0015g0000000006\n", operation="hardDelete")
    binned = client.query("SELECT Id FROM Account WHERE Id IN ('0015g0000000005', '0015g0000000006')", "queryAll")
    assert [each["Id"][:15] for each in binned["records"]] == ["0015g0000000005"]


@pytest.mark.parametrize(
    ("content", "job", "message"),
    [
        ("Name,Industryy\nA,b\n", {}, "InvalidBatch : Field name not found : Industryy"),
        ("Name\r\nA\r\n", {}, "LineEnding is invalid on user data. Current LineEnding setting is LF"),
        ("Name\nA\n", {"lineEnding": "CRLF"}, "LineEnding is invalid on user data. Current LineEnding setting is CRLF"),
        ("Name,Phone\nA\n", {}, "InvalidBatch : Field count mismatch"),
        ("Name,name\nA,B\n", {}, "Duplicate field name"),
    ],
)
def test_an_upload_that_cannot_be_read_fails_the_job(
    client: Client, content: str, job: dict[str, Any], message: str
) -> None:
    info, (good, bad, _) = load(client, content, **job)
    assert (info["state"], len(good), len(bad)) == ("Failed", 1, 1)
    assert message in info["errorMessage"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"operation": "zap"}, "INVALIDJOB"),
        ({"object": "Nope"}, "INVALIDENTITY"),
        ({"operation": "upsert"}, "INVALIDJOB"),
        ({"operation": "upsert", "externalIdFieldName": "Phone"}, "INVALIDJOB"),
        ({"columnDelimiter": "SPACE"}, "INVALIDJOB"),
    ],
)
def test_a_job_that_cannot_be_is_refused(client: Client, body: dict[str, str], code: str) -> None:
    answer = client("POST", J, json={"object": "Account", "operation": "insert", **body})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


def test_states_are_kept_to(client: Client) -> None:
    created = client("POST", J, json={"object": "Account", "operation": "insert"}).json()
    url = f"{J}/{created['id']}"
    assert client.get(f"{url}/successfulResults").json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert client("DELETE", url).status_code == 400
    upload = {"data": b"Name\nNever\n", "headers": {"Content-Type": "text/csv"}}
    assert [client("PUT", f"{url}/batches", **upload).status_code for _ in range(2)] == [201, 400]
    assert client("PATCH", url, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert client("PATCH", url, json={"state": "UploadComplete"}).status_code == 400
    assert client("DELETE", url).status_code == 204
    assert client.get(url).status_code == 404
    assert client.query("SELECT COUNT() FROM Account WHERE Name = 'Never'")["totalSize"] == 0


def test_multipart_brings_its_data_along(client: Client) -> None:
    parts = {
        "job": (None, '{"object": "Account", "operation": "insert"}', "application/json"),
        "content": ("content", "Name\nMultipart\n", "text/csv"),
    }
    created = client("POST", J, files=parts).json()
    assert created["state"] == "UploadComplete"
    assert finish(client, f"{J}/{created['id']}")["numberRecordsProcessed"] == 1
    assert created["id"] in [each["id"] for each in client.get(J).json()["records"]]


def test_batches_are_counted_and_refused(client: Client) -> None:
    before = client.get(f"{V}/limits").json()["DailyBulkApiBatches"]["Remaining"]
    load(client, "Name\nCounted\n")
    assert client.get(f"{V}/limits").json()["DailyBulkApiBatches"]["Remaining"] == before - 1
    client("POST", "/__demo__/settings", json={"limit": "DailyBulkApiBatches", "used": 15_000})
    try:
        info, (_, _, rest) = load(client, "Name\nToo many\n")
    finally:
        client("POST", "/__demo__/settings", json={"limit": "DailyBulkApiBatches", "used": 0})
    assert (info["state"], info["errorMessage"][:13], rest) == ("Failed", "ExceededQuota", [["Name"], ["Too many"]])


def test_a_duplicate_rule_and_a_unique_field_refuse_rows(client: Client) -> None:
    for action in (
        {"do": "add_duplicate_rule", "object": "Account", "name": "Same_Site", "fields": ["Site", "Fax"]},
        {"do": "add_field", "object": "Account", "name": "Only__c", "unique": True, "externalId": True},
    ):
        assert client("POST", "/__demo__/execute", json=action).status_code == 200, action
    content = "Name,Site,Fax,Only__c\nA,S,1,\nB,s,1,\nC,S,2,k\nD,T,,K\nE,S,,\n"
    _, (good, bad, _) = load(client, content)
    assert ([row[2] for row in good[1:]], [row[2] for row in bad[1:]]) == (["A", "C", "E"], ["B", "D"])
    assert bad[1][1] == "DUPLICATES_DETECTED:Use one of these records?:--"
    assert (
        bad[2][1]
        == f"DUPLICATE_VALUE:duplicate value found: Only__c duplicates value on record with id: {good[2][0][:15]}:--"
    )

    told = client("POST", f"{V}/sobjects/Account", json={"Name": "F", "Site": "S", "Fax": "1"})
    body = told.json()[0]
    assert (told.status_code, set(body)) == (400, {"duplicateResut", "errorCode", "message"})
    assert body["duplicateResut"]["matchResults"][0]["matchRecords"][0]["record"] == {
        "attributes": {"type": "Account", "url": f"{V}/sobjects/Account/{good[1][0]}"},
        "Id": good[1][0],
    }
    header = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    saved = client("POST", f"{V}/sobjects/Account", json={"Name": "F", "Site": "S", "Fax": "1"}, headers=header)
    assert saved.status_code == 201
    url = f"{V}/sobjects/Account/{good[2][0]}"
    assert client("PATCH", url, json={"Fax": "1"}).json()[0]["errorCode"] == "DUPLICATES_DETECTED"
    assert client("PATCH", url, json={"Only__c": "k"}).status_code == 204


def test_what_a_user_may_not_write_is_refused_row_by_row(client: Client) -> None:
    for allowed in (False, True):
        right = {"do": "set_field_permission", "field": "Account.Sic", "read": True, "edit": allowed}
        assert client("POST", "/__demo__/execute", json=right).status_code == 200
        info, (_, bad, _) = load(client, "Name,Sic\nWith,1\nWithout,\n")
        codes = [row[1].partition(":")[0] for row in bad[1:]]
        assert codes == ([] if allowed else ["INVALID_FIELD_FOR_INSERT_UPDATE"]), info


def test_faults_fail_and_slow_an_ingest_job(served: Scripted) -> None:
    at = {"match": {"method": "POST", "path": "/jobs/ingest/?$", "object": "Account", "nth": 1}}
    served.script({"action": "job_failed", "message": "InternalServerError : gone", **at})
    info, _ = load(served.client, "Name\nFailing\n")
    assert (info["state"], info["errorMessage"]) == ("Failed", "InternalServerError : gone")
    served.script({"action": "slow_job", "seconds": 60, **at})
    url = submit(served.client, "Name\nSlow\n")
    assert served.client.get(url).json()["state"] == "UploadComplete"
    assert served.client("PATCH", url, json={"state": "Aborted"}).json()["state"] == "Aborted"
    served.script({"action": "status", "status": 503, "match": {"path": "/jobs/ingest/", "object": "Account"}})
    assert served.client.get(url).status_code == 503
    served.script()
    assert served.client.query("SELECT COUNT() FROM Account WHERE Name IN ('Failing', 'Slow')")["totalSize"] == 0
