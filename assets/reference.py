"""The reference database of companies and people, loaded from what the settings name."""

from typing import Literal

import dagster as dg

from assets._common import foreseeable, materialized, run_context
from assets.tables import table_asset
from pipelines.extract.reference import load_reference
from pipelines.review.creations import replay_creations
from resources.wiring import CrosswalkResource, SyncResource

GROUP = "reference"
RUN_BEGUN = dg.AssetKey(["salesforce", "field"])


def build_reference_assets() -> list[dg.AssetsDefinition]:
    """Return reference.company and reference.person."""
    return [_asset("company"), _asset("person")]


def _asset(kind: Literal["company", "person"]) -> dg.AssetsDefinition:
    name = f"reference.{kind}"

    @table_asset(name, group=GROUP, deps=[RUN_BEGUN])
    def load(
        context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
    ) -> dg.MaterializeResult[None]:
        source = getattr(crosswalk.settings.reference, kind)
        with foreseeable(), crosswalk.connect() as con:
            run, folder = run_context(context, crosswalk, sync), crosswalk.settings_folder
            result = load_reference(con, kind, source, folder, run, home=crosswalk.home)
            created = replay_creations(con, kind, crosswalk.decisions)
        context.log.info(f"{result.from_source:,} rows" if source else f"no {kind} reference is configured")
        return materialized(result.from_source + created, {"configured": source is not None, "created": created})

    return load
