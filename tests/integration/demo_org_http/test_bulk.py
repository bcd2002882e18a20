import base64
import csv
import gzip
import io
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.support.demo_org_client import ACCOUNTS, Client, V

SOQL = "SELECT Id, Name, BillingStreet FROM Account ORDER BY Name"


@pytest.fixture(scope="module")
def job(client: Client) -> str:
    found = client.submit(SOQL)
    client.finish(found)
    return found


def rows_of(answer: requests.Response) -> list[list[str]]:
    assert answer.status_code == 200, answer.text
    text = answer.content.decode()
    assert text.endswith("\n")
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert header == ["Id", "Name", "BillingStreet"]
    assert int(answer.headers["Sforce-NumberOfRecords"]) == len(rows)
    return rows


def test_a_job_has_the_recorded_life(client: Client) -> None:
    created = client("POST", f"{V}/jobs/query", json={"operation": "query", "query": SOQL}).json()
    assert created["state"] == "UploadComplete"
    assert set(created) == {
        "id", "operation", "object", "createdById", "createdDate", "systemModstamp", "state",
        "concurrencyMode", "contentType", "apiVersion", "lineEnding", "columnDelimiter",
    }  # fmt: skip
    assert (created["object"], created["apiVersion"], created["id"][:3]) == ("Account", 60.0, "750")
    finished = client.finish(created["id"])
    assert set(finished) == set(created) | {
        "jobType", "numberRecordsProcessed", "retries", "totalProcessingTime", "isPkChunkingSupported",
    }  # fmt: skip
    assert (finished["state"], finished["numberRecordsProcessed"]) == ("JobComplete", ACCOUNTS)
    assert created["id"] in [each["id"] for each in client.get(f"{V}/jobs/query").json()["records"]]
    assert client("DELETE", f"{V}/jobs/query/{created['id']}").status_code == 204
    assert client.get(f"{V}/jobs/query/{created['id']}").status_code == 404


def test_the_whole_result_is_one_page_that_ends_with_the_literal_null(client: Client, job: str) -> None:
    answer = client.get(f"{V}/jobs/query/{job}/results")
    assert answer.headers["Sforce-Locator"] == "null"
    assert answer.headers["Content-Type"] == "text/csv;charset=UTF-8"
    assert answer.headers["Content-Encoding"] == "gzip"
    rows = rows_of(answer)
    assert [row[1] for row in rows] == [f"Company {n:05d}" for n in range(ACCOUNTS)]
    assert rows[0][2] == 'multi\nline, "quoted"'


def test_a_client_without_gzip_gets_the_same_bytes(client: Client, job: str) -> None:
    path = f"{V}/jobs/query/{job}/results"
    plain = client("GET", path, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    raw = client("GET", path, stream=True).raw.read(decode_content=False)
    assert gzip.decompress(raw) == plain.content


def test_locators_walk_the_result_and_a_page_may_be_fetched_again(client: Client, job: str) -> None:
    path, locator, rows = f"{V}/jobs/query/{job}/results", "", []
    while locator != "null":
        parameters = {"maxRecords": "500", **({"locator": locator} if locator else {})}
        answer = client.get(path, **parameters)
        assert rows_of(client.get(path, **parameters)) == rows_of(answer)
        assert len(rows_of(answer)) <= 500
        rows += rows_of(answer)
        locator = answer.headers["Sforce-Locator"]
        if locator != "null":
            kind, owner, _ = base64.b64decode(locator + "=" * (-len(locator) % 4)).decode().split(":")
            assert (kind, owner[:3]) == ("0", "0Ga")
    assert rows == rows_of(client.get(path))


def test_parallel_pages(client: Client) -> None:
    client("POST", "/__demo__/settings", json={"bulk_page_rows": 200})
    job = client.submit(SOQL)
    client.finish(job)
    client("POST", "/__demo__/settings", json={"bulk_page_rows": 50_000})
    path, urls, calls = f"{V}/jobs/query/{job}/resultPages", [], []
    while path:
        answer = client.get(path).json()
        urls += [page["resultUrl"] for page in answer["resultPages"]]
        calls.append(len(answer["resultPages"]))
        path = answer.get("nextRecordsUrl", "")
        assert answer["done"] is (not path)
    assert calls == [5, 5, 2]
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(client.get, urls))
    assert [row[1] for page in pages for row in rows_of(page)] == [f"Company {n:05d}" for n in range(ACCOUNTS)]
    assert client.get(f"/services/data/v57.0/jobs/query/{job}/resultPages").status_code == 404


def test_no_rows_are_a_page_with_the_header(client: Client) -> None:
    job = client.submit("SELECT Id, Name, BillingStreet FROM Account WHERE Name = 'nobody'")
    assert client.finish(job)["numberRecordsProcessed"] == 0
    answer = client.get(f"{V}/jobs/query/{job}/results")
    assert (rows_of(answer), answer.headers["Sforce-Locator"]) == ([], "null")


def test_another_version_is_409_and_another_jobs_locator_is_refused(client: Client, job: str) -> None:
    for resource in ("results", "resultPages"):
        assert client.get(f"/services/data/v59.0/jobs/query/{job}/{resource}").status_code == 409
    for locator in ("MDowR2FIbjAwMDAwNXMyVDRLQUk6MQ", "!!", "bnVsbA"):
        answer = client.get(f"{V}/jobs/query/{job}/results", locator=locator)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")
    assert client.get(f"{V}/jobs/query/{job}/results", maxRecords="0").status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"operation": "query", "query": "SELECT Nope FROM Account"},
        {"operation": "query", "query": ""},
        {"operation": "insert", "query": SOQL},
        {"operation": "query", "query": SOQL, "columnDelimiter": "TAB"},
        {"operation": "query", "query": "SELECT COUNT(Id), Name FROM Account GROUP BY Name"},
        {"operation": "query", "query": "SELECT BillingAddress FROM Account"},
    ],
)
def test_a_job_that_cannot_be_is_refused_at_once(client: Client, body: dict[str, str]) -> None:
    answer = client("POST", f"{V}/jobs/query", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()[0]["message"]


def test_crlf_line_ends(client: Client) -> None:
    body = {"operation": "query", "query": "SELECT Name FROM Contact", "lineEnding": "CRLF"}
    job = client("POST", f"{V}/jobs/query", json=body).json()["id"]
    client.finish(job)
    content = client.get(f"{V}/jobs/query/{job}/results").content
    assert content.count(b"\r\n") == 3
