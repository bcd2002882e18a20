"""Bulk API 2.0 query jobs over HTTP.

Belongs here: create, poll, list, abort, delete, results and parallel result pages. Running a job is
``bulk_jobs.py``.
"""

import gzip
from collections.abc import AsyncIterator
from typing import Any

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from apps.demo_org.bulk_jobs import BulkJob, JobRequest, JobScript, make_locator, read_locator
from apps.demo_org.bulk_pages import Page
from apps.demo_org.errors import ApiError, not_found
from apps.demo_org.exchange import (
    answer,
    base_of,
    exchange_of,
    fired_of,
    json_of,
    no_content,
    session_of,
    state_of,
    version_of,
)
from apps.demo_org.faults import ChangeHeader, DropRows, EmptyResult, JobFailed, SlowJob, WrongRowCount
from apps.demo_org.outgoing import accepts_gzip

_CHUNK = 1 << 19
_PARALLEL_PAGES = 5
_PARALLEL_SINCE = 58.0
_LINE_ENDINGS = ("LF", "CRLF")


def create(request: Request) -> Response:
    """Create a job; its query is checked now and run in the background."""
    body = json_of(request)
    operation = str(body.get("operation", ""))
    if operation not in ("query", "queryAll"):
        raise ApiError(400, "INVALIDJOB", f"Invalid operation: {operation or 'null'}")
    if body.get("contentType", "CSV") != "CSV" or body.get("columnDelimiter", "COMMA") != "COMMA":
        raise ApiError(400, "INVALIDJOB", "The demo org writes comma-separated CSV only")
    line_ending = str(body.get("lineEnding", "LF"))
    if line_ending not in _LINE_ENDINGS:
        raise ApiError(400, "INVALIDJOB", f"Invalid lineEnding: {line_ending}")
    org, fired = state_of(request), fired_of(request)
    failed, slow = fired.first(JobFailed), fired.first(SlowJob)
    job = org.jobs.submit(
        JobRequest(
            operation,
            str(body.get("query") or ""),
            line_ending,
            created_by=session_of(request).user_id,
            api_version=version_of(request),
        ),
        JobScript(
            failure=failed.message if failed else None,
            seconds_per_state=slow.seconds if slow else 0.0,
            empty=fired.first(EmptyResult) is not None,
        ),
    )
    exchange_of(request).object = job.object
    # The job may be further already; the answer is of the moment it was created.
    return answer(job.as_created() | {"state": "UploadComplete"})


def show(request: Request) -> Response:
    """Answer a job's state."""
    return answer(state_of(request).jobs.get(request.path_params["job"]).as_info())


def list_jobs(request: Request) -> Response:
    """List the query jobs, the newest first."""
    jobs = state_of(request).jobs.all()
    if request.query_params.get("jobType", "V2Query") != "V2Query":
        jobs = []
    return answer({"done": True, "records": [job.as_info() for job in jobs], "nextRecordsUrl": None})


def abort(request: Request) -> Response:
    """Abort a job."""
    if json_of(request).get("state") != "Aborted":
        raise ApiError(400, "INVALIDJOBSTATE", "Query jobs can only be set to Aborted")
    return answer(state_of(request).jobs.abort(request.path_params["job"]).as_created())


def delete(request: Request) -> Response:
    """Delete a finished job with its results."""
    state_of(request).jobs.delete(request.path_params["job"])
    return no_content()


def results(request: Request) -> Response:
    """Stream one page of a job's result."""
    job = _finished_job(request)
    assert job.pages is not None
    locator = request.query_params.get("locator")
    try:
        start = read_locator(job, locator) if locator and locator != "null" else 0
        page = job.pages.at(start, _max_records(request))
    except LookupError as error:
        raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator") from error
    announced = page.rows
    if wrong := fired_of(request).first(WrongRowCount):
        announced += wrong.rows
    if cut := fired_of(request).first(DropRows):
        page = job.pages.shortened(page, cut.rows)
    if changed := fired_of(request).first(ChangeHeader):
        page = job.pages.with_header(page, changed.header)
    exchange_of(request).rows = page.rows
    headers = {
        "Sforce-Locator": "null" if page.next_row is None else make_locator(job, page.next_row),
        "Sforce-NumberOfRecords": str(announced),
        "Vary": "Accept-Encoding",
    }
    return _stream(page, headers, compressed=accepts_gzip(request.headers))


def result_pages(request: Request) -> Response:
    """Answer up to five addresses of pages that may be fetched side by side, and where the next five are."""
    if float(version_of(request)) < _PARALLEL_SINCE:
        raise not_found()
    job = _finished_job(request)
    assert job.pages is not None
    locator = request.query_params.get("locator")
    first = read_locator(job, locator) if locator else 0
    starts = [start for start in job.pages.starts() if start >= first]
    base = f"{base_of(request)}/jobs/query/{job.id}"
    body: dict[str, Any] = {
        "resultPages": [
            {"resultUrl": f"{base}/results?locator={make_locator(job, start)}"} for start in starts[:_PARALLEL_PAGES]
        ]
    }
    more = starts[_PARALLEL_PAGES:]
    if more:
        body["nextRecordsUrl"] = f"{base}/resultPages?locator={make_locator(job, more[0])}"
    return answer({**body, "done": not more})


def _finished_job(request: Request) -> BulkJob:
    """Return the job if its results can be had in the version asked for."""
    job = state_of(request).jobs.get(request.path_params["job"])
    if job.request.api_version != version_of(request):
        message = f"The job was created with API version {job.request.api_version}, use the same to get its results"
        raise ApiError(409, "INVALIDVERSION", message)
    if job.state != "JobComplete":
        raise ApiError(400, "INVALIDJOBSTATE", f"Results are not available for a job in state {job.state}")
    return job


def _max_records(request: Request) -> int | None:
    asked = request.query_params.get("maxRecords")
    if asked is None:
        return None
    if not asked.isdigit() or int(asked) < 1:
        raise ApiError(400, "INVALID_PARAMETER_VALUE", f"maxRecords must be a positive number: {asked}")
    return int(asked)


def _stream(page: Page, headers: dict[str, str], *, compressed: bool) -> Response:
    """Send a page file piece by piece: as it lies on disk, or unpacked for a client without gzip."""
    if compressed:
        headers |= {"Content-Encoding": "gzip", "Content-Length": str(page.path.stat().st_size)}
    return StreamingResponse(_pieces(page, compressed), headers=headers, media_type="text/csv;charset=UTF-8")


async def _pieces(page: Page, compressed: bool) -> AsyncIterator[bytes]:
    with page.path.open("rb") if compressed else gzip.open(page.path, "rb") as source:
        while piece := await run_sync(source.read, _CHUNK):
            yield piece


_JOBS = "/services/data/v{version}/jobs/query"

routes = [
    Route(_JOBS, create, methods=["POST"]),
    Route(_JOBS, list_jobs, methods=["GET"]),
    Route(f"{_JOBS}/{{job}}", show, methods=["GET"]),
    Route(f"{_JOBS}/{{job}}", abort, methods=["PATCH"]),
    Route(f"{_JOBS}/{{job}}", delete, methods=["DELETE"]),
    Route(f"{_JOBS}/{{job}}/results", results, methods=["GET"]),
    Route(f"{_JOBS}/{{job}}/resultPages", result_pages, methods=["GET"]),
]
