"""What goes round every request: path checks, faults, authorisation, the API count, headers, the log.

Belongs here: the ASGI layer outside the routes. What faults do to the bytes that leave is ``outgoing.py``;
what an endpoint answers is the endpoints' own work.
"""

import asyncio
import re
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from apps.demo_org.bulk1_wire import PATH, refusal
from apps.demo_org.errors import ApiError, OAuthError, invalid_auth_header, invalid_session, not_found
from apps.demo_org.errors import request_limit_exceeded as quota_error
from apps.demo_org.exchange import answer, api_error, oauth_error
from apps.demo_org.fault_plan import Fired
from apps.demo_org.faults import AnswerStatus, Delay, DropConnection, ExpireSession, OAuthDenied, QuotaExhausted
from apps.demo_org.oauth_policy import check_api
from apps.demo_org.org import DemoOrgState, current_user
from apps.demo_org.outgoing import ConnectionDropped, Outgoing
from apps.demo_org.request_log import Exchange
from apps.demo_org.sessions import Session
from apps.demo_org.store.duplicates import allow_save

#: Bytes of a request body taken before 413 (a Bulk upload is at most 150 MB in Salesforce).
MAX_BODY = 150 * 1024 * 1024
#: Salesforce: URI and headers together, then the URI alone.
MAX_HEAD = 16_384
MAX_URI = 16_088

_VERSIONED = re.compile(r"/services/data/(v[^/]*)(/.*)?")
_ASYNC_VERSIONED = re.compile(r"/services/async/([^/]*)(/.*)?")
_VERSION = re.compile(r"v(\d{2})\.0")
_OBJECT_PATH = re.compile(r"/sobjects/(\w+)")
_JOB_PATH = re.compile(r"(?:/jobs/(?:query|ingest)|/services/async/[\d.]+/job)/(\w+)")
_NEW_JOB_PATH = re.compile(r"/jobs/ingest/?$|/services/async/[\d.]+/job/?$")
_OBJECT_KEY = re.compile(r'"object"\s*:\s*"(\w+)"|<object>\s*(\w+)')
_ALLOW_SAVE = re.compile(r"\ballowSave\s*=\s*true\b", re.IGNORECASE)
_CURSOR_PATH = re.compile(r"/query(?:All)?/(\w+-\d+)$")
_FROM = re.compile(r"\bfrom\s+(\w+)", re.IGNORECASE)
#: Everything under these needs a token; the list of versions is free.
_PROTECTED = (
    "/services/data/v",
    "/services/async/",
    "/services/oauth2/userinfo",
    "/services/oauth2/singleaccess",
    "/id/",
)
#: What the day's API calls are counted of.
_COUNTED = ("/services/data/", "/services/async/")
#: A GET may bring its token in the query.
_TOKEN_IN_QUERY = ("/id/", "/services/oauth2/userinfo", "/services/oauth2/singleaccess")

NEWEST_VERSION, OLDEST_VERSION = 66, 31


class BadToken(Exception):
    """The identity services answer a bad token with one word of text and status 403."""

    def __init__(self, token: str) -> None:
        super().__init__("Bad_OAuth_Token" if token.strip() else "Missing_OAuth_Token")


class Gateway:
    """Wraps the routes; see the module."""

    def __init__(self, app: ASGIApp, org: DemoOrgState) -> None:
        self._app, self._org = app, org

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(scope["method"], scope["path"], scope.get("query_string", b"").decode("latin-1"))
        scope["crosswalk.exchange"] = exchange
        body = await _read_body(receive)
        scope["crosswalk.body"] = body or b""
        exchange.object = self._object_of(exchange, body or b"")
        fired = self._org.faults.current().fire(exchange.method, exchange.path, exchange.object)
        scope["crosswalk.fired"], exchange.fault = fired, fired.names()
        outgoing = Outgoing(scope, send, exchange, fired, self._org.log, self._org.clock)
        try:
            await self._respond(scope, receive, outgoing, fired, too_large=body is None)
        except ConnectionDropped:
            await _until_disconnected(receive)
        finally:
            self._org.log.write(exchange)

    async def _respond(
        self, scope: Scope, receive: Receive, outgoing: Outgoing, fired: Fired, *, too_large: bool
    ) -> None:
        if delay := fired.first(Delay):
            await asyncio.sleep(delay.seconds)
        if (drop := fired.first(DropConnection)) and drop.bytes == 0:
            outgoing.abort()
        response = _bad_head(scope) or (Response(status_code=413) if too_large else None)
        try:
            response = response or _scripted(fired) or self._admit(scope, outgoing, fired)
        except ApiError as error:
            response = refusal(Request(scope), error) if _is_async(scope) else api_error(error)
        except BadToken as error:
            response = Response(str(error), 403, media_type="text/html;charset=UTF-8")
        if response is not None:
            await response(scope, receive, outgoing)
        else:
            await self._app(scope, receive, outgoing)

    def _admit(self, scope: Scope, outgoing: Outgoing, fired: Fired) -> Response | None:
        """Check path, version, token and allocation; None lets the request through to its endpoint."""
        path = scope["path"]
        if path.startswith("//"):
            # An instance URL that ends in a slash gives such paths (sf org login access-token); they are served.
            path = scope["path"] = "/" + path.lstrip("/")
        if "//" in path:
            raise not_found()
        if len(path) > 1 and path.endswith("/"):
            path = scope["path"] = path.rstrip("/")
        if (version := _version_in(path)) is not None and not is_served_version(version):
            raise not_found()
        if not path.startswith(_PROTECTED):
            return None
        session = self._session(scope)
        if fired.first(ExpireSession):
            self._org.sessions.revoke(session.token)
            raise _refused_token(path, session.token)
        scope["crosswalk.session"] = session
        current_user.set(session.user_id)
        allow_save.set(_ALLOW_SAVE.search(Headers(scope=scope).get("sforce-duplicate-rule-header", "")) is not None)
        outgoing.exchange.user = session.username
        if path.startswith(_COUNTED):
            check_api(self._org, session, scope["client"][0] if scope.get("client") else "127.0.0.1")
            if not _is_async(scope):
                outgoing.limit_info = self._org.usage.header
            if not self._org.usage.call() or fired.first(QuotaExhausted):
                raise quota_error()
        return None

    def _session(self, scope: Scope) -> Session:
        """Return the session of the request's token; raises 401."""
        headers = Headers(scope=scope)
        header = headers.get("authorization", "")
        if _is_async(scope) and (given_session := headers.get("x-sfdc-session")):
            header = f"Bearer {given_session}"
        if not header and scope["path"].startswith(_TOKEN_IN_QUERY):
            # jsforce asks for the identity with the token in the query, as does single access.
            given = parse_qs(scope["query_string"].decode("latin-1"))
            token = next(iter(given.get("oauth_token") or given.get("access_token") or [""]))
        else:
            scheme, _, token = header.partition(" ")
            if header and scheme.lower() not in ("bearer", "oauth"):
                raise invalid_auth_header()
        session = self._org.sessions.find(token.strip())
        if session is None:
            raise _refused_token(scope["path"], token)
        return session

    def _object_of(self, exchange: Exchange, body: bytes) -> str | None:
        """Guess which object a request is about, for faults and the log."""
        if match := _OBJECT_PATH.search(exchange.path):
            return match[1]
        if match := _JOB_PATH.search(exchange.path):
            return self._org.object_of_job(match[1])
        if match := _CURSOR_PATH.search(exchange.path):
            return self._org.cursors.object_of(match[1])
        soql = parse_qs(exchange.query).get("q", [""])[0]
        if exchange.method == "POST" and exchange.path.rstrip("/").endswith("/jobs/query"):
            soql = body.decode("utf-8", "replace")
        if exchange.method == "POST" and _NEW_JOB_PATH.search(exchange.path):
            named = _OBJECT_KEY.search(body.decode("utf-8", "replace"))
            return named[1] or named[2] if named else None
        match = _FROM.search(soql)
        return match[1] if match else None


def _refused_token(path: str, token: str) -> ApiError | BadToken:
    """Return what a service says of a token that is not valid: the API 401, the identity services 403."""
    return invalid_session() if path.startswith(_COUNTED) else BadToken(token)


def _is_async(scope: Scope) -> bool:
    """Whether a request is one of Bulk API 1, which has errors and a session header of its own."""
    return bool(scope["path"].lstrip("/").startswith(PATH.lstrip("/")))


def _version_in(path: str) -> str | None:
    """The version a path names, as in ``v62.0``; Bulk API 1 names it without the letter."""
    if versioned := _VERSIONED.fullmatch(path):
        return versioned[1]
    unlettered = _ASYNC_VERSIONED.fullmatch(path)
    return f"v{unlettered[1]}" if unlettered else None


def is_served_version(version: str) -> bool:
    """Tell whether ``vNN.0`` is one this org offers."""
    match = _VERSION.fullmatch(version)
    return match is not None and OLDEST_VERSION <= int(match[1]) <= NEWEST_VERSION


def _scripted(fired: Fired) -> Response | None:
    """Return the answer a fault dictates, if one does."""
    if denied := fired.first(OAuthDenied):
        return oauth_error(OAuthError(denied.error, denied.description))
    fault = fired.first(AnswerStatus)
    if fault is None:
        return None
    if isinstance(fault.body, str):
        return Response(fault.body, fault.status, fault.headers, media_type="text/html;charset=UTF-8")
    if fault.body is None and fault.status >= 400:
        code = "SERVER_UNAVAILABLE" if fault.status == 503 else "UNKNOWN_EXCEPTION"
        message = "Server Unavailable" if fault.status == 503 else "An unexpected error occurred"
        return answer([{"message": message, "errorCode": code}], fault.status, fault.headers)
    return answer(fault.body, fault.status, fault.headers)


def _bad_head(scope: Scope) -> Response | None:
    """Refuse a request line or headers longer than Salesforce takes."""
    uri = len(scope.get("raw_path") or b"") + len(scope.get("query_string", b"")) + 1
    if uri > MAX_URI:
        return Response("URI Too Long", 414, media_type="text/html")
    if uri + sum(len(name) + len(value) + 4 for name, value in scope["headers"]) > MAX_HEAD:
        return Response("Request Header Fields Too Large", 431, media_type="text/html")
    return None


async def _read_body(receive: Receive) -> bytes | None:
    """Read the whole body; None if it is larger than allowed."""
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MAX_BODY:
            return None
        if not message.get("more_body", False):
            break
    return b"".join(chunks)


async def _until_disconnected(receive: Receive) -> None:
    """Wait until the server has seen that the connection is gone, so that it does not complain."""
    for _ in range(100):
        message = await receive()
        if message["type"] == "http.disconnect":
            return
