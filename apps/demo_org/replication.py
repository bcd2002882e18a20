"""What changed, over HTTP: ``sobjects/X/updated`` and ``sobjects/X/deleted``.

Belongs here: the parameters and the bodies. What the answer holds is ``store/replication.py``.
"""

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.demo_org.errors import ApiError
from apps.demo_org.exchange import answer, exchange_of, state_of


def updated(request: Request) -> Response:
    """List the ids of the records of an object that changed from ``start`` on and before ``end``."""
    org = state_of(request)
    kind = org.store.object_type(request.path_params["object"], org.visibility())
    found = org.store.replication.updated(kind, _moment(request, "start"), _moment(request, "end"))
    exchange_of(request).rows = len(found.ids)
    return answer({"ids": found.ids, "latestDateCovered": as_text(found.latest_date_covered)})


def deleted(request: Request) -> Response:
    """List the ids of the records of an object that were deleted from ``start`` on and before ``end``."""
    org = state_of(request)
    kind = org.store.object_type(request.path_params["object"], org.visibility())
    found = org.store.replication.deleted(kind, _moment(request, "start"), _moment(request, "end"))
    exchange_of(request).rows = len(found.records)
    body = {
        "deletedRecords": [{"deletedDate": as_text(moment), "id": record} for record, moment in found.records],
        "earliestDateAvailable": as_text(found.earliest_date_available),
        "latestDateCovered": as_text(found.latest_date_covered),
    }
    return answer(body)


def as_text(moment: datetime) -> str:
    """A UTC moment as Salesforce writes it: ``2026-11-22T00:00:00.000+0000``."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def _moment(request: Request, name: str) -> datetime:
    """A date parameter; without an offset it is UTC."""
    text = request.query_params.get(name)
    if not text:
        raise ApiError(400, "MISSING_ARGUMENT", f"The required parameter {name} is missing")
    try:
        # A plus sign that was not escaped arrives as a space.
        found = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError:
        raise ApiError(400, "INVALID_REPLICATION_DATE", f"{name} is not a dateTime: {text}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


_OBJECT = "/services/data/v{version}/sobjects/{object}"

routes = [
    Route(f"{_OBJECT}/updated", updated, methods=["GET"]),
    Route(f"{_OBJECT}/deleted", deleted, methods=["GET"]),
]
