"""The values that matching sees, one row per record: names, domains, phones, addresses standardised."""

import dagster as dg

from assets._common import foreseeable, key, materialized, run_context
from assets.tables import table_asset
from pipelines.run import OBJECTS
from pipelines.standardize import standardize
from pipelines.standardize.standardize import Table
from resources.wiring import CrosswalkResource, SyncResource

GROUP = "standard"


def build_standard_assets() -> list[dg.AssetsDefinition]:
    """Return standard.account, contact, lead, company and person."""
    mirrored = [_asset(name, f"salesforce.{name}", owner=name) for name in OBJECTS]
    return [*mirrored, _asset("company", "reference.company"), _asset("person", "reference.person")]


def _asset(table: Table, source: str, *, owner: str = "") -> dg.AssetsDefinition:
    @table_asset(f"standard.{table}", group=GROUP, deps=[key(source)], owner=owner)
    def build(
        context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
    ) -> dg.MaterializeResult[None]:
        with foreseeable(), crosswalk.connect() as con:
            result = standardize(con, table, crosswalk.settings, run_context(context, crosswalk, sync))
        context.log.info(f"{result.rows:,} rows standardised")
        return materialized(result.rows)

    return build
