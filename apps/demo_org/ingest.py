"""Bulk API 2.0 ingest over HTTP: create, upload, close, poll, list, delete, results.

Belongs here: the HTTP side. Running a job is ``ingest_jobs.py``.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.demo_org.bulk_jobs import TERMINAL, JobScript
from apps.demo_org.dml import Dml, external_id
from apps.demo_org.errors import ApiError, json_parser_error
from apps.demo_org.exchange import (
    answer,
    base_of,
    body_of,
    exchange_of,
    fired_of,
    json_of,
    no_content,
    session_of,
    state_of,
    version_of,
)
from apps.demo_org.faults import JobFailed, SlowJob
from apps.demo_org.ingest_csv import DELIMITERS, LINE_ENDINGS
from apps.demo_org.ingest_jobs import IngestJob, IngestRequest
from apps.demo_org.store import SObjectError

_OPERATIONS: Final = ("insert", "update", "upsert", "delete", "hardDelete")
#: Characters of data that may come with the creation of a job.
_MULTIPART_LIMIT: Final = 100_000
_LISTED: Final = 1_000
_PART_NAME = re.compile(rb'name="?(\w+)"?', re.IGNORECASE)


def create(request: Request) -> Response:
    """Open a job; a multipart body brings its data along and closes it at once."""
    content_type = request.headers.get("content-type", "")
    body, data = _multipart(request) if content_type.startswith("multipart/") else (json_of(request), None)
    dml, fired = Dml.of(request), fired_of(request)
    failed, slow = fired.first(JobFailed), fired.first(SlowJob)
    script = JobScript(failed.message if failed else None, slow.seconds if slow else 0.0)
    jobs = state_of(request).ingest
    job = jobs.create(_wanted(request, body, dml), script)
    exchange_of(request).object = job.request.object
    if data is not None:
        jobs.put(job, data)
        told = job.as_created() | {"state": "UploadComplete"}
        jobs.finish_upload(job, dml)
        return answer(told)
    return answer(job.as_created())


def upload(request: Request) -> Response:
    """Take the data: 201 and no body."""
    if not request.headers.get("content-type", "text/csv").startswith("text/csv"):
        raise ApiError(400, "INVALIDJOB", "Content-Type must be text/csv")
    state_of(request).ingest.put(_job(request), body_of(request))
    return Response(status_code=201)


def change(request: Request) -> Response:
    """Close the upload or abort the job."""
    jobs, job, state = state_of(request).ingest, _job(request), json_of(request).get("state")
    if state == "UploadComplete":
        jobs.finish_upload(job, Dml.of(request))
        return answer({key: v for key, v in job.as_created().items() if key != "contentUrl"} | {"state": state})
    if state != "Aborted":
        raise ApiError(400, "INVALIDJOBSTATE", "Ingest jobs can only be set to UploadComplete or Aborted")
    jobs.abort(job)
    return answer(job.as_created())


def show(request: Request) -> Response:
    """Answer a job's state."""
    return answer(_job(request).as_info())


def list_jobs(request: Request) -> Response:
    """List the ingest jobs, the newest first, up to 1,000 in one answer."""
    parameters = request.query_params
    jobs = state_of(request).ingest.all() if parameters.get("jobType", "V2Ingest") == "V2Ingest" else []
    start = parameters.get("queryLocator", "0")
    if not start.isdigit():
        raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    page = jobs[int(start) :][:_LISTED]
    following = int(start) + len(page)
    more = f"{base_of(request)}/jobs/ingest?queryLocator={following}" if following < len(jobs) else None
    return answer({"done": more is None, "records": [job.as_info() for job in page], "nextRecordsUrl": more})


def delete(request: Request) -> Response:
    """Delete a job that is closed."""
    state_of(request).ingest.delete(_job(request))
    return no_content()


def successful(request: Request) -> Response:
    """Answer the rows that were saved."""
    return _results(request, IngestJob.successful)


def failed(request: Request) -> Response:
    """Answer the rows that were refused."""
    return _results(request, IngestJob.failed)


def unprocessed(request: Request) -> Response:
    """Answer the rows that were not come to."""
    return _results(request, IngestJob.unprocessed)


def _results(request: Request, of: Callable[[IngestJob], bytes]) -> Response:
    job = _job(request)
    if job.state not in TERMINAL:
        raise ApiError(400, "INVALIDJOBSTATE", f"Results are not available for a job in state {job.state}")
    return Response(of(job), media_type="text/csv;charset=UTF-8")


def _job(request: Request) -> IngestJob:
    job = state_of(request).ingest.get(request.path_params["job"])
    exchange_of(request).object = job.request.object
    return job


def _wanted(request: Request, body: dict[str, Any], dml: Dml) -> IngestRequest:
    """Check what is asked for; raises 400."""
    operation, name = str(body.get("operation", "")), str(body.get("object", ""))
    line_ending, delimiter = str(body.get("lineEnding", "LF")), str(body.get("columnDelimiter", "COMMA"))
    if operation not in _OPERATIONS:
        raise ApiError(400, "INVALIDJOB", f"Invalid operation: {operation or 'null'}")
    if body.get("contentType", "CSV") != "CSV" or line_ending not in LINE_ENDINGS or delimiter not in DELIMITERS:
        raise ApiError(400, "INVALIDJOB", "contentType must be CSV, lineEnding and columnDelimiter known ones")
    try:
        kind = dml.kind(name)
    except SObjectError as error:
        raise ApiError(400, "INVALIDENTITY", f"Entity '{name}' is not supported by the Bulk API.") from error
    if operation == "hardDelete" and not state_of(request).has_permission(
        session_of(request).user_id, "PermissionsBulkApiHardDelete"
    ):
        message = (
            "hardDelete operation requires special user profile permission, please contact your system administrator"
        )
        raise ApiError(400, "FEATURENOTENABLED", message)
    key = body.get("externalIdFieldName")
    if operation == "upsert":
        if not key:
            raise ApiError(400, "INVALIDJOB", "InvalidJob : Upsert operation requires externalIdFieldName")
        try:
            key = external_id(kind, str(key)).name
        except SObjectError as error:
            message = f"InvalidJob : Field name provided, {key} does not match an External ID for {kind.name}"
            raise ApiError(400, "INVALIDJOB", message) from error
    return IngestRequest(
        operation,
        kind.name,
        str(key) if operation == "upsert" else None,
        line_ending,
        delimiter,
        created_by=session_of(request).user_id,
        api_version=version_of(request),
    )


def _multipart(request: Request) -> tuple[dict[str, Any], bytes]:
    """The parts ``job`` (JSON) and ``content`` (CSV) of a multipart body."""
    mark = re.search(r'boundary="?([^";]+)"?', request.headers.get("content-type", ""))
    if mark is None:
        raise json_parser_error("The multipart body has no boundary")
    parts: dict[str, bytes] = {}
    for piece in body_of(request).split(b"--" + mark[1].encode())[1:]:
        head, _, content = piece.lstrip(b"\r\n").partition(b"\r\n\r\n")
        if name := _PART_NAME.search(head):
            parts[name[1].decode()] = content.removesuffix(b"\r\n")
    try:
        job = json.loads(parts["job"])
    except (KeyError, ValueError) as error:
        raise json_parser_error("The multipart body needs a part named job with JSON") from error
    if not isinstance(job, dict) or "content" not in parts:
        raise json_parser_error("The multipart body needs a part named job with an object, and one named content")
    if len(parts["content"]) > _MULTIPART_LIMIT:
        raise ApiError(400, "INVALIDJOB", f"At most {_MULTIPART_LIMIT} characters may come with the creation of a job")
    return job, parts["content"]


_JOBS = "/services/data/v{version}/jobs/ingest"
_JOB = f"{_JOBS}/{{job}}"

routes = [
    Route(_JOBS, create, methods=["POST"]),
    Route(_JOBS, list_jobs, methods=["GET"]),
    Route(_JOB, show, methods=["GET"]),
    Route(_JOB, change, methods=["PATCH"]),
    Route(_JOB, delete, methods=["DELETE"]),
    Route(f"{_JOB}/batches", upload, methods=["PUT"]),
    Route(f"{_JOB}/successfulResults", successful, methods=["GET"]),
    Route(f"{_JOB}/failedResults", failed, methods=["GET"]),
    Route(f"{_JOB}/unprocessedrecords", unprocessed, methods=["GET"]),
]
