"""A job of Bulk API 1 and its batches, as data and as the API tells them.

Belongs here: states, counts, the keys of an answer in their order. Not here: work, HTTP.
"""

import datetime as dt
import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from apps.demo_org.bulk_jobs import JobScript

#: States in which a batch stays.
FINAL: Final = frozenset({"Completed", "Failed", "NotProcessed"})


@dataclass(frozen=True)
class JobRequest:
    """What a client asks for; ``api_version`` is that of the path, as in ``62.0``."""

    operation: str
    object: str
    content_type: str
    concurrency: str
    external_id: str | None
    created_by: str
    api_version: str
    #: Records of a chunk where PK chunking is on.
    chunk_size: int | None = None

    @property
    def is_query(self) -> bool:
        """Whether batches hold SOQL and not records."""
        return self.operation in ("query", "queryAll")


@dataclass
class Batch:
    """One batch; its content lies in ``path``, what became of it in ``result``. Times are UTC."""

    id: str
    job_id: str
    result_id: str
    created: dt.datetime
    changed: dt.datetime
    path: Path
    state: str = "Queued"
    message: str | None = None
    processed: int = 0
    failed: int = 0
    milliseconds: int = 0
    is_chunk: bool = False

    @property
    def result(self) -> Path:
        """Where the result is written."""
        return self.path.with_name(f"{self.id}.result")

    def move(self, state: str, now: dt.datetime) -> None:
        """Go on to another state."""
        self.state, self.changed = state, now

    @property
    def told(self) -> tuple[int, int]:
        """Records processed and failed as the API tells them: none before the batch has ended, as recorded."""
        return (self.processed, self.failed) if self.state in FINAL else (0, 0)

    def as_info(self, *, as_json: bool) -> dict[str, Any]:
        """The batch as the API tells it; JSON sorts its keys."""
        info = {
            "id": self.id,
            "jobId": self.job_id,
            "state": self.state,
            "stateMessage": self.message,
            "createdDate": self.created,
            "systemModstamp": self.changed,
            "numberRecordsProcessed": self.told[0],
            "numberRecordsFailed": self.told[1],
            "totalProcessingTime": self.milliseconds,
            "apiActiveProcessingTime": self.milliseconds,
            "apexProcessingTime": 0,
        }
        return dict(sorted(info.items())) if as_json else info


@dataclass
class Job:
    """One job. Times are UTC."""

    id: str
    request: JobRequest
    script: JobScript
    created: dt.datetime
    changed: dt.datetime
    state: str = "Open"
    batches: list[Batch] = field(default_factory=list)
    turn: AbstractContextManager[Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Batches of a serial job wait for each other.
        self.turn = threading.Lock() if self.request.concurrency == "Serial" else nullcontext()

    def as_info(self, *, as_json: bool) -> dict[str, Any]:
        """The job as the API tells it."""
        states = [batch.state for batch in self.batches]
        milliseconds = sum(batch.milliseconds for batch in self.batches)
        info: dict[str, Any] = {
            "id": self.id,
            "operation": self.request.operation,
            "object": self.request.object,
            "createdById": self.request.created_by,
            "createdDate": self.created,
            "systemModstamp": max([self.changed, *(batch.changed for batch in self.batches)]),
            "state": self.state,
            "externalIdFieldName": self.request.external_id,
            "concurrencyMode": self.request.concurrency,
            "contentType": self.request.content_type,
            "numberBatchesQueued": states.count("Queued"),
            "numberBatchesInProgress": states.count("InProgress"),
            "numberBatchesCompleted": states.count("Completed"),
            "numberBatchesFailed": states.count("Failed"),
            "numberBatchesTotal": len(states),
            "numberRecordsProcessed": sum(batch.told[0] for batch in self.batches),
            "numberRetries": 0,
            "apiVersion": float(self.request.api_version),
            "numberRecordsFailed": sum(batch.told[1] for batch in self.batches),
            "totalProcessingTime": milliseconds,
            "apiActiveProcessingTime": milliseconds,
            "apexProcessingTime": 0,
        }
        if as_json:
            # The documentation's examples have these two besides, and sort the keys.
            info |= {"assignmentRuleId": None, "fastPathEnabled": False}
            return dict(sorted(info.items()))
        return info
