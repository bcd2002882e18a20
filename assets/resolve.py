"""Candidates and the crosswalk: which record is which reference entity, and why."""

import math
from collections.abc import Iterator

import dagster as dg

from assets._common import foreseeable, key, keys, materialized, run_context, spec_arguments
from assets.plots import histogram, table
from assets.plots_matching import m_and_u, precision_and_recall
from assets.tables import table_asset, tables_asset
from data_contracts.mapping import MappedObject
from data_contracts.settings import Settings
from pipelines.resolve import ResolveResult, resolve
from pipelines.resolve.agreement import Agreement, agreement
from pipelines.resolve.decisions import replay_decisions
from pipelines.resolve.evidence import pin_missing
from pipelines.run import OBJECTS
from resources.wiring import CrosswalkResource, SyncResource

GROUP = "resolve"
SIDES = {
    "account": ("standard.account", "standard.company"),
    "contact": ("standard.contact", "standard.person", "crosswalk.account"),
    "lead": ("standard.lead", "standard.person", "standard.company", "crosswalk.account", "crosswalk.contact"),
}


def build_resolve_assets() -> list[dg.AssetsDefinition]:
    """Return match.decision and, per object, its candidates and its crosswalk."""
    return [decision, *(_asset(name) for name in OBJECTS)]


@table_asset("match.decision", group=GROUP, deps=keys(["salesforce.field"]))
def decision(
    context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
) -> dg.MaterializeResult[None]:
    """Replay the human decisions into the warehouse."""
    with foreseeable(), crosswalk.connect() as con:
        rows = replay_decisions(con, crosswalk.decisions, run_context(context, crosswalk, sync))
    return materialized(rows)


def _asset(name: MappedObject) -> dg.AssetsDefinition:
    candidates, links = f"match.{name}_candidate", f"crosswalk.{name}"
    inputs = keys([*SIDES[name], "match.decision"])

    @tables_asset(
        f"resolve_{name}",
        [
            dg.AssetSpec(
                **spec_arguments(candidates, group=GROUP, kinds=("duckdb", "splink"), owner=name), deps=inputs
            ),
            dg.AssetSpec(
                **spec_arguments(links, group=GROUP, kinds=("duckdb", "splink"), owner=name), deps=[key(candidates)]
            ),
        ],
    )
    def build(
        context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
    ) -> Iterator[dg.MaterializeResult[None]]:
        run = run_context(context, crosswalk, sync, name)
        with foreseeable(), crosswalk.connect() as con:
            result = resolve(
                con, name, crosswalk.settings, run, models_dir=crosswalk.home.models, progress=context.log.info
            )
            pin_missing(con, crosswalk.decisions, name)
            said = agreement(con, name, crosswalk.settings.matching, run)
        plot = _weights(result, crosswalk.settings)
        bounded = {"blocks cut": result.blocks_cut, "pairs cut": result.pairs_cut}
        trained = {"m and u": m_and_u(result.model)} if result.model else {}
        yield materialized(result.candidates, plot | trained | bounded, asset=candidates)
        yield materialized(result.records, plot | _quality(said, result) | _figures(result), asset=links)

    return build


def _weights(result: ResolveResult, settings: Settings) -> dict[str, object]:
    """Return the histogram of match weights with the thresholds, nothing when no pair was weighed."""
    if not result.histogram:
        return {}
    link, review = (_bits(share) for share in (settings.matching.thresholds.link, settings.matching.thresholds.review))
    plot = histogram(result.histogram, width=result.histogram_width, link=link, review=review)
    return {"match weights": plot}


def _quality(said: Agreement, result: ResolveResult) -> dict[str, object]:
    """Return precision and recall where people have decided, and how often each rung is estimated to be right."""
    found: dict[str, object] = {}
    figures = [(what, item) for what, item in (("precision", said.precision), ("recall", said.recall)) if item]
    if figures:
        found["precision and recall"] = precision_and_recall(figures, said.right + said.wrong + said.missed)
    rows = [
        (rung.code, f"{rung.precision:.4f}", f"{rung.pairs:,}", f"{rung.accepted:,}", f"{rung.rejected:,}")
        for rung in result.rung_precision
    ]
    heads = ("rung", "estimated precision", "pairs it rests on", "accepted", "rejected")
    return found | {"precision of rungs": table(heads, rows)}


def _figures(result: ResolveResult) -> dict[str, object]:
    model = result.model_path
    return {
        "linked": result.linked,
        "in review": result.in_review,
        "unmatched": result.unmatched,
        "skipped": result.skipped,
        "link changes": result.changes,
        "linked by": dg.MetadataValue.json(result.by_method),
        "linked by rung": dg.MetadataValue.json(result.by_rung),
        "model": dg.MetadataValue.path(str(model)) if model else "none",
    }


def _bits(probability: float) -> float:
    """Return the match weight (log2 odds) of a probability, kept drawable at 0 and 1."""
    bounded = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log2(bounded / (1 - bounded))
