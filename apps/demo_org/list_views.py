"""List views: the lists of an object, their described query, their records.

Belongs here: the four list view resources. A list is a row of ``ListView.csv``; its column ``Query`` is the
SOQL that describe tells and results runs.
"""

import re
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.demo_org.errors import ApiError, not_found
from apps.demo_org.exchange import answer, base_of, exchange_of, session_of, state_of, version_of
from apps.demo_org.list_view_query import columns_of, read_list_query
from apps.demo_org.store import OrgStore, Query, SoqlError

_MAX_LIMIT, _DEFAULT_LIMIT = 2000, 25
_LISTED = (
    "SELECT Id, Name, DeveloperName, SobjectType, LastViewedDate{query} FROM ListView WHERE SobjectType = '{object}'"
)
_ID = re.compile(r"\w{15}(\w{3})?")


def index(request: Request) -> Response:
    """List an object's list views."""
    lists = _lists(request)
    exchange_of(request).rows = len(lists)
    name = _object_name(request)
    found = [_entry(request, name, each) for each in lists]
    return answer({"done": True, "listviews": found, "nextRecordsUrl": None, "size": len(found), "sobjectType": name})


def recent(request: Request) -> Response:
    """List the object's list views that were looked at, the latest first."""
    name = _object_name(request)
    viewed = sorted((each for each in _lists(request) if each.get("LastViewedDate")), key=_viewed, reverse=True)
    found = [_entry(request, name, each) for each in viewed]
    return answer({"done": True, "listviews": found, "nextRecordsUrl": None, "size": len(found), "sobjectType": name})


def _viewed(found: dict[str, Any]) -> str:
    return str(found["LastViewedDate"])


def list_view_soql(request: Request, list_id: str) -> str:
    """The SOQL of a list view of whatever object; raises 404."""
    store, seen = state_of(request).store, state_of(request).visibility()
    query = store.query("SELECT Id, SobjectType FROM ListView")
    try:
        records = query.records(0, 100_000)
    finally:
        query.close()
    name = next((str(each["SobjectType"]) for each in records if each["Id"][:15] == list_id[:15]), None)
    if name is None:
        raise not_found()
    kind = store.object_type(name, seen)
    return str(next(each["Query"] for each in _lists_of(store, kind.name) if each["Id"][:15] == list_id[:15]))


def _readable(request: Request, name: str, soql: str) -> str:
    """The list's SOQL without the columns that the user may not read; a hidden condition stays and is refused."""
    if _compatible(request, soql):
        return soql
    paths = read_list_query(soql).paths
    kept = [path for path in paths if _compatible(request, f"SELECT {path} FROM {name}")]
    head = re.compile(r"\s*SELECT\s+.+?\s+FROM\b", re.IGNORECASE | re.DOTALL)
    return head.sub(f"SELECT {', '.join(kept or ['Id'])} FROM", soql, count=1)


def show(request: Request) -> Response:
    """Answer one list view's entry."""
    return answer(_entry(request, _object_name(request), _list(request)))


def describe(request: Request) -> Response:
    """Answer a list view's columns and the SOQL it stands for."""
    found = _list(request)
    text = _readable(request, _object_name(request), str(found["Query"]))
    parsed = read_list_query(text)
    kind = state_of(request).store.object_type(_object_name(request))
    return answer(
        {
            "columns": columns_of(kind, parsed),
            "id": found["Id"],
            "orderBy": parsed.order_by,
            "query": text,
            "relatedEntityId": None,
            "scope": parsed.scope,
            "scopeEntityId": None,
            "sobjectType": kind.name,
            "whereCondition": parsed.where,
        }
    )


def results(request: Request) -> Response:
    """Answer the first records of a list view, each as its columns' values."""
    found, org = _list(request), state_of(request)
    limit, offset = _number(request, "limit", _DEFAULT_LIMIT), _number(request, "offset", 0)
    if not 1 <= limit <= _MAX_LIMIT:
        raise ApiError(400, "INVALID_PARAMETER_VALUE", f"limit must be between 1 and {_MAX_LIMIT}")
    text = _readable(request, _object_name(request), str(found["Query"]))
    parsed = read_list_query(text)
    query = org.store.query(text, visibility=org.visibility(), user=session_of(request).user_id)
    try:
        total, records = query.total(), query.records(offset, limit, f"v{version_of(request)}")
    finally:
        query.close()
    exchange_of(request).rows = len(records)
    _note_viewed(request, str(found["Id"]))
    columns = columns_of(org.store.object_type(_object_name(request)), parsed)
    return answer(
        {
            "columns": columns,
            "developerName": found["DeveloperName"],
            "done": offset + len(records) >= total,
            "id": found["Id"],
            "label": found["Name"],
            "records": [{"columns": [_cell(record, column) for column in columns]} for record in records],
            "size": len(records),
        }
    )


def _note_viewed(request: Request, list_id: str) -> None:
    """Stamp a list that was opened, as Salesforce does; nothing else of it changes."""
    now = datetime.now(UTC).replace(tzinfo=None)
    state_of(request).store.update_where("ListView", f"Id = '{list_id}'", {"LastViewedDate": now}, stamp=False)


def _cell(record: dict[str, Any], column: dict[str, Any]) -> dict[str, Any]:
    """Return one value, as text, from under its path."""
    value: Any = record
    for part in column["fieldNameOrPath"].split("."):
        value = value.get(part) if isinstance(value, dict) else None
    text = str(value).lower() if isinstance(value, bool) else value
    return {"fieldNameOrPath": column["fieldNameOrPath"], "value": None if text is None else str(text)}


def _object_name(request: Request) -> str:
    org = state_of(request)
    return str(org.store.object_type(request.path_params["object"], org.visibility()).name)


def _lists(request: Request) -> list[dict[str, Any]]:
    return _lists_of(state_of(request).store, _object_name(request))


def _lists_of(store: OrgStore, name: str) -> list[dict[str, Any]]:
    """Return the object's lists; without ``Query`` in the data every list is one of all records."""
    has_query = store.object_type("ListView").find("Query") is not None
    found: Query = store.query(_LISTED.format(query=", Query" if has_query else "", object=name) + " ORDER BY Name")
    try:
        return [{"Query": f"SELECT Id, Name FROM {name}", **_kept(each)} for each in found.records(0, 100_000)]
    finally:
        found.close()


def _kept(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != "attributes" and value is not None}


def _list(request: Request) -> dict[str, Any]:
    wanted = request.path_params["id"]
    for each in _lists(request):
        if _ID.fullmatch(wanted) and each["Id"][:15] == wanted[:15]:
            return each
    raise not_found()


def _entry(request: Request, name: str, found: dict[str, Any]) -> dict[str, Any]:
    url = f"{base_of(request)}/sobjects/{name}/listviews/{found['Id']}"
    return {
        "describeUrl": f"{url}/describe",
        "developerName": found.get("DeveloperName"),
        "id": found["Id"],
        "label": found.get("Name"),
        "resultsUrl": f"{url}/results",
        "soqlCompatible": _compatible(request, str(found["Query"])),
        "url": url,
    }


def _compatible(request: Request, soql: str) -> bool:
    """Tell whether a query runs for the user."""
    try:
        state_of(request).store.query(soql, visibility=state_of(request).visibility()).close()
    except SoqlError:
        return False
    return True


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdigit():
        raise ApiError(400, "INVALID_PARAMETER_VALUE", f"{name} must be a number: {text}")
    return int(text)


_LISTS = "/services/data/v{version}/sobjects/{object}/listviews"

routes = [
    Route(_LISTS, index, methods=["GET"]),
    Route(f"{_LISTS}/recent", recent, methods=["GET"]),
    Route(f"{_LISTS}/{{id}}", show, methods=["GET"]),
    Route(f"{_LISTS}/{{id}}/describe", describe, methods=["GET"]),
    Route(f"{_LISTS}/{{id}}/results", results, methods=["GET"]),
]
