"""What an admin can forbid, really forbidden in the demo org: one message each, no secret, no second try too many."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from data_contracts.errors import AuthenticationError, CrosswalkError, QuotaError, SalesforceError
from tests.integration.connection.conftest import Place
from tests.support.demo_org_client import Scripted

MakePlace = Callable[..., Place]
Admin = Callable[..., None]

#: State of the app or the org, way to sign in, what Salesforce says, what the message has to lead to.
STATES: list[tuple[dict[str, Any], dict[str, Any], str, str, str]] = [
    ({"state": "blocked"}, {}, "jwt", "OAUTH_APP_BLOCKED", "Unblock"),
    ({"state": "not_installed"}, {}, "client_credentials", "app must be installed into org", "Install"),
    ({"state": "missing"}, {}, "client_credentials", "app_not_found", "External Client App Manager"),
    ({"pre_authorised": ["x@y.example"]}, {}, "jwt", "invalid_app_access", "Permission Set Assignments"),
    ({"permitted_users": "all"}, {}, "jwt", "user hasn't approved this consumer", "Permitted Users"),
    ({"run_as": None}, {}, "client_credentials", "no client credentials user enabled", "Run As"),
    ({}, {"login_ip_ranges": ["10.0.0.0/8"]}, "jwt", "ip restricted", "Login IP Ranges"),
]


@pytest.mark.parametrize(("app", "security", "grant", "said", "click"), STATES)
def test_a_sign_in_that_is_forbidden(
    app: dict[str, Any], security: dict[str, Any], grant: str, said: str, click: str,
    place: MakePlace, admin: Admin, scripted: Scripted,
) -> None:  # fmt: skip
    admin(app, **security)
    before = len(scripted.log())
    with pytest.raises(AuthenticationError) as caught:
        place(grant).org()
    one_message(caught.value, scripted, said, click)
    assert len(scripted.log()) == before + 1


@pytest.mark.parametrize(
    ("security", "said", "click"),
    [
        ({"api_enabled": False}, "API_DISABLED_FOR_ORG", "API Enabled"),
        ({"api_access_control": True}, "INVALID_SESSION_ID", "API Access Control"),
    ],
)
def test_a_call_that_is_forbidden(
    security: dict[str, Any], said: str, click: str, place: MakePlace, admin: Admin, scripted: Scripted
) -> None:
    org = place("client_credentials").org()
    admin({"allow_listed": False}, **security)
    before = len(scripted.log())
    with pytest.raises(AuthenticationError) as caught:
        org.count("Account")
    one_message(caught.value, scripted, said, click)
    paths = [entry["path"].rpartition("/")[2] or "query" for entry in scripted.log()[before:]]
    # One new token is tried where that may help, and then no more.
    assert paths == (["query"] if said == "API_DISABLED_FOR_ORG" else ["query", "token", "query"])


def test_the_quota_is_gone(place: MakePlace, scripted: Scripted) -> None:
    org = place("jwt").org()
    scripted.script({"action": "quota_exhausted", "match": {"path": "/query"}})
    try:
        with pytest.raises(QuotaError) as caught:
            org.count("Account")
    finally:
        scripted.script()
    one_message(caught.value, scripted, "REQUEST_LIMIT_EXCEEDED", "Company Information")


@pytest.mark.parametrize(
    ("error", "description", "click"),
    [
        ("invalid_grant", "Audience validation failed", "My Domain"),
        ("invalid_scope", "the requested scope is not allowed", "Scopes"),
        ("invalid_client_id", "client identifier invalid", "Consumer Key"),
        ("something_new", "nobody wrote this down", "Login History"),
    ],
)
def test_what_the_demo_org_cannot_be_set_up_to_say(
    error: str, description: str, click: str, place: MakePlace, scripted: Scripted
) -> None:
    scripted.script({"action": "oauth_error", "error": error, "description": description})
    try:
        with pytest.raises(AuthenticationError) as caught:
            place("client_credentials").org()
    finally:
        scripted.script()
    one_message(caught.value, scripted, error, click)
    assert description in str(caught.value)


def test_a_refresh_token_that_expired(place: MakePlace, admin: Admin, scripted: Scripted) -> None:
    here = place()
    here.connect()
    admin(refresh_token_lifetime=0.001)
    with pytest.raises(AuthenticationError) as caught:
        here.org()
    one_message(caught.value, scripted, "expired access/refresh token", "crosswalk connect")


def test_a_session_that_ends_in_the_middle_is_renewed(place: MakePlace, admin: Admin, scripted: Scripted) -> None:
    for grant in ("jwt", "client_credentials"):
        org = place(grant).org()
        stale = org.session.tokens.current()
        assert scripted.client("POST", "/__demo__/expire_sessions", json={}).status_code == 200
        assert org.count("Account") == 1
        assert org.session.tokens.current() is not stale


@pytest.mark.parametrize("grant", ["client_credentials", "refresh_token"])
def test_however_many_notice_the_end_of_a_session_one_asks_for_a_new_one(
    grant: str, place: MakePlace, admin: Admin, scripted: Scripted
) -> None:
    admin(refresh_token_rotation=True)
    here = place(grant)
    here.connect()
    org = here.org()
    assert scripted.client("POST", "/__demo__/expire_sessions", json={}).status_code == 200
    before = len(scripted.log())
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: org.count("Account"), range(16))) == {1}
    asked = [entry["path"] for entry in scripted.log()[before:]]
    assert asked.count("/services/oauth2/token") == 1


def one_message(error: CrosswalkError, scripted: Scripted, said: str, click: str) -> None:
    message = str(error)
    assert said in error.what
    assert error.why
    assert click in error.next_step
    assert isinstance(error, SalesforceError)
    stored = [scripted.org.client_secret, scripted.org.access_token]
    assert [secret for secret in stored if secret in message] == []
