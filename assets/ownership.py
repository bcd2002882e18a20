"""Who owns which company or person in the CRM, with lists, custom filters and opportunity figures."""

import dagster as dg

from assets._common import foreseeable, keys, materialized, run_context, table_asset
from pipelines.ownership import build_opportunity_ownership, build_ownership
from pipelines.run import OBJECTS
from resources.wiring import CrosswalkResource, SyncResource

GROUP = "ownership"
BESIDE = ("salesforce.user", "salesforce.opportunity", "salesforce.list_membership")


def build_ownership_assets() -> list[dg.AssetsDefinition]:
    """Return ownership.account, contact, lead and opportunity."""
    return [*(_asset(name) for name in OBJECTS), opportunity]


def _asset(name: str) -> dg.AssetsDefinition:
    @table_asset(f"ownership.{name}", group=GROUP, deps=keys([f"crosswalk.{name}", *BESIDE]), owner=name)
    def build(
        context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
    ) -> dg.MaterializeResult[None]:
        with foreseeable(), crosswalk.connect() as con:
            result = build_ownership(con, name, crosswalk.settings, run_context(context, crosswalk, sync, name))
        return materialized(result.rows)

    return build


@table_asset("ownership.opportunity", group=GROUP, deps=keys([f"ownership.{name}" for name in OBJECTS]))
def opportunity(
    context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
) -> dg.MaterializeResult[None]:
    """Sum opportunities by stage and currency."""
    with foreseeable(), crosswalk.connect() as con:
        result = build_opportunity_ownership(con, crosswalk.settings, run_context(context, crosswalk, sync))
    return materialized(result.rows)
