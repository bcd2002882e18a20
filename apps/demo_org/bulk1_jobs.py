"""The jobs of Bulk API 1 and their batches: states, counts, and the work behind them.

Belongs here: running batches in the background. Does not belong here: HTTP (``bulk1.py``), formats
(``bulk1_content.py``), SOQL (``bulk1_query.py``).
"""

import datetime as dt
import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Final

from apps.demo_org import bulk1_query
from apps.demo_org.bulk1_content import read_records, write_saved
from apps.demo_org.bulk1_model import FINAL, Batch, Job, JobRequest
from apps.demo_org.bulk1_wire import AsyncError
from apps.demo_org.bulk_jobs import JobScript
from apps.demo_org.dml import Dml, Saved, split_id
from apps.demo_org.ingest_csv import UploadError, check_names
from apps.demo_org.ingest_jobs import CHUNK_ROWS, work_of
from apps.demo_org.org import DemoOrgState
from apps.demo_org.store import OrgStore, SObjectError, SoqlError, make_id
from apps.demo_org.store.duplicates import allow_save
from apps.demo_org.usage import Usage

_log = logging.getLogger(__name__)
#: Records of a batch to be saved; documented.
BATCH_ROWS: Final = 10_000
_JOB_NUMBERS: Final = 2_000_000


class Bulk1Jobs:
    """All jobs since the start. Safe to use from several threads."""

    def __init__(self, store: OrgStore, usage: Usage, folder: Path) -> None:
        self._store, self._usage, self._folder = store, usage, folder
        self._changed = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._numbers = 0
        self._closing = threading.Event()
        self._workers = ThreadPoolExecutor(2, thread_name_prefix="bulk1-batch")
        self._hold: str | None = None

    # -- what clients do

    def create(self, request: JobRequest, script: JobScript) -> Job:
        """Open a job."""
        with self._changed:
            job = Job(make_id("750", _JOB_NUMBERS + self._number()), request, script, self._now(), self._now())
            self._jobs[job.id] = job
        return job

    def find(self, job_id: str) -> Job | None:
        """The job of this id (15 or 18 characters), or None."""
        with self._changed:
            return self._jobs.get(job_id) or next((j for i, j in self._jobs.items() if i[:15] == job_id), None)

    def get(self, job_id: str) -> Job:
        """The job; raises AsyncError."""
        job = self.find(job_id)
        if job is None:
            raise AsyncError("InvalidJob", f"Invalid job id: {job_id}")
        return job

    def add(self, job: Job, content: bytes, org: DemoOrgState) -> Batch:
        """Put a batch in the queue; raises AsyncError where the job or the allocation does not take it."""
        with self._changed:
            if job.state != "Open":
                raise AsyncError(
                    "InvalidJobState", f"Job is in state {job.state}; batches can be added to open jobs only"
                )
            batch = self._new_batch(job, content)
        self._start(job, batch, org)
        return batch

    def finish(self, job: Job, state: str) -> None:
        """Close a job or abort it: batches nobody came to are not processed then. Raises AsyncError."""
        with self._changed:
            if job.state not in ("Open", state):
                raise AsyncError("InvalidJobState", f"Job in state {job.state} cannot be set to {state}")
            job.state, job.changed = state, self._now()
            if state == "Aborted":
                for batch in job.batches:
                    if batch.state in ("Queued", "InProgress"):
                        batch.move("NotProcessed", self._now())
            self._changed.notify_all()

    def hold(self, state: str | None) -> None:
        """Keep every batch that comes into this state there, until another or none is named (for tests)."""
        with self._changed:
            self._hold = state
            self._changed.notify_all()

    def close(self) -> None:
        """Break off what is running and wait until it has stopped."""
        with self._changed:
            self._closing.set()
            self._changed.notify_all()
        self._workers.shutdown(wait=True, cancel_futures=True)

    # -- batches

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _now(self) -> dt.datetime:
        return self._store.now()

    def _new_batch(self, job: Job, content: bytes) -> Batch:
        maximum = self._usage.take("DailyBulkApiBatches")
        if maximum is not None:
            raise AsyncError("ExceededQuota", "ApiBatchItems Limit exceeded.")
        self._folder.mkdir(parents=True, exist_ok=True)
        number = self._number()
        batch_id = make_id("751", number)
        batch = Batch(batch_id, job.id, make_id("752", number)[:15], self._now(), self._now(), self._folder / batch_id)
        batch.path.write_bytes(content)
        job.batches.append(batch)
        return batch

    def _start(self, job: Job, batch: Batch, org: DemoOrgState) -> None:
        # The worker goes on as the user of this request.
        work = self._workers.submit(copy_context().run, self._run, job, batch, org)
        work.add_done_callback(lambda done: self._on_done(batch, done))

    def _on_done(self, batch: Batch, done: "Future[None]") -> None:
        """End a batch that broke, or its client would wait for ever."""
        error = None if done.cancelled() else done.exception()
        if error is not None and not self._closing.is_set():
            _log.error("batch %s broke", batch.id, exc_info=error)
            batch.message = f"InternalServerError : {type(error).__name__}"
            self._advance(batch, "Failed")

    def _advance(self, batch: Batch, state: str) -> bool:
        """Move on, unless somebody aborted the job meanwhile."""
        with self._changed:
            if batch.state in FINAL:
                return False
            batch.move(state, self._now())
            return True

    def _wait(self, job: Job, batch: Batch) -> bool:
        """Stay in a state as faults and tests want it; False where the batch is not to go on."""
        self._closing.wait(job.script.seconds_per_state)
        with self._changed:
            self._changed.wait_for(lambda: self._hold != batch.state or batch.state in FINAL or self._closing.is_set())
            return batch.state not in FINAL and not self._closing.is_set()

    def _run(self, job: Job, batch: Batch, org: DemoOrgState) -> None:
        with job.turn:
            if not self._wait(job, batch) or not self._advance(batch, "InProgress"):
                return
            started = dt.datetime.now(dt.UTC)
            outcome = "Completed"
            try:
                if job.script.failure is not None:
                    raise UploadError(job.script.failure)
                outcome = self._query(job, batch, org) if job.request.is_query else self._save(job, batch, org)
            except UploadError as error:
                batch.message, outcome = str(error), "Failed"
            self._wait(job, batch)
            batch.milliseconds = int((dt.datetime.now(dt.UTC) - started).total_seconds() * 1000)
            self._advance(batch, outcome)

    def _query(self, job: Job, batch: Batch, org: DemoOrgState) -> str:
        soql = batch.path.read_bytes().decode("utf-8", "replace").strip()
        asked = bulk1_query.Asked(
            soql,
            job.request.content_type,
            f"v{job.request.api_version}",
            job.request.operation == "queryAll",
            org.visibility_for(job.request.created_by),
            job.request.created_by,
        )
        try:
            if job.request.chunk_size is not None and not batch.is_chunk:
                return self._cut(job, batch, asked, org)
            batch.processed = bulk1_query.run(self._store, asked, batch.result)
        except SoqlError as error:
            raise UploadError(f"InvalidBatch : Failed to process query: {error.code}: {error.message}") from error
        return "Completed"

    def _cut(self, job: Job, batch: Batch, asked: bulk1_query.Asked, org: DemoOrgState) -> str:
        """Make a batch of each range of ids; the one that was sent is not processed itself."""
        self._store.query(
            asked.soql, include_deleted=asked.include_deleted, bulk=True, visibility=asked.seen, user=asked.user
        )
        if not bulk1_query.can_be_chunked(asked.soql):
            raise UploadError("InvalidBatch : Failed to process query: PK chunking takes no ORDER BY, LIMIT or OFFSET")
        assert job.request.chunk_size is not None
        queries = bulk1_query.chunks(
            self._store, asked.soql, job.request.object, job.request.chunk_size, asked.include_deleted
        )
        try:
            with self._changed:
                made = [self._new_batch(job, soql.encode()) for soql in queries]
        except AsyncError as error:
            raise UploadError(f"{error.code} : {error.message}") from error
        for each in made:
            each.is_chunk = True
            self._start(job, each, org)
        return "NotProcessed"

    def _save(self, job: Job, batch: Batch, org: DemoOrgState) -> str:
        """Save the records, each for itself; the rows of one that is refused stay as they were."""
        request, dml = job.request, Dml(org, job.request.created_by)
        names, records = read_records(batch.path.read_bytes(), request.content_type)
        if len(records) > BATCH_ROWS:
            raise UploadError(f"InvalidBatch : Records not processed: more than {BATCH_ROWS} in a batch")
        try:
            kind = dml.kind(request.object)
        except SObjectError as error:
            raise UploadError(f"InvalidEntity : {request.object}") from error
        check_names(kind, names, dml.hidden(kind))
        # This API takes no duplicate rule header.
        allow_save.set(False)
        saved: list[Saved] = []
        for start in range(0, len(records), CHUNK_ROWS):
            if self._closing.is_set() or batch.state in FINAL:
                break
            chunk = records[start : start + CHUNK_ROWS]
            work = [work_of(request.operation, request.object, request.external_id, values, dml) for values in chunk]
            found = dml.in_chunk(work)
            saved += [_with_id(one, values) for one, values in zip(found, chunk, strict=True)]
            batch.processed, batch.failed = len(saved), sum(one.error is not None for one in saved)
        batch.result.write_bytes(write_saved(saved, request.content_type))
        return "Completed"


def _with_id(saved: Saved, values: dict[str, object]) -> Saved:
    """A refused record with the id that it named, if any."""
    return saved if saved.error is None else Saved(split_id(values)[0] or None, error=saved.error)
