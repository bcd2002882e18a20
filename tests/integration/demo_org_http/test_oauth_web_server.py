"""The web-server flow as a browser and a program walk it, refresh tokens, their rotation and revocation."""

import base64
import hashlib
import re
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from apps.demo_org.launch import DemoOrg
from tests.support.demo_org_client import Scripted, V

CALLBACK = "http://localhost:4711/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
DEFAULTS: dict[str, dict[str, Any]] = {
    "app": {
        "kind": "connected_app",
        "state": "installed",
        "permitted_users": "admin_approved",
        "pre_authorised": None,
        "scopes": ["api", "refresh_token", "web", "id"],
        "require_pkce": False,
        "require_secret": False,
    },
    "security": {"session_lifetime": None, "refresh_token_lifetime": None, "refresh_token_rotation": False},
}


class Form(HTMLParser):
    """The fields of the page's form, as a browser would send them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action, self.fields, self.buttons = "", dict[str, str](), list[str]()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = found["action"]
        elif tag == "input":
            self.fields[found["name"]] = found.get("value", "")
        elif tag == "button":
            self.buttons.append(found["value"])


class Browser:
    """A browser at the sign-in page, and the app behind its callback."""

    def __init__(self, org: DemoOrg) -> None:
        self.org, self.session = org, requests.Session()

    def open(self, **more: str) -> requests.Response:
        asked = {
            "response_type": "code",
            "client_id": self.org.client_id,
            "redirect_uri": CALLBACK,
            "state": "s&1=",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **more,
        }
        return self.send("GET", "/services/oauth2/authorize", params=asked)

    def answer(self, page: requests.Response, decision: str = "allow", **fields: str) -> requests.Response:
        form = Form(page.text)
        return self.send("POST", form.action, data={**form.fields, **fields, "decision": decision})

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(
            method, self.org.url + path, verify=self.org.ca_file, timeout=10, allow_redirects=False, **more
        )

    def sign_in(self, **more: str) -> str:
        """Allow the app and return the code."""
        found = back(self.answer(self.open(**more), username=self.org.username))
        assert found.keys() == {"code", "state"}
        return found["code"]

    def tokens(self, **form: str) -> requests.Response:
        return self.send("POST", "/services/oauth2/token", data={"client_id": self.org.client_id, **form})

    def exchange(self, code: str, **more: str) -> requests.Response:
        form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER, "code": code}
        return self.tokens(**form | more)

    def connect(self, **more: str) -> dict[str, str]:
        found: dict[str, str] = self.exchange(self.sign_in(**more)).json()
        return found

    def refresh(self, token: str) -> requests.Response:
        return self.tokens(grant_type="refresh_token", refresh_token=token)

    def works(self, token: str) -> bool:
        headers = {"Authorization": f"Bearer {token}"}
        return self.send("GET", f"{V}/sobjects", headers=headers).status_code == 200


def back(response: requests.Response) -> dict[str, str]:
    """What the redirect to the app carries."""
    assert response.status_code == 302, response.text
    assert response.headers["Location"].startswith(CALLBACK + "?")
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}


def said(response: requests.Response) -> tuple[str, str]:
    body = response.json()
    assert response.status_code == 400
    return body["error"], body["error_description"]


@pytest.fixture
def browser(scripted: Scripted) -> Browser:
    return Browser(scripted.org)


@pytest.fixture
def settings(scripted: Scripted) -> Iterator[Any]:
    def change(**body: Any) -> None:
        answer = scripted.client("POST", "/__demo__/settings", json=body)
        assert answer.status_code == 200, answer.text

    yield change
    change(**DEFAULTS)


def test_allowing_the_app_gives_tokens_that_work(browser: Browser) -> None:
    page = browser.open()
    assert page.status_code == 200
    assert Form(page.text).buttons == ["allow", "deny"]
    found = back(browser.answer(page, username=browser.org.username))
    assert found["state"] == "s&1="
    tokens = browser.exchange(found["code"]).json()
    assert set(tokens["scope"].split()) == {"api", "refresh_token", "web", "id"}
    assert tokens["instance_url"] == browser.org.url
    assert tokens["refresh_token"].startswith("5Aep861")
    assert browser.works(tokens["access_token"])
    refreshed = browser.refresh(tokens["refresh_token"]).json()
    assert "refresh_token" not in refreshed
    assert refreshed["access_token"] != tokens["access_token"]
    assert browser.works(refreshed["access_token"])


def test_a_program_may_post_the_decision_without_the_page(browser: Browser) -> None:
    asked = {
        "response_type": "code",
        "client_id": browser.org.client_id,
        "redirect_uri": CALLBACK,
        "username": browser.org.username,
        "decision": "allow",
    }
    found = back(browser.send("POST", "/services/oauth2/authorize", data=asked))
    assert browser.works(browser.exchange(found["code"], code_verifier="").json()["access_token"])


def test_denying_sends_the_documented_error_back(browser: Browser) -> None:
    found = back(browser.answer(browser.open(), decision="deny", username=browser.org.username))
    assert (found["error"], found["state"]) == ("access_denied", "s&1=")


def test_an_unknown_user_is_asked_again(browser: Browser) -> None:
    for who in ("nobody@example.com", "gone@demo.example.com", '"><script>alert(1)</script>'):
        again = browser.answer(browser.open(), username=who)
        assert again.status_code == 200
        assert "check your username" in again.text
        assert "<script>" not in again.text


def test_a_signed_in_browser_is_asked_again_only_where_told_to(browser: Browser, settings: Any) -> None:
    browser.sign_in()
    assert "code" in back(browser.open())
    login = browser.open(prompt="login")
    assert "username" in Form(login.text).fields
    consent = browser.open(prompt="consent")
    assert "username" not in Form(consent.text).fields
    assert "code" in back(browser.answer(consent))
    stranger = Browser(browser.org)
    assert "username" in Form(stranger.open().text).fields


@pytest.mark.parametrize(
    ("uri", "taken"),
    [
        ("http://localhost:1/x", True),
        ("http://127.0.0.1:65000/", True),
        ("http://[::1]:8080/cb", True),
        ("http://localhost", True),
        ("https://login.salesforce.com/services/oauth2/success", True),
        ("https://localhost:1/x", False),
        ("http://localhost.example.com/x", False),
        ("http://localhost:1@example.com/", False),
        ("https://example.com/cb", False),
        ("", False),
    ],
)
def test_only_registered_callbacks_are_taken(browser: Browser, uri: str, taken: bool) -> None:
    page = browser.open(redirect_uri=uri)
    assert page.status_code == (200 if taken else 400)
    wrong = "error=redirect_uri_mismatch&error_description=redirect_uri%20must%20match%20configuration"
    assert (page.text == wrong) is not taken


def test_an_unknown_app_is_told_so_on_the_page(browser: Browser) -> None:
    page = browser.open(client_id="3MVG9unknown")
    assert (page.status_code, page.text) == (
        400,
        "error=invalid_client_id&error_description=client%20identifier%20invalid",
    )


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"scope": "api wave_api"}, ("invalid_scope", "the requested scope is not allowed")),
        ({"response_type": "token"}, ("unsupported_response_type", "response type not supported")),
        ({"code_challenge_method": "plain"}, ("invalid_request", "invalid code challenge method")),
    ],
)
def test_a_wrong_request_goes_back_to_the_app(browser: Browser, asked: dict[str, str], error: tuple[str, str]) -> None:
    found = back(browser.open(**asked))
    assert (found["error"], found["error_description"]) == error


def test_an_app_that_requires_pkce_refuses_without(browser: Browser, settings: Any) -> None:
    settings(app={"require_pkce": True})
    found = back(browser.open(code_challenge=""))
    assert (found["error"], found["error_description"]) == ("invalid_request", "missing required code challenge")


def test_a_narrower_scope_is_granted_alone(browser: Browser) -> None:
    tokens = browser.connect(scope="id web")
    assert tokens["scope"] == "id web"
    assert "refresh_token" not in tokens
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    refused = browser.send("GET", f"{V}/sobjects", headers=headers)
    assert refused.status_code == 401
    assert refused.json() == [
        {"message": "This session is not valid for use with the REST API", "errorCode": "INVALID_SESSION_ID"}
    ]
    assert browser.send("GET", "/services/oauth2/userinfo", headers=headers).status_code == 200


def test_a_code_works_once_and_with_its_own_verifier_and_callback_only(browser: Browser) -> None:
    code = browser.sign_in()
    assert browser.exchange(code).status_code == 200
    assert said(browser.exchange(code)) == ("invalid_grant", "expired authorization code")
    assert said(browser.exchange("aPrxnothing==")) == ("invalid_grant", "invalid authorization code")
    for verifier in ("w" * 64, ""):
        refused = browser.exchange(browser.sign_in(prompt="login"), code_verifier=verifier)
        assert said(refused) == ("invalid_grant", "invalid code verifier")
    moved = browser.exchange(browser.sign_in(prompt="login"), redirect_uri="http://localhost:1/other")
    assert said(moved) == ("redirect_uri_mismatch", "redirect_uri must match configuration")
    foreign = browser.exchange(browser.sign_in(prompt="login"), client_id="PlatformCLI")
    assert said(foreign) == ("invalid_grant", "invalid authorization code")


def test_a_code_is_short_lived(browser: Browser, settings: Any) -> None:
    settings(security={"authorization_code_lifetime": 0.01})
    code = browser.sign_in()
    time.sleep(0.05)
    assert said(browser.exchange(code)) == ("invalid_grant", "expired authorization code")
    settings(security={"authorization_code_lifetime": 900})


def test_a_secret_is_checked_where_given_and_asked_for_where_required(browser: Browser, settings: Any) -> None:
    wrong = ("invalid_client", "invalid client credentials")
    assert said(browser.exchange(browser.sign_in(), client_secret="x")) == wrong
    secret = browser.org.client_secret
    assert browser.exchange(browser.sign_in(prompt="login"), client_secret=secret).status_code == 200
    settings(app={"require_secret": True})
    assert said(browser.exchange(browser.sign_in(prompt="login"))) == wrong


def test_rotation_replaces_the_refresh_token_at_each_use(browser: Browser, settings: Any) -> None:
    settings(security={"refresh_token_rotation": True})
    first = browser.connect()["refresh_token"]
    second = browser.refresh(first).json()
    assert second["refresh_token"] != first
    assert said(browser.refresh(first)) == ("invalid_grant", "expired access/refresh token")
    third = browser.refresh(second["refresh_token"]).json()
    assert browser.works(second["access_token"])
    assert browser.works(third["access_token"])
    browser.send("POST", "/services/oauth2/revoke", data={"token": third["refresh_token"]})
    assert not browser.works(second["access_token"])


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_revoking_a_refresh_token_ends_what_it_gave(browser: Browser, method: str) -> None:
    tokens, other = browser.connect(), browser.connect(prompt="login")
    again = browser.refresh(tokens["refresh_token"]).json()
    where = {"params" if method == "GET" else "data": {"token": tokens["refresh_token"]}}
    assert browser.send(method, "/services/oauth2/revoke", **where).status_code == 200
    assert said(browser.refresh(tokens["refresh_token"])) == ("invalid_grant", "expired access/refresh token")
    assert not browser.works(tokens["access_token"])
    assert not browser.works(again["access_token"])
    assert browser.works(other["access_token"])
    assert browser.send(method, "/services/oauth2/revoke", **where).status_code == 400


def test_revoking_an_access_token_leaves_the_refresh_token(browser: Browser) -> None:
    tokens = browser.connect()
    browser.send("POST", "/services/oauth2/revoke", data={"token": tokens["access_token"]})
    assert not browser.works(tokens["access_token"])
    assert browser.works(browser.refresh(tokens["refresh_token"]).json()["access_token"])


def test_tokens_end_with_their_lifetimes(browser: Browser, settings: Any) -> None:
    tokens = browser.connect()
    settings(security={"session_lifetime": 0.2})
    fresh = browser.refresh(tokens["refresh_token"]).json()["access_token"]
    assert browser.works(fresh)
    time.sleep(0.25)
    assert not browser.works(fresh)
    settings(security={"session_lifetime": None, "refresh_token_lifetime": 0.01})
    assert said(browser.refresh(tokens["refresh_token"])) == ("invalid_grant", "expired access/refresh token")


def test_introspection_knows_both_kinds_of_token(browser: Browser) -> None:
    tokens = browser.connect()
    pair = {"client_id": browser.org.client_id, "client_secret": browser.org.client_secret}
    for kind in ("access_token", "refresh_token"):
        shown = browser.send("POST", "/services/oauth2/introspect", data={**pair, "token": tokens[kind]}).json()
        assert (shown["active"], shown["token_type"], shown["username"]) == (True, kind, browser.org.username)


def test_the_clis_own_app_signs_in_without_secret(browser: Browser) -> None:
    code = browser.sign_in(client_id="PlatformCLI", redirect_uri=CALLBACK)
    tokens = browser.exchange(code, client_id="PlatformCLI").json()
    again = browser.tokens(client_id="PlatformCLI", grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert browser.works(again.json()["access_token"])
    assert said(browser.refresh(tokens["refresh_token"]))[0] == "invalid_grant"


def test_single_access_signs_a_browser_in_once(browser: Browser) -> None:
    token = browser.connect()["access_token"]
    found = browser.send(
        "POST",
        "/services/oauth2/singleaccess",
        headers={"Authorization": f"Bearer {token}"},
        data={"redirect_uri": "/x"},
    ).json()["frontdoor_uri"]
    stranger = Browser(browser.org)
    path = found.removeprefix(browser.org.url)
    assert re.search(r"startURL=%2Fx$", path)
    assert browser.org.username in stranger.send("GET", path).text
    assert "code" in back(stranger.open())
    assert stranger.send("GET", path).status_code == 403


def test_nothing_of_a_token_or_code_is_in_the_request_log(browser: Browser, scripted: Scripted, tmp_path: Path) -> None:
    code = browser.sign_in(prompt="login")
    tokens = browser.exchange(code).json()
    browser.send("GET", "/services/oauth2/revoke", params={"token": tokens["refresh_token"]})
    written = "\n".join(str(line) for line in scripted.log())
    assert "/services/oauth2/revoke" in written
    for secret in (code, tokens["access_token"], tokens["refresh_token"], VERIFIER):
        assert secret not in written
