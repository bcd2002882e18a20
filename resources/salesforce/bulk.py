"""Bulk API 2.0 query jobs: submit, watch, and stream result pages to files as they come off the wire.

It keeps no state between calls; which pages are on disk already is ``resources.landing``'s business.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import requests
import urllib3

from data_contracts.errors import ExtractionError, SalesforceError, WindowClosedError
from resources.salesforce.session import OrgSession, unreachable

Operation = Literal["query", "queryAll"]
#: The first API version with ``resultPages``.
PARALLEL_SINCE = 58.0
FINAL = frozenset({"JobComplete", "Failed", "Aborted"})
#: Rows per page on the locator chain; there is no such parameter on resultPages.
PAGE_ROWS = 250_000
CHUNK = 1 << 18


#: What the org says of a job that it gave up for its size: a narrower one may get through.
TOO_LARGE = ("query_timeout", "more than 15", "15 times", "retried more than", "too complicated")


@dataclass(frozen=True)
class BulkJob:
    """A query job as Salesforce reports it; the text of its query is not part of that."""

    id: str
    state: str
    rows: int
    message: str = ""
    object: str = ""
    operation: str = ""
    created_by: str = ""
    created_at: datetime | None = None
    api_version: str = ""

    @property
    def finished(self) -> bool:
        """Whether the state will not change any more."""
        return self.state in FINAL

    @property
    def too_large(self) -> bool:
        """Whether the job failed for its size, so that parts of it may get through."""
        return self.state == "Failed" and any(words in self.message.lower() for words in TOO_LARGE)

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> "BulkJob":
        """Read the answer of ``/jobs/query/{id}``, or one entry of the list of jobs."""
        created = body.get("createdDate")
        return cls(
            id=str(body["id"]),
            state=str(body["state"]),
            rows=int(body.get("numberRecordsProcessed") or 0),
            message=str(body.get("errorMessage") or ""),
            object=str(body.get("object") or ""),
            operation=str(body.get("operation") or ""),
            created_by=str(body.get("createdById") or ""),
            created_at=datetime.fromisoformat(str(created)) if created else None,
            api_version=str(body.get("apiVersion") or ""),
        )

    def failure(self) -> ExtractionError:
        """Return the error for a job that ended without a result."""
        aborted = self.state == "Aborted"
        return ExtractionError(
            f"Bulk job {self.id} ended as {self.state}: {self.message or 'no message'}",
            why="someone aborted it in Setup > Bulk Data Load Jobs"
            if aborted
            else "the org gave up: after 15 attempts of its own, or because a field or permission went",
            next_step="run the command again: a new job is created"
            if aborted
            else "narrow the selection if it timed out, then run the command again",
        )


@dataclass(frozen=True)
class PageRef:
    """Where one result page is fetched: its locator, empty for the first."""

    locator: str


@dataclass(frozen=True)
class PageFile:
    """A downloaded page: its file as sent (gzip or not), rows announced, bytes, hash, and the next locator."""

    path: Path
    rows: int
    size: int
    sha256: str
    next_locator: str


class BulkApi:
    """Query jobs of one org and API version."""

    def __init__(self, session: OrgSession, api_version: str) -> None:
        self.session, self.api_version = session, api_version
        self.jobs = f"/services/data/v{api_version}/jobs/query"

    def submit(self, soql: str, operation: Operation) -> BulkJob:
        """Create a query job; the org starts on it at once."""
        body = {
            "operation": operation,
            "query": soql,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        url = self.session.url(self.jobs)
        response = self.session.request("POST", url, json=body, action="create a Bulk query job")
        return BulkJob.from_json(response.json())

    def status(self, job_id: str) -> BulkJob:
        """Return the job's state now; raises SalesforceError with status 404 when the org has forgotten it."""
        return BulkJob.from_json(self.session.read_json(f"{self.jobs}/{job_id}", f"show Bulk job {job_id}"))

    def recent(self) -> list[BulkJob]:
        """Return the newest page of query jobs that the org lists, whoever created them; one call."""
        body = self.session.read_json(f"{self.jobs}?jobType=V2Query", "list the Bulk query jobs")
        return [BulkJob.from_json(entry) for entry in body.get("records", []) if entry.get("id")]

    def wait(
        self,
        job_id: str,
        *,
        progress: Callable[[BulkJob], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        longest_hours: float = 24.0,
        seconds_left: Callable[[], float] | None = None,
    ) -> BulkJob:
        """Poll with growing pauses until the job is final, and return it in whatever state that is.

        ``seconds_left`` tells how long there is to wait at all. Raises WindowClosedError when that is over, and
        ExtractionError when the job is stuck; the job itself goes on in the org.
        """
        pause, deadline = 0.2, time.monotonic() + longest_hours * 3600
        while not (job := self.status(job_id)).finished:
            if seconds_left and (left := seconds_left()) <= 0:
                raise WindowClosedError(
                    f"Bulk job {job_id} is {job.state}, and the off-hours window is closed",
                    why="the org goes on with the job; nothing is lost",
                    next_step="nothing: the next night takes the job up, or run: crosswalk sync",
                )
            if time.monotonic() > deadline:
                raise ExtractionError(
                    f"Bulk job {job_id} is still {job.state} after {longest_hours:g} hours",
                    why="the org has not finished it",
                    next_step="look at Setup > Bulk Data Load Jobs, abort it there, then run the command again",
                )
            if progress:
                progress(job)
            sleep(min(pause, left) if seconds_left else pause)
            pause = min(pause * 1.6, 30.0)
        return job

    def page_refs(self, job_id: str) -> Iterator[PageRef]:
        """Yield every page's locator by ``resultPages``, for parallel download.

        Raises SalesforceError with status 404 or 409 where the org does not offer it.
        """
        if float(self.api_version) < PARALLEL_SINCE:
            raise SalesforceError("resultPages needs API version 58.0", status=404)
        path: str | None = f"{self.jobs}/{job_id}/resultPages"
        while path:
            body = self.session.read_json(path, f"list the pages of Bulk job {job_id}")
            for page in body.get("resultPages", []):
                yield PageRef(_locator(page["resultUrl"]))
            path = None if body.get("done") else body.get("nextRecordsUrl")

    def download(self, job_id: str, ref: PageRef, target: Path) -> PageFile:
        """Stream one page to ``target`` (``.gz`` appended when it came compressed): .part, fsync, rename.

        A connection that drops inside the body is tried again, as is a body shorter than announced. Raises OSError
        when the file cannot be written.
        """
        policy = self.session.policy
        for attempt in range(policy.attempts):
            try:
                return self._download_once(job_id, ref, target)
            except (urllib3.exceptions.HTTPError, requests.RequestException) as error:
                if attempt + 1 == policy.attempts:
                    raise unreachable(self.session.url(""), error) from error
                policy.wait(attempt)
        raise AssertionError("unreachable: the loop returns or raises")

    def _download_once(self, job_id: str, ref: PageRef, target: Path) -> PageFile:
        # Pages of resultPages have a size of their own; only the chain may ask for one.
        parameters = {"locator": ref.locator} if ref.locator else {"maxRecords": str(PAGE_ROWS)}
        path = f"{self.jobs}/{job_id}/results"
        response = self.session.read(path, f"send a page of Bulk job {job_id}", params=parameters, stream=True)
        with response:
            compressed = response.headers.get("Content-Encoding", "").lower() == "gzip"
            final = target.with_name(target.name + ".gz") if compressed else target
            size, digest = write_durably(final, response.raw.stream(CHUNK, decode_content=False))
            rows = response.headers.get("Sforce-NumberOfRecords")
            if rows is None:
                raise ExtractionError(
                    f"a page of Bulk job {job_id} came without Sforce-NumberOfRecords",
                    why="the number of its rows cannot be proven; a proxy may strip headers",
                    next_step="reach the org without that proxy, then run the command again",
                )
            locator = response.headers.get("Sforce-Locator", "null")
            self.session.usage.count(path, size=size, rows=int(rows))
            return PageFile(final, int(rows), size, digest, "" if locator == "null" else locator)


def write_durably(path: Path, chunks: Iterator[bytes]) -> tuple[int, str]:
    """Write ``chunks`` to ``path`` so that it exists whole or not at all; return its bytes and SHA-256."""
    part = path.with_name(path.name + ".part")
    digest, size = hashlib.sha256(), 0
    with part.open("wb") as handle:
        for chunk in chunks:
            handle.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        handle.flush()
        os.fsync(handle.fileno())
    part.rename(path)
    return size, digest.hexdigest()


def _locator(result_url: str) -> str:
    return parse_qs(urlsplit(result_url).query).get("locator", [""])[0]
