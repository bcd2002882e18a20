"""From landed pages to ``salesforce.<object>``, in one transaction that proves the rows before it commits.

A full load builds the table anew and swaps it; a delta replaces by Id and ignores versions older than the
stored one. Statistics, events, rejects and the watermark move in the same transaction.
"""

from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime

import duckdb
from duckdb import DuckDBPyConnection

from data_contracts.contracts import quoted
from data_contracts.errors import ExtractionError, WarehouseError
from data_contracts.settings import Settings
from pipelines.extract.batch import Batch, read_pages
from pipelines.extract.merge import note_changes, refuse_empty, replace_by_id, swap
from pipelines.extract.pages import distrust
from pipelines.extract.plan import ObjectPlan
from pipelines.extract.state import Watermark, prepare_state, set_watermark
from pipelines.extract.submit import Progress, quiet
from pipelines.extract.usage import add_usage
from pipelines.run import RunContext
from pipelines.tables import scalar, transaction
from resources.home import Home
from resources.landing import LandingFolder

#: What DuckDB raises for a page that is not what it should be; anything else is an error of ours.
UNREADABLE = (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.ConstraintException, duckdb.IOException)


@dataclass(frozen=True)
class LoadResult:
    """What one load did. ``fetched`` = ``new`` + ``changed`` + ``unchanged``.

    ``rows`` are in the table now, ``live`` of them not deleted. ``deleted``, ``merged`` and ``converted`` are seen
    by this load for the first time; ``removed`` rows left the selection; ``rejected`` are cells that did not
    convert. ``rest_calls`` are API calls of any kind but job creations, which ``bulk_jobs`` counts.
    """

    object: str
    kind: str
    eligible: int = 0
    fetched: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    deleted: int = 0
    merged: int = 0
    converted: int = 0
    over_limit: int = 0
    rest_calls: int = 0
    bulk_jobs: int = 0
    bytes: int = 0
    rows: int = 0
    live: int = 0
    rejected: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None


def load_object(
    con: DuckDBPyConnection,
    home: Home,
    settings: Settings,
    plan: ObjectPlan,
    run: RunContext,
    progress: Progress = quiet,
) -> LoadResult:
    """Load what ``download_object`` landed for ``plan``; a skipped object gives a result of zeros.

    Raises ExtractionError, leaving the table as it was, when rows are missing, repeated or unreadable, or when
    nothing arrived although the org counts records.
    """
    prepare_state(con)
    if plan.skipped:
        return LoadResult(plan.name, plan.kind)
    folder = LandingFolder.open(home.landing / plan.landing)
    ids = LandingFolder.open(home.landing / plan.ids_landing) if plan.ids_landing else None
    result = _committed(con, plan)
    if result is None:
        progress(f"{plan.name}: loading {folder.manifest.records or 0:,} rows from {len(folder.manifest.pages)} pages")
        result = _load(con, folder, ids, plan, run)
    for done in filter(None, (folder, ids)):
        done.mark_loaded(datetime.now(UTC))
    progress(
        f"{plan.name}: loaded {result.fetched:,} rows: {result.new:,} new, {result.changed:,} changed, "
        f"{result.deleted + result.merged:,} deleted or merged, {result.removed:,} left the selection"
    )
    return result


def _load(
    con: DuckDBPyConnection, folder: LandingFolder, ids: LandingFolder | None, plan: ObjectPlan, run: RunContext
) -> LoadResult:
    try:
        with transaction(con):
            batch = Batch.open(con, folder, ids, run)
            fetched, rejected = read_pages(batch)
            refuse_empty(batch, fetched)
            changes = note_changes(batch, fetched)
            gone, removed = swap(batch) if folder.manifest.kind == "full" else (0, replace_by_id(batch, changes))
            figures = {**asdict(changes), "deleted": changes.deleted + gone, "removed": removed, "fetched": fetched}
            unchanged = fetched - changes.new - changes.changed
            result = _result(batch, plan, unchanged=unchanged, rejected=rejected, **figures)
            _record(batch, plan, result)
    except ExtractionError:
        for doubtful in filter(None, (folder, ids)):
            distrust(doubtful)
        raise
    except UNREADABLE as error:
        said = str(error).splitlines()[0][:300]
        if "space" in said.lower():
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


def _result(batch: Batch, plan: ObjectPlan, **figures: int) -> LoadResult:
    landed = [folder.manifest for folder in (batch.folder, batch.ids) if folder]
    calls = [(kind, count.calls) for manifest in landed for kind, count in manifest.usage.items()]
    return LoadResult(
        object=batch.manifest.object,
        kind=batch.manifest.kind,
        eligible=batch.manifest.eligible,
        over_limit=plan.over_limit,
        rest_calls=sum(count for kind, count in calls if kind != "bulk_create"),
        bulk_jobs=sum(1 for manifest in landed if manifest.job_id),
        bytes=sum(page.bytes for manifest in landed for page in manifest.pages),
        rows=scalar(batch.con, f"SELECT count(*) FROM {batch.stored}"),
        live=scalar(batch.con, f"SELECT count(*) FROM {batch.stored} WHERE NOT _is_deleted"),
        started_at=batch.manifest.created_at.astimezone(UTC).replace(tzinfo=None),
        ended_at=datetime.now(UTC).replace(tzinfo=None),
        **figures,
    )


def _record(batch: Batch, plan: ObjectPlan, result: LoadResult) -> None:
    """Write statistics, API usage and the watermark."""
    con, run_id = batch.con, batch.run.run_id
    values = {**asdict(result), "run_id": run_id, "landing": plan.landing}
    names = ", ".join(quoted(name) for name in values)
    marks = ", ".join("?" for _ in values)
    con.execute(f"INSERT INTO _state.load_result ({names}) VALUES ({marks})", [*values.values()]).fetchall()
    for folder in filter(None, (batch.folder, batch.ids)):
        for endpoint, count in folder.manifest.usage.items():
            add_usage(con, run_id, result.object, endpoint, count)
    selected = tuple(field.name for field in batch.manifest.fields)
    mark = Watermark(batch.manifest.until, batch.manifest.selection_key, selected)
    set_watermark(con, result.object, mark, run_id)


def _committed(con: DuckDBPyConnection, plan: ObjectPlan) -> LoadResult | None:
    """The result of a load that was committed just before its process died."""
    names = [field.name for field in fields(LoadResult)]
    columns = ", ".join(quoted(name) for name in names)
    found = con.execute(f"SELECT {columns} FROM _state.load_result WHERE landing = ?", [plan.landing]).fetchall()
    return LoadResult(**dict(zip(names, found[0], strict=True))) if found else None
