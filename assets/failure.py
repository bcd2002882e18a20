"""What happens when a step fails: the run's own record says so, with the reason, and who is to be told is told."""

import dagster as dg
import duckdb

from assets._common import run_context
from assets.telling import raise_alarms
from data_contracts.errors import CrosswalkError
from pipelines.alarms.alarm import Alarm
from pipelines.alarms.found import drift_alarms
from pipelines.publish.run_record import fail_run
from resources.wiring import CrosswalkResource, SyncResource


def record_failure(
    context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource, error: Exception
) -> None:
    """Mark the run failed in ``ops.sync_run``; a later snapshot shows it to analysts.

    Fields that mappings rely on and that are gone are told; that a run failed is, when nobody was looking at it. What
    cannot be recorded, because the warehouse is what failed, is left to the log of the run.
    """
    said = error.description if isinstance(error, dg.Failure) else None
    told = said or f"{context.op_execution_context.op.name} failed"
    run = run_context(context, crosswalk, sync)
    try:
        with crosswalk.connect() as con:
            fail_run(con, run.run_id, told)
            found = drift_alarms(con, run.run_id)
            if run.trigger == "schedule":
                found.append(Alarm("run_failed", told.splitlines()[0]))
            raise_alarms(con, crosswalk, run, found, context.log.warning)
    except (CrosswalkError, duckdb.Error, OSError) as untold:
        context.log.warning(f"the failure could not be recorded: {type(untold).__name__}")
