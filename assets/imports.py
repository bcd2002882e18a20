"""Mapped imports: the chosen Salesforce fields per record and, surviving, per reference entity."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Literal

import dagster as dg

from assets._common import foreseeable, keys, materialized, row_count, run_context, spec_arguments
from assets.tables import table_asset, tables_asset
from data_contracts.mapping import MappedObject
from pipelines.imports import build_creation_proposals, build_entity_imports, build_imports
from pipelines.imports.entities import SPEAKERS as SPEAKING
from pipelines.imports.mapping_gate import find_stop, settle_stop, stopped
from pipelines.imports.reimport import asked_again
from pipelines.review.creations import replay_proposals
from pipelines.run import OBJECTS
from resources.mapping_tests import MappingTests
from resources.wiring import CrosswalkResource, SyncResource

GROUP = "imports"
# Which of several records is the primary one depends on its open opportunities.
SPEAKERS = {
    "company": ("imports.account", "salesforce.opportunity"),
    "person": ("imports.contact", "imports.lead", "salesforce.opportunity"),
}
FEEDS = ("imports.value", "imports.change", "imports.feed", "imports.creation_proposal")


def build_import_assets() -> list[dg.AssetsDefinition]:
    """Return imports.* per record, per entity, and what follows from them."""
    return [*(_record_asset(name) for name in OBJECTS), _entity_asset("company"), _entity_asset("person"), feeds]


def _record_asset(name: MappedObject) -> dg.AssetsDefinition:
    @table_asset(f"imports.{name}", group=GROUP, deps=keys([f"crosswalk.{name}"]), owner=name)
    def build(
        context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
    ) -> dg.MaterializeResult[None]:
        run, settings = run_context(context, crosswalk, sync, name), crosswalk.settings
        with foreseeable(), crosswalk.connect() as con:
            stop = find_stop(con, name, settings, MappingTests.of(crosswalk.home))
            settle_stop(con, name, stop, run)
            if stop:
                context.log.warning(str(stop))
                return materialized(row_count(con, f"imports.{name}"), {"stopped": str(stop)})
            result = build_imports(con, name, settings, run, again=asked_again(con, run, name))
        for note in result.notes:
            context.log.info(note)
        told = {"data status": dg.MetadataValue.json(result.statuses), "rows written": result.written}
        return materialized(result.records, told | _looked_at("records", result.looked_at))

    return build


def _entity_asset(kind: Literal["company", "person"]) -> dg.AssetsDefinition:
    @table_asset(f"imports.{kind}", group=GROUP, deps=keys(SPEAKERS[kind]))
    def build(
        context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
    ) -> dg.MaterializeResult[None]:
        with foreseeable(), crosswalk.connect() as con:
            if held := stopped(con, SPEAKING[kind]):
                still = f"stays as it was: the import of {' and '.join(held)} is stopped (ops.import_stop)"
                context.log.warning(f"imports.{kind} {still}")
                return materialized(row_count(con, f"imports.{kind}"), {"stopped": still})
            result = build_entity_imports(con, kind, crosswalk.settings, run_context(context, crosswalk, sync))
        told = {"values": dg.MetadataValue.json(asdict(result.values)), "rows written": result.written}
        return materialized(result.entities, told | _looked_at("entities", result.built))

    return build


def _looked_at(what: str, count: int | None) -> dict[str, str]:
    """Say how much of the table the run had to look at."""
    return {f"{what} looked at": "all" if count is None else f"{count:,} that changed"}


@tables_asset(
    "import_feeds",
    [
        dg.AssetSpec(**spec_arguments(name, group=GROUP), deps=keys(["imports.company", "imports.person"]))
        for name in FEEDS
    ],
)
def feeds(
    context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Propose what is worth creating, and report the values and changes the entities brought."""
    run = run_context(context, crosswalk, sync)
    with foreseeable(), crosswalk.connect() as con:
        for name in OBJECTS:
            replay_proposals(con, name, crosswalk.decisions, run)
            build_creation_proposals(con, name, crosswalk.settings, run)
        counts = {table: row_count(con, table) for table in FEEDS}
    for table, rows in counts.items():
        yield materialized(rows, asset=table)
