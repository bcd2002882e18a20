"""The end of a run: its statistics, its own records, and the snapshot that analysts read."""

from collections.abc import Callable, Iterator

import dagster as dg

from assets._common import (
    OWNERS,
    POOL,
    foreseeable,
    keys,
    materialized,
    row_count,
    run_context,
    run_id_of,
    spec_arguments,
)
from assets.checks import check_others
from assets.plots import api_use, link_rate, rows_over_time, table
from assets.plots_matching import segment_rates as plot_segments
from assets.tables import table_asset, tables_asset
from assets.units import unit_of_work
from data_contracts.contracts import contract_names
from data_contracts.settings import Settings
from pipelines.alarms.found import write_fill_rates
from pipelines.alarms.standing import note_standing
from pipelines.extract.objects import table_name
from pipelines.extract.usage import record_usage
from pipelines.imports.proposal_files import publish_proposals
from pipelines.imports.reimport import close_reimports
from pipelines.ownership.visible import shown_rows
from pipelines.publish.completed import note_completed
from pipelines.publish.history import record_history
from pipelines.publish.parquet import export_parquet
from pipelines.publish.rollback import record_publication
from pipelines.publish.run_record import finish_run
from pipelines.publish.segments import SEGMENTS, segment_rates, write_segments
from pipelines.publish.snapshot import publish_snapshot
from pipelines.publish.snapshot_audit import published_run_id
from pipelines.publish.statistics import (
    api_calls,
    api_estimates,
    happenings,
    link_rates,
    mirror_sizes,
    write_statistics,
)
from pipelines.retention import expire
from pipelines.run import OBJECTS
from resources.home import Home
from resources.wiring import CrosswalkResource, SalesforceResource, SyncResource

GROUP = "publish"
STEPS = ("ops.run_statistics", "ops.alarm")
"""Tables of ``ops`` with a step of their own; the others are written as the run goes."""
RECORDS = tuple(name for name in contract_names() if name.startswith("ops.") and name not in STEPS)
HEADS = {
    "ops.schema_change": ("object", "field", "change", "what it means"),
    "ops.record_event": ("object", "event", "records"),
    "ops.reject": ("object", "field", "cells"),
    "ops.api_usage": ("object", "endpoint", "requests", "estimated"),
}
"""Column titles of what a run tells about itself beside the rows of these tables."""
Calendar = Callable[[Settings, Home], str]
"""Says when the next runs are, as Markdown; when something is due is not known in this room."""
ANALYTICS = dg.AssetKey(["published", "analytics"])


@table_asset(
    "ops.run_statistics",
    group="ops",
    deps=keys(
        [f"{schema}.{name}" for schema in ("crosswalk", "imports", "ownership") for name in OBJECTS]
        + ["ownership.opportunity", "imports.company", "imports.person"]
    ),
)
def run_statistics(
    context: dg.AssetExecutionContext,
    crosswalk: CrosswalkResource,
    salesforce: SalesforceResource,
    sync: SyncResource,
) -> dg.MaterializeResult[None]:
    """Count what this run did; the identities are checked before anything is published."""
    run = run_context(context, crosswalk, sync)
    with foreseeable(), crosswalk.connect() as con:
        if org := salesforce.connected():
            # The last request of the run is behind us: the org's own count can be held against ours.
            record_usage(con, org, run)
        result = write_statistics(con, run)
        write_segments(con, run)
        write_fill_rates(con, run)
        rates = {segment: segment_rates(con, segment) for segment in SEGMENTS}
        budget = crosswalk.settings.limits.api.per_run
        plots = {
            "link rate per run": link_rate(link_rates(con)),
            "records per object": rows_over_time(mirror_sizes(con)),
            "API requests per run": api_use(api_calls(con), budget, api_estimates(con)),
        }
        for segment, rows in rates.items():
            if rows:
                plots[f"link rate by {segment.replace('_', ' ')}"] = plot_segments(rows, segment.replace("_", " "))
    return materialized(result.rows, plots)


@tables_asset(
    "run_records",
    [dg.AssetSpec(**spec_arguments(name, group="ops"), deps=keys(["ops.run_statistics"])) for name in RECORDS],
)
def run_records(
    context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Bring the history up to this run, and report the tables that its steps have written to as they went."""
    with foreseeable(), crosswalk.connect() as con:
        record_history(con, run_context(context, crosswalk, sync))
        rows = {name: row_count(con, name) for name in RECORDS}
        noticed = happenings(con, run_id_of(context.run))
    for name in RECORDS:
        told = {"in this run": table(HEADS[name], noticed[name])} if name in HEADS else {}
        yield materialized(rows[name], told, asset=name)


def _analytics_asset(settings: Settings, calendar: Calendar) -> dg.AssetsDefinition:
    promised = [name for name in contract_names() if not name.startswith("insight.")]
    # Objects without a contract are in the snapshot too: it waits for them.
    mirrored = [f"salesforce.{table_name(name)}" for name, item in settings.objects.items() if item.enabled]

    @dg.asset(
        key=ANALYTICS,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"duckdb"},
        description="The snapshot analysts read: written aside, verified, then renamed over the last one.",
        deps=keys([*dict.fromkeys((*promised, *mirrored))]),
        pool=POOL,
        output_required=False,
    )
    @unit_of_work
    def analytics(
        context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
    ) -> dg.MaterializeResult[None]:
        """Publish what passed every blocking check."""
        run = run_context(context, crosswalk, sync)
        with foreseeable(), crosswalk.connect() as con:
            others = check_others(con, crosswalk.settings, context.run)
            if others:
                context.log.info(f"{len(others)} tables that are not part of this run keep their contracts")
            shown, home, settings = shown_rows(crosswalk.settings), crosswalk.home, crosswalk.settings
            expire(con, home, settings.retention, run.started_at)
            before = published_run_id(home)
            result = publish_snapshot(con, home, settings.publish, run, shown=shown)
            publish_proposals(result.path)
            close_reimports(con, crosswalk.decisions, run)
            finish_run(con, run, "succeeded")
            record_publication(con, "published", run.run_id, None, before)
            if settings.publish.parquet:
                export_parquet(home)
            note_completed(con, home, run)
            note_standing(con, home)
        path = dg.MetadataValue.path(str(result.path))
        told = {"path": path, "tables": result.tables, "bytes": result.bytes}
        return materialized(result.rows, {**told, "next runs": dg.MetadataValue.md(calendar(settings, home))})

    return analytics


def build_publish_assets(settings: Settings, calendar: Calendar) -> list[dg.AssetsDefinition]:
    """Return the statistics, the run's records and the snapshot."""
    return [run_statistics, run_records, _analytics_asset(settings, calendar)]
