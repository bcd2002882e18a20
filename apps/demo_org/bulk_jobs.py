"""Bulk API 2.0 query jobs: their states and their result pages on disk.

Belongs here: running a job in the background and finding the page for a locator. Does not belong here:
HTTP (``bulk.py``) and SOQL (``store/``). No result is ever held in memory: pages are gzip files.
"""

import base64
import binascii
import datetime as dt
import logging
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from apps.demo_org.bulk_pages import ResultPages
from apps.demo_org.errors import ApiError, not_found
from apps.demo_org.store import OrgStore, SoqlError, Visibility, make_id
from apps.demo_org.usage import Usage

_log = logging.getLogger(__name__)
#: Rows of a page unless the client asks for fewer; Salesforce leaves it to the server.
PAGE_ROWS: Final = 50_000
_WORKERS = 4
TERMINAL: Final = frozenset({"JobComplete", "Failed", "Aborted"})


@dataclass(frozen=True)
class JobScript:
    """What the faults in force when the job was created make of it."""

    failure: str | None = None
    seconds_per_state: float = 0.0
    empty: bool = False


@dataclass(frozen=True)
class JobRequest:
    """What a client asks for; ``api_version`` is that of the path."""

    operation: str
    query: str
    line_ending: str
    created_by: str
    api_version: str

    @property
    def include_deleted(self) -> bool:
        """Whether deleted records are wanted too."""
        return self.operation == "queryAll"


@dataclass
class BulkJob:
    """One query job; times are UTC."""

    id: str
    locator_id: str
    object: str
    request: JobRequest
    script: JobScript
    created: dt.datetime
    changed: dt.datetime
    state: str = "UploadComplete"
    error: str | None = None
    pages: ResultPages | None = None
    milliseconds: int = 0

    def as_created(self) -> dict[str, Any]:
        """Return the body that answers create and abort."""
        return {
            "id": self.id,
            "operation": self.request.operation,
            "object": self.object,
            "createdById": self.request.created_by,
            "createdDate": _rest_time(self.created),
            "systemModstamp": _rest_time(self.changed),
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.request.api_version),
            "lineEnding": self.request.line_ending,
            "columnDelimiter": "COMMA",
        }

    def as_info(self) -> dict[str, Any]:
        """Return the body that answers a poll."""
        body = self.as_created()
        ends = {key: body.pop(key) for key in ("lineEnding", "columnDelimiter")}
        body |= {"jobType": "V2Query", **ends}
        if self.state in ("InProgress", *TERMINAL):
            body |= {
                "numberRecordsProcessed": self.pages.rows if self.pages else 0,
                "retries": 0,
                "totalProcessingTime": self.milliseconds,
                "isPkChunkingSupported": True,
            }
        if self.error is not None:
            body["errorMessage"] = self.error
        return body


def _rest_time(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


class BulkJobs:
    """All query jobs since the start. Safe to use from several threads."""

    def __init__(self, store: OrgStore, usage: Usage, folder: Path, visibility: Callable[[str], Visibility]) -> None:
        self._store, self._usage, self._folder = store, usage, folder
        #: What a user may see now: a permission may go between the creation of a job and its run.
        self._visibility = visibility
        self._lock = threading.Lock()
        self._jobs: dict[str, BulkJob] = {}
        self._numbers = 0
        self._futures: list[Future[None]] = []
        self._closing = threading.Event()
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="bulk-job")
        #: Rows of a page; tests make it small (``/__demo__/settings``).
        self.page_rows = PAGE_ROWS

    def submit(self, request: JobRequest, script: JobScript) -> BulkJob:
        """Check the query and put a job in the queue. Raises ``SoqlError`` for a query that Bulk does not take."""
        checked = self._store.check_bulk(
            request.query,
            include_deleted=request.include_deleted,
            visibility=self._visibility(request.created_by),
            user=request.created_by,
        )
        self._within_allocation()
        with self._lock:
            self._numbers += 1
            number, now = self._numbers, self._store.now()
            job = BulkJob(make_id("750", number), make_id("0Ga", number), checked.object, request, script, now, now)
            self._jobs[job.id] = job
        future = self._workers.submit(self._run, job)
        self._futures.append(future)
        future.add_done_callback(lambda done: self._on_done(job, done))
        return job

    def _within_allocation(self) -> None:
        """Count a job; raises 400 where the day's jobs or the room for their results are used up."""
        if self._usage.take("DailyBulkV2QueryFileStorageMB", 0) is not None:
            message = "Max bulk v2 query result size stored (1000000000) kb per 24 hrs has been exceeded"
            raise ApiError(400, "LIMIT_EXCEEDED", message)
        maximum = self._usage.take("DailyBulkV2QueryJobs")
        if maximum is not None:
            raise ApiError(400, "LIMIT_EXCEEDED", f"Max bulk v2 query jobs ({maximum}) per 24 hrs has been reached")

    def find(self, job_id: str) -> BulkJob | None:
        """Return the job of this id (15 or 18 characters), or None."""
        with self._lock:
            return self._jobs.get(job_id) or next((j for i, j in self._jobs.items() if i[:15] == job_id), None)

    def get(self, job_id: str) -> BulkJob:
        """Return the job; raises 404."""
        job = self.find(job_id)
        if job is None:
            raise not_found()
        return job

    def all(self) -> list[BulkJob]:
        """Return every job, the newest first."""
        with self._lock:
            return sorted(self._jobs.values(), key=lambda job: (job.created, job.id), reverse=True)

    def abort(self, job_id: str) -> BulkJob:
        """Stop a job that is not finished; raises 400 for one that is."""
        job = self.get(job_id)
        with self._lock:
            if job.state in TERMINAL:
                raise ApiError(400, "INVALIDJOBSTATE", f"Job in state {job.state} cannot be aborted")
            self._move(job, "Aborted")
        return job

    def delete(self, job_id: str) -> None:
        """Forget a finished job and its pages; raises 400 for one that is not finished."""
        job = self.get(job_id)
        with self._lock:
            if job.state not in TERMINAL:
                raise ApiError(400, "INVALIDJOBSTATE", f"Job in state {job.state} cannot be deleted")
            del self._jobs[job.id]
        shutil.rmtree(self._folder / job.id, ignore_errors=True)

    def close(self) -> None:
        """Break off what is running and wait until it has stopped."""
        self._closing.set()
        self._workers.shutdown(wait=False, cancel_futures=True)
        while any(not future.done() for future in self._futures):
            # Again and again: a job may be between two statements, or compressing a page.
            self._store.interrupt()
            wait(self._futures, timeout=0.05)

    def _move(self, job: BulkJob, state: str) -> None:
        job.state, job.changed = state, self._store.now()

    def _advance(self, job: BulkJob, state: str) -> bool:
        """Move to ``state`` unless someone aborted the job meanwhile."""
        with self._lock:
            if job.state in TERMINAL:
                return False
            self._move(job, state)
            return True

    def _on_done(self, job: BulkJob, done: "Future[None]") -> None:
        """End a job that broke, or its client would wait for ever."""
        if not done.cancelled() and (error := done.exception()) and not self._closing.is_set():
            _log.error("Bulk job %s broke", job.id, exc_info=error)
            job.error = "InternalServerError : An unexpected error occurred."
            self._advance(job, "Failed")

    def _work_on(self, job: BulkJob) -> None:
        """Take the time that a state of the job is scripted to take; an abort ends it."""
        ends = time.monotonic() + job.script.seconds_per_state
        while (left := ends - time.monotonic()) > 0 and job.state not in TERMINAL:
            if self._closing.wait(min(left, 0.1)):
                return

    def _run(self, job: BulkJob) -> None:
        self._work_on(job)
        if self._closing.is_set() or not self._advance(job, "InProgress"):
            return
        started = dt.datetime.now(dt.UTC)
        try:
            pages = None if job.script.failure else self._write(job)
            job.error = job.script.failure
        except SoqlError as error:
            pages, job.error = None, f"{error.code} : {error.message}"
        self._work_on(job)
        job.milliseconds = int((dt.datetime.now(dt.UTC) - started).total_seconds() * 1000)
        if job.state not in TERMINAL:
            job.pages = pages
        self._advance(job, "Failed" if job.error is not None else "JobComplete")

    def _write(self, job: BulkJob) -> ResultPages:
        folder = self._folder / job.id
        folder.mkdir(parents=True)
        written = self._store.write_bulk_csv(
            job.request.query,
            folder,
            include_deleted=job.request.include_deleted,
            page_rows=self.page_rows,
            gzip_level=1,
            line_ending=job.request.line_ending,
            visibility=self._visibility(job.request.created_by),
            user=job.request.created_by,
        )
        self._usage.count("DailyBulkV2QueryFileStorageMB", sum(page.bytes for page in written) / 1e6)
        pages = ResultPages([(page.path, page.rows) for page in written], folder)
        return pages.emptied() if job.script.empty else pages


def make_locator(job: BulkJob, row: int) -> str:
    """Return the locator of the page that starts at ``row``: unpadded base64, as recorded."""
    return base64.b64encode(f"0:{job.locator_id}:{row}".encode()).rstrip(b"=").decode()


def read_locator(job: BulkJob, locator: str) -> int:
    """Return the row at which the locator's page starts; raises 400 for another job's or no locator."""
    try:
        text = base64.b64decode(locator + "=" * (-len(locator) % 4), validate=True).decode()
        kind, owner, row = text.split(":")
        start = int(row)
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator") from error
    if kind != "0" or owner != job.locator_id or start < 0:
        raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return start
