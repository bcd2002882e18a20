"""What happens when a step fails: the run's own record says so, with the reason."""

import dagster as dg

from assets._common import run_id_of
from pipelines.publish.run_record import fail_run
from resources.wiring import CrosswalkResource


@dg.failure_hook(required_resource_keys={"crosswalk"})
def record_failure(context: dg.HookContext) -> None:
    """Mark the run failed in ``ops.sync_run``; a later snapshot shows it to analysts."""
    crosswalk: CrosswalkResource = context.resources.crosswalk
    run = context.instance.get_run_by_id(context.run_id)
    error = context.op_exception
    told = error.description if isinstance(error, dg.Failure) else f"{context.op.name} failed"
    with crosswalk.connect() as con:
        fail_run(con, run_id_of(run) if run else context.run_id, told or f"{context.op.name} failed")
