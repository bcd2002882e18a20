"""How Bulk API 1 says things: jobs, batches and errors as XML or JSON, and the requests read from either.

Belongs here: the envelope. What a batch holds is ``bulk1_content.py``.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final
from xml.etree import ElementTree

from starlette.requests import Request
from starlette.responses import Response

from apps.demo_org.errors import ApiError
from apps.demo_org.exchange import JSON_TYPE, body_of

NAMESPACE: Final = "http://www.force.com/2009/06/asyncapi/dataload"
PATH: Final = "/services/async/"
_XML_TYPE: Final = "application/xml"
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>'
#: What the gateway refuses, in the words of this API; the codes are documented, not recorded.
_CODES: Final = {
    "INVALID_SESSION_ID": ("InvalidSessionId", "Invalid session id"),
    "INVALID_AUTH_HEADER": ("InvalidSessionId", "Invalid session id"),
    "REQUEST_LIMIT_EXCEEDED": ("ExceededQuota", "TotalRequests Limit exceeded."),
    "API_DISABLED_FOR_ORG": ("FeatureNotEnabled", "API is not enabled for this Organization or Partner"),
    "NOT_FOUND": ("InvalidUrl", "The URL of the request is not known"),
}


class AsyncError(Exception):
    """Answer 400 with one of this API's codes."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(f"{code}: {message}")


def refusal(request: Request, error: ApiError | AsyncError) -> Response:
    """The answer to a request that is refused: XML, or JSON for who speaks it."""
    code, message = (
        (error.code, error.message)
        if isinstance(error, AsyncError)
        else _CODES.get(error.code, ("Unknown", error.message))
    )
    told = {"exceptionCode": code, "exceptionMessage": message}
    return tell(request, "error", told, status=400)


def tell(
    request: Request, name: str, values: Mapping[str, Any], *, status: int = 200, as_json: bool = False
) -> Response:
    """One object: an element of that name, or a JSON object where the client or ``as_json`` wants one."""
    if as_json or wants_json(request):
        return json_answer(values, status)
    kept = {key: value for key, value in values.items() if value is not None}
    return xml_answer(_element(name, kept, f'\n   xmlns="{NAMESPACE}"', ""), status)


def tell_list(
    request: Request, name: str, item: str, values: Sequence[Mapping[str, Any]], *, as_json: bool
) -> Response:
    """Several objects of one kind."""
    if as_json or wants_json(request):
        return json_answer({item: values})
    if not values:
        return xml_answer(f'<{name}\n   xmlns="{NAMESPACE}" />')
    inner = "".join(_element(item, {k: v for k, v in each.items() if v is not None}, "", " ") for each in values)
    return xml_answer(f'<{name}\n   xmlns="{NAMESPACE}">\n{inner}</{name}>')


def wants_json(request: Request) -> bool:
    """Whether the client speaks JSON: what it sends, or asks for, is."""
    sent, asked = request.headers.get("content-type", ""), request.headers.get("accept", "")
    return sent.startswith("application/json") or ("application/json" in asked and "xml" not in asked)


def json_answer(data: Any, status: int = 200) -> Response:
    """Answer JSON; instants as this API writes them there."""
    text = json.dumps(data, ensure_ascii=False, default=lambda value: moment(value, as_json=True))
    return Response(text.encode(), status, media_type=JSON_TYPE)


def xml_answer(text: str, status: int = 200) -> Response:
    """Answer XML."""
    return Response((_HEAD + text).encode(), status, media_type=_XML_TYPE)


def moment(value: dt.datetime, *, as_json: bool = False) -> str:
    """An instant: ``2024-11-21T09:28:59.000Z``, in JSON ``...+0000``."""
    return value.strftime("%Y-%m-%dT%H:%M:%S.000") + ("+0000" if as_json else "Z")


def read_object(request: Request) -> dict[str, Any]:
    """The job described by the body: XML ``jobInfo`` or a JSON object; AsyncError where it is neither."""
    body = body_of(request)
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            found = json.loads(body)
        except ValueError as error:
            raise AsyncError("InvalidJob", f"Unable to parse Job: {error}") from error
        if not isinstance(found, dict):
            raise AsyncError("InvalidJob", "Unable to parse Job: an object is wanted")
        return found
    root = read_xml(body, "InvalidXML")
    return {local_name(each): (each.text or "").strip() for each in root}


def read_xml(body: bytes, code: str) -> ElementTree.Element:
    """The root of an XML body; AsyncError of that code where it is none."""
    try:
        return ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise AsyncError(code, f"Unable to parse XML: {error}") from error


def local_name(element: ElementTree.Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def _element(name: str, values: Mapping[str, Any], attributes: str, indent: str) -> str:
    lines = "".join(f"{indent} <{key}>{xml_text(value)}</{key}>\n" for key, value in values.items())
    return f"{indent}<{name}{attributes}>\n{lines}{indent}</{name}>\n"


def xml_text(value: Any) -> str:
    """A value as the text of an element."""
    if isinstance(value, dt.datetime):
        return moment(value)
    if isinstance(value, bool):
        return str(value).lower()
    return escape(str(value), quote=False)
