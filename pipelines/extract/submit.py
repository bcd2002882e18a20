"""Submitting the jobs of all objects before the first is awaited, or finding those a killed run left.

The org then works on them side by side while ``download`` and ``load`` go one object after another.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from duckdb import DuckDBPyConnection

from data_contracts.contracts import quoted
from data_contracts.errors import ExtractionError, QuotaError, SalesforceError
from data_contracts.settings import Settings
from pipelines.extract.chosen import chosen_ids, land_chosen
from pipelines.extract.entered import note_stored
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
    joined,
    over_cap,
)
from pipelines.extract.progress import Progress, quiet
from pipelines.extract.schema import known_fields, refresh_schema
from pipelines.extract.selection import selection_query
from pipelines.extract.state import doubt, loaded_by_unfinished, pin_org, record_refusal, was_loaded, watermark
from pipelines.extract.usage import record_usage
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
    progress: Progress = quiet,
) -> ExtractionPlan:
    """Plan every enabled object (or ``only`` those), submit its jobs and return the plan, also kept on disk.

    ``kinds`` overrides the run's kind per object. ``refresh_schema`` must have run. An object over its cap is
    refused in the plan, before a job is created; one that is not readable is skipped in it.
    """
    pin_org(con, org.identity())
    prune(home.landing, settings.retention.landing_days, datetime.now(UTC))
    mark_committed(con, home)
    plans: dict[str, ObjectPlan] = {}
    before = ExtractionPlan.find(home.landing, run.run_id)
    for name, chosen in settings.objects.items():
        if not chosen.enabled or (only is not None and name not in only):
            continue
        done = before.objects.get(name) if before else None
        if done and done.landing and was_loaded(con, done.landing):
            plans[name] = done
            progress(f"{name}: this run had loaded it before it was interrupted")
            continue
        with attributed_to(name):
            plans[name] = _plan_object(con, org, home, settings, run, name, (kinds or {}).get(name, run.kind))
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


def _told(plan: ObjectPlan) -> str:
    if plan.skipped or plan.refused:
        return plan.skipped or plan.refused.partition("\n")[0]
    because = f", {plan.kind} because of: {plan.reason}" if plan.reason else ""
    return f"{plan.name}: {plan.kind} run of {plan.eligible:,} records submitted{because}"


def _plan_object(
    con: DuckDBPyConnection,
    org: SalesforceOrg,
    home: Home,
    settings: Settings,
    run: RunContext,
    name: str,
    asked: Kind,
) -> ObjectPlan:
    known = read_input(con, name, run)
    known = replace(known, fields=limited(known.fields, wanted_fields(settings, name)))
    if not known.fields:
        if name in MATCHED:
            raise ExtractionError(
                f"the fields of {api_name(name)} are not known",
                why="its describe has not been read, or showed nothing",
                next_step="run: crosswalk preflight",
            )
        return _skipped(con, name, asked)
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
        return _skipped(con, name, asked)
    cap, refusal = over_cap(name, eligible, settings)
    kind, reason = choose_kind(asked, known, selection)
    if refusal:
        record_refusal(con, run.run_id, table_name(name), kind, eligible, eligible - (cap or 0))
        return ObjectPlan(name=name, kind=kind, eligible=eligible, cap=cap, refused=refusal)

    covered = coverage(org, known.api)
    since = lower_bound(known.watermark, covered, OVERLAP) if kind == "delta" and known.watermark else None
    request = JobRequest(known, kind, "records", selection, since, covered, eligible)
    ids_folder = chosen
    if chosen is not None:
        records = land_chosen(con, org, home, request, chosen, datetime.now(UTC))
    else:
        records = _land(con, org, home, run, request)
        # Leaving a selection, or going for good, moves no stamp of the record: only the Ids tell who is still there.
        wanted = kind == "delta" and (selection.restricted or known.doubt is not None)
        ids_folder = _land(con, org, home, run, replace(request, purpose="ids", since=None)) if wanted else None
        if ids_folder is not None and selection.restricted:
            note_stored(con, name, ids_folder)
    records.add_usage((entry.endpoint, entry.calls, entry.bytes, entry.rows) for entry in org.usage.take(name))
    return ObjectPlan(
        name=name,
        kind=kind,
        reason=reason,
        eligible=eligible,
        cap=cap,
        landing=str(records.path.relative_to(home.landing)),
        ids_landing=str(ids_folder.path.relative_to(home.landing)) if ids_folder else "",
        stored=_live(con, name),
    )


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


def _land(
    con: DuckDBPyConnection, org: SalesforceOrg, home: Home, run: RunContext, request: JobRequest
) -> LandingFolder:
    """Return the folder of the job: the one a killed run left, or a new one."""
    now = datetime.now(UTC)
    manifest = request.manifest(org.identity().org_id, org.api_version, now)
    mark = request.known.watermark
    until = mark.covered_until if mark else None
    if found := pending(org, home, manifest.object, manifest.match_key, until, now):
        return found
    manifest.transport, rows = _transport(org, request, manifest.soql)
    if rows == 0:
        manifest.records = 0
    folder = LandingFolder.create(home.landing, manifest)
    if rows == 0 or manifest.transport == "rest":
        return folder
    try:
        submit_or_rest(org, folder)
    except SalesforceError as error:
        if error.code != "INVALID_FIELD":
            raise
        folder.abandon("a field went between the describe and the query")
        return _after_drift(con, org, home, run, request, error)
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
    refresh_schema(con, org, [request.known.name], run)
    known = read_input(con, request.known.name, run)
    known = replace(known, fields=limited(known.fields, frozenset(spec.name for spec in request.known.fields)))
    if known.fields == request.known.fields:
        raise error
    return _land(con, org, home, run, replace(request, known=known))
