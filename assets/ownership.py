"""Who owns which company or person in the CRM, with lists, custom filters and opportunity figures."""

from collections.abc import Iterator, Sequence

import dagster as dg

from assets._common import foreseeable, keys, materialized, row_count, run_context, spec_arguments
from assets.tables import table_asset, tables_asset
from data_contracts.settings import Settings
from pipelines.extract.objects import table_name
from pipelines.ownership import (
    build_opportunity_ownership,
    build_ownership,
    build_search,
    build_users,
    load_own_users,
    visible_objects,
)
from pipelines.run import OBJECTS
from resources.wiring import CrosswalkResource, SyncResource

GROUP = "ownership"
BESIDE = ("ownership.user", "salesforce.opportunity", "salesforce.list_membership")
OWNERS = ("user", *OBJECTS)
USERS = ("ownership.own_user", "ownership.user")


def build_ownership_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Return the user mapping, ownership.account, contact, lead and opportunity, and the search over them."""
    return [users, *(_asset(name, _looked_up(settings, name)) for name in OBJECTS), opportunity, search]


def _looked_up(settings: Settings, name: str) -> Sequence[str]:
    """Return the mirrored tables whose names a custom filter may show: any that is mirrored, if there is a filter."""
    if not settings.objects[name].custom_filters:
        return ()
    return [f"salesforce.{table_name(other)}" for other, item in settings.objects.items() if item.enabled]


def _asset(name: str, looked_up: Sequence[str]) -> dg.AssetsDefinition:
    deps = keys([*dict.fromkeys([f"crosswalk.{name}", *BESIDE, *looked_up])])

    @table_asset(f"ownership.{name}", group=GROUP, deps=deps, owner=name)
    def build(
        context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
    ) -> dg.MaterializeResult[None]:
        with foreseeable(), crosswalk.connect() as con:
            result = build_ownership(con, name, crosswalk.settings, run_context(context, crosswalk, sync, name))
        return materialized(result.rows, {"visible": name in visible_objects(crosswalk.settings)})

    return build


@tables_asset(
    "users",
    [
        dg.AssetSpec(**spec_arguments(name, group=GROUP), deps=keys([f"salesforce.{item}" for item in OWNERS]))
        for name in USERS
    ],
)
def users(
    context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Load the organisation's own users and map the CRM's users to them."""
    settings, run = crosswalk.settings, run_context(context, crosswalk, sync)
    with foreseeable(), crosswalk.connect() as con:
        load_own_users(con, settings.users, crosswalk.settings_folder)
        result = build_users(con, crosswalk.decisions, settings, run)
        rows = {name: row_count(con, name) for name in USERS}
    told = {"mapped": result.mapped, "found by this run": result.found, "need a person": result.waiting}
    for name in USERS:
        yield materialized(rows[name], told if name == "ownership.user" else {}, asset=name)


@table_asset("ownership.opportunity", group=GROUP, deps=keys([f"ownership.{name}" for name in OBJECTS]))
def opportunity(
    context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
) -> dg.MaterializeResult[None]:
    """Sum opportunities by stage and currency."""
    with foreseeable(), crosswalk.connect() as con:
        result = build_opportunity_ownership(con, crosswalk.settings, run_context(context, crosswalk, sync))
    return materialized(result.rows)


@table_asset(
    "ownership.search",
    group=GROUP,
    deps=keys([*(f"ownership.{name}" for name in OBJECTS), "reference.company", "reference.person"]),
)
def search(context: dg.AssetExecutionContext, crosswalk: CrosswalkResource) -> dg.MaterializeResult[None]:
    """Say of every reference entity who owns it, if anybody does."""
    with foreseeable(), crosswalk.connect() as con:
        result = build_search(con, crosswalk.settings)
    return materialized(result.rows, {"entities in the CRM": result.entities})
