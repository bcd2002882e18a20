"""The Tooling API's query, over the packages installed in the org.

Belongs here: ``/tooling/query`` and which objects it knows. Nothing else of the Tooling API is modelled.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.demo_org.errors import ApiError
from apps.demo_org.exchange import answer, exchange_of, session_of, state_of, version_of
from apps.demo_org.org import DemoOrgState
from apps.demo_org.store import Visibility
from apps.demo_org.store.governed import TOOLING_OBJECTS


def query(request: Request) -> Response:
    """Run a SOQL query over tooling objects; the whole result is one page, as an org has few packages."""
    org, session = state_of(request), session_of(request)
    soql = request.query_params.get("q", "")
    if not soql.strip():
        raise ApiError(400, "MALFORMED_QUERY", "A query string has to be specified")
    found = org.store.query(soql, visibility=_visibility(org, session.user_id), user=session.user_id)
    try:
        exchange_of(request).object = found.object
        total = found.total()
        records = [] if found.kind == "count" else found.records(0, total, f"v{version_of(request)}/tooling")
        exchange_of(request).rows = len(records)
        return answer(
            {
                "size": len(records),
                "totalSize": total,
                "done": True,
                "queryLocator": None,
                "entityTypeName": found.object if records else None,
                "records": records,
            }
        )
    finally:
        found.close()


def _visibility(org: DemoOrgState, user_id: str) -> Visibility:
    """Hide everything else, and the packages too from users that may not view setup."""
    hidden = set(org.store.objects)
    if org.has_permission(user_id, "PermissionsViewSetup"):
        hidden -= TOOLING_OBJECTS
    return Visibility(hidden_objects=frozenset(hidden)) | org.faults.visibility()


routes = [Route("/services/data/v{version}/tooling/query", query, methods=["GET"])]
