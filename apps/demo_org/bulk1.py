"""Bulk API 1 over HTTP: ``/services/async/NN.0/job``.

Belongs here: create, close and abort jobs; add batches; their states, what was sent and what came of it. Running a
batch is ``bulk1_jobs.py``.
"""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from apps.demo_org.bulk1_content import CONTENT_TYPES, MEDIA_TYPES
from apps.demo_org.bulk1_jobs import Bulk1Jobs
from apps.demo_org.bulk1_model import Batch, Job, JobRequest
from apps.demo_org.bulk1_query import chunk_size
from apps.demo_org.bulk1_wire import (
    NAMESPACE,
    AsyncError,
    json_answer,
    read_object,
    tell,
    tell_list,
    wants_json,
    xml_answer,
)
from apps.demo_org.bulk_jobs import JobScript
from apps.demo_org.dml import Dml, external_id
from apps.demo_org.exchange import body_of, exchange_of, fired_of, session_of, state_of, version_of
from apps.demo_org.faults import JobFailed, SlowJob
from apps.demo_org.store import SObjectError

_OPERATIONS: Final = ("insert", "update", "upsert", "delete", "hardDelete", "query", "queryAll")
#: simple-salesforce names the mode by its number.
_MODES: Final = {"0": "Parallel", "1": "Serial", "Parallel": "Parallel", "Serial": "Serial"}
_STATES: Final = ("Closed", "Aborted")
#: Bytes of a batch; documented.
_BATCH_BYTES: Final = 10_000_000


def create(request: Request) -> Response:
    """Open a job."""
    fired = fired_of(request)
    failed, slow = fired.first(JobFailed), fired.first(SlowJob)
    script = JobScript(failed.message if failed else None, slow.seconds if slow else 0.0)
    job = _jobs(request).create(_wanted(request, read_object(request)), script)
    exchange_of(request).object = job.request.object
    return _tell_job(request, job, 201)


def show(request: Request) -> Response:
    """Answer a job's state and counts."""
    return _tell_job(request, _job(request))


def change(request: Request) -> Response:
    """Close a job or abort it."""
    job, state = _job(request), read_object(request).get("state")
    if state not in _STATES:
        raise AsyncError("InvalidJobState", f"A job can be set to Closed or Aborted, not to {state or 'nothing'}")
    _jobs(request).finish(job, str(state))
    return _tell_job(request, job)


def add_batch(request: Request) -> Response:
    """Take a batch: SOQL, or records in the job's format."""
    job, content = _job(request), body_of(request)
    if not content.strip():
        raise AsyncError("ClientInputError", "The batch is empty")
    if len(content) > _BATCH_BYTES:
        raise AsyncError("ClientInputError", f"The batch is larger than {_BATCH_BYTES} bytes")
    batch = _jobs(request).add(job, content, state_of(request))
    as_json = _as_json(request, job)
    # The worker may have begun; the answer is of the moment the batch was taken.
    told = batch.as_info(as_json=as_json) | {"state": "Queued", "systemModstamp": batch.created}
    zeros = ("numberRecordsProcessed", "numberRecordsFailed", "totalProcessingTime", "apiActiveProcessingTime")
    return tell(request, "batchInfo", told | dict.fromkeys(zeros, 0), status=201, as_json=as_json)


def list_batches(request: Request) -> Response:
    """List a job's batches in the order in which they came."""
    job = _job(request)
    as_json = _as_json(request, job)
    told = [batch.as_info(as_json=as_json) for batch in job.batches]
    return tell_list(request, "batchInfoList", "batchInfo", told, as_json=as_json)


def show_batch(request: Request) -> Response:
    """Answer a batch's state and counts."""
    job = _job(request)
    as_json = _as_json(request, job)
    return tell(request, "batchInfo", _batch(request, job).as_info(as_json=as_json), as_json=as_json)


def batch_request(request: Request) -> Response:
    """Answer what was sent."""
    job = _job(request)
    kind = "text/plain" if job.request.is_query else MEDIA_TYPES[job.request.content_type]
    return Response(_batch(request, job).path.read_bytes(), media_type=kind)


def batch_result(request: Request) -> Response:
    """Answer what became of each record, or the ids of a query's results: one each batch."""
    job = _job(request)
    batch = _finished(request, job)
    exchange_of(request).rows = batch.processed
    if not job.request.is_query:
        return FileResponse(batch.result, media_type=MEDIA_TYPES[job.request.content_type])
    if _as_json(request, job):
        return json_answer([batch.result_id])
    return xml_answer(f'<result-list\n   xmlns="{NAMESPACE}"><result>{batch.result_id}</result></result-list>')


def query_result(request: Request) -> Response:
    """Answer the rows of a query."""
    job = _job(request)
    batch = _finished(request, job)
    if not job.request.is_query or request.path_params["result"] != batch.result_id:
        raise AsyncError("InvalidBatch", f"Invalid result id: {request.path_params['result']}")
    exchange_of(request).rows = batch.processed
    return FileResponse(batch.result, media_type=MEDIA_TYPES[job.request.content_type])


def _jobs(request: Request) -> Bulk1Jobs:
    return state_of(request).bulk1


def _job(request: Request) -> Job:
    job = _jobs(request).get(request.path_params["job"])
    exchange_of(request).object = job.request.object
    return job


def _batch(request: Request, job: Job) -> Batch:
    wanted = request.path_params["batch"]
    found = next((batch for batch in job.batches if wanted in (batch.id, batch.id[:15])), None)
    if found is None:
        raise AsyncError("InvalidBatch", f"Invalid batch id: {wanted}")
    return found


def _finished(request: Request, job: Job) -> Batch:
    batch = _batch(request, job)
    if batch.state != "Completed":
        raise AsyncError("InvalidBatch", "Batch not completed")
    return batch


def _as_json(request: Request, job: Job) -> bool:
    """Batches of a JSON job are told in JSON, whatever the client says."""
    return job.request.content_type == "JSON" or wants_json(request)


def _tell_job(request: Request, job: Job, status: int = 200) -> Response:
    return tell(request, "jobInfo", job.as_info(as_json=wants_json(request)), status=status)


def _wanted(request: Request, body: dict[str, Any]) -> JobRequest:
    """Check what is asked for; raises AsyncError."""
    operation, name = str(body.get("operation") or ""), str(body.get("object") or "")
    content_type, mode = str(body.get("contentType") or "XML"), str(body.get("concurrencyMode") or "0")
    if operation not in _OPERATIONS:
        raise AsyncError("InvalidJob", f"Invalid operation: {operation or 'null'}")
    if content_type not in CONTENT_TYPES:
        raise AsyncError("InvalidJob", f"Unsupported content type: {content_type}")
    if mode not in _MODES:
        raise AsyncError("InvalidJob", f"Invalid concurrency mode: {mode}")
    dml, user = Dml.of(request), session_of(request).user_id
    try:
        kind = dml.kind(name)
    except SObjectError as error:
        raise AsyncError("InvalidJob", f"Unable to find object: {name or 'null'}") from error
    if operation == "hardDelete" and not state_of(request).has_permission(user, "PermissionsBulkApiHardDelete"):
        raise AsyncError(
            "FeatureNotEnabled",
            "hardDelete operation requires special user profile permission, please contact your system administrator",
        )
    key = str(body.get("externalIdFieldName") or "")
    if operation == "upsert":
        try:
            key = external_id(kind, key).name
        except SObjectError as error:
            message = f"Field name provided, {key or 'null'} does not match an External ID for {kind.name}"
            raise AsyncError("InvalidJob", message) from error
    chunked = chunk_size(request.headers.get("sforce-enable-pkchunking", "")) if operation.startswith("query") else None
    return JobRequest(
        operation,
        kind.name,
        content_type,
        _MODES[mode],
        key if operation == "upsert" else None,
        user,
        version_of(request),
        chunked,
    )


_JOB = "/services/async/{version}/job"
_BATCH = f"{_JOB}/{{job}}/batch"

routes = [
    Route(_JOB, create, methods=["POST"]),
    Route(f"{_JOB}/{{job}}", show, methods=["GET"]),
    Route(f"{_JOB}/{{job}}", change, methods=["POST"]),
    Route(_BATCH, add_batch, methods=["POST"]),
    Route(_BATCH, list_batches, methods=["GET"]),
    Route(f"{_BATCH}/{{batch}}", show_batch, methods=["GET"]),
    Route(f"{_BATCH}/{{batch}}/request", batch_request, methods=["GET"]),
    Route(f"{_BATCH}/{{batch}}/result", batch_result, methods=["GET"]),
    Route(f"{_BATCH}/{{batch}}/result/{{result}}", query_result, methods=["GET"]),
]
