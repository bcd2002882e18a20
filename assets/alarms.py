"""The alarms: what is wrong although the run goes well, as warnings in Dagster, rows of ``ops.alarm`` and messages.

They block nothing. A run that pauses or fails ends before this step and raises its own.
"""

from collections.abc import Iterator

import dagster as dg

from assets._common import foreseeable, key, keys, materialized, run_context
from assets.plots import table
from assets.tables import table_asset
from assets.telling import tell
from pipelines.alarms.alarm import CODES, EVERYTHING, Alarm
from pipelines.alarms.found import find_alarms
from pipelines.alarms.record import Judged, active_alarms, record_alarms
from pipelines.publish.statistics import fetched_objects
from resources.wiring import CrosswalkResource, SyncResource, now

TABLE = "ops.alarm"
HEADS = ("alarm", "object", "subject", "what is wrong")


@table_asset(
    TABLE,
    group="ops",
    deps=keys(["ops.run_statistics"]),
    more_checks=[dg.AssetCheckSpec(name=code, asset=key(TABLE), description=said) for code, said in CODES.items()],
)
def alarm(
    context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Look for alarms, tell who is to be told, and turn the checks of what is on amber."""
    run, settings = run_context(context, crosswalk, sync), crosswalk.settings
    with foreseeable(), crosswalk.connect() as con:
        found = find_alarms(con, settings, run_id=run.run_id, at=run.started_at)
        judged = _judged(fetched_objects(con, run.run_id))
        changes = record_alarms(con, found, judged, run_id=run.run_id, at=now())
        tell(con, crosswalk.home, settings, changes, context.log.warning)
        on = active_alarms(con)
    rows = [(item.code, item.object, item.subject, item.message) for item in on]
    yield materialized(len(on), {"on": table(HEADS, rows)})
    for code in CODES:
        yield _result(code, [item for item in on if item.code == code])


def _judged(fetched: set[str]) -> Judged:
    """Say which alarms are over when they were not found: a night that was missed, for the objects that were fetched.

    A run that has come so far was not paused and did not fail.
    """

    def looked_for(code: str, name: str) -> bool:
        return code != "window_missed" or name in fetched

    return looked_for


def _result(code: str, on: list[Alarm]) -> dg.AssetCheckResult:
    about = {item.object for item in on} - {EVERYTHING}
    return dg.AssetCheckResult(
        asset_key=key(TABLE),
        check_name=code,
        passed=not on,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(item.message for item in on) or None,
        metadata={"on": table(HEADS[1:], [(item.object, item.subject, item.message) for item in on])} if about else {},
    )
