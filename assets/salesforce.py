"""The mirror of the org: describe, one asset that submits all Bulk jobs, then landing and table per object.

Waiting and downloading (``landing/*``) never hold the warehouse; loading (``salesforce/*``) does, briefly.
When the off-hours window closes, the next unit of work is not begun and everything below it is skipped. Lists and
reports are read before the jobs: their members may be the selection, and are counted against its cap.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import dagster as dg

from assets._common import (
    OBJECT_TAG,
    OWNERS,
    POOL,
    column_schema,
    foreseeable,
    keys,
    materialized,
    run_context,
    run_id_of,
    spec_arguments,
)
from assets.pausing import budgeted_org, pausing
from assets.plots import table
from assets.tables import AssetDecorator, checked_asset, table_asset
from assets.units import unit_of_work
from data_contracts.contracts import Column, contract_names, load_contract, object_contract
from data_contracts.errors import SwitchedOffError
from data_contracts.settings import DEFAULT_OBJECTS, SWITCHED_OFF, Settings
from pipelines.extract import (
    download_object,
    land_lists,
    load_list_membership,
    load_object,
    refresh_schema,
    submit_jobs,
)
from pipelines.extract.objects import table_name
from pipelines.extract.outcome import outcome, record_outcomes
from pipelines.extract.plan import ExtractionPlan
from pipelines.extract.schema import mapped_sources, needed_fields
from pipelines.extract.state import pin_org
from pipelines.imports.reimport import note_reimports
from pipelines.preflight.redact import safe_settings
from pipelines.publish.run_record import begin_run, note_org
from pipelines.publish.snapshot_audit import published_run_id
from pipelines.publish.statistics import write_statistics
from pipelines.tables import described_columns, ensure_table
from resources.kept_settings import KeptSettings
from resources.salesforce import SalesforceOrg
from resources.wiring import CrosswalkResource, SalesforceResource, SyncResource

GROUP = "salesforce"
KINDS = ("salesforce", "duckdb")
JOBS = dg.AssetKey(["landing", "jobs"])
LISTS = dg.AssetKey(["landing", "lists"])
Results = Iterator[dg.MaterializeResult[None]]


def build_salesforce_assets(settings: Settings) -> Sequence[dg.AssetsDefinition]:
    """Return the assets that mirror the enabled objects."""
    names = [name for name, item in settings.objects.items() if item.enabled]
    per_object = [asset for name in names for asset in (_landing_asset(name), _table_asset(name))]
    return [field, lists, jobs, *per_object, *_switched_off(names), list_membership]


def _switched_off(enabled: Sequence[str]) -> list[dg.AssetsDefinition]:
    """Return the tables of objects that are switched off: nothing writes them, what was mirrored stays in use."""
    off = [name for name in DEFAULT_OBJECTS if name not in enabled]
    specs = [spec_arguments(f"salesforce.{name}", group=GROUP, kinds=KINDS, owner=name) for name in off]
    return [dg.AssetsDefinition(specs=[dg.AssetSpec(**arguments)]) for arguments in specs]


@table_asset("salesforce.field", group=GROUP, kinds=KINDS)
def field(
    context: dg.AssetExecutionContext,
    crosswalk: CrosswalkResource,
    salesforce: SalesforceResource,
    sync: SyncResource,
) -> Results:
    """Begin the run: connect, check the pinned org, and take the describe snapshot."""
    run, settings = run_context(context, crosswalk, sync), crosswalk.settings
    with foreseeable(), pausing(context, crosswalk, salesforce, sync), crosswalk.connect() as con:
        begin_run(con, run, window=sync.window_in_words(), published_run_id=published_run_id(crosswalk.home))
        for name in contract_names():
            ensure_table(con, load_contract(name))
        KeptSettings.of(crosswalk.home).keep(settings, safe_settings(settings))
        if not settings.connection.enabled:
            # Launched from the UI, or by a schedule that was loaded before the switch was turned.
            raise SwitchedOffError(SWITCHED_OFF)
        org = budgeted_org(context, crosswalk, salesforce, sync)
        # Before anything of the org is written: another org's fields must not end up among ours.
        pin_org(con, org.identity())
        note_org(con, run, org.identity().org_id)
        names = [name for name, item in settings.objects.items() if item.enabled]
        found = refresh_schema(con, org, names, run, needed_fields(settings), mapped_sources(settings))
        found.raise_if_needed()
        for name, reason in found.skipped.items():
            context.log.warning(f"{name} is skipped: {reason}")
        yield materialized(found.fields, {"schema changes": found.changes, "skipped objects": dict(found.skipped)})


@dg.asset(
    key=JOBS,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"salesforce"},
    description="Counts every object, refuses what is over its cap or the API budget, then submits all Bulk jobs.",
    deps=[dg.AssetKey(["salesforce", "field"]), LISTS],
    pool=POOL,
    output_required=False,
)
@unit_of_work
def jobs(
    context: dg.AssetExecutionContext,
    crosswalk: CrosswalkResource,
    salesforce: SalesforceResource,
    sync: SyncResource,
) -> Results:
    """Plan the extraction."""
    run, settings = run_context(context, crosswalk, sync), crosswalk.settings
    kinds = {name: sync.kind_of(name) for name in settings.objects}
    only = _selected(context)
    with foreseeable(), pausing(context, crosswalk, salesforce, sync), crosswalk.connect() as con:
        org = budgeted_org(context, crosswalk, salesforce, sync)
        again = note_reimports(con, crosswalk.decisions, run, settings.objects if only is None else only)
        kinds |= {wanted: "full" for wanted, ids in again.items() if ids is None}
        records: dict[str, Sequence[str]] = {wanted: ids for wanted, ids in again.items() if ids}
        for wanted, ids in again.items():
            context.log.info(f"{wanted}: imported again as asked: {'all' if ids is None else len(ids)}")
        plan = submit_jobs(
            *(con, org, crosswalk.home, settings, run), only=only, kinds=kinds, again=records, progress=context.log.info
        )
        told = record_outcomes(con, plan)
        if any(item.refused for item in plan.objects.values()):
            # The run will fail at the refused object, and its statistics are to say why.
            write_statistics(con, run)
        for name, reason in told.items():
            (context.log.info if reason.startswith("full") else context.log.warning)(f"{name}: {reason}")
        yield dg.MaterializeResult(metadata={**_planned(plan, told), **_estimated(org, plan)})


def _planned(plan: ExtractionPlan, told: dict[str, str]) -> dict[str, dg.MetadataValue[Any]]:
    eligible = {name: item.eligible for name, item in plan.objects.items()}
    return {"eligible records": dg.MetadataValue.json(eligible), "reasons": dg.MetadataValue.json(told)}


def _estimated(org: SalesforceOrg, plan: ExtractionPlan) -> dict[str, dg.MetadataValue[Any]]:
    """Return the API calls expected of the rest of the run, beside what may still be sent."""
    expected = [(name, *call) for name, item in plan.objects.items() for call in item.to_come.items()]
    rows = [(name, endpoint, f"{calls:,}") for name, endpoint, calls in expected]
    total = sum(calls for _, _, calls in expected)
    left = org.session.budget.left() if org.session.budget else 0
    heads = ("object", "endpoint", "calls to come")
    return {
        "API calls to come": dg.MetadataValue.int(total),
        "API calls left": dg.MetadataValue.int(left),
        "estimate": table(heads, rows),
    }


def _landing_asset(name: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=["landing", name],
        group_name=GROUP,
        owners=OWNERS,
        kinds={"salesforce"},
        tags={OBJECT_TAG: name},
        description=f"Waits for the org's answer about {name} and lands its pages with their manifest.",
        deps=[JOBS],
        output_required=False,
    )
    @unit_of_work
    def land(
        context: dg.AssetExecutionContext,
        crosswalk: CrosswalkResource,
        salesforce: SalesforceResource,
        sync: SyncResource,
    ) -> Results:
        with foreseeable(), pausing(context, crosswalk, salesforce, sync):
            plan = ExtractionPlan.load(crosswalk.home.landing, run_id_of(context.run)).require(name)
            org = budgeted_org(context, crosswalk, salesforce, sync)
            download_object(org, crosswalk.home, plan, context.log.info, works_until=sync.deadline())
            yield dg.MaterializeResult(metadata={"kind": plan.kind, "reason": outcome(plan) or "as asked"})

    return land


def _table_asset(name: str) -> dg.AssetsDefinition:
    @_mirror_decorator(name)
    def load(
        context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
    ) -> dg.MaterializeResult[None]:
        run = run_context(context, crosswalk, sync, name)
        with foreseeable(), crosswalk.connect() as con:
            plan = ExtractionPlan.load(crosswalk.home.landing, run.run_id).require(name)
            result = load_object(con, crosswalk.home, crosswalk.settings, plan, run, context.log.info)
            columns = described_columns(con, f"salesforce.{table_name(name)}")
        if result.stale_since:
            context.log.warning(f"{name}: {result.explanation}")
        figures = {key: value for key, value in asdict(result).items() if isinstance(value, int | float)}
        words = {key: str(value) for key in ("explanation", "stale_since") if (value := getattr(result, key))}
        told = {"run kind": plan.kind, "reason": outcome(plan) or "as asked", **figures, **words}
        return materialized(result.rows, {**told, **_columns(name, columns)})

    return load


def _mirror_decorator(name: str) -> AssetDecorator:
    landed, table = dg.AssetKey(["landing", name]), f"salesforce.{table_name(name)}"
    if table in contract_names():
        return table_asset(table, group=GROUP, deps=[landed], kinds=KINDS, owner=name)
    contract = object_contract(table_name(name))
    return checked_asset(
        table,
        key=table.split("."),
        group_name=GROUP,
        owners=OWNERS,
        kinds=set(KINDS),
        # Nobody classified its fields: it is taken to hold personal data, and masked as such.
        tags={OBJECT_TAG: name, "personal-data": "true"},
        description=f"{name}: {contract.description}",
        metadata={
            "dagster/relation_identifier": f"analytics.{table}",
            "dagster/column_schema": column_schema(contract.columns),
        },
        deps=[landed],
    )


def _columns(name: str, columns: Sequence[Column]) -> dict[str, dg.TableSchema]:
    """Return the columns the table has now, those of the describe among them, for the UI."""
    if not columns:
        return {}
    promised = {column.name: column for column in object_contract(table_name(name)).columns}
    return {"dagster/column_schema": column_schema([promised.get(column.name, column) for column in columns])}


@dg.asset(
    key=LISTS,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"salesforce"},
    description="Lands the ids of the members of the list views and reports that the settings name.",
    deps=keys(["salesforce.field"]),
    output_required=False,
)
@unit_of_work
def lists(
    context: dg.AssetExecutionContext,
    crosswalk: CrosswalkResource,
    salesforce: SalesforceResource,
    sync: SyncResource,
) -> Results:
    """Land list membership."""
    settings, run = crosswalk.settings, run_context(context, crosswalk, sync)
    with foreseeable(), pausing(context, crosswalk, salesforce, sync):
        org = budgeted_org(context, crosswalk, salesforce, sync)
        found = land_lists(org, crosswalk.home, settings, run, context.log.info)
        names = [f"{item.object_name}: {item.kind.replace('_', ' ')} {item.list_name}" for item in found.lists]
        yield dg.MaterializeResult(metadata={"lists": len(found.lists), "names": dg.MetadataValue.json(names)})


@table_asset("salesforce.list_membership", group=GROUP, deps=[LISTS], kinds=KINDS)
def list_membership(
    context: dg.AssetExecutionContext,
    crosswalk: CrosswalkResource,
    salesforce: SalesforceResource,
    sync: SyncResource,
) -> dg.MaterializeResult[None]:
    """Load list membership."""
    run = run_context(context, crosswalk, sync)
    with foreseeable(), crosswalk.connect() as con:
        off = [table_name(name) for name, item in crosswalk.settings.objects.items() if not item.enabled]
        rows = load_list_membership(con, salesforce.connect(crosswalk.settings), crosswalk.home, run, off)
    return materialized(rows)


def _selected(context: dg.AssetExecutionContext) -> set[str] | None:
    """Return the objects whose landing is part of this run, or None when the run is not a selection."""
    selection = context.run.asset_selection
    if not selection:
        return None
    return {key.path[-1] for key in selection if key.path[0] == "landing"} - {"jobs", "lists"}
