"""Submitting the jobs of all objects before the first is awaited, or finding those a killed run left.

The org then works on them side by side while ``download`` and ``load`` go one object after another.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from duckdb import DuckDBPyConnection

from data_contracts.contracts import quoted
from data_contracts.errors import ExtractionError, QuotaError, SalesforceError
from data_contracts.settings import Settings
from pipelines.extract.calculated import due_fields
from pipelines.extract.chosen import chosen_ids, land_chosen, parts_of
from pipelines.extract.entered import note_stored
from pipelines.extract.estimate import RECONCILING, Job, added, bulk_calls, job_calls, require_affordable
from pipelines.extract.estimate import told as estimated
from pipelines.extract.jobs import pending, submit_or_rest
from pipelines.extract.objects import MATCHED, api_name, table_name
from pipelines.extract.plan import (
    OVERLAP,
    REST_ROWS,
    ExtractionPlan,
    JobRequest,
    Kind,
    ObjectInput,
    ObjectPlan,
    choose_kind,
    fields_to_fill,
    joined,
    over_cap,
)
from pipelines.extract.progress import Progress, quiet
from pipelines.extract.schema import known_fields, needed_fields, refresh_schema
from pipelines.extract.selection import selection_query
from pipelines.extract.state import doubt, loaded_by_unfinished, pin_org, record_refusal, was_loaded, watermark
from pipelines.extract.usage import add_estimate, record_usage, settle
from pipelines.extract.wanted import limited, wanted_fields
from pipelines.extract.watermark import coverage, lower_bound
from pipelines.run import RunContext
from pipelines.tables import scalar, table_columns
from resources.home import Home
from resources.landing import LandingFolder, prune
from resources.salesforce import SalesforceOrg
from resources.salesforce.usage import attributed_to


def submit_jobs(
    con: DuckDBPyConnection,
    org: SalesforceOrg,
    home: Home,
    settings: Settings,
    run: RunContext,
    *,
    only: Collection[str] | None = None,
    kinds: Mapping[str, Kind] | None = None,
    again: Mapping[str, Sequence[str]] | None = None,
    progress: Progress = quiet,
) -> ExtractionPlan:
    """Plan every enabled object (or ``only`` those), submit its jobs and return the plan, also kept on disk.

    ``kinds`` overrides the run's kind per object; ``again`` are Ids that a delta reads whether they changed or not.
    ``refresh_schema`` must have run. An object over its cap is refused in the plan, before a job is created; one that
    is not readable is skipped in it.
    """
    pin_org(con, org.identity())
    prune(home.landing, settings.retention.landing_days, datetime.now(UTC))
    mark_committed(con, home)
    before = ExtractionPlan.find(home.landing, run.run_id)
    prepared: dict[str, _Prepared] = {}
    for name, chosen in settings.objects.items():
        if not chosen.enabled or (only is not None and name not in only):
            continue
        done = before.objects.get(name) if before else None
        if done and done.landing and was_loaded(con, done.landing):
            prepared[name] = _Prepared(done.model_copy(update={"to_come": {}}))
            progress(f"{name}: this run had loaded it before it was interrupted")
            continue
        with attributed_to(name):
            asked = (kinds or {}).get(name, run.kind), tuple((again or {}).get(name, ()))
            prepared[name] = _prepare(con, org, home, settings, run, name, *asked)
    _estimate(con, org, settings, run, prepared, progress)
    plans: dict[str, ObjectPlan] = {}
    for name, item in prepared.items():
        with attributed_to(name):
            plans[name] = _submit(con, org, home, run, item)
        if item.jobs or not item.plan.landing:
            progress(_told(plans[name]))
    plan = ExtractionPlan(run_id=run.run_id, objects=plans)
    plan.save(home.landing)
    record_usage(con, org, run)
    return plan


def mark_committed(con: DuckDBPyConnection, home: Home) -> None:
    """Mark what the latest run loaded: a kill after the commit leaves folders that look as if they waited for it.

    A new run would take them up, find them loaded, and be done without having asked the org.
    """
    plans = (path for path in home.landing.glob("plan-*.json") if not path.name.endswith("-lists.json"))
    latest = max(plans, key=lambda path: path.stat().st_mtime, default=None)
    if latest is None:
        return
    for plan in ExtractionPlan.model_validate_json(latest.read_text()).objects.values():
        if not plan.landing or not was_loaded(con, plan.landing):
            continue
        for landing in filter(None, (plan.landing, plan.ids_landing)):
            folder = LandingFolder.open(home.landing / landing) if (home.landing / landing).is_dir() else None
            if folder and not folder.manifest.loaded_at:
                folder.mark_loaded(datetime.now(UTC))


@dataclass(frozen=True)
class _Prepared:
    """An object whose records are counted and whose jobs are not created: those of its records, then of its Ids.

    ``chosen`` is the folder of the Ids that lists and reports select. Without jobs the plan stands as it is.
    """

    plan: ObjectPlan
    jobs: tuple[Job, ...] = ()
    chosen: LandingFolder | None = None


def _estimate(
    con: DuckDBPyConnection,
    org: SalesforceOrg,
    settings: Settings,
    run: RunContext,
    prepared: Mapping[str, _Prepared],
    progress: Progress,
) -> None:
    """Tell and record what the rest of the run will ask of the org; raises where it may not."""
    to_come = {name: item.plan.to_come for name, item in prepared.items()}
    record_usage(con, org, run)
    add_estimate(con, run.run_id, "", {})
    for name, calls in to_come.items():
        add_estimate(con, run.run_id, table_name(name), calls)
    settle(con)
    left = require_affordable(org, settings.limits.api, to_come)
    total = sum(sum(calls.values()) for calls in to_come.values())
    progress(f"about {total:,} API requests to come of {left:,} that may be sent: {estimated(to_come) or 'none'}")


def _told(plan: ObjectPlan) -> str:
    if plan.skipped or plan.refused:
        return plan.skipped or plan.refused.partition("\n")[0]
    because = f", {plan.kind} because of: {plan.reason}" if plan.reason else ""
    return f"{plan.name}: {plan.kind} run of {plan.eligible:,} records submitted{because}"


def _prepare(
    con: DuckDBPyConnection,
    org: SalesforceOrg,
    home: Home,
    settings: Settings,
    run: RunContext,
    name: str,
    asked: Kind,
    again: tuple[str, ...] = (),
) -> _Prepared:
    known = read_input(con, name, run)
    needed = needed_fields(settings).get(name, frozenset())
    known = replace(known, fields=limited(known.fields, wanted_fields(settings, name)), needed=needed)
    if not known.fields:
        return _Prepared(_without_fields(con, name, asked))
    try:
        selection = selection_query(org, name, settings, org.server_time())
        chosen = chosen_ids(org, home, settings, run, name) if selection.by_ids else None
        eligible = org.count(known.api, selection.where) if chosen is None else chosen.manifest.eligible
    except QuotaError:
        raise
    except SalesforceError as error:
        if name in MATCHED or error.code != "INVALID_TYPE":
            raise
        # The permission went between the describe and this moment.
        return _Prepared(_skipped(con, name, asked))
    cap, refusal = over_cap(name, eligible, settings)
    # Members of reports are read by their Ids alone: who is asked for again may be none.
    kind, reason = choose_kind("full" if again and selection.by_ids else asked, known, selection)
    if refusal:
        record_refusal(con, run.run_id, table_name(name), kind, eligible, eligible - (cap or 0))
        return _Prepared(ObjectPlan(name=name, kind=kind, eligible=eligible, cap=cap, refused=refusal))

    covered = coverage(org, known.api)
    since = lower_bound(known.watermark, covered, OVERLAP) if kind == "delta" and known.watermark else None
    request = JobRequest(known, kind, "records", selection, since, covered, eligible, again=again)
    jobs = [_job(org, home, request)] if chosen is None else [_chosen_job(org, request)]
    filled = _beside_the_ids(con, settings, request)
    if chosen is None and kind == "delta" and (selection.restricted or known.doubt is not None or filled):
        # Leaving a selection, or going for good, moves no stamp of the record: only the Ids tell who is still there.
        jobs.append(_job(org, home, replace(request, purpose="ids", since=None, filled=filled, again=())))
    if chosen is None:
        to_come = added(*(job_calls(org, job) for job in jobs), RECONCILING)
    else:
        to_come = bulk_calls(jobs[0].rows, jobs=max(1, parts_of(con, request, chosen)))
    return _Prepared(
        ObjectPlan(
            name=name,
            run_id=run.run_id,
            kind=kind,
            reason=reason,
            eligible=eligible,
            cap=cap,
            stored=_live(con, name),
            to_come=to_come,
            needed=tuple(sorted(needed)),
        ),
        tuple(jobs),
        chosen,
    )


def _without_fields(con: DuckDBPyConnection, name: str, asked: Kind) -> ObjectPlan:
    if name in MATCHED:
        raise ExtractionError(
            f"the fields of {api_name(name)} are not known",
            why="its describe has not been read, or showed nothing",
            next_step="run: crosswalk preflight",
        )
    return _skipped(con, name, asked)


def _submit(
    con: DuckDBPyConnection, org: SalesforceOrg, home: Home, run: RunContext, prepared: _Prepared
) -> ObjectPlan:
    """Create the jobs of one object and return its plan with where they land."""
    if not prepared.jobs:
        return prepared.plan
    first, *others = prepared.jobs
    ids_folder = prepared.chosen
    if ids_folder is not None:
        records = land_chosen(con, org, home, first.request, ids_folder, datetime.now(UTC))
    else:
        records = _land(con, org, home, run, first)
        for every in others:
            ids_folder = _land(con, org, home, run, every)
            if every.request.selection.restricted:
                note_stored(con, prepared.plan.name, ids_folder)
    taken = org.usage.take(prepared.plan.name)
    records.add_usage(((entry.endpoint, entry.calls, entry.bytes, entry.rows) for entry in taken), run.run_id)
    landing = str(records.path.relative_to(home.landing))
    ids_landing = str(ids_folder.path.relative_to(home.landing)) if ids_folder else ""
    return prepared.plan.model_copy(update={"landing": landing, "ids_landing": ids_landing})


def _beside_the_ids(con: DuckDBPyConnection, settings: Settings, request: JobRequest) -> tuple[str, ...]:
    """Return the fields that a delta reads of every record: those to be filled, and calculated ones that are due."""
    if request.kind == "full":
        return ()
    due = due_fields(con, settings, request.known.name, request.known.fields)
    return tuple(sorted({*fields_to_fill(request.known), *due}))


def _skipped(con: DuckDBPyConnection, name: str, asked: Kind) -> ObjectPlan:
    stored = _live(con, name)
    kept = f"; the {stored:,} records mirrored before stay as they were" if stored else ""
    return ObjectPlan(
        name=name, kind=asked, skipped=f"{api_name(name)} is not readable and was skipped{kept}", stored=stored
    )


def _live(con: DuckDBPyConnection, name: str) -> int | None:
    """Live records of the warehouse, None where there is no table."""
    if "_is_deleted" not in table_columns(con, f"salesforce.{table_name(name)}"):
        return None
    return scalar(con, f"SELECT count(*) FROM salesforce.{quoted(table_name(name))} WHERE NOT _is_deleted")


def read_input(con: DuckDBPyConnection, name: str, run: RunContext) -> ObjectInput:
    """Return what the warehouse knows of an object."""
    api, fields = known_fields(con, name)
    table = table_name(name)
    return ObjectInput(
        name,
        api,
        fields,
        watermark(con, table),
        table_columns(con, f"salesforce.{table}"),
        doubt(con, table),
        loaded_by_unfinished(con, table, run),
    )


def _job(org: SalesforceOrg, home: Home, request: JobRequest) -> Job:
    """Return a job with its transport and its rows to come, or with the folder that a killed run left of it."""
    now = datetime.now(UTC)
    manifest = request.manifest(org.identity().org_id, org.api_version, now)
    mark = request.known.watermark
    until = mark.covered_until if mark else None
    if found := pending(org, home, manifest.object, manifest.match_key, until, now):
        return Job(request, manifest, found.manifest.records or request.eligible, found)
    manifest.transport, rows = _transport(org, request, manifest.soql)
    manifest.counted = rows
    if rows == 0:
        manifest.records = 0
    return Job(request, manifest, rows)


def _chosen_job(org: SalesforceOrg, request: JobRequest) -> Job:
    manifest = request.manifest(org.identity().org_id, org.api_version, datetime.now(UTC))
    return Job(request, manifest, request.eligible)


def _land(con: DuckDBPyConnection, org: SalesforceOrg, home: Home, run: RunContext, job: Job) -> LandingFolder:
    """Return the folder of the job: the one a killed run left, or a new one."""
    if job.found:
        return job.found
    folder = LandingFolder.create(home.landing, job.manifest)
    if job.rows == 0 or job.manifest.transport == "rest":
        return folder
    try:
        submit_or_rest(org, folder)
    except SalesforceError as error:
        if error.code != "INVALID_FIELD":
            raise
        folder.abandon("a field went between the describe and the query")
        return _after_drift(con, org, home, run, job.request, error)
    return folder


def _transport(org: SalesforceOrg, request: JobRequest, soql: str) -> tuple[Literal["bulk", "rest"], int]:
    """REST for a few pages whose query fits a URL, Bulk otherwise; and the number of rows to come."""
    rows = request.eligible
    if request.purpose == "records" and (request.since is not None or rows <= REST_ROWS):
        # COUNT() leaves the recycle bin out, and it may hold far more than what is live.
        rows = org.count(request.known.api, joined(request.conditions()), include_deleted=True)
    return "rest" if rows <= REST_ROWS and org.rest.fits_in_url(soql) else "bulk", rows


def _after_drift(
    con: DuckDBPyConnection,
    org: SalesforceOrg,
    home: Home,
    run: RunContext,
    request: JobRequest,
    error: SalesforceError,
) -> LandingFolder:
    """A field went between the describe and the query: describe again, and give up when that changes nothing."""
    name, needed = request.known.name, request.known.needed
    refresh_schema(con, org, [name], run, {name: needed}).raise_if_needed()
    known = read_input(con, name, run)
    fields = limited(known.fields, frozenset(spec.name for spec in request.known.fields))
    known = replace(known, fields=fields, needed=needed)
    if known.fields == request.known.fields:
        raise error
    return _land(con, org, home, run, _job(org, home, replace(request, known=known)))
