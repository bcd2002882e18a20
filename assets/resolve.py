"""Candidates and the crosswalk: which record is which reference entity, and why."""

from collections.abc import Iterator

import dagster as dg

from assets._common import POOL, foreseeable, key, keys, materialized, run_context, spec_arguments
from assets.plots import histogram
from pipelines.resolve import ResolveResult, resolve
from pipelines.resolve.decisions import replay_decisions
from pipelines.run import OBJECTS
from resources.wiring import CrosswalkResource, SyncResource

GROUP = "resolve"
SIDES = {
    "account": ("standard.account", "standard.company"),
    "contact": ("standard.contact", "standard.person", "crosswalk.account"),
    "lead": ("standard.lead", "standard.person", "standard.company", "crosswalk.account"),
}


def build_resolve_assets() -> list[dg.AssetsDefinition]:
    """Return match.decision and, per object, its candidates and its crosswalk."""
    return [decision, *(_asset(name) for name in OBJECTS)]


@dg.asset(**spec_arguments("match.decision", group=GROUP), deps=keys(["salesforce.field"]), pool=POOL)
def decision(
    context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
) -> dg.MaterializeResult[None]:
    """Replay the human decisions into the warehouse."""
    with foreseeable(), crosswalk.connect() as con:
        rows = replay_decisions(con, crosswalk.decisions, run_context(context, crosswalk, sync))
    return materialized(rows)


def _asset(name: str) -> dg.AssetsDefinition:
    candidates, links = f"match.{name}_candidate", f"crosswalk.{name}"
    inputs = keys([*SIDES[name], "match.decision"])

    @dg.multi_asset(
        name=f"resolve_{name}",
        specs=[
            dg.AssetSpec(
                **spec_arguments(candidates, group=GROUP, kinds=("duckdb", "splink"), owner=name), deps=inputs
            ),
            dg.AssetSpec(
                **spec_arguments(links, group=GROUP, kinds=("duckdb", "splink"), owner=name), deps=[key(candidates)]
            ),
        ],
        pool=POOL,
    )
    def build(
        context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
    ) -> Iterator[dg.MaterializeResult[None]]:
        run = run_context(context, crosswalk, sync, name)
        with foreseeable(), crosswalk.connect() as con:
            result = resolve(
                con, name, crosswalk.settings, run, models_dir=crosswalk.home.models, progress=context.log.info
            )
        yield materialized(result.candidates, _plots(result), asset=candidates)
        yield materialized(result.records, _figures(result), asset=links)

    return build
