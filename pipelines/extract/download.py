"""Landing what a plan asked for, whatever the transport, and proving that nothing is missing; no warehouse is needed.

Bulk is ``pipelines.extract.bulk_pages``, REST ``pipelines.extract.rest_pages``: both leave the same CSV pages.
"""

from collections.abc import Callable, Collection
from datetime import UTC, datetime

from data_contracts.errors import ExtractionError, SalesforceError
from pipelines.extract.bulk_pages import BulkLanding
from pipelines.extract.drift import GONE
from pipelines.extract.entered import land_entered
from pipelines.extract.jobs import operation_of, start_job
from pipelines.extract.org_count import count_org
from pipelines.extract.pages import distrust
from pipelines.extract.plan import ObjectPlan
from pipelines.extract.progress import Pace, Progress, quiet
from pipelines.extract.rest_pages import land_rest
from pipelines.extract.vanished import leave_out, speaks_of_a_field
from resources.home import Home
from resources.landing import LandingFolder
from resources.salesforce import SalesforceOrg
from resources.salesforce.usage import attributed_to


def download_object(
    org: SalesforceOrg,
    home: Home,
    plan: ObjectPlan,
    progress: Progress = quiet,
    *,
    works_until: datetime | None = None,
) -> None:
    """Land everything ``plan`` asked for, then ask the org how many records it has now.

    Pages that are landed already are not fetched again. Raises ExtractionError when a job failed or its pages do not
    hold the rows the org announced, WindowClosedError at ``works_until``: the job is left for the next run.
    """
    landings = [landing for landing in (plan.ids_landing, plan.landing) if landing]
    for landing in landings:
        folder = LandingFolder.open(home.landing / landing)
        if folder.manifest.loaded_at:
            continue
        with attributed_to(plan.name):
            try:
                land(org, folder, progress, works_until=works_until, needed=plan.needed)
                hold_to_count(org, folder)
                if landing == plan.landing:
                    if plan.ids_landing:
                        land_entered(org, folder, LandingFolder.open(home.landing / plan.ids_landing), progress)
                    if not folder.manifest.chosen:
                        count_org(org, folder, plan.stored)
            except OSError as error:
                raise _no_room(plan.name, error) from error
            finally:
                _note_usage(org, folder, plan)


def _note_usage(org: SalesforceOrg, folder: LandingFolder, plan: ObjectPlan) -> None:
    counts = ((entry.endpoint, entry.calls, entry.bytes, entry.rows) for entry in org.usage.take(plan.name))
    try:
        folder.add_usage(counts, plan.run_id)
    except OSError as error:
        raise _no_room(plan.name, error) from error


def _no_room(name: str, error: OSError) -> ExtractionError:
    return ExtractionError(
        f"cannot write to the landing folder of {name}: {error.strerror or error}",
        why="the disk is full or the folder is not writable",
        next_step="make room, then run the command again: pages already landed are kept",
    )


def hold_to_count(org: SalesforceOrg, folder: LandingFolder) -> None:
    """Hold the rows of a whole result to what the org counted for the same query before it was asked.

    A job can end well and empty: when the org gave up, or withdrew the user's access meanwhile. Records only leave the
    bounds of a query, by changing once more, so the org is asked again before fewer rows are called an error. Raises
    ExtractionError then, and the next run asks with another job.
    """
    manifest = folder.manifest
    if manifest.counted is None:
        return
    held = manifest.records or 0
    if held < manifest.counted:
        deleted = operation_of(manifest.purpose) == "queryAll"
        still = org.count(manifest.api_name, manifest.where or None, include_deleted=deleted)
        if held < min(still, manifest.counted):
            folder.abandon("it holds fewer rows than the org counts for its query")
            arrived = f": {held:,} rows arrived" if held else " arrived empty"
            raise ExtractionError(
                f"{manifest.api_name}{arrived}, and the org counts {still:,} records for the same query",
                why="the org ended the job early, or the user's access was withdrawn while it ran",
                next_step=f"run: crosswalk sync --object {manifest.object}; a new job is created, and the last good "
                "data stays until then",
            )
    with folder.changing():
        manifest.counted = None


def land(
    org: SalesforceOrg,
    folder: LandingFolder,
    progress: Progress = quiet,
    *,
    works_until: datetime | None = None,
    needed: Collection[str] = (),
) -> None:
    """Fetch what is missing of one job into its folder and prove that nothing is.

    A field that went since the job was planned is left out, unless it is one of ``needed``: that is an ExtractionError.
    """
    manifest = folder.manifest
    if manifest.complete:
        progress(f"{manifest.object}: {manifest.records:,} rows had landed before")
        return
    if manifest.note:
        progress(f"{manifest.object}: {manifest.note}")
    try:
        _fetch(org, folder, progress, works_until)
    except (SalesforceError, ExtractionError) as error:
        if not speaks_of_a_field(error) or not (gone := leave_out(org, folder, needed)):
            raise
        progress(f"{manifest.object}: {', '.join(gone)} went while it was read ({GONE}); it is read without")
        if manifest.transport == "bulk" and not manifest.parts:
            start_job(org, folder)
        # Another one may go meanwhile: each time there are fewer left.
        land(org, folder, progress, works_until=works_until, needed=needed)
        return
    if not manifest.complete:
        landed = sum(page.rows for page in manifest.pages)
        distrust(folder)
        raise ExtractionError(
            f"{manifest.api_name}: the org announced {manifest.records:,} rows and its pages hold {landed:,}",
            why="a page was lost, cut or sent twice",
            next_step=f"run: crosswalk sync --object {manifest.object}; the last good data stays",
        )


def _fetch(org: SalesforceOrg, folder: LandingFolder, progress: Progress, works_until: datetime | None) -> None:
    manifest = folder.manifest
    pace = Pace(progress, manifest.object, "landed")

    def told(rows: int) -> None:
        pace.add(rows, manifest.records if manifest.records is not None else manifest.eligible)

    if folder.manifest.transport == "rest" and not folder.manifest.parts:
        land_rest(org, folder, told)
    else:
        BulkLanding(org, folder, progress, told, _countdown(works_until)).land()


def _countdown(works_until: datetime | None) -> Callable[[], float] | None:
    if works_until is None:
        return None
    end = works_until
    return lambda: (end - datetime.now(UTC)).total_seconds()
