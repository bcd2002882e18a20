"""REST resources that read: versions, resources, describe, query, limits.

Belongs here: the GET side of ``/services/data``. Records are ``records.py``, list views ``list_views.py``,
Bulk jobs ``bulk.py``.
"""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.demo_org.conditional import answer_if_modified
from apps.demo_org.errors import ApiError
from apps.demo_org.exchange import answer, base_of, exchange_of, fired_of, session_of, state_of, version_of
from apps.demo_org.explain import explain
from apps.demo_org.faults import EmptyResult
from apps.demo_org.gateway import NEWEST_VERSION, OLDEST_VERSION
from apps.demo_org.query_columns import column_metadata
from apps.demo_org.store import Query

#: Most records of a page whose rows are wide.
_WIDE_ROWS = 200
_SEASONS = ("Summer", "Winter", "Spring")
_BATCH_SIZE = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)
#: Names of a real org's list; many lead nowhere here (docs/demo-org.md).
_RESOURCES = (
    "actions",
    "analytics",
    "appMenu",
    "async-queries",
    "chatter",
    "commerce",
    "compactLayouts",
    "composite",
    "connect",
    "consent",
    "dedupe",
    "exchange-connect",
    "folders",
    "jobs",
    "knowledgeManagement",
    "licensing",
    "limits",
    "metadata",
    "nouns",
    "parameterizedSearch",
    "payments",
    "process",
    "query",
    "queryAll",
    "quickActions",
    "recent",
    "search",
    "sobjects",
    "support",
    "tabs",
    "theme",
    "tooling",
    "ui-api",
)


def versions(request: Request) -> Response:
    """List the API versions; needs no token and is not counted."""
    found = []
    for number in range(OLDEST_VERSION, NEWEST_VERSION + 1):
        since = number - OLDEST_VERSION
        year = 14 + since // 3 + (1 if since % 3 else 0)
        found.append(
            {
                "label": f"{_SEASONS[since % 3]} '{year}",
                "url": f"/services/data/v{number}.0",
                "version": f"{number}.0",
            }
        )
    return answer(found)


def resources(request: Request) -> Response:
    """List the resources of a version, and where the identity is."""
    org, session = state_of(request), session_of(request)
    found = {name: f"{base_of(request)}/{name}" for name in _RESOURCES}
    host = f"{request.url.scheme}://{request.headers.get('host', 'localhost')}"
    found["identity"] = f"{host}/id/{org.org_id}/{session.user_id}"
    return answer(found)


def describe_global(request: Request) -> Response:
    """List every object the user sees."""
    org = state_of(request)
    return answer_if_modified(request, org.store.describe_global(f"v{version_of(request)}", org.visibility()))


def basic_information(request: Request) -> Response:
    """Answer an object's own entry of the global describe, and the records used last (none here)."""
    org = state_of(request)
    name = org.store.object_type(request.path_params["object"], org.visibility()).name
    listed = org.store.describe_global(f"v{version_of(request)}", org.visibility())["sobjects"]
    return answer({"objectDescribe": next(each for each in listed if each["name"] == name), "recentItems": []})


def recent(request: Request) -> Response:
    """List the records the user looked at last: none, since nobody looks at records here."""
    return answer([])


def describe(request: Request) -> Response:
    """Describe one object with its fields."""
    org = state_of(request)
    described = org.store.describe(request.path_params["object"], f"v{version_of(request)}", org.visibility())
    return answer_if_modified(request, described)


def query(request: Request) -> Response:
    """Run a SOQL query and answer its first page; ``queryAll`` sees deleted records too."""
    if "explain" in request.query_params:
        return explain(request)
    org = state_of(request)
    soql = request.query_params.get("q", "")
    if not soql.strip():
        raise ApiError(400, "MALFORMED_QUERY", "A query string has to be specified")
    found = org.store.query(
        soql,
        include_deleted=request.url.path.rstrip("/").endswith("/queryAll"),
        visibility=org.visibility(),
        user=session_of(request).user_id,
    )
    exchange_of(request).object = found.object
    if request.query_params.get("columns", "").lower() == "true":
        body = column_metadata(org.store, found)
        found.close()
        return answer(body)
    if fired_of(request).first(EmptyResult):
        found.close()
        return _page(request, 0, [], None)
    return _first_page(request, found)


def _first_page(request: Request, found: Query) -> Response:
    size = min(_page_rows(request), _WIDE_ROWS) if _is_wide(found) else _page_rows(request)
    total = found.total()
    records = [] if found.kind == "count" else found.records(0, size, f"v{version_of(request)}")
    if len(records) >= total or found.kind == "count":
        found.close()
        return _page(request, total, records, None)
    cursor = state_of(request).cursors.keep(found, size)
    return _page(request, total, records, f"{cursor}-{size}")


def query_more(request: Request) -> Response:
    """Answer a further page; the same one may be asked for again."""
    cursor, found, offset, size = state_of(request).cursors.find(request.path_params["locator"])
    exchange_of(request).object = found.object
    total = found.total()
    records = found.records(offset, size, f"v{version_of(request)}")
    following = offset + len(records)
    return _page(request, total, records, f"{cursor}-{following}" if records and following < total else None)


def _page(request: Request, total: int, records: list[dict[str, Any]], following: str | None) -> Response:
    exchange_of(request).rows = len(records)
    body: dict[str, Any] = {"totalSize": total, "done": following is None}
    if following is not None:
        body["nextRecordsUrl"] = f"{base_of(request)}/query/{following}"
    return answer({**body, "records": records})


def _is_wide(found: Query) -> bool:
    """Tell whether pages are small because of two or more custom long text areas, as documented."""
    fields = [column.field for column in found.columns if column.field is not None]
    return sum(f.is_custom and f.type == "textarea" and int(f.describe["length"]) > 255 for f in fields) > 1


def _page_rows(request: Request) -> int:
    """Return the page size: 200 to 2,000 as the client's header asks, 2,000 without, or what a test set."""
    org = state_of(request)
    if org.cursors.page_rows is not None:
        return org.cursors.page_rows
    asked = _BATCH_SIZE.search(request.headers.get("sforce-query-options", ""))
    return min(2000, max(200, int(asked[1]))) if asked else 2000


def limits(request: Request) -> Response:
    """Answer every allocation and what is left of it, to users that may view setup."""
    org = state_of(request)
    if not org.has_permission(session_of(request).user_id, "PermissionsViewSetup"):
        message = "This feature is not currently enabled for this user."
        raise ApiError(403, "FUNCTIONALITY_NOT_ENABLED", message)
    return answer(org.usage.limits())


def record_count(request: Request) -> Response:
    """Answer how many records objects have; unknown ones are left out, as in Salesforce."""
    org = state_of(request)
    asked = [name for name in request.query_params.get("sObjects", "").split(",") if name]
    known = {name.lower(): name for name in org.store.objects}
    names = [known[name.lower()] for name in asked if name.lower() in known] if asked else sorted(known.values())
    visible = [name for name in names if org.visibility().sees(name)]
    return answer({"sObjects": [{"count": org.store.count(name), "name": name} for name in visible]})


_V = "/services/data/v{version}"

routes = [
    Route("/services/data", versions),
    Route(_V, resources),
    Route(f"{_V}/limits", limits),
    Route(f"{_V}/recent", recent),
    Route(f"{_V}/limits/recordCount", record_count),
    Route(f"{_V}/sobjects", describe_global),
    Route(f"{_V}/sobjects/{{object}}", basic_information, methods=["GET"]),
    Route(f"{_V}/sobjects/{{object}}/describe", describe),
    Route(f"{_V}/query", query),
    Route(f"{_V}/queryAll", query),
    Route(f"{_V}/query/{{locator}}", query_more),
    Route(f"{_V}/queryAll/{{locator}}", query_more),
]
