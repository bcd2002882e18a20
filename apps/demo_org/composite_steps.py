"""The subrequests of a composite: their references, and running one against the org's own endpoints.

Belongs here: one subrequest. Not here: what a composite, a graph or a batch makes of several.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.types import Message

from apps.demo_org.errors import ApiError, json_parser_error
from apps.demo_org.fault_plan import Fired
from apps.demo_org.gateway import is_served_version
from apps.demo_org.request_log import Exchange

_REFERENCE = re.compile(r"@\{([\w-]+)((?:\.\w+|\[\d+\])*)\}")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_ID = re.compile(r"[\w-]+")
_URL = re.compile(r"/services/data/(v\d{2}\.\d)(/[^?]*)?(?:\?(.*))?", re.DOTALL)
#: Composites inside composites are refused; collections are not.
_NESTED = re.compile(r"/composite(?!/sobjects)")
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


class UnknownReference(Exception):
    """A reference names nothing that was answered so far."""

    def __init__(self, whole: str, name: str) -> None:
        super().__init__(f"Invalid reference specified. No value for {whole} found in {name}. Unable to resolve it.")


@dataclass(frozen=True)
class Step:
    """One subrequest as it was sent."""

    method: str
    url: str
    reference: str
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(cls, given: Any, number: int) -> "Step":
        """Check a subrequest; raises 400."""
        if not isinstance(given, dict):
            raise json_parser_error("Each subrequest must be an object")
        method, url = str(given.get("method", "")).upper(), given.get("url")
        reference = given.get("referenceId", str(number))
        if method not in _METHODS or not isinstance(url, str):
            raise json_parser_error(f"Subrequest {reference} needs a method and a url")
        if not isinstance(reference, str) or not _ID.fullmatch(reference):
            raise ApiError(400, "INVALID_INPUT", f"Invalid reference ID: {reference}")
        headers = given.get("httpHeaders")
        sent = tuple((str(name), str(value)) for name, value in headers.items()) if isinstance(headers, dict) else ()
        return cls(method, url, reference, given.get("body", given.get("richInput")), sent)

    @property
    def is_query_or_collection(self) -> bool:
        """Whether it counts among the five queries and collections of a composite."""
        return bool(re.search(r"/(query|queryAll|composite/sobjects)\b", self.url.partition("?")[0]))

    def resolved(self, answers: dict[str, Any]) -> "Step":
        """The same with every reference replaced by what it points to; raises UnknownReference."""
        url, body = str(_fill(self.url, answers)), _fill(self.body, answers)
        return Step(self.method, url, self.reference, body, self.headers)


def _fill(value: Any, answers: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _fill(each, answers) for name, each in value.items()}
    if isinstance(value, list):
        return [_fill(each, answers) for each in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole:
        return _lookup(whole, answers)
    return _REFERENCE.sub(lambda match: str(_lookup(match, answers)), value)


def _lookup(match: re.Match[str], answers: dict[str, Any]) -> Any:
    name, path = match[1], match[2]
    found: Any = answers.get(name)
    for key, index in _STEP.findall(path):
        try:
            found = found[int(index)] if index else found[key]
        except (KeyError, IndexError, TypeError):
            raise UnknownReference(f"{name}{path}", name) from None
    if name not in answers or found is None:
        raise UnknownReference(f"{name}{path}", name)
    return found


@dataclass(frozen=True)
class Outcome:
    """What a subrequest was answered with."""

    status: int
    body: Any
    headers: dict[str, str]
    rows: int = 0

    @property
    def succeeded(self) -> bool:
        """Whether it did what it was asked."""
        return self.status < 300


async def run_step(request: Request, step: Step) -> Outcome:
    """Send a subrequest through the org's endpoints as the user of the whole request, uncounted and unlogged."""
    match = _URL.fullmatch(step.url)
    if match is None or not is_served_version(match[1]) or _NESTED.match(match[2] or ""):
        error = ApiError(404, "NOT_FOUND", "The requested resource does not exist")
        return Outcome(404, error.body(), {})
    path = f"/services/data/{match[1]}{(match[2] or '').rstrip('/')}"
    exchange = Exchange(step.method, path)
    answer = _Answer()
    scope = {key: value for key, value in request.scope.items() if key not in ("path_params", "endpoint", "route")}
    scope |= {
        "method": step.method,
        "headers": [*request.scope["headers"], *((n.lower().encode(), v.encode()) for n, v in step.headers)],
        "path": path,
        "raw_path": quote(path).encode(),
        "query_string": quote(match[3] or "", safe="%&=+,.:;!*()'/?@<>~").encode(),
        "crosswalk.body": b"" if step.body is None else json.dumps(step.body).encode(),
        "crosswalk.exchange": exchange,
        "crosswalk.fired": Fired(()),
        "root_path": "",
    }
    await request.app(scope, _nothing_more, answer.send)
    return Outcome(answer.status, answer.body(), answer.headers(), exchange.rows or 0)


async def _nothing_more() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


class _Answer:
    """Takes an endpoint's answer instead of a socket."""

    def __init__(self) -> None:
        self.status, self._headers, self._pieces = 0, dict[str, str](), list[bytes]()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        elif message["type"] == "http.response.body":
            self._pieces.append(message.get("body", b""))

    def body(self) -> Any:
        """The JSON; None for an answer without one."""
        content = b"".join(self._pieces)
        return json.loads(content) if content and "json" in self._headers.get("content-type", "") else None

    def headers(self) -> dict[str, str]:
        """The headers that come along."""
        told = ("ETag", "Last-Modified", "Location")
        return {name: self._headers[name.lower()] for name in told if name.lower() in self._headers}
