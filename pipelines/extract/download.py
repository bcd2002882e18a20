"""Waiting for a job and landing its pages, without holding the warehouse.

Bulk pages are stored as they come off the wire; REST pages are written in the very same CSV form, so that
one loader reads both and their tables are equal.
"""

import contextvars
import csv
import gzip
import hashlib
import io
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from data_contracts.errors import ExtractionError, SalesforceError
from pipelines.extract.pages import distrust
from pipelines.extract.plan import ObjectPlan
from pipelines.extract.submit import Progress, operation_of, quiet
from resources.home import Home
from resources.landing import LandedPage, LandingFolder
from resources.salesforce import SalesforceOrg
from resources.salesforce.bulk import BulkJob, PageRef
from resources.salesforce.usage import attributed_to

#: Pages fetched at a time.
THREADS = 4
#: Salesforce refuses resultPages where the API version or the job does not have it.
NO_RESULT_PAGES = frozenset({400, 404, 405, 409})


def download_object(org: SalesforceOrg, home: Home, plan: ObjectPlan, progress: Progress = quiet) -> None:
    """Land everything ``plan`` asked for; pages that are landed already are not fetched again.

    Raises ExtractionError when a job failed or its pages do not hold the rows the org announced.
    """
    for landing in filter(None, (plan.landing, plan.ids_landing)):
        folder = LandingFolder.open(home.landing / landing)
        with attributed_to(plan.name):
            try:
                land(org, folder, progress)
            except OSError as error:
                raise ExtractionError(
                    f"cannot write to the landing folder of {plan.name}: {error.strerror or error}",
                    why="the disk is full or the folder is not writable",
                    next_step="make room, then run the command again: pages already landed are kept",
                ) from error
            finally:
                folder.add_usage(
                    (entry.endpoint, entry.calls, entry.bytes, entry.rows) for entry in org.usage.take(plan.name)
                )


def land(org: SalesforceOrg, folder: LandingFolder, progress: Progress = quiet) -> None:
    """Fetch what is missing of one job into its folder and prove that nothing is."""
    manifest = folder.manifest
    if manifest.complete:
        progress(f"{manifest.object}: {manifest.records:,} rows had landed before")
        return
    if manifest.transport == "rest":
        _land_rest(org, folder)
    else:
        _land_bulk(org, folder, progress)
    if not manifest.complete:
        landed = sum(page.rows for page in manifest.pages)
        distrust(folder)
        raise ExtractionError(
            f"{manifest.api_name}: the org announced {manifest.records:,} rows and its pages hold {landed:,}",
            why="a page was lost, cut or sent twice",
            next_step=f"run: crosswalk sync --object {manifest.object}; the last good data stays",
        )


def _land_bulk(org: SalesforceOrg, folder: LandingFolder, progress: Progress) -> None:
    manifest = folder.manifest

    def tell(job: BulkJob) -> None:
        progress(f"{manifest.object}: job {job.id} is {job.state}, {job.rows:,} of {manifest.eligible:,} rows")

    job = org.bulk.wait(manifest.job_id, progress=tell)
    folder.set_records(job.rows)
    if not job.rows:
        return
    report = _Rate(manifest.object, job.rows, progress)
    try:
        refs = list(org.bulk.page_refs(job.id))
    except SalesforceError as error:
        if error.status not in NO_RESULT_PAGES:
            raise
        _land_chain(org, folder, report)
        return
    _land_parallel(org, folder, refs, report)


def _land_parallel(org: SalesforceOrg, folder: LandingFolder, refs: list[PageRef], report: "_Rate") -> None:
    landed = {page.locator for page in folder.manifest.pages}
    missing = [ref for ref in refs if ref.locator not in landed]
    with ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="page") as pool:
        # Each thread counts its calls for the same object as this one.
        tasks = [pool.submit(contextvars.copy_context().run, _land_page, org, folder, ref) for ref in missing]
        try:
            for task in as_completed(tasks):
                report.add(task.result().rows)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _land_chain(org: SalesforceOrg, folder: LandingFolder, report: "_Rate") -> None:
    by_locator = {page.locator: page for page in folder.manifest.pages}
    locator, more = "", True
    while more:
        page = by_locator.get(locator)
        if page is None:
            page = _land_page(org, folder, PageRef(locator))
            report.add(page.rows)
        locator, more = page.next_locator, bool(page.next_locator)


def _land_page(org: SalesforceOrg, folder: LandingFolder, ref: PageRef) -> LandedPage:
    file = org.bulk.download(folder.manifest.job_id, ref, folder.page_target(ref.locator))
    page = LandedPage(
        file=file.path.name,
        locator=ref.locator,
        next_locator=file.next_locator,
        rows=file.rows,
        bytes=file.size,
        sha256=file.sha256,
    )
    folder.add_page(page)
    return page


def _land_rest(org: SalesforceOrg, folder: LandingFolder) -> None:
    manifest = folder.manifest
    names = [field.name for field in manifest.fields]
    pages = org.query(manifest.soql, include_deleted=operation_of(manifest.purpose) == "queryAll")
    target = folder.page_target("").with_suffix(".csv.gz")
    rows = write_rest_pages(target, names, pages)
    size = target.stat().st_size
    with target.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    manifest.pages = [LandedPage(file=target.name, locator="", next_locator="", rows=rows, bytes=size, sha256=digest)]
    folder.set_records(rows)


def write_rest_pages(target: Path, names: list[str], pages: Iterable[list[dict[str, Any]]]) -> int:
    """Write REST records to ``target`` as Bulk API 2.0 would: every value quoted, null empty; return the rows."""
    part, rows = target.with_name(target.name + ".part"), 0
    with part.open("wb") as raw:
        with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0) as packed:
            text = io.TextIOWrapper(packed, encoding="utf-8", errors="replace", newline="")
            writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
            writer.writerow(names)
            for page in pages:
                writer.writerows(_cells(page, names))
                rows += len(page)
            text.flush()
            text.detach()
        raw.flush()
        os.fsync(raw.fileno())
    part.rename(target)
    return rows


def _cells(page: list[dict[str, Any]], names: list[str]) -> Iterator[list[str]]:
    for record in page:
        yield [_cell(record.get(name)) for name in names]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class _Rate:
    """Tells rows done, of how many, and how fast."""

    def __init__(self, name: str, total: int, progress: Progress) -> None:
        self._name, self._total, self._progress = name, total, progress
        self._done, self._began = 0, time.monotonic()

    def add(self, rows: int) -> None:
        self._done += rows
        rate = self._done / max(time.monotonic() - self._began, 1e-3)
        self._progress(f"{self._name}: {self._done:,} of {self._total:,} rows landed, {rate:,.0f} rows/s")
