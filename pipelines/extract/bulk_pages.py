"""Waiting for Bulk jobs and landing their pages as they come off the wire, each page once.

Creating a job is ``pipelines.extract.jobs``, cutting one ``pipelines.extract.split``.
"""

import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

from data_contracts.errors import SalesforceError, WindowClosedError
from pipelines.extract.jobs import bulk_of, start_job
from pipelines.extract.progress import Progress, Waiting
from pipelines.extract.split import split, submit_parts
from resources.landing import LandedPage, LandingFolder
from resources.salesforce import SalesforceOrg
from resources.salesforce.bulk import BulkJob, PageRef

#: Pages fetched at a time.
THREADS = 4
#: Salesforce refuses resultPages where the API version or the job does not have it.
NO_RESULT_PAGES = frozenset({400, 404, 405, 409})


class BulkLanding:
    """One folder's way from its job, or the parts of it, to pages on disk.

    ``told`` hears the rows of each page; ``seconds_left`` tells how long there is to work, None for ever.
    """

    def __init__(
        self,
        org: SalesforceOrg,
        folder: LandingFolder,
        progress: Progress,
        told: Callable[[int], None],
        seconds_left: Callable[[], float] | None = None,
    ) -> None:
        self.org, self.folder, self.manifest = org, folder, folder.manifest
        self.bulk = bulk_of(org, folder.manifest)
        self._progress, self._told, self._seconds_left = progress, told, seconds_left
        self._waiting = Waiting(progress, self.manifest.object)

    def land(self) -> None:
        """Wait, split what is too large, and fetch every page that is missing.

        Raises ExtractionError for a job that ended without a result, WindowClosedError when time is up.
        """
        if not self.manifest.parts:
            job = self._finished(self.manifest.job_id)
            if job is None:
                self._progress(f"{self.manifest.object}: the org no longer has the job; it is created again")
                self.folder.forget_pages()
                start_job(self.org, self.folder)
                job = self.bulk.wait(self.manifest.job_id, progress=self._tell, seconds_left=self._seconds_left)
            if job.state == "JobComplete":
                self.folder.set_records(job.rows)
                self._pages(job, 0)
                return
            if not job.too_large or not split(self.org, self.folder):
                raise job.failure()
            self._progress(f"{self.manifest.object}: {job.message[:80]}; goes on in {len(self.manifest.parts)} parts")
        self._land_parts()

    def _land_parts(self) -> None:
        done = False
        while not done:
            submit_parts(self.org, self.folder)
            done = all(self._land_part(number) for number in range(len(self.manifest.parts)))
        self.folder.set_records(sum(part.records or 0 for part in self.manifest.parts))

    def _land_part(self, number: int) -> bool:
        """Land one part; False when it was split, or its job is to be created again."""
        part = self.manifest.parts[number]
        if part.records is not None and self.manifest.part_rows(number) == part.records:
            return True
        job = self._finished(part.job_id)
        if job is None or job.too_large:
            if job is not None and not split(self.org, self.folder, part):
                raise job.failure()
            with self.folder.changing() as manifest:
                manifest.pages = [page for page in manifest.pages if page.part != number]
                manifest.parts[number].job_id, manifest.parts[number].records = "", None
            return False
        if job.state != "JobComplete":
            raise job.failure()
        with self.folder.changing():
            part.records = job.rows
        self._pages(job, number)
        return True

    def _finished(self, job_id: str) -> BulkJob | None:
        """The job when it is final; None when the org has forgotten it."""
        try:
            return self.bulk.wait(job_id, progress=self._tell, seconds_left=self._seconds_left)
        except SalesforceError as error:
            if error.status == 404:
                return None
            raise

    def _tell(self, job: BulkJob) -> None:
        self._waiting.tell(job.id, job.state, job.rows, self.manifest.eligible)

    def _pages(self, job: BulkJob, part: int) -> None:
        if not job.rows:
            return
        try:
            refs = list(self.bulk.page_refs(job.id))
        except SalesforceError as error:
            if error.status not in NO_RESULT_PAGES:
                raise
            self._chain(job.id, part)
            return
        self._parallel(job.id, part, refs)

    def _parallel(self, job_id: str, part: int, refs: list[PageRef]) -> None:
        landed = {page.locator for page in self.manifest.pages if page.part == part}
        missing = [ref for ref in refs if ref.locator not in landed]
        with ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="page") as pool:
            # Each thread counts its calls for the same object as this one.
            tasks = [pool.submit(contextvars.copy_context().run, self._page, job_id, part, ref) for ref in missing]
            try:
                for task in as_completed(tasks):
                    self._told(task.result().rows)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _chain(self, job_id: str, part: int) -> None:
        by_locator = {page.locator: page for page in self.manifest.pages if page.part == part}
        locator, more = "", True
        while more:
            page = by_locator.get(locator)
            if page is None:
                page = self._page(job_id, part, PageRef(locator))
                self._told(page.rows)
            locator, more = page.next_locator, bool(page.next_locator)

    def _page(self, job_id: str, part: int, ref: PageRef) -> LandedPage:
        if self._seconds_left and self._seconds_left() <= 0:
            raise WindowClosedError(
                f"the off-hours window is closed; {len(self.manifest.pages)} pages of {self.manifest.object} landed",
                why="no page is begun after closing time",
                next_step="nothing: the next night goes on from here, or run: crosswalk sync",
            )
        file = self.bulk.download(job_id, ref, self.folder.page_target(ref.locator, part))
        page = LandedPage(
            file=file.path.name,
            locator=ref.locator,
            next_locator=file.next_locator,
            rows=file.rows,
            bytes=file.size,
            sha256=file.sha256,
            part=part,
        )
        self.folder.add_page(page)
        return page
