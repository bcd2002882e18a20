"""Query plans: what ``query?explain=`` answers for a SOQL text, a report or a list view.

Belongs here: the shape. The demo org has no indexes, so that every plan is a scan of the object; the numbers are
counted, not estimated.
"""

import re

from starlette.requests import Request
from starlette.responses import Response

from apps.demo_org.exchange import answer, exchange_of, session_of, state_of
from apps.demo_org.list_views import list_view_soql
from apps.demo_org.reports import report_soql

_REPORT = re.compile(r"00O\w{12}(\w{3})?")
_LIST_VIEW = re.compile(r"00B\w{12}(\w{3})?")


def explain(request: Request) -> Response:
    """Answer the plan of what is asked for; refuses what a query refuses."""
    asked = request.query_params.get("explain", "")
    soql = asked
    if _REPORT.fullmatch(asked):
        soql = report_soql(request, asked)
    elif _LIST_VIEW.fullmatch(asked):
        soql = list_view_soql(request, asked)
    org = state_of(request)
    found = org.store.query(soql, visibility=org.visibility(), user=session_of(request).user_id)
    try:
        rows = found.total()
    finally:
        found.close()
    exchange_of(request).object = found.object
    size = org.store.count(found.object)
    plan = {
        "cardinality": rows,
        "fields": [],
        "leadingOperationType": "TableScan",
        "notes": [],
        "relativeCost": round(1 + rows / max(size, 1), 3),
        "sobjectCardinality": size,
        "sobjectType": found.object,
    }
    return answer({"plans": [plan], "sourceQuery": soql})
