"""Landing files: one folder per extraction job, holding result pages as they came and a manifest of them.

A page counts as landed when the manifest lists it, which happens after its file is whole on disk. Filling a
folder is ``pipelines.extract.download``; reading it into a table is ``pipelines.extract.load``.
"""

import hashlib
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from data_contracts.errors import ExtractionError
from resources.files import sync_folder, write_atomically

#: Salesforce keeps a finished query job and its pages for seven days.
JOB_LIFETIME = timedelta(days=7)
MANIFEST = "manifest.json"


class LandedField(BaseModel):
    """One selected field, the DuckDB type and the longest text (in characters) that describe gives it."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: str
    length: int = 0
    calculated: bool = False
    comment: str = ""


class LandedPage(BaseModel):
    """One result page on disk; ``next_locator`` is empty on the last, ``part`` counts the jobs of a split result."""

    model_config = ConfigDict(frozen=True)

    file: str
    locator: str
    next_locator: str
    rows: int
    bytes: int
    sha256: str
    part: int = 0


class EndpointCount(BaseModel):
    """API calls made for this job on one kind of endpoint, over every process that worked on it."""

    calls: int = 0
    bytes: int = 0
    rows: int = 0


class JobPart(BaseModel):
    """One of several jobs that share a result between them: the records whose Id is above one and up to another.

    An empty bound is open. ``where`` takes the place of the folder's own condition where it is given. ``records`` is
    what the org says this part holds, None until its job is complete.
    """

    where: str | None = None
    above: str = ""
    up_to: str = ""
    job_id: str = ""
    records: int | None = None


class OrgCount(BaseModel):
    """What the org counted after the pages had landed; the load compares the warehouse with it.

    ``live`` are all records of the selection, ``settled`` those without a change since ``bound``. ``unsettled`` are
    the Ids of records that changed since then: whether the pages hold them is a matter of moments. None where they are
    more than is worth fetching; ``unsettled_count`` counts them all. ``gone`` were deleted, some of them for
    good; ``gone_for_sure`` says that none of them is live again. ``gone_at`` says of each, and of others the org's log
    of deletions names, when it was deleted, ``in_bin`` which are in the recycle bin; ``log_gap`` why that log does not
    reach back far enough.
    ``racing`` changed while the org was counting. ``moved`` is by how much a count without any stamp to go by differs
    from the one at the start.
    """

    asked_at: datetime
    bound: datetime
    live: int
    settled: int
    unsettled: list[str] | None = []
    unsettled_count: int = 0
    gone: list[str] = []
    gone_for_sure: bool = False
    gone_at: dict[str, datetime] = {}
    in_bin: list[str] = []
    log_gap: str = ""
    racing: int = 0
    moved: int = 0


class Manifest(BaseModel):
    """What was asked, what has arrived, and what it took.

    ``since`` and ``until`` are the half-open bounds of a delta in UTC; for a full job ``until`` is the org's
    time before it was submitted. ``deleted_since`` is from where deletions matter. ``covered`` is the watermark this
    job earns. ``records`` is what the org says the whole result holds, ``counted`` what it counted for the same query
    beforehand, until both are held together. ``submitting`` says that a job was about to be created and its id is not
    known yet, ``note`` what people should hear of.
    ``usage`` are the calls of all runs, ``charged`` those that ``ops.api_usage`` does not have yet, by run.
    ``forgotten`` are records the org has of people who are kept out here (``crosswalk forget``).
    ``chosen`` says that only records whose Ids are landed beside this folder are wanted.
    """

    org_id: str
    object: str
    api_name: str
    purpose: Literal["records", "ids"]
    kind: Literal["full", "delta"]
    transport: Literal["bulk", "rest"]
    soql: str
    fields: list[LandedField]
    api_version: str
    match_key: str
    restricted: bool
    chosen: bool = False
    created_since: datetime | None = None
    since: datetime | None
    deleted_since: datetime | None = None
    until: datetime
    covered: datetime | None = None
    covered_by_org: bool = False
    clock_offset: float = 0.0
    condition: str = ""
    eligible: int
    created_at: datetime
    selection_key: str
    job_id: str = ""
    counted: int | None = None
    submitting: datetime | None = None
    note: str = ""
    parts: list[JobPart] = []
    records: int | None = None
    pages: list[LandedPage] = []
    usage: dict[str, EndpointCount] = {}
    charged: dict[str, dict[str, EndpointCount]] = {}
    org_count: OrgCount | None = None
    loaded_at: datetime | None = None
    abandoned: str = ""
    forgotten: int = 0

    @property
    def where(self) -> str:
        """The condition of the query, empty where it has none."""
        return self.soql.partition(f" FROM {self.api_name}")[2].removeprefix(" WHERE ")

    @property
    def complete(self) -> bool:
        """Whether every row the org announced is on disk, of each part by itself where there are parts."""
        if self.parts and self.records is not None:
            return all(self.part_rows(number) == part.records for number, part in enumerate(self.parts))
        return self.records is not None and sum(page.rows for page in self.pages) == self.records

    def part_rows(self, number: int) -> int:
        """Rows on disk of one part."""
        return sum(page.rows for page in self.pages if page.part == number)


class LandingFolder:
    """The folder of one job; every change of its manifest is written at once and atomically."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path, self.manifest = path, manifest
        self._lock = threading.Lock()

    @classmethod
    def create(cls, root: Path, manifest: Manifest) -> "LandingFolder":
        """Make the folder of a new job below ``root/<object>/`` and write its first manifest."""
        stamp = manifest.created_at.strftime("%Y%m%dT%H%M%S%f")
        path = root / manifest.object / f"{manifest.kind}-{manifest.purpose}-{stamp}-{manifest.transport}"
        path.mkdir(parents=True)
        sync_folder(path.parent)
        folder = cls(path, manifest)
        folder.save()
        return folder

    @classmethod
    def open(cls, path: Path) -> "LandingFolder":
        """Open a folder; raises ExtractionError when its manifest cannot be read."""
        try:
            return cls(path, Manifest.model_validate_json((path / MANIFEST).read_text()))
        except (OSError, ValidationError, ValueError) as error:
            raise ExtractionError(
                f"the landing folder {path.name} has no readable manifest",
                why="it was changed or removed by hand, or made by another version",
                next_step=f"remove the folder {path}, then run: crosswalk sync",
            ) from error

    def save(self) -> None:
        """Write the manifest, whole or not at all."""
        write_atomically(self.path / MANIFEST, self.manifest.model_dump_json(indent=1))

    @contextmanager
    def changing(self) -> Iterator[Manifest]:
        """Give the manifest to be changed, and write it afterwards."""
        with self._lock:
            yield self.manifest
            self.save()

    def add_page(self, page: LandedPage) -> None:
        """Enter a page whose file is whole."""
        with self._lock:
            self.manifest.pages.append(page)
            self.save()

    def set_records(self, records: int) -> None:
        """Note how many rows the org says the result holds."""
        with self.changing() as manifest:
            manifest.records = records

    def forget_pages(self) -> None:
        """Begin anew with another job: pages of two jobs are two moments and are never mixed."""
        with self.changing() as manifest:
            manifest.pages, manifest.records, manifest.job_id, manifest.parts = [], None, "", []

    def add_usage(self, counts: Iterable[tuple[str, int, int, int]], run_id: str = "") -> None:
        """Add ``(endpoint, calls, bytes, rows)`` to what the job has cost so far, at the expense of a run."""
        with self._lock:
            ledgers = (self.manifest.usage, self.manifest.charged.setdefault(run_id, {}))
            for endpoint, calls, size, rows in counts:
                for ledger in ledgers:
                    entry = ledger.setdefault(endpoint, EndpointCount())
                    entry.calls, entry.bytes, entry.rows = entry.calls + calls, entry.bytes + size, entry.rows + rows
            self.save()

    def mark_loaded(self, at: datetime) -> None:
        """Note that the job is in the warehouse: it is not picked up again."""
        with self.changing() as manifest:
            manifest.loaded_at = at

    def abandon(self, reason: str) -> None:
        """Give the job up: what it holds cannot be trusted, and the next run asks the org anew."""
        with self.changing() as manifest:
            manifest.abandoned = reason

    def page_target(self, locator: str, part: int = 0) -> Path:
        """The file a page goes to, the same on every attempt."""
        key = f"{part} {locator}" if part else locator
        name = hashlib.sha256(key.encode()).hexdigest()[:16] if key else "first"
        return self.path / f"page-{name}.csv"

    def drop_damaged_pages(self, counted: Callable[[Path], int | None] | None = None) -> int:
        """Forget pages whose file is missing or not what was written, so that they are fetched again.

        With ``counted``, also those that do not hold the rows they were announced with. Returns how many.
        """

        def good(page: LandedPage) -> bool:
            return self._is_whole(page) and (counted is None or counted(self.path / page.file) == page.rows)

        with self._lock:
            kept = [page for page in self.manifest.pages if good(page)]
            dropped = len(self.manifest.pages) - len(kept)
            if dropped:
                self.manifest.pages = kept
                self.save()
            return dropped

    def page_files(self) -> list[tuple[Path, LandedPage]]:
        """Every page with rows, with its file."""
        return [(self.path / page.file, page) for page in self.manifest.pages if page.rows]

    def _is_whole(self, page: LandedPage) -> bool:
        path = self.path / page.file
        if not path.is_file() or path.stat().st_size != page.bytes:
            return False
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest() == page.sha256


def folders(root: Path, object_name: str) -> Iterator[LandingFolder]:
    """Yield the readable folders of an object, newest first."""
    for path in sorted((root / object_name).glob("*/"), key=lambda path: path.name.split("-")[2:3], reverse=True):
        try:
            yield LandingFolder.open(path)
        except ExtractionError:
            # Left by a kill between mkdir and the first manifest: nothing in it counts; prune removes it.
            continue


def prune(root: Path, keep_days: int, now: datetime) -> int:
    """Remove folders that were loaded, or whose job the org no longer keeps, and are older than ``keep_days``.

    Plans of runs go when no job of theirs can still be waiting. Returns the number of folders removed.
    """
    removed = 0
    for plan in root.glob("plan-*.json"):
        if plan.stat().st_mtime < (now - max(timedelta(days=keep_days), JOB_LIFETIME)).timestamp():
            plan.unlink()
    for path in root.glob("*/*/"):
        if not _is_needed(path, keep_days, now):
            shutil.rmtree(path)
            removed += 1
    return removed


def _is_needed(path: Path, keep_days: int, now: datetime) -> bool:
    try:
        manifest = LandingFolder.open(path).manifest
    except ExtractionError:
        return False
    if manifest.abandoned:
        return False
    if manifest.loaded_at is not None:
        return now - manifest.loaded_at < timedelta(days=keep_days)
    return now - manifest.created_at < JOB_LIFETIME
