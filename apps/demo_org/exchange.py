"""What an endpoint asks of its request and how it answers.

Belongs here: the body as JSON or form, the org behind the request, JSON answers. Does not belong here:
what goes round every request alike (``gateway.py``).
"""

import json
from typing import Any, cast
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from apps.demo_org.errors import ApiError, OAuthError, json_parser_error
from apps.demo_org.fault_plan import Fired
from apps.demo_org.org import DemoOrgState
from apps.demo_org.request_log import Exchange
from apps.demo_org.sessions import Session

JSON_TYPE = "application/json;charset=UTF-8"


def state_of(request: Request) -> DemoOrgState:
    """Return the org that answers this request."""
    return cast(DemoOrgState, request.app.state.org)


def exchange_of(request: Request) -> Exchange:
    """Return the request's log entry, to note rows and object on."""
    return cast(Exchange, request.scope["crosswalk.exchange"])


def fired_of(request: Request) -> Fired:
    """Return the faults that hit this request."""
    return cast(Fired, request.scope["crosswalk.fired"])


def session_of(request: Request) -> Session:
    """Return the authorised user's session."""
    return cast(Session, request.scope["crosswalk.session"])


def body_of(request: Request) -> bytes:
    """Return the body, read already by the gateway."""
    return cast(bytes, request.scope["crosswalk.body"])


def json_of(request: Request) -> dict[str, Any]:
    """Return the JSON object sent; raises the error Salesforce answers with otherwise."""
    try:
        data = json.loads(body_of(request) or b"null")
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise json_parser_error(f"{error}") from error
    if not isinstance(data, dict):
        raise json_parser_error("The HTTP entity body is required, but this request has no entity body.")
    return data


def form_of(request: Request) -> dict[str, str]:
    """Return the form fields of the body and of the query string; the body wins."""
    try:
        body = body_of(request).decode()
    except UnicodeDecodeError as error:
        raise OAuthError("invalid_request", "the body is not UTF-8") from error
    return {**dict(request.query_params), **dict(parse_qsl(body, keep_blank_values=True))}


def version_of(request: Request) -> str:
    """Return the API version in the path, as in ``59.0``."""
    return str(request.path_params["version"])


def base_of(request: Request) -> str:
    """Return ``/services/data/vNN.0``."""
    return f"/services/data/v{version_of(request)}"


def answer(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON."""
    content = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, status, headers, media_type=JSON_TYPE)


def no_content() -> Response:
    """Answer 204, without content type."""
    return Response(status_code=204)


def api_error(error: ApiError) -> Response:
    """Answer with a Salesforce error array; 401 says which scheme it wants."""
    headers = {"WWW-Authenticate": "Token"} if error.status == 401 else None
    return answer(error.body(), error.status, headers)


def oauth_error(error: OAuthError) -> Response:
    """Answer with an OAuth error pair."""
    return answer({"error": error.error, "error_description": error.description}, 400)
