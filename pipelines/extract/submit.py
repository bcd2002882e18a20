"""Submitting the jobs of all objects before the first is awaited, or finding those a killed run left.

The org then works on them side by side while ``download`` and ``load`` go one object after another.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from duckdb import DuckDBPyConnection

from data_contracts.errors import ExtractionError, SalesforceError
from data_contracts.settings import Settings
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
from pipelines.extract.schema import known_fields, refresh_schema
from pipelines.extract.selection import selection_query
from pipelines.extract.state import pin_org, record_refusal, watermark
from pipelines.extract.usage import record_usage
from pipelines.run import RunContext
from pipelines.tables import table_columns
from resources.home import Home
from resources.landing import JOB_LIFETIME, LandingFolder, folders, prune
from resources.salesforce import SalesforceOrg
from resources.salesforce.bulk import Operation
from resources.salesforce.usage import attributed_to

Progress = Callable[[str], None]
#: What the org answers where the object or the edition has no Bulk API.
NO_BULK = frozenset({"INVALIDENTITY", "INVALID_ENTITY", "FEATURENOTENABLED", "FUNCTIONALITY_NOT_ENABLED"})


def quiet(_: str) -> None:
    """Ignore progress."""


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
    plans: dict[str, ObjectPlan] = {}
    for name, chosen in settings.objects.items():
        if not chosen.enabled or (only is not None and name not in only):
            continue
        with attributed_to(name):
            plans[name] = _plan_object(con, org, home, settings, run, name, (kinds or {}).get(name, run.kind))
        progress(_told(plans[name]))
    plan = ExtractionPlan(run_id=run.run_id, objects=plans)
    plan.save(home.landing)
    record_usage(con, org, run)
    return plan


def _told(plan: ObjectPlan) -> str:
    if plan.skipped or plan.refused:
        return plan.skipped or plan.refused.partition("\n")[0]
    because = f", full because of {plan.reason}" if plan.reason else ""
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
    known = read_input(con, name)
    if not known.fields:
        if name in MATCHED:
            raise ExtractionError(
                f"the fields of {api_name(name)} are not known",
                why="its describe has not been read, or showed nothing",
                next_step="run: crosswalk preflight",
            )
        return ObjectPlan(name=name, kind=asked, skipped=f"{api_name(name)} is not readable and was skipped")
    until = org.server_time()
    selection = selection_query(org, name, settings, until)
    eligible = org.count(known.api, selection.where)
    cap, refusal = over_cap(name, eligible, settings)
    kind, reason = choose_kind(asked, known, selection)
    if refusal:
        record_refusal(con, run.run_id, table_name(name), kind, eligible, eligible - (cap or 0))
        return ObjectPlan(name=name, kind=kind, eligible=eligible, cap=cap, refused=refusal)
    since = known.watermark.covered_until - OVERLAP if kind == "delta" and known.watermark else None

    request = JobRequest(known, kind, "records", selection, since, until, eligible)
    records = _land(con, org, home, run, request)
    # Leaving a selection moves no stamp of the record: only its ids tell who is still in it.
    ids = replace(request, purpose="ids", since=None) if kind == "delta" and selection.restricted else None
    ids_folder = _land(con, org, home, run, ids) if ids else None
    records.add_usage((entry.endpoint, entry.calls, entry.bytes, entry.rows) for entry in org.usage.take(name))
    return ObjectPlan(
        name=name,
        kind=kind,
        reason=reason,
        eligible=eligible,
        cap=cap,
        landing=str(records.path.relative_to(home.landing)),
        ids_landing=str(ids_folder.path.relative_to(home.landing)) if ids_folder else "",
    )


def read_input(con: DuckDBPyConnection, name: str) -> ObjectInput:
    """Return what the warehouse knows of an object."""
    api, fields = known_fields(con, name)
    columns = table_columns(con, f"salesforce.{table_name(name)}")
    return ObjectInput(name, api, fields, watermark(con, table_name(name)), columns)


def _land(
    con: DuckDBPyConnection, org: SalesforceOrg, home: Home, run: RunContext, request: JobRequest
) -> LandingFolder:
    """Return the folder of the job: the one a killed run left, or a new one."""
    now = datetime.now(UTC)
    manifest = request.manifest(org.identity().org_id, org.api_version, now)
    if found := _pending(org, home, request, manifest.match_key, now):
        return found
    manifest.transport, rows = _transport(org, request, manifest.soql)
    if rows == 0:
        manifest.records = 0
    elif manifest.transport == "bulk":
        try:
            manifest.job_id = org.bulk.submit(manifest.soql, operation_of(manifest.purpose)).id
        except SalesforceError as error:
            if error.code == "INVALID_FIELD":
                return _after_drift(con, org, home, run, request, error)
            if not lacks_bulk(error) or not org.rest.fits_in_url(manifest.soql):
                raise
            manifest.transport = "rest"
    return LandingFolder.create(home.landing, manifest)


def _transport(org: SalesforceOrg, request: JobRequest, soql: str) -> tuple[Literal["bulk", "rest"], int]:
    """REST for a few pages whose query fits a URL, Bulk otherwise; and the number of rows to come."""
    rows = request.eligible
    if request.purpose == "records" and (request.since is not None or rows <= REST_ROWS):
        # COUNT() leaves the recycle bin out, and it may hold far more than what is live.
        rows = org.count(request.known.api, joined(request.conditions()), include_deleted=True)
    return "rest" if rows <= REST_ROWS and org.rest.fits_in_url(soql) else "bulk", rows


def _pending(org: SalesforceOrg, home: Home, request: JobRequest, key: str, now: datetime) -> LandingFolder | None:
    """Return an unloaded folder with the same query, unless something newer was loaded since or its job is gone."""
    mark = request.known.watermark
    for folder in folders(home.landing, table_name(request.known.name)):
        manifest = folder.manifest
        if manifest.loaded_at or manifest.abandoned or manifest.match_key != key:
            continue
        if now - manifest.created_at >= JOB_LIFETIME or (mark and manifest.until <= mark.covered_until):
            continue
        if manifest.job_id:
            usable = manifest.complete or _is_alive(org, manifest.job_id)
        else:
            # A REST query that did not finish costs little, and "no rows" may be long out of date.
            usable = manifest.complete and bool(manifest.records)
        if usable:
            folder.drop_damaged_pages()
            return folder
    return None


def _is_alive(org: SalesforceOrg, job_id: str) -> bool:
    try:
        return org.bulk.status(job_id).state not in ("Failed", "Aborted")
    except SalesforceError as error:
        if error.status in (404, 409):
            return False
        raise


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
    known = read_input(con, request.known.name)
    if known.fields == request.known.fields:
        raise error
    return _land(con, org, home, run, replace(request, known=known))


def lacks_bulk(error: SalesforceError) -> bool:
    """Whether the org says that this object or this edition has no Bulk API; its rows come by REST then."""
    return error.code.upper() in NO_BULK or "not supported by the bulk api" in str(error).lower()


def operation_of(purpose: str) -> Operation:
    """Return the query operation: records include deleted ones, ids are those of live records."""
    return "queryAll" if purpose == "records" else "query"
