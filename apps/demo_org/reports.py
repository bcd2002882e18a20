"""Reports and Dashboards REST API: list, describe, run, run in the background, create, clone, save, delete.

Belongs here: the HTTP side of ``/analytics/reports``. Dashboards and Excel downloads are not served.
"""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.demo_org.errors import ApiError
from apps.demo_org.exchange import answer, base_of, body_of, exchange_of, json_of, no_content, session_of, state_of
from apps.demo_org.reports_catalog import Instance, Report
from apps.demo_org.reports_columns import ReportType, report_type_names
from apps.demo_org.reports_filters import condition, refused
from apps.demo_org.reports_metadata import check, complete, extended, type_metadata, type_of
from apps.demo_org.reports_run import ReportRun
from apps.demo_org.store import Visibility

_NO_PRIVILEGE = "You don’t have sufficient privileges to perform this operation."


def index(request: Request) -> Response:
    """List the reports used last."""
    user, seen = _reader(request)
    found = state_of(request).reports.recent(user, seen)
    exchange_of(request).rows = len(found)
    return answer([{"id": each.id, "name": each.name, **_urls(request, each.id)} for each in found])


def describe(request: Request) -> Response:
    """Answer what a report is made of and what its type offers."""
    report = _report(request)
    kind, metadata = _definition(request, report, {})
    return answer(_description(request, report, kind, metadata))


def run(request: Request) -> Response:
    """Run a report now; a posted ``reportMetadata`` changes filters, columns, groupings for this run only."""
    result = _runner(request, _report(request), "HourlySyncReportRuns")()
    exchange_of(request).rows = sum(len(cell.get("rows", ())) for cell in result["factMap"].values())
    return answer(result)


def create(request: Request) -> Response:
    """Save a new report, or with ``cloneId`` a copy of one."""
    user, seen = _reader(request)
    org, given = state_of(request), _metadata_of(request)
    if "cloneId" in request.query_params:
        origin = org.reports.get(request.query_params["cloneId"], user, seen)
        given = {**origin.definition, "developerName": None, **given}
    kind = type_of(given, org.store.objects, seen)
    if kind is None:
        raise refused("The request is invalid because reportType is invalid.")
    check(complete(given, kind), kind)
    report = org.reports.get(org.reports.create(given, user), user, seen)
    return answer(_description(request, report, *_definition(request, report, {})))


def save(request: Request) -> Response:
    """Change a saved report."""
    user, seen = _reader(request)
    org, report = state_of(request), _report(request)
    given = _metadata_of(request)
    _definition(request, report, given)
    org.reports.save(report, given)
    report = org.reports.get(report.id, user, seen)
    return answer(_description(request, report, *_definition(request, report, {})))


def delete(request: Request) -> Response:
    """Delete a report."""
    state_of(request).reports.delete(_report(request))
    return no_content()


def run_unsaved(request: Request) -> Response:
    """Run a definition without saving it."""
    report = Report("", str(_metadata_of(request).get("name") or ""), "", "", {})
    return answer(_runner(request, report, "HourlySyncReportRuns")())


def types(request: Request) -> Response:
    """List the report types."""
    _, seen = _reader(request)
    org = state_of(request)
    listed = [
        {"label": kind.label, "type": name, "isEnableHidden": False, "describeUrl": f"{_base(request)}/{name}"}
        for name in report_type_names(org.store.objects, seen)
        if (kind := type_of({"reportType": name}, org.store.objects, seen))
    ]
    return answer([{"label": "All", "reportTypes": listed}])


def start(request: Request) -> Response:
    """Run a report in the background."""
    report, (user, _) = _report(request), _reader(request)
    work = _runner(request, report, "HourlyAsyncReportRuns")
    started = state_of(request).reports.start(report, user, work, details=_wants_details(request))
    return answer(_instance(request, started) | {"status": "New", "completionDate": None})


def instances(request: Request) -> Response:
    """List a report's background runs."""
    report = _report(request)
    return answer([_instance(request, each) for each in state_of(request).reports.instances(report.id)])


def instance(request: Request) -> Response:
    """Answer a background run: its state, and its result once it has one."""
    report = _report(request)
    found = state_of(request).reports.instance(report.id, request.path_params["instance"])
    told = _instance(request, found)
    attributes = {
        "type": "ReportInstance",
        "reportId": report.id,
        "reportName": report.name,
        "errorMessage": found.error,
        **{key: told[key] for key in ("id", "status", "ownerId", "requestDate", "completionDate", "queryable")},
    }
    return answer({**(found.result or {}), "attributes": attributes})


def delete_instance(request: Request) -> Response:
    """Delete a background run."""
    org, report = state_of(request), _report(request)
    org.reports.forget(org.reports.instance(report.id, request.path_params["instance"]))
    return no_content()


def report_soql(request: Request, report_id: str) -> str:
    """The SOQL of a saved report's rows (for its query plan)."""
    user, seen = _reader(request)
    kind, metadata = _definition(request, state_of(request).reports.get(report_id, user, seen), {})
    where = condition(kind, metadata, user)
    return f"SELECT Id FROM {kind.kind.name}{f' WHERE {where}' if where else ''}"


def _reader(request: Request) -> tuple[str, Visibility]:
    return session_of(request).user_id, state_of(request).visibility()


def _report(request: Request) -> Report:
    org, user = state_of(request), session_of(request).user_id
    if not org.has_permission(user, "PermissionsRunReports"):
        message = "You don’t have permission to run reports. Check that you have the Run Reports user permission."
        raise ApiError(403, "FORBIDDEN", message)
    return state_of(request).reports.get(request.path_params["report"], *_reader(request))


def _metadata_of(request: Request) -> dict[str, Any]:
    """The posted ``reportMetadata``; none for an empty body."""
    if not body_of(request).strip():
        return {}
    given = json_of(request).get("reportMetadata", {})
    if not isinstance(given, dict):
        raise refused("The request is invalid because there is no metadata. Specify metadata in the request body.")
    return given


def _definition(request: Request, report: Report, given: dict[str, Any]) -> tuple[ReportType, dict[str, Any]]:
    """A report's type and complete metadata, with what the request changes; raises 400 and 403."""
    org, (_, seen) = state_of(request), _reader(request)
    merged = {**report.definition, **given}
    kind = type_of(merged, org.store.objects, seen)
    if kind is None:
        raise ApiError(403, "FORBIDDEN", _NO_PRIVILEGE)
    exchange_of(request).object = kind.kind.name
    name = {"id": report.id or None, "name": report.name, "developerName": report.developer_name or None}
    metadata = complete({**merged, **name}, kind)
    check(metadata, kind)
    return kind, metadata


def _runner(request: Request, report: Report, limit: str) -> Callable[[], dict[str, Any]]:
    """Check a run and count it; what is returned does it."""
    org, (user, seen) = state_of(request), _reader(request)
    kind, metadata = _definition(request, report, _metadata_of(request))
    details = _wants_details(request)
    condition(kind, metadata, user)
    maximum = org.usage.take(limit)
    if maximum is not None:
        how = "synchronously" if "Sync" in limit else "asynchronously"
        message = f"You can’t run more than {maximum} reports {how} every 60 minutes. Try again later."
        raise ApiError(403, "FORBIDDEN", message)
    urls = {key: url for key, url in _urls(request, report.id).items() if key != "url"}

    def work() -> dict[str, Any]:
        result = ReportRun(org.store, kind, metadata, seen, user).result(details=details)
        return {
            "attributes": {"type": "Report", "reportId": report.id, "reportName": report.name, **urls},
            "reportMetadata": metadata,
            "reportExtendedMetadata": extended(metadata, kind),
            **result,
        }

    return work


def _wants_details(request: Request) -> bool:
    return request.query_params.get("includeDetails", "false").lower() == "true"


def _description(request: Request, report: Report, kind: ReportType, metadata: dict[str, Any]) -> dict[str, Any]:
    urls = {key: url for key, url in _urls(request, report.id).items() if key != "url"}
    return {
        "attributes": {"type": "Report", "reportId": report.id, "reportName": report.name, **urls},
        "reportMetadata": metadata,
        "reportExtendedMetadata": extended(metadata, kind),
        "reportTypeMetadata": type_metadata(kind),
    }


def _instance(request: Request, found: Instance) -> dict[str, Any]:
    return {
        "completionDate": found.completed and f"{found.completed:%Y-%m-%dT%H:%M:%SZ}",
        "hasDetailRows": found.details,
        "id": found.id,
        "ownerId": found.owner_id,
        "queryable": False,
        "requestDate": f"{found.requested:%Y-%m-%dT%H:%M:%SZ}",
        "status": found.status,
        "url": f"{_base(request)}/{found.report_id}/instances/{found.id}",
    }


def _base(request: Request) -> str:
    return f"{base_of(request)}/analytics/reports"


def _urls(request: Request, report_id: str) -> dict[str, str]:
    url = f"{_base(request)}/{report_id}"
    return {"describeUrl": f"{url}/describe", "instancesUrl": f"{url}/instances", "url": url}


_REPORTS = "/services/data/v{version}/analytics/reports"
_REPORT = f"{_REPORTS}/{{report}}"

routes = [
    Route(_REPORTS, index, methods=["GET"]),
    Route(_REPORTS, create, methods=["POST"]),
    Route(f"{_REPORTS}/query", run_unsaved, methods=["POST"]),
    Route("/services/data/v{version}/analytics/reportTypes", types, methods=["GET"]),
    Route(_REPORT, run, methods=["GET", "POST"]),
    Route(_REPORT, save, methods=["PATCH"]),
    Route(_REPORT, delete, methods=["DELETE"]),
    Route(f"{_REPORT}/describe", describe, methods=["GET"]),
    Route(f"{_REPORT}/instances", instances, methods=["GET"]),
    Route(f"{_REPORT}/instances", start, methods=["POST"]),
    Route(f"{_REPORT}/instances/{{instance}}", instance, methods=["GET"]),
    Route(f"{_REPORT}/instances/{{instance}}", delete_instance, methods=["DELETE"]),
]
