"""From a refusing response to the error a user reads: what Salesforce said, what it means, what to click.

Only the translation lives here. The documented refusals are ``resources.salesforce.denials``; retrying and
refreshing is ``resources.salesforce.session``.
"""

import json
import re
from typing import Any

import requests

from data_contracts.errors import AuthenticationError, QuotaError, SalesforceError
from resources.salesforce.denials import call_denial, sign_in_denial

PREFLIGHT = "then run: crosswalk preflight"

_POSITION = re.compile(r"ERROR at Row:(\d+):Column:(\d+)")
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
    """Return the error for a refused token request."""
    body = _json(response)
    document = body if isinstance(body, dict) else {}
    code = str(document.get("error") or f"HTTP {response.status_code}")
    return denied(code, str(document.get("error_description") or ""), response.status_code)


def denied(code: str, said: str, status: int | None = None) -> AuthenticationError:
    """Return the error for a refused sign-in: what Salesforce said, what it means, what to click."""
    said = _short(said) if said.strip() else ""
    denial = sign_in_denial(code, said)
    return AuthenticationError(
        f"Salesforce refused the sign-in: {code}" + (f", {said!r}" if said else ""),
        why=denial.meaning,
        next_step=f"{denial.remedy}; {PREFLIGHT}",
        code=code,
        status=status,
    )


def api_error(response: requests.Response, action: str) -> SalesforceError:
    """Return the error for a refused API call; ``action`` says what was being done, without values."""
    code, said = error_of(response)
    denial = call_denial(code, said)
    kind: type[SalesforceError] = SalesforceError
    if code in QUOTA_CODES:
        kind = QuotaError
    elif code in IDENTITY_CODES or response.status_code == 401:
        kind = AuthenticationError
    error = kind(
        f"Salesforce refused to {action}: {code}, {_short(said)}",
        why=denial.meaning if denial else f"HTTP {response.status_code}",
        next_step=f"{denial.remedy if denial else 'see what Salesforce says above'}; {PREFLIGHT}",
        code=code,
        status=response.status_code,
    )
    if found := _POSITION.search(said):
        error.position = int(found[1]), int(found[2])
    return error


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
