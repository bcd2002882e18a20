"""Bulk API 2.0 ingest jobs: their states, their upload, saving its rows one by one.

Belongs here: running a job in the background. Does not belong here: HTTP (``ingest.py``), CSV (``ingest_csv.py``).
"""

import datetime as dt
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from apps.demo_org.bulk_jobs import TERMINAL, JobScript
from apps.demo_org.dml import Dml, Saved, split_id
from apps.demo_org.errors import ApiError, not_found
from apps.demo_org.ingest_csv import Upload, UploadError, check_names, read_upload, values_of, write_results
from apps.demo_org.store import SObjectError, make_id
from apps.demo_org.store.duplicates import allow_save
from apps.demo_org.usage import Usage

_log = logging.getLogger(__name__)
#: Salesforce makes one batch of each 10,000 records.
BATCH_ROWS: Final = 10_000
#: Rows saved in one transaction.
CHUNK_ROWS: Final = 200
_SUCCESS: Final = ("sf__Id", "sf__Created")
_FAILURE: Final = ("sf__Id", "sf__Error")


@dataclass(frozen=True)
class IngestRequest:
    """What a client asks for; ``api_version`` is that of the path."""

    operation: str
    object: str
    external_id: str | None
    line_ending: str
    delimiter: str
    created_by: str
    api_version: str


@dataclass
class IngestJob:
    """One job; times are UTC."""

    id: str
    request: IngestRequest
    script: JobScript
    created: dt.datetime
    changed: dt.datetime
    state: str = "Open"
    error: str | None = None
    milliseconds: int = 0
    data: Path | None = None
    upload: Upload = field(default_factory=lambda: Upload("", [], []))
    #: What became of the rows so far, in their order.
    saved: list[Saved] = field(default_factory=list)

    def as_created(self) -> dict[str, Any]:
        """The body that answers create, close and abort."""
        body: dict[str, Any] = {
            "id": self.id,
            "operation": self.request.operation,
            "object": self.request.object,
            "createdById": self.request.created_by,
            "createdDate": _time(self.created),
            "systemModstamp": _time(self.changed),
            "state": self.state,
        }
        if self.request.external_id is not None:
            body["externalIdFieldName"] = self.request.external_id
        body |= {"concurrencyMode": "Parallel", "contentType": "CSV", "apiVersion": float(self.request.api_version)}
        if self.state == "Open":
            body["contentUrl"] = f"services/data/v{self.request.api_version}/jobs/ingest/{self.id}/batches"
        return body | {"lineEnding": self.request.line_ending, "columnDelimiter": self.request.delimiter}

    def as_info(self) -> dict[str, Any]:
        """The body that answers a poll."""
        body = self.as_created()
        ends = {key: body.pop(key) for key in ("lineEnding", "columnDelimiter")}
        body |= {
            "jobType": "V2Ingest",
            **ends,
            "numberRecordsProcessed": len(self.saved),
            "numberRecordsFailed": sum(each.error is not None for each in self.saved),
            "retries": 0,
            "totalProcessingTime": self.milliseconds,
            "apiActiveProcessingTime": self.milliseconds,
            "apexProcessingTime": 0,
            "isPkChunkingSupported": False,
        }
        return body if self.error is None else {**body, "errorMessage": self.error}

    def successful(self) -> bytes:
        """The rows saved, each with its record's id and whether that is new."""
        pairs = zip(self.saved, self.upload.rows, strict=False)
        rows = [[each.id or "", "true" if each.created else "false", *row] for each, row in pairs if not each.error]
        return write_results(_SUCCESS, self.upload, rows, self.request.delimiter)

    def failed(self) -> bytes:
        """The rows refused, each with its error as ``CODE:message:fields --``."""
        pairs = zip(self.saved, self.upload.rows, strict=False)
        rows = [[each.id or "", error_text(each.error), *row] for each, row in pairs if each.error]
        return write_results(_FAILURE, self.upload, rows, self.request.delimiter)

    def unprocessed(self) -> bytes:
        """The rows nobody came to: the job was aborted or failed before."""
        return write_results((), self.upload, self.upload.rows[len(self.saved) :], self.request.delimiter)


def _with_id(saved: Saved, values: dict[str, Any]) -> Saved:
    """A refused row with the id it gave, if it gave one."""
    if saved.error is None:
        return saved
    return Saved(split_id({name: value for name, value in values.items() if value})[0] or None, error=saved.error)


def error_text(error: SObjectError) -> str:
    """An error as a result file tells it: ``CODE:message:fields --``."""
    fields = ",".join(error.fields or [])
    return f"{error.code}:{error.message}:{f'{fields} ' if fields else ''}--"


def _time(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


class IngestJobs:
    """All ingest jobs since the start. Safe to use from several threads."""

    def __init__(self, usage: Usage, folder: Path, clock: Callable[[], dt.datetime]) -> None:
        self._usage, self._folder, self._clock = usage, folder, clock
        self._lock = threading.Lock()
        self._jobs: dict[str, IngestJob] = {}
        self._numbers = 0
        self._closing = threading.Event()
        self._workers = ThreadPoolExecutor(2, thread_name_prefix="ingest-job")

    def create(self, request: IngestRequest, script: JobScript) -> IngestJob:
        """Open a job."""
        with self._lock:
            self._numbers += 1
            now = self._clock()
            # Numbers far from those of query jobs: both are of the same type.
            job = IngestJob(make_id("750", 1_000_000 + self._numbers), request, script, now, now)
            self._jobs[job.id] = job
        return job

    def find(self, job_id: str) -> IngestJob | None:
        """The job of this id (15 or 18 characters), or None."""
        with self._lock:
            return self._jobs.get(job_id) or next((j for i, j in self._jobs.items() if i[:15] == job_id), None)

    def get(self, job_id: str) -> IngestJob:
        """The job; raises 404."""
        job = self.find(job_id)
        if job is None:
            raise not_found()
        return job

    def all(self) -> list[IngestJob]:
        """Every job, the newest first."""
        with self._lock:
            return list(self._jobs.values())[::-1]

    def put(self, job: IngestJob, content: bytes) -> None:
        """Take the one upload of an open job; raises 400."""
        with self._lock:
            if job.state != "Open" or job.data is not None:
                why = "has its data already" if job.state == "Open" else f"is in state {job.state}"
                raise ApiError(400, "INVALIDJOBSTATE", f"Data cannot be uploaded: the job {why}")
            self._folder.mkdir(parents=True, exist_ok=True)
            job.data = self._folder / f"{job.id}.csv"
        job.data.write_bytes(content)

    def finish_upload(self, job: IngestJob, dml: Dml) -> None:
        """Close a job's upload and put it in the queue; raises 400."""
        with self._lock:
            if job.state != "Open":
                raise ApiError(400, "INVALIDJOBSTATE", f"Job in state {job.state} cannot be set to UploadComplete")
            self._move(job, "UploadComplete")
        # The worker goes on as the user of this request.
        work = self._workers.submit(copy_context().run, self._run, job, dml)
        work.add_done_callback(lambda done: self._on_done(job, done))

    def abort(self, job: IngestJob) -> None:
        """Stop a job that is not finished; rows saved so far stay. Raises 400."""
        with self._lock:
            if job.state in TERMINAL:
                raise ApiError(400, "INVALIDJOBSTATE", f"Job in state {job.state} cannot be aborted")
            self._move(job, "Aborted")

    def delete(self, job: IngestJob) -> None:
        """Forget a job with its data; raises 400 for one that is open or at work."""
        with self._lock:
            if job.state in ("Open", "InProgress"):
                raise ApiError(400, "INVALIDJOBSTATE", f"Job in state {job.state} cannot be deleted")
            self._move(job, "Aborted")
            del self._jobs[job.id]
        if job.data is not None:
            job.data.unlink(missing_ok=True)

    def close(self) -> None:
        """Break off what is running and wait until it has stopped."""
        self._closing.set()
        self._workers.shutdown(wait=True, cancel_futures=True)

    def _move(self, job: IngestJob, state: str) -> None:
        job.state, job.changed = state, self._clock()

    def _advance(self, job: IngestJob, state: str) -> bool:
        with self._lock:
            if job.state in TERMINAL:
                return False
            self._move(job, state)
            return True

    def _on_done(self, job: IngestJob, done: "Future[None]") -> None:
        """See to it that a defect of the demo org leaves no job at work for ever."""
        error = None if done.cancelled() else done.exception()
        if error is not None and not self._closing.is_set():
            _log.error("ingest job %s broke", job.id, exc_info=error)
            job.error = f"InternalServerError : {type(error).__name__}"
            self._advance(job, "Failed")

    def _run(self, job: IngestJob, dml: Dml) -> None:
        self._closing.wait(job.script.seconds_per_state)
        if self._closing.is_set() or not self._advance(job, "InProgress"):
            return
        # Bulk takes no duplicate rule header: a rule that blocks blocks every row.
        allow_save.set(False)
        started = dt.datetime.now(dt.UTC)
        try:
            self._read(job, dml)
            if job.script.failure is not None:
                raise UploadError(job.script.failure)
            self._save(job, dml)
        except UploadError as error:
            job.error = str(error)
        self._closing.wait(job.script.seconds_per_state)
        job.milliseconds = int((dt.datetime.now(dt.UTC) - started).total_seconds() * 1000)
        self._advance(job, "Failed" if job.error is not None else "JobComplete")

    def _read(self, job: IngestJob, dml: Dml) -> None:
        """Read the upload, check its header, and use up its batches."""
        content = job.data.read_bytes() if job.data is not None else b""
        upload = read_upload(content, job.request.delimiter, job.request.line_ending)
        try:
            kind = dml.kind(job.request.object)
        except SObjectError as error:
            raise UploadError(f"InvalidEntity : {job.request.object}") from error
        job.upload = upload
        check_names(kind, upload.names, dml.hidden(kind))
        batches = -(-len(upload.rows) // BATCH_ROWS)
        if self._usage.take("DailyBulkApiBatches", batches) is not None:
            raise UploadError("ExceededQuota : ApiBatchItems Limit exceeded.")

    def _save(self, job: IngestJob, dml: Dml) -> None:
        """Save chunk by chunk; a row that is refused does not hinder the others."""
        creating = job.request.operation in ("insert", "upsert")
        rows = job.upload.rows
        for start in range(0, len(rows), CHUNK_ROWS):
            if self._closing.is_set() or job.state in TERMINAL:
                return
            chunk = [values_of(job.upload.names, row) for row in rows[start : start + CHUNK_ROWS]]
            asked = job.request
            work = [work_of(asked.operation, asked.object, asked.external_id, values, dml) for values in chunk]
            found = dml.in_chunk(work, creating=creating)
            job.saved += [_with_id(saved, values) for saved, values in zip(found, chunk, strict=True)]


def work_of(
    operation: str, name: str, external_key: str | None, values: dict[str, Any], dml: Dml
) -> Callable[[], Saved]:
    """What an operation does with one row."""
    if operation == "insert":
        return partial(dml.insert, name, values)
    if operation == "update":
        return partial(dml.update, name, values)
    if operation == "upsert":
        return partial(dml.upsert, name, external_key or "Id", values)
    return partial(dml.remove, name, values, hard=operation == "hardDelete")
