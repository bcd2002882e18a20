import re
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from apps.demo_org.launch import DemoOrg
from tests.support.demo_org_client import Client, V

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def post(org: DemoOrg, path: str = "token", base: str | None = None, **more: Any) -> requests.Response:
    return requests.post(f"{base or org.url}/services/oauth2/{path}", verify=org.ca_file, timeout=10, **more)


def assertion(org: DemoOrg, **claims: Any) -> str:
    whole = {"iss": org.client_id, "sub": org.username, "aud": org.url, "exp": f"{time.time() + 60:.0f}", **claims}
    return jwt.encode(whole, Path(org.private_key_file).read_text(), algorithm="RS256")


def works(org: DemoOrg, token: str) -> bool:
    answer = requests.get(
        f"{org.url}{V}/limits", headers={"Authorization": f"Bearer {token}"}, verify=org.ca_file, timeout=10
    )
    return answer.status_code == 200


def test_the_ready_line_is_complete(org: DemoOrg) -> None:
    assert re.fullmatch(r"https://localhost:\d+", org.url)
    assert re.fullmatch(r"(00D\w{12,15})![.\w]*", org.access_token)
    assert len(org.org_id) == 18
    assert all(Path(path).is_absolute() and Path(path).exists() for path in (org.ca_file, org.private_key_file))
    assert works(org, org.access_token)


def test_jwt_bearer_without_client_id(org: DemoOrg) -> None:
    answer = post(org, data={"grant_type": JWT_BEARER, "assertion": assertion(org)})
    body = answer.json()
    assert answer.status_code == 200
    assert {"access_token", "scope", "instance_url", "id", "token_type"} <= body.keys()
    assert (body["instance_url"], body["token_type"]) == (org.url, "Bearer")
    assert works(org, body["access_token"])


@pytest.mark.parametrize("basic", [True, False])
def test_client_credentials_by_basic_or_form(org: DemoOrg, basic: bool) -> None:
    data = {"grant_type": "client_credentials"}
    pair = {"client_id": org.client_id, "client_secret": org.client_secret}
    answer = post(org, data=data, auth=tuple(pair.values())) if basic else post(org, data=data | pair)
    assert works(org, answer.json()["access_token"])


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "client_credentials", "client_id": "x"}, ("invalid_client_id", "client identifier invalid")),
        (
            {"grant_type": "client_credentials", "client_secret": "x"},
            ("invalid_client", "invalid client credentials"),
        ),
        ({"grant_type": "password"}, ("invalid_grant", "authentication failure")),
        ({}, ("unsupported_grant_type", "grant type not supported")),
        ({"grant_type": JWT_BEARER, "assertion": "x"}, ("invalid_grant", "invalid assertion")),
    ],
)
def test_denials_have_the_recorded_bodies(org: DemoOrg, form: dict[str, str], error: tuple[str, str]) -> None:
    right = {"client_id": org.client_id, "client_secret": org.client_secret}
    answer = post(org, data={**right, **form})
    assert answer.status_code == 400
    assert answer.json() == dict(zip(("error", "error_description"), error, strict=True))


def test_a_user_who_is_unknown_or_inactive_has_not_approved_the_app(org: DemoOrg) -> None:
    for who in ("nobody@example.com", "gone@demo.example.com", "x' OR Username != '"):
        answer = post(org, data={"grant_type": JWT_BEARER, "assertion": assertion(org, sub=who)})
        assert answer.json() == {"error": "invalid_grant", "error_description": "user hasn't approved this consumer"}


def test_instance_url_is_the_host_the_client_used(org: DemoOrg) -> None:
    form = {"grant_type": JWT_BEARER, "assertion": assertion(org, aud="https://login.salesforce.com")}
    answer = post(org, data=form, headers={"Host": "login.salesforce.com"})
    assert answer.json()["instance_url"] == "https://demo.my.salesforce.com"
    plain = post(org, base=org.http_url, data={"grant_type": JWT_BEARER, "assertion": assertion(org)})
    assert plain.json()["instance_url"] == org.http_url


def test_identity_and_userinfo(org: DemoOrg, client: Client) -> None:
    info = client.get("/services/oauth2/userinfo").json()
    assert (info["organization_id"], info["preferred_username"]) == (org.org_id, org.username)
    identity_url = client.get(V).json()["identity"]
    identity = client.get(identity_url.removeprefix(org.url)).json()
    assert (identity["organization_id"], identity["username"]) == (org.org_id, org.username)
    recorded = {
        "id", "asserted_user", "user_id", "organization_id", "username", "nick_name", "display_name", "email",
        "email_verified", "first_name", "last_name", "timezone", "photos", "addr_street", "addr_city", "addr_state",
        "addr_country", "addr_zip", "mobile_phone", "mobile_phone_verified", "is_lightning_login_user", "status",
        "urls", "active", "user_type", "language", "locale", "utcOffset", "last_modified_date", "is_app_installed",
    }  # fmt: skip
    assert set(identity) == recorded
    by_query = requests.get(
        identity_url, params={"format": "json", "oauth_token": org.access_token}, verify=org.ca_file, timeout=10
    )
    assert by_query.json() == identity
    assert client.get(f"/id/00D000000000000AAA/{identity['user_id']}").status_code == 403


@pytest.mark.parametrize("path", ["/services/oauth2/userinfo", "/id/00D000000000000AAA/005000000000000AAA"])
def test_identity_services_refuse_a_bad_token_in_one_word(client: Client, path: str) -> None:
    for token, word in (("Bearer nothing", "Bad_OAuth_Token"), ("", "Missing_OAuth_Token")):
        answer = client("GET", path, headers={"Authorization": token})
        assert (answer.status_code, answer.text) == (403, word)


def test_introspect_and_revoke(org: DemoOrg) -> None:
    token = post(org, data={"grant_type": JWT_BEARER, "assertion": assertion(org)}).json()["access_token"]
    pair = {"client_id": org.client_id, "client_secret": org.client_secret}
    shown = post(org, "introspect", data={**pair, "token": token}).json()
    assert (shown["active"], shown["username"]) == (True, org.username)
    assert post(org, "revoke", data={"token": token}).status_code == 200
    assert not works(org, token)
    assert post(org, "introspect", data={**pair, "token": token}).json() == {"active": False}
    assert post(org, "revoke", data={"token": token}).status_code == 400
