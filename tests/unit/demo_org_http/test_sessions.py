import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from apps.demo_org.assertions import subject_of_assertion
from apps.demo_org.connected_app import ConnectedApp
from apps.demo_org.errors import OAuthError
from apps.demo_org.sessions import AuthorizationCode, Sessions

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
APP = ConnectedApp.make(KEY.public_key(), run_as="admin@example.com")
HOSTS = frozenset({"localhost"})


def assertion(key: Any = KEY, **claims: Any) -> str:
    # A time is a function: parameters are made when tests are collected, long before some of them run.
    claims = {name: value() if callable(value) else value for name, value in claims.items()}
    whole = {"iss": APP.client_id, "sub": "admin@example.com", "aud": "https://localhost:1", "exp": time.time() + 60}
    return jwt.encode({**whole, **claims}, key, algorithm="RS256")


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": lambda: int(time.time()) + 300},
        {"exp": lambda: int(time.time() * 1000) + 300_000},
        {"exp": lambda: f"{time.time() + 300:.0f}"},
        {"aud": "http://localhost:18080/"},
        {"aud": "https://login.salesforce.com"},
        {"aud": "https://test.salesforce.com/"},
        {"aud": "login.salesforce.com"},
        {"aud": "https://acme--uat.sandbox.my.salesforce.com"},
        {"aud": ["https://demo.my.salesforce.com/services/oauth2/token"]},
    ],
)
def test_assertions_of_real_clients_are_accepted(claims: dict[str, Any]) -> None:
    assert subject_of_assertion(assertion(**claims), APP, HOSTS) == "admin@example.com"


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"iss": "someone"}, "invalid_client_id: client identifier invalid"),
        ({"exp": time.time() - 10}, "invalid_grant: expired authorization code"),
        ({"exp": int((time.time() - 10) * 1000)}, "invalid_grant: expired authorization code"),
        ({"exp": "soon"}, "invalid_grant: invalid assertion"),
        ({"aud": "https://example.org"}, "invalid_grant: Audience validation failed"),
        ({"aud": "https://login.salesforce.com.example.org"}, "invalid_grant: Audience validation failed"),
        ({"key": rsa.generate_private_key(public_exponent=65537, key_size=2048)}, "invalid_grant: invalid assertion"),
    ],
)
def test_a_wrong_assertion_is_refused_in_salesforces_words(claims: dict[str, Any], error: str) -> None:
    with pytest.raises(OAuthError) as refused:
        subject_of_assertion(assertion(**claims), APP, HOSTS)
    assert str(refused.value) == error


def test_unsigned_and_symmetric_assertions_are_refused() -> None:
    claims = {"iss": APP.client_id, "sub": "x", "aud": "localhost", "exp": time.time() + 60}
    for forged in (jwt.encode(claims, "", algorithm="none"), jwt.encode(claims, "k" * 32, algorithm="HS256"), "no.t"):
        with pytest.raises(OAuthError, match="invalid assertion"):
            subject_of_assertion(forged, APP, HOSTS)


def test_tokens_look_as_the_salesforce_cli_wants_them_and_can_be_revoked() -> None:
    sessions = Sessions("00D5g000004abcDEAQ")
    token = sessions.issue("005000000000001AAA", "admin@example.com").token
    assert re.fullmatch(r"(00D\w{12,15})![.\w]*", token)
    found = sessions.find(token)
    assert found is not None
    assert found.username == "admin@example.com"
    assert token not in repr(found)
    assert sessions.revoke(token)
    assert sessions.find(token) is None
    assert not sessions.revoke(token)


ADMIN = ("005000000000001AAA", "admin@example.com")


def test_of_many_who_use_a_refresh_token_or_code_at_once_one_gets_on() -> None:
    sessions = Sessions("00D5g000004abcDEAQ")
    for _ in range(20):
        refresh = sessions.issue_refresh(*ADMIN, APP.client_id, "api refresh_token")
        code = sessions.issue_code(AuthorizationCode(APP.client_id, "", *ADMIN, "api", "", time.time()))
        with ThreadPoolExecutor(8) as pool:
            following = list(pool.map(lambda _, old=refresh: sessions.rotate(old), range(8)))
            taken = list(pool.map(lambda _, word=code: sessions.take_code(word), range(8)))
        assert [each.grant for each in following if each is not None] == [refresh.grant]
        assert sum(isinstance(each, AuthorizationCode) for each in taken) == 1
        assert set(taken) - {"expired authorization code"} == {e for e in taken if isinstance(e, AuthorizationCode)}


def test_ending_one_approval_leaves_the_others() -> None:
    sessions = Sessions("00D5g000004abcDEAQ")
    ended, kept = (sessions.issue_refresh(*ADMIN, APP.client_id, "api") for _ in range(2))
    tokens = [sessions.issue(*ADMIN, grant=each.grant).token for each in (ended, ended, kept)]
    assert sessions.revoke(ended.token)
    assert [sessions.find(token) is not None for token in tokens] == [False, False, True]
    assert sessions.find_refresh(ended.token) is None
    assert sessions.find_refresh(kept.token) == kept
    assert kept.token not in repr(kept)
