"""The end of a run: its statistics, its own records, and the snapshot that analysts read."""

from collections.abc import Iterator

import dagster as dg

from assets._common import (
    OWNERS,
    POOL,
    foreseeable,
    keys,
    materialized,
    row_count,
    run_context,
    spec_arguments,
    table_asset,
)
from assets.checks import check_others
from assets.plots import link_rate
from data_contracts.contracts import contract_names
from data_contracts.settings import Settings
from pipelines.publish.run_record import finish_run
from pipelines.publish.snapshot import publish_snapshot
from pipelines.publish.statistics import link_rates, write_statistics
from pipelines.run import OBJECTS
from resources.wiring import CrosswalkResource, SyncResource

GROUP = "publish"
RECORDS = tuple(name for name in contract_names() if name.startswith("ops.") and name != "ops.run_statistics")
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
    context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
) -> dg.MaterializeResult[None]:
    """Count what this run did; the identities are checked before anything is published."""
    with foreseeable(), crosswalk.connect() as con:
        result = write_statistics(con, run_context(context, crosswalk, sync))
        rates = link_rates(con)
    return materialized(result.rows, {"link rate per run": link_rate(rates)})


@dg.multi_asset(
    name="run_records",
    specs=[dg.AssetSpec(**spec_arguments(name, group="ops"), deps=keys(["ops.run_statistics"])) for name in RECORDS],
    pool=POOL,
)
def run_records(crosswalk: CrosswalkResource) -> Iterator[dg.MaterializeResult[None]]:
    """Report the tables that the steps of this run have written to as they went."""
    with foreseeable(), crosswalk.connect() as con:
        rows = {name: row_count(con, name) for name in RECORDS}
    for name in RECORDS:
        yield materialized(rows[name], asset=name)


def _analytics_asset(settings: Settings) -> dg.AssetsDefinition:
    promised = [name for name in contract_names() if not name.startswith("insight.")]
    # Objects without a contract are in the snapshot too: it waits for them.
    mirrored = [f"salesforce.{name}" for name, item in settings.objects.items() if item.enabled]

    @dg.asset(
        key=ANALYTICS,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"duckdb"},
        description="The snapshot analysts read: written aside, verified, then renamed over the last one.",
        deps=keys([*dict.fromkeys((*promised, *mirrored))]),
        pool=POOL,
    )
    def analytics(
        context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
    ) -> dg.MaterializeResult[None]:
        """Publish what passed every blocking check."""
        run = run_context(context, crosswalk, sync)
        with foreseeable(), crosswalk.connect() as con:
            others = check_others(con, crosswalk.settings, context.run)
            if others:
                context.log.info(f"{len(others)} tables that are not part of this run keep their contracts")
            result = publish_snapshot(con, crosswalk.home, crosswalk.settings.publish, run)
            finish_run(con, run, "succeeded")
        path = dg.MetadataValue.path(str(result.path))
        return materialized(result.rows, {"path": path, "tables": result.tables, "bytes": result.bytes})

    return analytics


def build_publish_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Return the statistics, the run's records and the snapshot."""
    return [run_statistics, run_records, _analytics_asset(settings)]
