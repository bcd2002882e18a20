"""The session's promises: read-only, one refresh, retries of what may be repeated, nothing secret in an error."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from data_contracts.errors import AuthenticationError, OrgUnreachableError, QuotaError, ReadOnlyError, SalesforceError
from resources.salesforce.bulk import BulkApi
from resources.salesforce.credentials import Credentials, Secret
from resources.salesforce.errors import oauth_error
from resources.salesforce.org import SalesforceOrg
from resources.salesforce.read_only import guard
from resources.salesforce.rest import RestApi
from resources.salesforce.session import OrgAdapter, OrgSession, RetryPolicy
from resources.salesforce.usage import attributed_to

URL = "https://acme.my.salesforce.com"
Answer = tuple[int, Any] | Exception


class Org(BaseAdapter):
    """Answers by script; token requests get a new token each."""

    def __init__(self, answers: Iterator[Answer]) -> None:
        super().__init__()
        self.answers, self.tokens, self.seen = answers, 0, list[requests.PreparedRequest]()
        self.lock = threading.Lock()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        with self.lock:
            if (request.url or "").endswith("/oauth2/token"):
                self.tokens += 1
                return respond(request, 200, {"access_token": f"00D!{self.tokens}", "instance_url": URL})
            self.seen.append(request)
            answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return respond(request, *answer)

    def close(self) -> None:
        """Nothing is open."""


def respond(request: requests.PreparedRequest, status: int, body: Any) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url, response.request = status, str(request.url), request
    response._content = body.content if body is Page else json.dumps(body).encode()
    response.headers["Sforce-Limit-Info"] = "api-usage=18/15000"
    return response


EXPIRED: Answer = (401, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}])
FINE: Answer = (200, {"ok": True})
Connect = Callable[..., tuple[OrgSession, Org]]


@pytest.fixture
def connect() -> Connect:
    def make(*answers: Answer) -> tuple[OrgSession, Org]:
        credentials = Credentials("client_credentials", URL, URL, "id", Secret("client-secret"))
        session = OrgSession(credentials, policy=RetryPolicy(attempts=3, sleep=lambda _: None))
        org = Org(iter(answers))
        session.mount("https://", org)
        return session, org

    return make


class Page:
    """What a proxy or another site sends: not JSON."""

    content = b"<html>Sign in to the guest network</html>"


@pytest.mark.parametrize("body", [Page, {"sub": "someone"}, ["list"]])
def test_a_host_that_is_no_org_is_named_and_never_pinned(connect: Connect, body: Any) -> None:
    session, _ = connect((200, body))
    org = SalesforceOrg(session, "62.0", RestApi(session, "62.0"), BulkApi(session, "62.0"))
    with pytest.raises(SalesforceError, match=r"acme.my.salesforce.com does not answer like Salesforce") as caught:
        org.identity()
    assert "guest network" not in str(caught.value)


@pytest.mark.parametrize("verb", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "/services/data/v62.0/sobjects/Account/001",
        "/services/data/v62.0/composite",
        "/services/data/v62.0/jobs/ingest",
        "/services/data/v62.0/jobs/query/750/../../sobjects/Account",
        "/services/apexrest/jobs/query",
        "/services/oauth2/revoke",
    ],
)
def test_a_write_never_reaches_the_network(verb: str, path: str, connect: Connect) -> None:
    session, org = connect(FINE)
    with pytest.raises(ReadOnlyError):
        session.request(verb, URL + path, json={"Name": "secret value"})
    assert (org.seen, org.tokens) == ([], 0)


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", "/services/data/v62.0/sobjects/Account/001"),
        ("POST", "/services/data/v62.0/jobs/query"),
        ("PATCH", "/services/data/v62.0/jobs/query/750000000000001AAA"),
        ("DELETE", "/services/data/v62.0/jobs/query/750000000000001AAA"),
        ("POST", "/services/oauth2/token"),
    ],
)
def test_reading_and_query_jobs_pass_the_guard(verb: str, path: str) -> None:
    refused = None
    try:
        guard(verb, URL + path)
    except ReadOnlyError as error:
        refused = error
    assert refused is None


def test_an_expired_session_is_renewed_once(connect: Connect) -> None:
    session, org = connect(EXPIRED, FINE)
    assert session.read("/services/data", "test").json() == {"ok": True}
    assert [request.headers["Authorization"] for request in org.seen] == ["Bearer 00D!1", "Bearer 00D!2"]

    session, org = connect(EXPIRED, EXPIRED, FINE)
    with pytest.raises(AuthenticationError, match="INVALID_SESSION_ID"):
        session.read("/services/data", "test")
    assert org.tokens == 2


def test_many_threads_that_find_the_session_expired_ask_for_one_token(connect: Connect) -> None:
    session, org = connect()
    stale = session.tokens.current()
    threads = [threading.Thread(target=session.tokens.replace, args=(stale,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert org.tokens == 2


@pytest.mark.parametrize(
    "failure", [(503, []), (502, []), (429, []), requests.ConnectionError("x"), requests.ReadTimeout()]
)
def test_a_read_is_tried_again(failure: Answer, connect: Connect) -> None:
    session, org = connect(failure, failure, FINE)
    assert session.read("/services/data", "test").json() == {"ok": True}
    assert session.usage.rows()[-1].calls == 3


def test_a_job_creation_is_repeated_only_when_it_cannot_have_happened(connect: Connect) -> None:
    path = URL + "/services/data/v62.0/jobs/query"
    session, org = connect((503, []), FINE)
    session.request("POST", path, json={})
    assert len(org.seen) == 2
    session, org = connect(requests.ReadTimeout(), FINE)
    with pytest.raises(OrgUnreachableError):
        session.request("POST", path, json={})
    assert len(org.seen) == 1


def test_the_token_goes_to_its_own_instance_only(connect: Connect) -> None:
    session, org = connect(FINE)
    session.request("GET", "https://elsewhere.example/services/data")
    assert "Authorization" not in org.seen[0].headers


def test_refusals_name_what_was_asked_and_the_remedy(connect: Connect) -> None:
    quota = (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}])
    session, _ = connect(quota)
    with pytest.raises(QuotaError, match=r"count Account[\s\S]*24 hours") as caught:
        RestApi(session, "62.0").count("Account")
    assert (caught.value.code, caught.value.status) == ("REQUEST_LIMIT_EXCEEDED", 403)

    text = "\nSELECT Id FROM Account WHERE Name = 'Mrs Private'\n ^\nERROR at Row:1:Column:8\nNo such column 'X'"
    session, _ = connect((400, [{"errorCode": "INVALID_FIELD", "message": text}]))
    with pytest.raises(SalesforceError) as other:
        RestApi(session, "62.0").count("Account")
    assert "No such column 'X'" in str(other.value)
    assert "Private" not in str(other.value)


def test_a_query_whose_pages_lack_a_row_fails(connect: Connect) -> None:
    session, _ = connect((200, {"totalSize": 2, "done": True, "records": [{"Id": "1"}]}))
    with pytest.raises(SalesforceError, match="announced 2 rows and its pages held 1"):
        list(RestApi(session, "62.0").query("SELECT Id FROM Account"))


def test_decimals_are_not_read_as_floats(connect: Connect) -> None:
    session, org = connect()
    body = b'{"totalSize": 1, "done": true, "records": [{"Amount": 90071992547409931.17}]}'
    org.answers = iter([FINE])
    real = org.send

    def send(request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        response = real(request, *args, **kwargs)
        if not str(request.url).endswith("token"):
            response._content = body
        return response

    org.send = send  # type: ignore[method-assign]
    (page,) = RestApi(session, "62.0").query("SELECT Amount FROM Opportunity")
    assert page == [{"Amount": "90071992547409931.17"}]


def test_usage_is_attributed_and_taken_once(connect: Connect) -> None:
    session, _ = connect(FINE, FINE)
    session.tokens.current()
    with attributed_to("account"):
        session.read("/services/data/v62.0/sobjects/Account/describe", "test")
    session.read("/services/data/v62.0/limits", "test")
    assert [(entry.object_name, entry.endpoint, entry.calls) for entry in session.usage.take("account")] == [
        ("account", "describe", 1)
    ]
    assert {(entry.object_name, entry.endpoint) for entry in session.usage.take()} == {("", "oauth"), ("", "limits")}
    assert (session.usage.org_used, session.usage.org_allowed) == (18, 15000)


def test_the_configured_bundle_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/somewhere/else.pem")

    def send(self: Any, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        seen.append(kwargs)
        return respond(request, 200, {})

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    session = requests.Session()
    session.mount("https://", OrgAdapter("/our/ca.pem"))
    session.get("https://localhost:8443/x")
    assert (seen[0]["verify"], seen[0]["proxies"]) == ("/our/ca.pem", {})


@pytest.mark.parametrize(
    ("error", "description", "remedy"),
    [
        ("invalid_grant", "user hasn't approved this consumer", "pre-authorized"),
        ("invalid_grant", "no client credentials user enabled", "Run As"),
        ("invalid_grant", "expired access/refresh token", "crosswalk connect"),
        ("invalid_grant", "Audience validation failed", "My Domain"),
        ("invalid_grant", "authentication failure", "Login History"),
        ("invalid_client", "app must be installed into org", "Install"),
        ("invalid_client", "invalid client credentials", "consumer secret"),
        ("invalid_client_id", "client identifier invalid", "consumer key"),
        ("invalid_app_access", "user is not admin approved to access this app", "permission set"),
        ("OAUTH_APP_BLOCKED", "this app is blocked by admin", "Unblock"),
        ("something_new", "never seen", "Login History"),
    ],
)
def test_what_salesforce_says_leads_to_what_an_admin_clicks(error: str, description: str, remedy: str) -> None:
    response = requests.Response()
    response.status_code = 400
    response._content = json.dumps({"error": error, "error_description": description}).encode()
    message = str(oauth_error(response))
    for words in (error, description, remedy, "crosswalk preflight"):
        assert words in message
