"""SOAP sign-in with username and password, by hand and by an unmodified simple-salesforce under real host names."""

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed

from apps.demo_org.launch import DemoOrg
from tests.support.connect_redirector import connect_redirector
from tests.support.demo_org_client import Scripted

PARTNER = "{urn:partner.soap.sforce.com}"
ENVELOPE = """<?xml version="1.0" encoding="utf-8"?>
<se:Envelope xmlns:se="http://schemas.xmlsoap.org/soap/envelope/"><se:Header>{header}</se:Header>
<se:Body>{body}</se:Body></se:Envelope>"""


def call(org: DemoOrg, body: str, path: str = "u/60.0", header: str = "") -> requests.Response:
    return requests.post(
        f"{org.url}/services/Soap/{path}",
        data=ENVELOPE.format(header=header, body=body).encode(),
        headers={"Content-Type": "text/xml", "SOAPAction": "login"},
        verify=org.ca_file,
        timeout=10,
    )


def login(org: DemoOrg, username: str, password: str, path: str = "u/60.0") -> requests.Response:
    return call(
        org, f'<login xmlns="urn:partner.soap.sforce.com"><username>{username}</username>'
        f"<password>{password}</password></login>", path,
    )  # fmt: skip


@pytest.fixture
def unmodified(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoOrg]:
    """What an unmodified client needs of its surroundings: a proxy and a certificate authority."""
    with connect_redirector(int(scripted.org.url.rpartition(":")[2])) as proxy:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", scripted.org.ca_file)
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        yield scripted.org


@pytest.mark.parametrize("path", ["u/60.0", "u/60.0/", "c/59.0"])
def test_the_answer_is_the_documented_one(scripted: Scripted, path: str) -> None:
    org = scripted.org
    answer = login(org, org.username, org.password, path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/xml;charset=UTF-8")
    root = ElementTree.fromstring(answer.text)
    space = PARTNER if path.startswith("u") else "{urn:enterprise.soap.sforce.com}"
    found = {each.tag.removeprefix(space): each.text for each in root.iter()}
    assert (found["userName"], found["organizationId"]) == (org.username, org.org_id)
    assert found["serverUrl"] == f"{org.url}/services/Soap/{path.rstrip('/')}/{org.org_id}"
    assert (found["sandbox"], found["passwordExpired"]) == ("false", "false")
    headers = {"Authorization": f"Bearer {found['sessionId']}"}
    who = requests.get(f"{org.url}/services/oauth2/userinfo", headers=headers, verify=org.ca_file, timeout=10)
    assert who.json()["user_id"] == found["userId"]


@pytest.mark.parametrize(
    ("username", "password"),
    [("{me}", "wrong"), ("{me}", ""), ("nobody@example.com", "{right}"), ("gone@demo.example.com", "{right}")],
)
def test_a_wrong_login_is_a_fault(scripted: Scripted, username: str, password: str) -> None:
    org = scripted.org
    answer = login(org, username.format(me=org.username), password.format(right=org.password))
    assert answer.status_code == 500
    text = ElementTree.fromstring(answer.text).findtext(".//{urn:fault.partner.soap.sforce.com}exceptionCode")
    assert text == "INVALID_LOGIN"
    assert "sf:exceptionCode" in answer.text


def test_logout_ends_the_session_and_other_calls_are_unknown(scripted: Scripted) -> None:
    org = scripted.org
    found = re.search(r"<sessionId>(.*?)</sessionId>", login(org, org.username, org.password).text)
    assert found is not None
    header = f"<SessionHeader><sessionId>{found[1]}</sessionId></SessionHeader>"
    assert call(org, "<logout/>", header=header).status_code == 200
    assert "INVALID_SESSION_ID" in call(org, "<logout/>", header=header).text
    assert call(org, "<describeLayout/>").status_code == 500
    assert call(org, "<login/>", "x/60.0").status_code == 404
    assert call(org, "<login/>", "u/20.0").status_code == 404


def test_no_login_without_api(scripted: Scripted) -> None:
    org = scripted.org
    for setting, code, later in (
        ({"api_enabled": False}, "API_DISABLED_FOR_ORG", "API_DISABLED_FOR_ORG"),
        ({"login_ip_ranges": ["10.0.0.0/8"]}, "LOGIN_MUST_USE_SECURITY_TOKEN", "INVALID_SESSION_ID"),
    ):
        scripted.client("POST", "/__demo__/settings", json={"security": setting})
        refused = login(org, org.username, org.password)
        header = f"<SessionHeader><sessionId>{org.access_token}</sessionId></SessionHeader>"
        other = call(org, "<undelete><ids>001000000000000AAA</ids></undelete>", header=header)
        scripted.client("POST", "/__demo__/settings", json={"security": {"api_enabled": True, "login_ip_ranges": []}})
        assert (refused.status_code, f"<faultcode>sf:{code}</faultcode>" in refused.text) == (500, True)
        assert (other.status_code, f"<faultcode>sf:{later}</faultcode>" in other.text) == (500, True)


@pytest.mark.parametrize(
    "more",
    [
        {"security_token": "{token}"},
        {"organizationId": "{org}"},
        {"consumer_key": "{key}", "consumer_secret": "{secret}"},
    ],
)
def test_simple_salesforce_signs_in_with_a_password(unmodified: DemoOrg, more: dict[str, Any]) -> None:
    org = unmodified
    known = {"token": org.security_token, "org": org.org_id, "key": org.client_id, "secret": org.client_secret}
    signed_in = Salesforce(
        username=org.username, password=org.password, **{name: value.format(**known) for name, value in more.items()}
    )
    assert signed_in.sf_instance == "demo.my.salesforce.com"
    assert signed_in.query("SELECT COUNT() FROM Contact")["totalSize"] == 2


def test_simple_salesforce_reads_the_fault(unmodified: DemoOrg) -> None:
    with pytest.raises(SalesforceAuthenticationFailed, match=r"INVALID_LOGIN\): Invalid username, password"):
        Salesforce(username=unmodified.username, password="wrong", security_token="")
