"""The errors the demo org answers with, in Salesforce's words.

Belongs here: the exception an endpoint raises to answer with a Salesforce error, and the fixed ones as
recorded. Does not belong here: errors of the demo org's own operator (those are ``CrosswalkError``).
"""

from collections.abc import Sequence
from typing import Any

from data_contracts.errors import CrosswalkError


class DemoOrgError(CrosswalkError):
    """The demo org cannot start: bad data, bad faults file, port in use."""


class ApiError(Exception):
    """Answer the request with ``status`` and the array of errors Salesforce sends.

    ``fields`` is left out of the body when None: the recorded bodies have it for DML errors only.
    """

    def __init__(self, status: int, code: str, message: str, fields: Sequence[str] | None = None) -> None:
        self.status, self.code, self.message, self.fields = status, code, message, fields
        super().__init__(f"{status} {code}: {message}")

    def body(self) -> list[dict[str, Any]]:
        """Return the JSON body: an array of one error."""
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = list(self.fields)
        return [error]


class OAuthError(Exception):
    """Answer a token request with status 400 and the OAuth error pair."""

    def __init__(self, error: str, description: str) -> None:
        self.error, self.description = error, description
        super().__init__(f"{error}: {description}")


def not_found() -> ApiError:
    """Answer for a resource, version or object that does not exist."""
    return ApiError(404, "NOT_FOUND", "The requested resource does not exist")


def invalid_session() -> ApiError:
    """Answer for a missing, expired, revoked or foreign access token."""
    return ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")


def invalid_auth_header() -> ApiError:
    """Answer for an Authorization header that is neither Bearer nor OAuth."""
    return ApiError(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")


def request_limit_exceeded(message: str = "TotalRequests Limit exceeded.") -> ApiError:
    """Answer once the daily allocation is used up: status 403, never 429."""
    return ApiError(403, "REQUEST_LIMIT_EXCEEDED", message)


def method_not_allowed(method: str, allowed: str) -> ApiError:
    """Answer for a method that the resource does not offer."""
    return ApiError(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are {allowed}")


def json_parser_error(detail: str) -> ApiError:
    """Answer for a body that is not the JSON wanted."""
    return ApiError(400, "JSON_PARSER_ERROR", detail)
