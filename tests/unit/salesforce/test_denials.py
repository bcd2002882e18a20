"""Every documented refusal ends in one message: what Salesforce said, what it means, what an admin clicks."""

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from data_contracts.errors import AuthenticationError, QuotaError
from resources.salesforce.denials import DENIALS, Denial, as_markdown
from resources.salesforce.errors import api_error, denied, oauth_error

DOCS = Path(__file__).parents[3] / "docs" / "connecting.md"

#: The issue's list, as Salesforce says it; (code, description) → words of meaning and remedy.
DOCUMENTED = [
    ("OAUTH_APP_BLOCKED", "this app is blocked by admin", ["blocked", "Connected Apps OAuth Usage", "Unblock"]),
    ("invalid_client", "app must be installed into org", ["not installed", "Install"]),
    ("OAUTH_APPROVAL_ERROR_GENERIC", "An unexpected error has occurred", ["not installed", "Install"]),
    ("OAUTH_EC_APP_NOT_FOUND", "External client app is not installed in this org", ["External Client App Manager"]),
    ("app_not_found", "External client app is not installed in this org", ["External Client App Manager"]),
    ("app_not_found", "", ["login.salesforce.com", "My Domain"]),
    ("invalid_app_access", "user is not admin approved to access this app", ["approved", "Permission Sets", "assign"]),
    ("OAUTH_APP_ACCESS_DENIED", "user is not admin approved to access this app", ["Permission Set Assignments"]),
    ("invalid_grant", "user hasn't approved this consumer", ["pre-authorised", "Permitted Users"]),
    ("invalid_grant", "no client credentials user enabled", ["Run As"]),
    ("invalid_grant", "expired access/refresh token", ["revoked", "crosswalk connect"]),
    ("invalid_grant", "Audience validation failed", ["wrong URL", "My Domain"]),
    ("invalid_grant", "ip restricted or invalid login hours", ["network address", "Login IP Ranges"]),
    ("invalid_grant", "invalid code verifier", ["PKCE"]),
    ("invalid_client_id", "client identifier invalid", ["consumer key", "SALESFORCE_CLIENT_ID"]),
    ("invalid_client", "invalid client credentials", ["consumer secret", "SALESFORCE_CLIENT_SECRET"]),
    ("invalid_scope", "the requested scope is not allowed", ["scope", "OAuth Settings"]),
    ("access_denied", "end-user denied authorization", ["pressed Deny", "Allow"]),
    ("redirect_uri_mismatch", "redirect_uri must match configuration", ["callback URL", "Callback URL"]),
]
CALLS = [
    (401, "INVALID_SESSION_ID", "Session expired or invalid", ["API access control", "API Access Control"]),
    (403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization.", ["API Enabled", "Setup > "]),
    (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", ["24 hours", "Company Information"]),
    (403, "Wrong_Org", "", ["another org", "SALESFORCE_INSTANCE_URL"]),
    (403, "INSUFFICIENT_ACCESS", "insufficient access rights on object id", ["permission", "Setup > Permission Sets"]),
]


def answer(status: int, body: Any) -> requests.Response:
    response = requests.Response()
    response.status_code, response._content = status, json.dumps(body).encode()
    return response


@pytest.mark.parametrize(("code", "said", "words"), DOCUMENTED)
def test_a_refused_sign_in(code: str, said: str, words: list[str]) -> None:
    error = oauth_error(answer(400, {"error": code, "error_description": said}))
    for word in [code, said, *words, "crosswalk preflight"]:
        assert word in str(error), word
    assert (error.code, error.status) == (code, 400)
    assert str(denied(code, said)) == str(error)


@pytest.mark.parametrize(("status", "code", "said", "words"), CALLS)
def test_a_refused_call(status: int, code: str, said: str, words: list[str]) -> None:
    error = api_error(answer(status, [{"errorCode": code, "message": said}]), "count Account")
    for word in ["count Account", code, said, *words]:
        assert word in str(error), word
    expected = QuotaError if code == "REQUEST_LIMIT_EXCEEDED" else AuthenticationError
    assert isinstance(error, expected) or code == "INSUFFICIENT_ACCESS"


@pytest.mark.parametrize("denial", DENIALS, ids=lambda item: f"{item.code}-{item.words}")
def test_no_entry_hides_behind_another(denial: Denial) -> None:
    if denial.stage == "sign-in":
        error = oauth_error(answer(400, {"error": denial.code, "error_description": denial.said}))
        assert error.why == denial.meaning
        assert denial.remedy in error.next_step
    else:
        refused = api_error(answer(403, [{"errorCode": denial.code, "message": denial.said}]), "read")
        assert refused.why == denial.meaning
        assert denial.remedy in refused.next_step


def test_what_nobody_documented_keeps_salesforces_words() -> None:
    message = str(oauth_error(answer(400, {"error": "new_word", "error_description": "never seen"})))
    assert "new_word" in message
    assert "never seen" in message
    assert "Login History" in message
    refused = str(api_error(answer(418, [{"errorCode": "TEAPOT", "message": "short and stout"}]), "pour"))
    assert "TEAPOT, short and stout" in refused


def test_a_page_of_a_proxy_is_no_denial() -> None:
    response = requests.Response()
    response.status_code, response._content = 407, b"<html>secret intranet page</html>"
    message = str(oauth_error(response))
    assert "HTTP 407" in message
    assert "intranet" not in message


def test_the_documentation_has_exactly_this_table() -> None:
    assert as_markdown() in DOCS.read_text(encoding="utf-8")
