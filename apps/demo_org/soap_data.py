"""SOAP calls REST does not have: ``merge``, ``convertLead``, ``undelete``, ``emptyRecycleBin``, changes by date.

Belongs here: their arguments and results in the partner and enterprise form. Not here: sign-in and envelopes
(``soap_login.py``), the changes (``store``).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from typing import Any, Final
from xml.etree import ElementTree

from starlette.requests import Request

from apps.demo_org.errors import ApiError
from apps.demo_org.exchange import exchange_of, state_of
from apps.demo_org.oauth_policy import check_api
from apps.demo_org.org import DemoOrgState
from apps.demo_org.store import LeadConvert, SObjectError

#: Local name of an element; the two APIs differ in namespaces alone.
_Element = ElementTree.Element


class CallRefused(Exception):
    """The whole call is answered with a fault."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(f"{code}: {message}")


def answer_call(request: Request, text: str) -> str | None:
    """The body that answers a call of this module; None for another call. Raises ``CallRefused``."""
    if "<!DOCTYPE" in text:
        raise CallRefused("INVALID_SOAP_HEADER", "The request has a document type declaration")
    try:
        envelope = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise CallRefused("INVALID_SOAP_HEADER", f"The request is no XML: {error}") from error
    body = _child(envelope, "Body")
    call = next(iter(body), None) if body is not None else None
    if call is None or _name(call) not in _CALLS:
        return None
    org = state_of(request)
    session = org.sessions.find(_text(envelope, "SessionHeader", "sessionId"))
    if session is None:
        raise CallRefused("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader: Illegal Session.")
    exchange_of(request).user = session.username
    try:
        check_api(org, session, request.client.host if request.client else "127.0.0.1")
    except ApiError as error:
        raise CallRefused(error.code, error.message) from error
    if not org.usage.call():
        raise CallRefused("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    name = _name(call)
    results = "".join(f"<result>{_fields(each)}</result>" for each in _CALLS[name](org, call, session.user_id))
    return f"<{name}Response>{results}</{name}Response>"


def _merge(org: DemoOrgState, call: _Element, user: str) -> list[dict[str, Any]]:
    return [_merged(org, each, user) for each in call if _name(each) == "request"]


def _merged(org: DemoOrgState, request: _Element, user: str) -> dict[str, Any]:
    master = _child(request, "masterRecord")
    if master is None:
        raise CallRefused("MISSING_ARGUMENT", "masterRecord")
    kind = _text(master, "type") or _xsi_type(master)
    values = {_name(each): each.text for each in master if _name(each) not in ("type", "Id", "fieldsToNull")}
    values |= {each.text or "": None for each in master if _name(each) == "fieldsToNull"}
    losers = _texts(request, "recordToMergeIds")
    master_id = _text(master, "Id")
    try:
        moved = org.store.changes.merge(kind, master_id, losers, values, user)
    except SObjectError as error:
        return {"errors": _error(error), "success": False}
    return {"id": master_id, "mergedRecordIds": losers, "success": True, "updatedRelatedIds": moved}


def _convert_leads(org: DemoOrgState, call: _Element, user: str) -> list[dict[str, Any]]:
    return [_converted(org, each, user) for each in call if _name(each) == "leadConverts"]


def _converted(org: DemoOrgState, asked: _Element, user: str) -> dict[str, Any]:
    wanted = LeadConvert(
        lead=_text(asked, "leadId"),
        converted_status=_text(asked, "convertedStatus"),
        account=_text(asked, "accountId") or None,
        contact=_text(asked, "contactId") or None,
        create_opportunity=_text(asked, "doNotCreateOpportunity") != "true",
        opportunity_name=_text(asked, "opportunityName") or None,
        opportunity=_text(asked, "opportunityId") or None,
        owner=_text(asked, "ownerId") or None,
        overwrite_lead_source=_text(asked, "overwriteLeadSource") == "true",
    )
    nothing = {"accountId": None, "contactId": None}
    try:
        made = org.store.changes.convert_lead(wanted, user)
    except SObjectError as error:
        return nothing | {"errors": _error(error), "leadId": wanted.lead, "opportunityId": None, "success": False}
    return {
        "accountId": made.account,
        "contactId": made.contact,
        "leadId": made.lead,
        "opportunityId": made.opportunity,
        "success": True,
    }


def _each_id(change: Callable[[DemoOrgState, str, str, str], object]) -> "_Call":
    """A call that does the same to every id it names."""

    def run(org: DemoOrgState, call: _Element, user: str) -> list[dict[str, Any]]:
        results = []
        for record_id in _texts(call, "ids"):
            kind = next((n for n, k in org.store.objects.items() if record_id.startswith(k.key_prefix)), "")
            try:
                change(org, kind, record_id, user)
                results.append({"id": record_id, "success": True})
            except SObjectError as error:
                results.append({"errors": _error(error), "id": record_id, "success": False})
        return results

    return run


def _undelete(org: DemoOrgState, kind: str, record_id: str, user: str) -> None:
    org.store.undelete(kind, record_id, user)


def _empty(org: DemoOrgState, kind: str, record_id: str, user: str) -> None:
    org.store.changes.empty_recycle_bin(kind, [record_id], user)


def _get_updated(org: DemoOrgState, call: _Element, user: str) -> list[dict[str, Any]]:
    found = _replicated(lambda: org.store.replication.updated(*_span(org, call, user)))
    return [{"ids": found.ids, "latestDateCovered": _instant(found.latest_date_covered)}]


def _get_deleted(org: DemoOrgState, call: _Element, user: str) -> list[dict[str, Any]]:
    found = _replicated(lambda: org.store.replication.deleted(*_span(org, call, user)))
    records = [{"deletedDate": _instant(moment), "id": record} for record, moment in found.records]
    return [
        {
            "deletedRecords": records,
            "earliestDateAvailable": _instant(found.earliest_date_available),
            "latestDateCovered": _instant(found.latest_date_covered),
        }
    ]


def _span(org: DemoOrgState, call: _Element, user: str) -> Any:
    kind = org.store.object_type(_text(call, "sObjectType"), org.visibility_for(user))
    dates = []
    for name in ("startDate", "endDate"):
        try:
            found = datetime.fromisoformat(_text(call, name))
        except ValueError:
            raise CallRefused("INVALID_REPLICATION_DATE", f"{name} is not a dateTime") from None
        dates.append(found if found.tzinfo else found.replace(tzinfo=UTC))
    return kind, *dates


def _replicated(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except SObjectError as error:
        raise CallRefused(error.code, error.message) from error


def _instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def _error(error: SObjectError) -> dict[str, Any]:
    return {"fields": error.fields or [], "message": error.message, "statusCode": error.code}


def _fields(values: dict[str, Any]) -> str:
    """Elements of a result; a list is the element several times."""
    parts = []
    for name, value in values.items():
        for each in value if isinstance(value, list) else [value]:
            if each is None:
                parts.append(f'<{name} xsi:nil="true"/>')
            elif isinstance(each, dict):
                parts.append(f"<{name}>{_fields(each)}</{name}>")
            else:
                text = str(each).lower() if isinstance(each, bool) else escape(str(each), quote=False)
                parts.append(f"<{name}>{text}</{name}>")
    return "".join(parts)


def _name(element: _Element) -> str:
    return element.tag.rpartition("}")[2]


def _child(element: _Element, name: str) -> _Element | None:
    return next((each for each in element.iter() if _name(each) == name and each is not element), None)


def _text(element: _Element, *path: str) -> str:
    """Text of an element below, empty where there is none."""
    found: _Element | None = element
    for name in path:
        found = _child(found, name) if found is not None else None
    return ((found.text or "") if found is not None else "").strip()


def _texts(element: _Element, name: str) -> list[str]:
    return [(each.text or "").strip() for each in element if _name(each) == name]


def _xsi_type(element: _Element) -> str:
    found = element.get("{http://www.w3.org/2001/XMLSchema-instance}type", "")
    return found.rpartition(":")[2]


_Call = Callable[[DemoOrgState, _Element, str], list[dict[str, Any]]]
_CALLS: Final[dict[str, _Call]] = {
    "merge": _merge,
    "convertLead": _convert_leads,
    "undelete": _each_id(_undelete),
    "emptyRecycleBin": _each_id(_empty),
    "getUpdated": _get_updated,
    "getDeleted": _get_deleted,
}
