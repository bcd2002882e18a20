import gzip
import io
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.support.demo_org_client import ACCOUNTS, Client, Scripted, V

RESULTS = {"method": "GET", "path": "/results$"}


def finished_job(scripted: Scripted) -> str:
    job = scripted.client.submit("SELECT Id, Name FROM Account")
    scripted.client.finish(job)
    return f"{V}/jobs/query/{job}"


def test_status_answers_as_scripted_and_then_no_more(scripted: Scripted) -> None:
    scripted.script({"action": "status", "status": 503, "match": {"path": "/limits$", "times": 1}})
    first, second = (scripted.client.get(f"{V}/limits") for _ in "ab")
    assert (first.status_code, second.status_code) == (503, 200)
    assert first.json() == [{"message": "Server Unavailable", "errorCode": "SERVER_UNAVAILABLE"}]
    assert scripted.log()[-2]["fault"] == "status"


def test_a_scripted_body_may_be_text_or_json(scripted: Scripted) -> None:
    disabled = [{"errorCode": "API_DISABLED_FOR_ORG"}]
    scripted.script(
        {"action": "status", "status": 200, "body": "<html>maintenance</html>", "match": {"path": "/limits$"}},
        {"action": "status", "status": 403, "body": disabled, "match": {"path": "/query"}},
    )
    assert scripted.client.get(f"{V}/limits").text == "<html>maintenance</html>"
    denied = scripted.client.get(f"{V}/query", q="SELECT Id FROM Account")
    assert (denied.status_code, denied.json()) == (403, disabled)


def test_quota_exhausted_is_403_as_recorded(scripted: Scripted) -> None:
    scripted.script({"action": "quota_exhausted"})
    answer = scripted.client.get(f"{V}/limits")
    assert (answer.status_code, answer.json()) == (
        403,
        [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}],
    )


def test_the_real_allocation_runs_out_too(scripted: Scripted) -> None:
    limit = {"limit": "DailyApiRequests"}
    scripted.client("POST", "/__demo__/settings", json=limit | {"used": 99_999})
    answers = [scripted.client.get(f"{V}/limits") for _ in "ab"]
    scripted.client("POST", "/__demo__/settings", json=limit | {"used": 0})
    assert [answer.status_code for answer in answers] == [200, 403]
    assert answers[0].headers["Sforce-Limit-Info"] == "api-usage=100000/100000"


@pytest.mark.parametrize("cut", [0, 1000])
def test_a_dropped_connection_is_an_error_for_the_client(scripted: Scripted, cut: int) -> None:
    path = finished_job(scripted) + "/results"
    scripted.script({"action": "drop_connection", "bytes": cut, "match": {**RESULTS, "times": 1}})
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        # A pooled connection that breaks before the answer would be tried again by urllib3 otherwise.
        _ = requests.get(
            scripted.org.url + path,
            headers={"Authorization": f"Bearer {scripted.org.access_token}"},
            verify=scripted.org.ca_file,
            timeout=10,
        ).content
    assert scripted.log()[-1]["bytes"] == cut
    assert scripted.client.get(path).headers["Sforce-NumberOfRecords"] == str(ACCOUNTS)


def test_a_truncated_gzip_is_whole_for_http(scripted: Scripted) -> None:
    path = finished_job(scripted) + "/results"
    whole = scripted.client("GET", path, stream=True).raw.read(decode_content=False)
    scripted.script({"action": "truncate_gzip", "match": RESULTS})
    answer = scripted.client("GET", path, stream=True)
    cut = answer.raw.read(decode_content=False)
    assert len(cut) == int(answer.headers["Content-Length"]) == len(whole) // 2
    assert whole.startswith(cut)
    with pytest.raises(EOFError):
        gzip.GzipFile(fileobj=io.BytesIO(cut)).read()


def test_row_counts_and_rows_may_disagree(scripted: Scripted) -> None:
    path = finished_job(scripted) + "/results"
    scripted.script({"action": "wrong_row_count", "rows": -5})
    answer = scripted.client.get(path)
    assert (answer.headers["Sforce-NumberOfRecords"], answer.text.count("\n")) == (str(ACCOUNTS - 5), ACCOUNTS + 1)
    scripted.script({"action": "drop_rows", "rows": 7})
    answer = scripted.client.get(path)
    assert (answer.headers["Sforce-NumberOfRecords"], answer.text.count("\n")) == (str(ACCOUNTS), ACCOUNTS - 6)


def test_headers_of_pages_may_be_wrong(scripted: Scripted) -> None:
    path = finished_job(scripted) + "/results"
    right = scripted.client.get(path).text.splitlines()
    got = {}
    for kind in ("missing", "repeated", "reversed"):
        scripted.script({"action": "change_header", "header": kind})
        got[kind] = scripted.client.get(path).text.splitlines()
    assert got["missing"] == right[1:]
    assert got["repeated"] == [*right[:-1], right[0], right[-1]]
    assert got["reversed"] == [",".join(line.split(",")[::-1]) for line in right]


def test_jobs_fail_come_empty_or_take_their_time(scripted: Scripted) -> None:
    client = scripted.client
    scripted.script(
        {"action": "job_failed", "message": "QUERY_TIMEOUT : too long", "match": {"object": "Account"}},
        {"action": "empty_result", "match": {"object": "Contact"}},
        {"action": "slow_job", "seconds": 0.3, "match": {"object": "ListView"}},
    )
    failed = client.finish(client.submit("SELECT Id FROM Account"))
    assert (failed["state"], failed["errorMessage"]) == ("Failed", "QUERY_TIMEOUT : too long")
    assert client.get(f"{V}/jobs/query/{failed['id']}/results").status_code == 400
    empty = client.finish(client.submit("SELECT Id FROM Contact"))
    assert (empty["state"], empty["numberRecordsProcessed"]) == ("JobComplete", 0)
    assert client.get(f"{V}/jobs/query/{empty['id']}/results").text == '"Id"\n'
    started = time.monotonic()
    slow = client.submit("SELECT Id FROM ListView")
    assert client.get(f"{V}/jobs/query/{slow}").json()["state"] == "UploadComplete"
    assert client.finish(slow)["state"] == "JobComplete"
    assert time.monotonic() - started >= 0.6


def test_a_slow_job_can_be_aborted(scripted: Scripted) -> None:
    client = scripted.client
    scripted.script({"action": "slow_job", "seconds": 30})
    job = client.submit("SELECT Id FROM Account")
    path = f"{V}/jobs/query/{job}"
    assert client("DELETE", path).status_code == 400
    assert client("PATCH", path, json={"state": "Open"}).status_code == 400
    assert client("PATCH", path, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert client.get(path).json()["state"] == "Aborted"
    assert client("PATCH", path, json={"state": "Aborted"}).status_code == 400
    assert client("DELETE", path).status_code == 204


def test_a_field_disappears_between_describe_and_query(scripted: Scripted) -> None:
    client = scripted.client
    scripted.script(
        {"action": "hide_field", "object": "Account", "field": "Phone", "match": {"path": "/describe$", "nth": 2}}
    )
    seen = []
    for _ in range(2):
        fields = client.get(f"{V}/sobjects/Account/describe").json()["fields"]
        seen.append("Phone" in [field["name"] for field in fields])
    assert seen == [True, False]
    answer = client.get(f"{V}/query", q="SELECT Phone FROM Account")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_FIELD")
    scripted.script()
    assert client.get(f"{V}/query", q="SELECT Phone FROM Account LIMIT 1").status_code == 200


def test_an_object_disappears(scripted: Scripted) -> None:
    client = scripted.client
    scripted.script({"action": "hide_object", "object": "Contact"})
    assert client.get(f"{V}/sobjects/Contact/describe").status_code == 404
    answer = client.get(f"{V}/query", q="SELECT Id FROM Contact")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_TYPE")
    listed = client.get(f"{V}/sobjects").json()["sobjects"]
    assert "Contact" not in [each["name"] for each in listed]


def test_delay_and_slow_take_their_time(scripted: Scripted) -> None:
    for fault in ("delay", "slow"):
        scripted.script({"action": fault, "seconds": 0.3, "match": {"path": "/limits$"}})
        started = time.monotonic()
        assert scripted.client.get(f"{V}/limits").json()["DailyApiRequests"]["Max"] == 100_000
        assert 0.25 <= time.monotonic() - started < 5


def test_empty_query(scripted: Scripted) -> None:
    scripted.script({"action": "empty_result", "match": {"object": "Account"}})
    assert scripted.client.query("SELECT Id FROM Account") == {"totalSize": 0, "done": True, "records": []}
    assert scripted.client.query("SELECT Id FROM Contact")["totalSize"] >= 2


def test_expired_session_and_scripted_denial(scripted: Scripted) -> None:
    org = scripted.org
    form = {"grant_type": "client_credentials", "client_id": org.client_id, "client_secret": org.client_secret}
    token = requests.post(org.url + "/services/oauth2/token", data=form, verify=org.ca_file, timeout=10).json()
    header = {"Authorization": f"Bearer {token['access_token']}"}
    scripted.script({"action": "expire_session", "match": {"path": "/limits", "nth": 2}})
    codes = [scripted.client("GET", f"{V}/limits", headers=header).status_code for _ in range(3)]
    assert codes == [200, 401, 401]
    why = "user is not admin approved to access this app"
    scripted.script({"action": "oauth_error", "error": "invalid_app_access", "description": why})
    denied = requests.post(org.url + "/services/oauth2/token", data=form, verify=org.ca_file, timeout=10)
    assert (denied.status_code, denied.json()) == (
        400,
        {"error": "invalid_app_access", "error_description": why},
    )


def test_a_permission_withdrawn_while_a_job_waits_fails_the_job(scripted: Scripted) -> None:
    client = scripted.client
    slow = {"action": "slow_job", "seconds": 0.5}
    hide = {"action": "hide_field", "object": "Account", "field": "Fax", "match": {"path": "/jobs/query/\\w+$"}}
    scripted.script(slow, hide)
    job = client.submit("SELECT Id, Fax FROM Account")
    finished = client.finish(job)
    assert finished["state"] == "Failed"
    assert "INVALID_FIELD" in finished["errorMessage"]
    assert "Fax" in finished["errorMessage"]


def test_a_fault_finds_the_further_pages_of_an_objects_query(scripted: Scripted) -> None:
    first = scripted.client.query("SELECT Id FROM Account")
    match = {"object": "Account", "path": "/query/"}
    scripted.script({"action": "status", "status": 503, "match": match})
    assert scripted.client.get(first["nextRecordsUrl"]).status_code == 503


def test_side_by_side_requests_do_not_disturb_each_other(scripted: Scripted) -> None:
    def work(number: int) -> int:
        client = Client(scripted.org)
        job = client.submit("SELECT Id, Name FROM Account")
        first = client.query("SELECT Id, Name FROM Account ORDER BY Id")
        rest = client.get(first["nextRecordsUrl"]).json()
        created = client("POST", f"{V}/sobjects/Contact", json={"LastName": f"Side {number}"})
        assert created.status_code == 201
        assert client.finish(job)["state"] == "JobComplete"
        rows = client.get(f"{V}/jobs/query/{job}/results").text.count("\n") - 1
        return rows if rows == len(first["records"]) + len(rest["records"]) else -1

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(work, range(12))) == {ACCOUNTS}
    assert scripted.client.query("SELECT COUNT() FROM Contact WHERE LastName LIKE 'Side %'")["totalSize"] == 12
