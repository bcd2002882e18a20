"""Nothing that could change a record reaches the network, whatever method, address or library is used."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from requests.adapters import BaseAdapter
from simple_salesforce import Salesforce

from data_contracts.errors import ReadOnlyError
from resources.salesforce.credentials import Credentials
from resources.salesforce.read_only import guard
from resources.salesforce.secret import Secret
from resources.salesforce.session import OrgSession, RetryPolicy

URL = "https://acme.my.salesforce.com"
V = "/services/data/v62.0"


class Network(BaseAdapter):
    """Remembers what reached it; the first answer may be a redirect."""

    def __init__(self, location: str = "") -> None:
        super().__init__()
        self.seen: list[tuple[str, str]] = []
        self.location = location

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self.seen.append((str(request.method), str(request.url)))
        response = requests.Response()
        response.status_code, response.url, response.request = 200, str(request.url), request
        response._content = b"{}"
        if self.location and len(self.seen) == 1:
            response.status_code = 307
            response.headers["Location"] = self.location
        return response

    def close(self) -> None:
        """Nothing is open."""


def session(location: str = "") -> tuple[OrgSession, Network]:
    credentials = Credentials("access_token", URL, URL, access_token=Secret("00D000000000001!x"))
    made, network = OrgSession(credentials, policy=RetryPolicy(1, sleep=lambda _: None)), Network(location)
    made.mount("https://", network)
    return made, network


SEGMENTS = st.sampled_from(
    ["services", "data", "v62.0", "v58.0", "sobjects", "Account", "001000000000001AAA", "jobs", "query", "ingest",
     "750000000000001AAA", "composite", "tree", "analytics", "reports", "00O000000000001AAA", "instances", "oauth2",
     "token", "revoke", "authorize", "userinfo", "apexrest", "async", "Soap", "u", "tooling", "executeAnonymous",
     "actions", "process", "rules", "..", ".", "%2e%2e", "", "id", "00D000000000001AAA", "queryAll", "limits"]
)  # fmt: skip
PATHS = st.lists(SEGMENTS, max_size=8).map(lambda parts: "/" + "/".join(parts))
VERBS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "MERGE", "get", "Post"])


def changes_nothing(verb: str, path: str) -> bool:
    """The oracle, written the other way round: the few things that may be sent, part by part."""
    parts = path.strip("/").split("/") if not path.startswith("//") else ["?"]
    if any(part in ("..", "%2e%2e") for part in parts):
        return False
    data, rest = parts[:2] == ["services", "data"], parts[3:]
    match verb.upper():
        case "GET" | "HEAD":
            return data or parts == ["services", "oauth2", "userinfo"] or (parts[0] == "id" and len(parts) == 3)
        case "POST":
            run = len(rest) == 3 and rest[:2] == ["analytics", "reports"] and rest[2].startswith("00O")
            return parts == ["services", "oauth2", "token"] or (data and (rest == ["jobs", "query"] or run))
        case "PATCH" | "DELETE":
            return data and len(rest) == 3 and rest[:2] == ["jobs", "query"]
    return False


@given(VERBS, PATHS)
def test_the_guard_lets_through_only_what_reads(verb: str, path: str) -> None:
    try:
        guard(verb, URL + path)
    except ReadOnlyError:
        return
    assert changes_nothing(verb, path), (verb, path)


@given(VERBS, PATHS)
def test_what_the_guard_refuses_never_reaches_the_network(verb: str, path: str) -> None:
    made, network = session()
    try:
        made.request(verb, URL + path)
    except ReadOnlyError:
        assert network.seen == []
    else:
        assert changes_nothing(verb, path), (verb, path)


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", f"{V}/sobjects/Account/describe"),
        ("GET", f"{V}/query/"),
        ("GET", f"{V}/limits/"),
        ("GET", "/services/data"),
        ("GET", "/services/oauth2/userinfo"),
        ("GET", "/id/00D000000000001AAA/005000000000001AAA"),
        ("POST", f"{V}/jobs/query"),
        ("PATCH", f"{V}/jobs/query/750000000000001AAA"),
        ("DELETE", f"{V}/jobs/query/750000000000001AAA"),
        ("POST", f"{V}/analytics/reports/00O000000000001AAA"),
    ],
)
def test_what_a_sync_needs_passes(verb: str, path: str) -> None:
    made, network = session()
    made.request(verb, URL + path)
    assert [method for method, _ in network.seen] == [verb]


def prepared(verb: str, path: str, made: OrgSession) -> requests.Response:
    return made.send(requests.Request(verb, URL + path).prepare())


ENTRIES: dict[str, Callable[[OrgSession, Salesforce], Any]] = {
    "session.post": lambda made, _: made.post(f"{URL}{V}/sobjects/Account", json={"Name": "x"}),
    "session.put": lambda made, _: made.put(f"{URL}{V}/jobs/ingest/750000000000001AAA/batches", data="Id"),
    "session.patch": lambda made, _: made.patch(f"{URL}{V}/sobjects/Account/001000000000001AAA", json={}),
    "session.delete": lambda made, _: made.delete(f"{URL}{V}/sobjects/Account/001000000000001AAA"),
    "session.options": lambda made, _: made.options(f"{URL}{V}/sobjects/Account"),
    "session.send": lambda made, _: prepared("POST", f"{V}/sobjects/Account", made),
    "custom REST by GET": lambda made, _: made.get(f"{URL}/services/apexrest/anything"),
    "revoke by GET": lambda made, _: made.get(f"{URL}/services/oauth2/revoke?token=x"),
    "method in the address": lambda made, _: made.post(f"{URL}{V}/jobs/query?_HttpMethod=PATCH"),
    "method in a parameter": lambda made, _: made.post(f"{URL}{V}/jobs/query", params={"_HttpMethod": "DELETE"}),
    "method in a header": lambda made, _: made.get(f"{URL}{V}/limits", headers={"X-HTTP-Method-Override": "POST"}),
    "query that marks": lambda made, _: made.get(f"{URL}{V}/query", params={"q": "SELECT Id FROM Account FOR VIEW"}),
    "query that locks": lambda _, client: client.query("SELECT Id FROM Account LIMIT 1 FOR  update"),
    "job that marks": lambda made, _: made.post(f"{URL}{V}/jobs/query", json={"query": "SELECT Id FROM X for view"}),
    "create": lambda _, client: client.Account.create({"Name": "x"}),
    "update": lambda _, client: client.Account.update("001000000000001AAA", {"Name": "x"}),
    "upsert": lambda _, client: client.Account.upsert("Key__c/1", {"Name": "x"}),
    "delete": lambda _, client: client.Account.delete("001000000000001AAA"),
    "upload": lambda _, client: client.restful("composite/sobjects", method="POST", json={}),
    "apex": lambda _, client: client.apexecute("anything", method="POST", data={}),
    "apex by GET": lambda _, client: client.apexecute("anything"),
    "password": lambda _, client: client.set_password("005000000000001AAA", "x"),
    "bulk 1": lambda _, client: client.bulk.Account.insert([{"Name": "x"}]),
    "bulk 2": lambda _, client: client.bulk2.Account.insert(records=[{"Name": "x"}]),
    "tooling": lambda _, client: client.toolingexecute("executeAnonymous", method="POST", data={}),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_way_in_is_guarded(entry: str) -> None:
    made, network = session()
    client = Salesforce(instance_url=URL, session_id="x", session=made, version="62.0")
    with pytest.raises(ReadOnlyError):
        ENTRIES[entry](made, client)
    assert network.seen == []


def test_a_redirect_is_not_followed_to_a_write() -> None:
    made, network = session(f"{URL}{V}/sobjects/Account")
    with pytest.raises(ReadOnlyError):
        made.post(f"{URL}{V}/jobs/query", json={})
    assert len(network.seen) == 1


def test_words_in_a_literal_are_no_clause() -> None:
    made, network = session()
    made.get(f"{URL}{V}/query", params={"q": "SELECT Id FROM Account WHERE Name = 'Room for view \\'FOR UPDATE'"})
    assert len(network.seen) == 1
