"""What Salesforce says when it refuses, what that means and what an admin clicks to mend it.

Only the translation lives here; retrying and refreshing is ``resources.salesforce.session``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from data_contracts.errors import AuthenticationError, QuotaError, SalesforceError

PREFLIGHT = "then run: crosswalk preflight"


@dataclass(frozen=True)
class Denial:
    """One documented refusal: ``code`` and, where the code alone is ambiguous, words of its description."""

    code: str
    words: str
    meaning: str
    remedy: str


#: OAuth refusals; the first match of code and words counts, so general entries come last.
DENIALS = (
    Denial(
        "oauth_app_blocked",
        "",
        "an admin blocked the app",
        "Setup > Connected Apps OAuth Usage > the app > Unblock (or Install)",
    ),
    Denial(
        "invalid_client",
        "installed into org",
        "the app is not installed in this org and the user may not approve uninstalled apps",
        "Setup > Connected Apps OAuth Usage > the app > Install",
    ),
    Denial(
        "oauth_approval_error_generic",
        "",
        "the app is not installed in this org and the user may not approve uninstalled apps",
        "Setup > Connected Apps OAuth Usage > the app > Install",
    ),
    Denial(
        "oauth_ec_app_not_found",
        "",
        "the external client app is not installed in this org (a sandbox made before the app has none)",
        "install the app's package in this org: Setup > External Client App Manager",
    ),
    Denial(
        "app_not_found",
        "",
        "this host does not know the app (login.salesforce.com and test.salesforce.com know no external client app)",
        "set SALESFORCE_LOGIN_URL to the org's My Domain URL (Setup > My Domain)",
    ),
    Denial(
        "oauth_app_access_denied",
        "",
        "the user's profile or permission set is not assigned to the app",
        "Setup > External Client App Manager > the app > Policies: select the user's permission set",
    ),
    Denial(
        "invalid_app_access",
        "",
        "the user's profile or permission set is not assigned to the app",
        "Setup > External Client App Manager > the app > Policies: select the user's permission set",
    ),
    Denial(
        "invalid_grant",
        "hasn't approved",
        "the user is not pre-authorised for the app, or the org has no such user",
        "the app's policies: set Permitted Users to 'Admin approved users are pre-authorized' and assign "
        "the user's permission set; check SALESFORCE_USERNAME (sandboxes add a suffix)",
    ),
    Denial(
        "invalid_grant",
        "no client credentials user",
        "the client credentials flow has no Run As user",
        "the app's policies: enable the client credentials flow and choose a Run As user",
    ),
    Denial(
        "invalid_grant",
        "expired access/refresh token",
        "the refresh token was revoked or has expired",
        "sign in again: crosswalk connect",
    ),
    Denial(
        "invalid_grant",
        "audience",
        "the token was asked for at the wrong URL",
        "set SALESFORCE_LOGIN_URL to the org's My Domain URL (Setup > My Domain)",
    ),
    Denial(
        "invalid_grant",
        "invalid assertion",
        "the key does not fit the certificate uploaded to the app, or this machine's clock is wrong",
        "upload the certificate that belongs to SALESFORCE_PRIVATE_KEY_FILE; check the clock",
    ),
    Denial(
        "invalid_grant",
        "ip restricted",
        "the user may not sign in from this network address",
        "Setup > the user's profile > Login IP Ranges, or the app's policy: relax IP restrictions",
    ),
    Denial(
        "invalid_grant",
        "",
        "the user, the key or the password is not accepted; the user may be inactive or locked",
        "check SALESFORCE_USERNAME (sandboxes add a suffix) and Setup > Login History of that user",
    ),
    Denial(
        "invalid_client_id",
        "",
        "this org does not know the consumer key",
        "copy the consumer key from the app's settings into SALESFORCE_CLIENT_ID, and check that the URL is that org's",
    ),
    Denial(
        "invalid_client",
        "",
        "the consumer secret is wrong",
        "copy the consumer secret from the app's settings into SALESFORCE_CLIENT_SECRET",
    ),
    Denial(
        "invalid_scope",
        "",
        "the app does not grant a scope that was asked for",
        "the app's settings > OAuth scopes: add 'api' and 'refresh_token, offline_access'",
    ),
    Denial("access_denied", "", "the user pressed Deny", "run crosswalk connect again and press Allow"),
    Denial(
        "redirect_uri_mismatch",
        "",
        "the callback URL is not one of the app's",
        "the app's settings: add the callback URL that crosswalk connect shows",
    ),
    Denial(
        "unsupported_grant_type",
        "",
        "this way of signing in is switched off for the org or the app",
        "the app's settings > OAuth flows: enable the flow named by SALESFORCE_AUTH",
    ),
)

#: Refusals of an API call: what it means, what to do.
REFUSALS: Mapping[str, tuple[str, str]] = {
    "INVALID_SESSION_ID": (
        "the session expired, was revoked, belongs to another instance, is locked to another network address, "
        "or API access control blocks the app",
        "check Setup > Session Settings and API Access Control; with AUTH=access_token get a new token",
    ),
    "Bad_OAuth_Token": (
        "the session expired or was revoked",
        "with AUTH=access_token get a new token; otherwise run the command again",
    ),
    "Wrong_Org": ("the token belongs to another org", "check SALESFORCE_INSTANCE_URL"),
    "INVALID_AUTH_HEADER": ("the token does not have the form of a Salesforce token", "check SALESFORCE_ACCESS_TOKEN"),
    "API_DISABLED_FOR_ORG": (
        "the org's edition has no API, or the user lacks the permission 'API Enabled'",
        "give the user a permission set with 'API Enabled' (Professional Edition needs the API add-on)",
    ),
    "API_CURRENTLY_DISABLED": ("the org's API is switched off for now", "wait, or ask Salesforce support"),
    "REQUEST_LIMIT_EXCEEDED": (
        "the org has used up its API requests of the last 24 hours, or too many long requests run at once",
        "wait until calls of the last 24 hours expire (Setup > Company Information), then run the command again",
    ),
    "TXN_SECURITY_NO_ACCESS": ("a transaction security policy of the org forbids it", "exempt the integration user"),
    "INSUFFICIENT_ACCESS": ("the user lacks a permission on the object or record", "assign the permission set"),
    "INVALID_TYPE": (
        "the object does not exist in this org, or the user has no permission to read it",
        "check the object's name and the user's object permissions",
    ),
    "NOT_FOUND": ("the org knows no such resource", "check the name and the user's permissions"),
    "INVALID_FIELD": (
        "a field was deleted or renamed, or is hidden from the user by field-level security",
        "restore the field, or give the user's permission set read access to it, or take it out of crosswalk.yaml",
    ),
    "MALFORMED_QUERY": ("Salesforce cannot read the query", "check the condition in crosswalk.yaml"),
    "QUERY_TIMEOUT": ("the org took too long to answer", "narrow the selection, then run the command again"),
    "SERVER_UNAVAILABLE": ("the org is not available", "see https://status.salesforce.com, then run it again"),
}
QUOTA_CODES = frozenset({"REQUEST_LIMIT_EXCEEDED"})
#: A new token may help: the identity services have a word of their own for it.
EXPIRED_CODES = frozenset({"INVALID_SESSION_ID", "Bad_OAuth_Token"})
IDENTITY_CODES = EXPIRED_CODES | {
    "Wrong_Org",
    "INVALID_AUTH_HEADER",
    "API_DISABLED_FOR_ORG",
    "API_CURRENTLY_DISABLED",
}


def oauth_error(response: requests.Response) -> AuthenticationError:
    """Return the error for a refused token request: what Salesforce said, what it means, what to click."""
    body = _json(response)
    document = body if isinstance(body, dict) else {}
    code = str(document.get("error") or f"HTTP {response.status_code}")
    said = str(document.get("error_description") or "").strip()
    denial = next(
        (d for d in DENIALS if d.code == code.lower() and d.words in said.lower()),
        Denial(
            code, "", "Salesforce did not accept the sign-in", "check the app and the user in Setup > Login History"
        ),
    )
    return AuthenticationError(
        f"Salesforce refused the sign-in: {code}" + (f", {said!r}" if said else ""),
        why=denial.meaning,
        next_step=f"{denial.remedy}; {PREFLIGHT}",
        code=code,
        status=response.status_code,
    )


def api_error(response: requests.Response, action: str) -> SalesforceError:
    """Return the error for a refused API call; ``action`` says what was being done, without values."""
    code, said = error_of(response)
    meaning, remedy = REFUSALS.get(code, ("", "see what Salesforce says above"))
    kind: type[SalesforceError] = SalesforceError
    if code in QUOTA_CODES:
        kind = QuotaError
    elif code in IDENTITY_CODES or response.status_code == 401:
        kind = AuthenticationError
    return kind(
        f"Salesforce refused to {action}: {code}, {_short(said)}",
        why=meaning or f"HTTP {response.status_code}",
        next_step=f"{remedy}; {PREFLIGHT}",
        code=code,
        status=response.status_code,
    )


def error_of(response: requests.Response) -> tuple[str, str]:
    """Return Salesforce's ``(errorCode, message)`` of a failed API call, or the status where it gave none."""
    body = _json(response)
    first: Any = body[0] if isinstance(body, list) and body else body
    if isinstance(first, dict) and (first.get("errorCode") or first.get("error")):
        return str(first.get("errorCode") or first["error"]), str(
            first.get("message") or first.get("error_description") or ""
        )
    # The identity services answer in plain text: Bad_OAuth_Token, Wrong_Org.
    text = response.text.strip() if len(response.content or b"") < 100 else ""
    if text and text.replace("_", "").isalnum() and "_" in text:
        return text, response.reason or ""
    return f"HTTP_{response.status_code}", response.reason or ""


def _short(text: str) -> str:
    """One line: Salesforce repeats the whole query, values included, before the sentence that counts."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return "no message"
    return (lines[-1] if "ERROR at Row" in text else lines[0])[:300]


def _json(response: requests.Response) -> Any:
    try:
        return json.loads(response.content or b"null")
    except ValueError:
        return None
