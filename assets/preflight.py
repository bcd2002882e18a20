"""What preflight finds, in every full run: who is connected, what may be read, how well the fields are filled.

It stands beside the mirror and stops nothing: what a sync cannot do without stops it by itself, with the same words.
"""

from collections.abc import Iterator

import dagster as dg

from assets._common import OWNERS, POOL, foreseeable, run_context
from assets.pausing import pausing
from assets.plots import table
from assets.units import unit_of_work
from pipelines.extract.usage import record_usage
from pipelines.preflight import Report, facts_in_run, preflight_of
from resources.wiring import CrosswalkResource, SalesforceResource, SyncResource

KEY = dg.AssetKey(["ops", "preflight"])
CHECK = "nothing_red"
MARKS = {"green": "🟢 green", "grey": "⚪ grey", "amber": "🟠 amber", "red": "🔴 red"}
Results = Iterator[dg.MaterializeResult[None]]


@dg.asset(
    key=KEY,
    group_name="ops",
    owners=OWNERS,
    kinds={"salesforce"},
    description="Connection, permissions, field-level security, fill, packages and selections, green, amber or red, "
    "with the remedy; looked at in full runs. The same as crosswalk preflight.",
    deps=[dg.AssetKey(["salesforce", "field"])],
    pool=POOL,
    output_required=False,
)
@unit_of_work
def preflight_asset(
    context: dg.AssetExecutionContext,
    crosswalk: CrosswalkResource,
    salesforce: SalesforceResource,
    sync: SyncResource,
) -> Results:
    """Look, record what it cost, and show it without the names of users."""
    run = run_context(context, crosswalk, sync)
    if run.kind != "full":
        context.log.info("preflight looks in full runs; crosswalk preflight does it at any time")
        return
    settings = crosswalk.settings
    with foreseeable(), pausing(context, crosswalk, salesforce, sync):
        with crosswalk.connect() as con:
            facts = facts_in_run(con, crosswalk.home)
        report = preflight_of(lambda: salesforce.connect(settings), settings, facts).masked()
        with crosswalk.connect() as con:
            record_usage(con, salesforce.connect(settings), run)
        for item in report.findings:
            if item.level == "red":
                context.log.warning(f"{item.subject}: {item.message}. Next: {item.remedy}")
        yield _shown(report)


@dg.asset_check(
    asset=KEY,
    name=CHECK,
    description="Nothing is in the way of a sync: a warning, it blocks nothing.",
)
def nothing_red(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    """Repeat what the last look found."""
    event = context.instance.get_latest_materialization_event(KEY)
    seen = event.asset_materialization if event else None
    found = {level: seen.metadata[level].value if seen else 0 for level in ("red", "amber")}
    return dg.AssetCheckResult(passed=found["red"] == 0, severity=dg.AssetCheckSeverity.WARN, metadata=found)


def build_preflight_assets() -> list[dg.AssetsDefinition]:
    """Return the asset of preflight."""
    return [preflight_asset]


def _shown(report: Report) -> dg.MaterializeResult[None]:
    counts = {level: sum(item.level == level for item in report.findings) for level in MARKS}
    found = [(MARKS[item.level], item.subject, item.message, item.remedy) for item in report.findings]
    fill = [
        (use.object, use.field, ", ".join(use.used_for), use.state, "" if use.share is None else f"{use.share:.1%}")
        for use in report.fields
    ]
    asked = [(item.kind, item.name, item.reason, item.revoke) for item in report.asked_for]
    return dg.MaterializeResult(
        metadata={
            "level": MARKS[report.level],
            "red": counts["red"],
            "amber": counts["amber"],
            "found": table(("", "what", "found", "remedy"), found),
            "fields": table(("object", "field", "used for", "readable", "filled"), fill),
            "asked for": table(("kind", "name", "why", "revoked at"), asked),
            "API calls": report.api_calls,
        }
    )
