"""Signing in, every way and wrongly: one message that says what, why and what to click; no secret in it."""

import socket
from pathlib import Path

import pytest

from apps.demo_org.launch import DemoOrg
from data_contracts.errors import AuthenticationError, CrosswalkError, OrgUnreachableError
from data_contracts.settings import Settings
from resources.salesforce import SalesforceOrg
from tests.support.mirror import QUICK

GRANTS = ("jwt", "client_credentials", "access_token")


def _environment(org: DemoOrg, **more: str) -> dict[str, str]:
    whole = org.environment() | {
        "SALESFORCE_USERNAME": org.username,
        "SALESFORCE_PRIVATE_KEY_FILE": org.private_key_file,
        "SALESFORCE_ACCESS_TOKEN": org.access_token,
    }
    return whole | {f"SALESFORCE_{name}": value for name, value in more.items()}


def _connect(environment: dict[str, str]) -> SalesforceOrg:
    return SalesforceOrg.connect(Settings().connection, environment, store=None, policy=QUICK)


@pytest.mark.parametrize("grant", GRANTS)
def test_every_grant_leads_to_the_same_org(grant: str, still_org: DemoOrg, monkeypatch: pytest.MonkeyPatch) -> None:
    # What a corporate machine may have set must not get in the way of the org's own authority.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    org = _connect(_environment(still_org, AUTH=grant))
    assert (org.identity().org_id, org.identity().username) == (still_org.org_id, still_org.username)
    limit = org.limits().get("DailyApiRequests")
    assert limit is not None
    assert 0 < limit.left <= limit.allowed


def test_wrong_sign_ins_say_what_to_mend_and_no_secret(still_org: DemoOrg, tmp_path: Path) -> None:
    other_key = tmp_path / "other.key"
    other_key.write_text("not a key")
    other_key.chmod(0o600)
    wrong = {
        "consumer secret": {"CLIENT_SECRET": "not-the-secret"},
        "consumer key": {"CLIENT_ID": "not-the-client"},
        "RSA private key": {"AUTH": "jwt", "PRIVATE_KEY_FILE": str(other_key)},
        "SALESFORCE_USERNAME": {"AUTH": "jwt", "USERNAME": "nobody@example.com"},
    }
    for words, changed in wrong.items():
        with pytest.raises(CrosswalkError) as caught:
            _connect(_environment(still_org, **changed))
        message = str(caught.value)
        assert words in message, words
        assert "crosswalk preflight" in message
        assert "not-the-secret" not in message
        assert still_org.client_secret not in message


def test_a_wrong_access_token_is_refused(still_org: DemoOrg) -> None:
    token = still_org.org_id[:15] + "!AQEAQwrong"
    with pytest.raises(AuthenticationError, match="SALESFORCE_ACCESS_TOKEN") as caught:
        _connect(_environment(still_org, AUTH="access_token", ACCESS_TOKEN=token)).identity()
    assert token not in str(caught.value)


def test_an_org_that_does_not_answer_is_unreachable(still_org: DemoOrg) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(OrgUnreachableError, match=f"localhost:{port}"):
        _connect(_environment(still_org, INSTANCE_URL=f"https://localhost:{port}"))


def test_a_certificate_of_another_authority_is_named(still_org: DemoOrg) -> None:
    environment = _environment(still_org)
    del environment["SALESFORCE_CA_BUNDLE"]
    with pytest.raises(OrgUnreachableError, match="SALESFORCE_CA_BUNDLE"):
        _connect(environment)
