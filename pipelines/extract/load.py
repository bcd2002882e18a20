"""From landed pages to ``salesforce.<object>``, in one transaction that proves the rows before it commits.

A full load builds the table anew and swaps it; a delta replaces by Id and ignores versions older than the
stored one. Statistics, events, rejects and the watermark move in the same transaction.
"""

import re
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection

from data_contracts.errors import ExtractionError, ReconciliationError, WarehouseError
from data_contracts.settings import Settings
from pipelines.extract.batch import Batch, read_pages
from pipelines.extract.calculated import count_recalculated
from pipelines.extract.chosen import keep_chosen
from pipelines.extract.fill import fill
from pipelines.extract.forgotten import keep_out
from pipelines.extract.merge import let_go, note_changes, refuse_empty, replace_by_id, swap
from pipelines.extract.pages import distrust
from pipelines.extract.plan import ObjectPlan
from pipelines.extract.progress import Progress, alive, quiet
from pipelines.extract.reconcile import reconcile
from pipelines.extract.results import LoadResult, committed, record_stale, write_result
from pipelines.extract.state import Remedy, Watermark, prepare_state, set_doubt, set_watermark, watermark
from pipelines.extract.tidy import tidy_seldom
from pipelines.extract.usage import charge
from pipelines.extract.watermark import advanced
from pipelines.run import RunContext
from pipelines.tables import scalar, transaction
from resources.home import Home
from resources.landing import LandingFolder

#: What DuckDB raises for a page that is not what it should be; anything else is an error of ours.
UNREADABLE = (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.ConstraintException, duckdb.IOException)

#: How the system ("No space left on device") and DuckDB ("not enough disk space") say that the disk is full.
NO_ROOM = re.compile(r"\bspace\b", re.IGNORECASE)


def load_object(
    con: DuckDBPyConnection,
    home: Home,
    settings: Settings,
    plan: ObjectPlan,
    run: RunContext,
    progress: Progress = quiet,
) -> LoadResult:
    """Load what ``download_object`` landed for ``plan``; a skipped object keeps its rows and is recorded as stale.

    Raises ExtractionError, leaving the table as it was, when rows are missing, repeated or unreadable, or when
    nothing arrived although the org counts records.
    """
    prepare_state(con)
    if plan.skipped:
        return record_stale(con, plan, run)
    folder = LandingFolder.open(home.landing / plan.landing)
    ids = LandingFolder.open(home.landing / plan.ids_landing) if plan.ids_landing else None
    result = committed(con, plan)
    if result is None:
        for part in filter(None, (folder, ids)):
            keep_out(home, part)
        progress(f"{plan.name}: loading {folder.manifest.records or 0:,} rows from {len(folder.manifest.pages)} pages")
        tidy_seldom(con, folder.manifest)
        with alive(progress, f"{plan.name}: still loading {folder.manifest.records or 0:,} rows"):
            result = _load(con, folder, ids, plan, run, settings.limits.unseen_deletions)
    for done in filter(None, (folder, ids)):
        done.mark_loaded(datetime.now(UTC))
    progress(
        f"{plan.name}: loaded {result.fetched:,} rows: {result.new:,} new, {result.changed:,} changed, "
        f"{result.deleted + result.merged:,} deleted or merged, {result.removed:,} left the selection"
    )
    return result


def _load(
    con: DuckDBPyConnection,
    folder: LandingFolder,
    ids: LandingFolder | None,
    plan: ObjectPlan,
    run: RunContext,
    unseen: float,
) -> LoadResult:
    try:
        with transaction(con):
            batch = Batch.open(con, folder, ids, run)
            fetched, rejected = read_pages(batch)
            fetched = keep_chosen(batch, fetched)
            refuse_empty(batch, fetched)
            changes = note_changes(batch, fetched)
            figures: dict[str, Any] = asdict(changes)
            if folder.manifest.kind == "full":
                gone, removed = swap(batch, unseen)
            else:
                replace_by_id(batch, changes)
                figures |= _recalculated(batch)
                rejected += fill(batch)
                gone, removed = let_go(batch, unseen)
            figures |= {"deleted": changes.deleted + gone, "removed": removed, "fetched": fetched}
            unchanged = fetched - changes.new - changes.changed
            result = _result(batch, plan, {**figures, "unchanged": unchanged, "rejected": rejected})
            result = _proven(batch, result)
            _record(batch, plan, result)
    except ReconciliationError as error:
        # Outside the transaction that was undone: the next run must not trust the watermark.
        set_doubt(con, folder.manifest.object, "full", error.what, run.run_id)
        for doubtful in filter(None, (folder, ids)):
            doubtful.abandon("the org counts another number of records")
        raise
    except ExtractionError:
        for doubtful in filter(None, (folder, ids)):
            distrust(doubtful)
        raise
    except UNREADABLE as error:
        said = str(error).splitlines()[0][:300]
        if NO_ROOM.search(said):
            raise WarehouseError(
                f"the warehouse cannot be written: {said}",
                why="the disk is full",
                next_step=f"make room, then run: crosswalk sync --object {plan.name}; what landed is kept",
            ) from error
        for doubtful in filter(None, (folder, ids)):
            distrust(doubtful)
        raise ExtractionError(
            f"the landed pages of {plan.name} cannot be loaded: {said}",
            why="a page is damaged, or is not CSV in UTF-8",
            next_step=f"run: crosswalk sync --object {plan.name}; the last good data stays",
        ) from error
    return result


def _recalculated(batch: Batch) -> dict[str, Any]:
    """Count the records whose calculated fields moved, for the statistics; call it before they are filled."""
    found = count_recalculated(batch)
    return {"recalculated": found.records, "recalculated_fields": found.as_json()} if found else {}


def _proven(batch: Batch, result: LoadResult) -> LoadResult:
    """Hold the table to the org's count; note what the next run has to settle."""
    found = reconcile(batch.con, batch.stored, batch.manifest)
    if found is None:
        return _held_to_chosen(batch, result) if batch.manifest.chosen else result
    remedy: Remedy | None = "sweep" if found.surplus else None
    reason = found.explanation
    purged = batch.manifest.org_count.log_gap if batch.manifest.org_count else ""
    if purged and batch.manifest.kind == "delta" and batch.ids is None:
        remedy, reason = "full", purged
    set_doubt(batch.con, result.object, remedy, reason, batch.run.run_id)
    return replace(
        result,
        org_count=found.org_count,
        warehouse_count=found.warehouse_count,
        difference=found.difference,
        explanation=found.explanation or None,
    )


def _held_to_chosen(batch: Batch, result: LoadResult) -> LoadResult:
    """Hold a table of chosen records to the Ids of the choice; those that are not there are told of.

    More of them than can have gone for good since the choice was made ended the load before, in ``keep_chosen``.
    """
    if batch.manifest.kind == "full":
        set_doubt(batch.con, result.object, None, "", batch.run.run_id)
    absent = (result.eligible or 0) - result.live
    told = f"{absent:,} chosen records are gone, or not shown to the user by a query" if absent else None
    return replace(result, org_count=result.eligible, warehouse_count=result.live, difference=-absent, explanation=told)


def _result(batch: Batch, plan: ObjectPlan, figures: dict[str, Any]) -> LoadResult:
    landed = [folder.manifest for folder in (batch.folder, batch.ids) if folder]
    calls = [(kind, count.calls) for manifest in landed for kind, count in manifest.usage.items()]
    result = LoadResult(
        object=batch.manifest.object,
        kind=batch.manifest.kind,
        eligible=batch.manifest.eligible,
        over_limit=plan.over_limit,
        rest_calls=sum(count for kind, count in calls if kind != "bulk_create"),
        bulk_jobs=sum(len({manifest.job_id, *(part.job_id for part in manifest.parts)} - {""}) for manifest in landed),
        bytes=sum(page.bytes for manifest in landed for page in manifest.pages),
        rows=scalar(batch.con, f"SELECT count(*) FROM {batch.stored}"),
        live=scalar(batch.con, f"SELECT count(*) FROM {batch.stored} WHERE NOT _is_deleted"),
        started_at=batch.manifest.created_at.astimezone(UTC).replace(tzinfo=None),
        ended_at=datetime.now(UTC).replace(tzinfo=None),
    )
    return replace(result, **figures)


def _record(batch: Batch, plan: ObjectPlan, result: LoadResult) -> None:
    """Write statistics, API usage and the watermark."""
    con, run_id, manifest = batch.con, batch.run.run_id, batch.manifest
    write_result(con, run_id, result, plan.landing)
    for folder in filter(None, (batch.folder, batch.ids)):
        charge(con, folder.manifest, run_id)
    previous = watermark(con, result.object)
    covered = manifest.covered or manifest.until
    mark = Watermark(covered, manifest.selection_key, _complete_fields(batch, previous), manifest.clock_offset)
    until = advanced(previous, mark, manifest.until, by_org=manifest.covered_by_org)
    set_watermark(con, result.object, replace(mark, covered_until=until), run_id)


def _complete_fields(batch: Batch, previous: Watermark | None) -> tuple[str, ...]:
    """Return the fields that the table now holds for every record.

    A delta brings the others only for the records that changed: one that was not filled stays to be filled.
    """
    selected = tuple(field.name for field in batch.manifest.fields)
    if batch.manifest.kind == "full" or previous is None:
        return selected
    complete = {name.lower() for name in previous.fields}
    complete |= {field.name.lower() for field in batch.ids.manifest.fields} if batch.ids else set()
    return tuple(name for name in selected if name.lower() in complete)
