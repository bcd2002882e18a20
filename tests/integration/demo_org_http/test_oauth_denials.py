"""Every documented denial as the consequence of something an admin decided, at the place where it shows."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from tests.integration.demo_org_http.test_oauth_web_server import DEFAULTS, Browser, back, said
from tests.support.demo_org_client import Scripted, V

ADA = "ada@demo.example.com"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
NOT_APPROVED = "user is not admin approved to access this app"
NOT_IN_ORG = "External client app is not installed in this org"
RESTORED: dict[str, Any] = {
    "app": {**DEFAULTS["app"], "allow_listed": True, "enforce_ip": True},
    "security": {"api_enabled": True, "api_access_control": False, "login_ip_ranges": []},
}


class Admin:
    """Setup pages, and every way to sign in."""

    def __init__(self, scripted: Scripted) -> None:
        self.org, self.client = scripted.org, scripted.client
        self.browser = Browser(scripted.org)

    def set(self, **body: Any) -> dict[str, Any]:
        answer = self.client("POST", "/__demo__/settings", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def do(self, action: str, **more: Any) -> Any:
        answer = self.client("POST", "/__demo__/execute", json={"do": action, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def jwt(self, username: str | None = None, audience: str | None = None) -> requests.Response:
        claims = {
            "iss": self.org.client_id,
            "sub": username or self.org.username,
            "aud": audience or self.org.url,
            "exp": int(time.time()) + 60,
        }
        signed = jwt.encode(claims, Path(self.org.private_key_file).read_text(), algorithm="RS256")
        return self.browser.tokens(grant_type=JWT_BEARER, assertion=signed)

    def client_credentials(self, **headers: str) -> requests.Response:
        form = {"grant_type": "client_credentials", "client_id": self.org.client_id}
        form["client_secret"] = self.org.client_secret
        return self.browser.send("POST", "/services/oauth2/token", data=form, headers=headers)

    def web(self, username: str | None = None) -> dict[str, str]:
        """Sign in on the page; what comes back to the app."""
        page = self.browser.open(prompt="login")
        return back(self.browser.answer(page, username=username or self.org.username))

    def call(self, token: str, path: str = f"{V}/sobjects") -> requests.Response:
        return self.browser.send("GET", path, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def admin(scripted: Scripted) -> Iterator[Admin]:
    found = Admin(scripted)
    yield found
    found.set(**RESTORED)
    found.set(app={"run_as": scripted.org.username})


@pytest.mark.parametrize(
    ("state", "program", "browser"),
    [
        ("blocked", ("OAUTH_APP_BLOCKED", "this app is blocked by admin"), "OAUTH_APP_BLOCKED"),
        ("missing", ("app_not_found", NOT_IN_ORG), "OAUTH_EC_APP_NOT_FOUND"),
        ("not_installed", ("invalid_client", "app must be installed into org"), "invalid_client"),
    ],
)
def test_an_app_the_org_does_not_let_in(admin: Admin, state: str, program: tuple[str, str], browser: str) -> None:
    refresh = admin.browser.connect(prompt="login")["refresh_token"]
    admin.set(app={"state": state})
    found = admin.web()
    assert (found["error"], found["error_description"]) == (browser, program[1])
    for answer in (admin.jwt(), admin.client_credentials(), admin.browser.refresh(refresh)):
        assert said(answer) == program
    admin.set(app={"state": "installed"})
    assert admin.browser.refresh(refresh).status_code == 200


def test_whoever_may_approve_uninstalled_apps_needs_no_installation(admin: Admin) -> None:
    admin.set(app={"state": "not_installed"})
    admin.do("set_system_permission", permission="ApproveUninstalledConnectedApps")
    assert admin.jwt().status_code == 200
    assert "code" in admin.web()
    admin.do("set_system_permission", permission="ApproveUninstalledConnectedApps", granted=False)
    assert said(admin.jwt())[0] == "invalid_client"


def test_only_pre_authorised_users_by_name_permission_set_or_profile(admin: Admin) -> None:
    admin.do("create_permission_set", name="Crosswalk_User", label="Crosswalk User")
    admin.set(app={"pre_authorised": ["Crosswalk_User"]})
    refused = admin.web(ADA)
    assert (refused["error"], refused["error_description"]) == ("OAUTH_APP_ACCESS_DENIED", NOT_APPROVED)
    assert said(admin.jwt(ADA)) == ("invalid_app_access", NOT_APPROVED)
    admin.do("assign_permission_set", permission_set="Crosswalk_User", user=ADA)
    assert admin.jwt(ADA).status_code == 200
    assert "code" in admin.web(ADA)
    assert said(admin.jwt())[0] == "invalid_app_access"
    assert admin.client_credentials().status_code == 200
    admin.do("unassign_permission_set", permission_set="Crosswalk_User", user=ADA)
    assert said(admin.jwt(ADA))[0] == "invalid_app_access"
    for allowed in ([ADA], ["System Administrator"]):
        admin.set(app={"pre_authorised": allowed})
        assert admin.jwt(ADA).status_code == 200


def test_self_authorised_users_approve_in_a_browser_first(admin: Admin) -> None:
    admin.set(app={"permitted_users": "all"})
    assert said(admin.jwt(ADA)) == ("invalid_grant", "user hasn't approved this consumer")
    code = admin.web(ADA)["code"]
    assert admin.jwt(ADA).status_code == 200
    refresh = admin.browser.exchange(code).json()["refresh_token"]
    admin.browser.send("POST", "/services/oauth2/revoke", data={"token": refresh})
    assert said(admin.jwt(ADA)) == ("invalid_grant", "user hasn't approved this consumer")


def test_client_credentials_need_a_run_as_user_and_the_orgs_own_host(admin: Admin) -> None:
    login = admin.client_credentials(Host="login.salesforce.com")
    assert said(login) == ("invalid_grant", "request not supported on this domain")
    admin.set(app={"run_as": ADA})
    token = admin.client_credentials().json()["access_token"]
    assert admin.call(token, "/services/oauth2/userinfo").json()["preferred_username"] == ADA
    for nobody in (None, "gone@demo.example.com"):
        admin.set(app={"run_as": nobody})
        assert said(admin.client_credentials()) == ("invalid_grant", "no client credentials user enabled")


def test_the_audience_of_an_external_client_app_is_its_my_domain(admin: Admin) -> None:
    assert said(admin.jwt(audience="https://example.org")) == ("invalid_grant", "Audience validation failed")
    admin.set(app={"kind": "external_client_app"})
    for host in ("https://login.salesforce.com", "https://test.salesforce.com/"):
        assert said(admin.jwt(audience=host)) == ("app_not_found", NOT_IN_ORG)
    assert admin.jwt(audience="https://demo.my.salesforce.com").status_code == 200


def test_an_app_without_a_scope_cannot_ask_for_it_and_gets_on_without(admin: Admin) -> None:
    admin.set(app={"scopes": ["id", "web"]})
    asked = back(admin.browser.open(scope="api"))
    assert (asked["error"], asked["error_description"]) == ("invalid_scope", "the requested scope is not allowed")
    token = admin.jwt().json()["access_token"]
    refused = admin.call(token)
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")


def test_networks_the_org_does_not_allow(admin: Admin) -> None:
    token = admin.jwt().json()["access_token"]
    admin.set(security={"login_ip_ranges": ["10.0.0.0/8"]})
    refused = ("invalid_grant", "ip restricted or invalid login hours")
    assert said(admin.jwt()) == refused
    assert said(admin.client_credentials()) == refused
    assert tuple(admin.web().values())[:2] == refused
    assert admin.call(token).json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    admin.set(app={"enforce_ip": False})
    assert admin.call(token).status_code == 200
    admin.set(app={"enforce_ip": True}, security={"login_ip_ranges": ["10.0.0.0/8", "127.0.0.0/8"]})
    assert admin.jwt().status_code == 200


def test_api_access_control_looks_like_an_expired_session(admin: Admin) -> None:
    token = admin.jwt().json()["access_token"]
    admin.set(app={"allow_listed": False}, security={"api_access_control": True})
    assert admin.jwt().status_code == 200
    assert (admin.call(token).status_code, admin.call(token).headers["WWW-Authenticate"]) == (401, "Token")
    admin.set(app={"allow_listed": True})
    assert admin.call(token).status_code == 200


def test_api_disabled_for_the_org_or_the_user(admin: Admin) -> None:
    wanted = [{"message": "The REST API is not enabled for this Organization.", "errorCode": "API_DISABLED_FOR_ORG"}]
    token = admin.jwt().json()["access_token"]
    admin.set(security={"api_enabled": False})
    assert (admin.call(token).status_code, admin.call(token).json()) == (403, wanted)
    assert admin.call(token, "/services/oauth2/userinfo").status_code == 200
    admin.set(security={"api_enabled": True})
    admin.do("set_system_permission", permission="ApiEnabled", granted=False)
    assert (admin.call(token).status_code, admin.call(token).json()) == (403, wanted)
    admin.do("set_system_permission", permission="ApiEnabled")
    assert admin.call(token).status_code == 200


def test_a_deactivated_user_cannot_come_back(admin: Admin) -> None:
    page = admin.browser.answer(admin.browser.open(prompt="login"), username=ADA)
    tokens = admin.browser.exchange(back(page)["code"]).json()
    refresh = tokens["refresh_token"]
    assert admin.call(tokens["access_token"]).status_code == 200
    admin.do("update_where", object="User", where=f"Username = '{ADA}'", values={"IsActive": False})
    assert said(admin.browser.refresh(refresh)) == ("invalid_grant", "inactive user")
    assert admin.call(tokens["access_token"]).status_code == 401
    admin.do("update_where", object="User", where=f"Username = '{ADA}'", values={"IsActive": True})
    assert admin.browser.refresh(refresh).status_code == 200


def test_password_grant(admin: Admin) -> None:
    pair = {"client_secret": admin.org.client_secret, "grant_type": "password", "username": ADA}
    for password in (admin.org.password, admin.org.password + admin.org.security_token):
        token = admin.browser.tokens(**pair, password=password).json()["access_token"]
        assert admin.call(token).status_code == 200
    assert said(admin.browser.tokens(**pair, password="x")) == ("invalid_grant", "authentication failure")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"app": {"state": "gone"}}, "app.state"),
        ({"app": {"colour": "red"}}, "app.colour"),
        ({"app": {"client_id": "3MVG9other"}}, "app.client_id"),
        ({"security": {"session_lifetime": -1}}, "security.session_lifetime"),
        ({"security": {"login_ip_ranges": ["everywhere"]}}, "security.login_ip_ranges"),
    ],
)
def test_a_setting_that_does_not_fit_is_named_and_changes_nothing(
    admin: Admin, body: dict[str, Any], named: str
) -> None:
    before = admin.set(app={})
    refused = admin.client("POST", "/__demo__/settings", json=body)
    assert (refused.status_code, named in refused.json()[0]["message"]) == (400, True)
    after = admin.set(app={})
    assert (after["app"], after["security"]) == (before["app"], before["security"])
