"""The org under this run's API budget, and stopping at a checkpoint when the budget or the window is over.

A paused run fails nothing and publishes nothing: what landed stays, and the next run goes on from there.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from assets._common import run_context
from assets.telling import raise_alarms
from data_contracts.errors import BudgetError, SwitchedOffError, WindowClosedError
from pipelines.alarms.alarm import Alarm
from pipelines.extract.usage import record_unloaded, record_usage, spent_before
from pipelines.publish.run_record import begin_run, finish_run, is_begun
from pipelines.publish.snapshot_audit import published_run_id
from resources.salesforce import SalesforceOrg
from resources.salesforce.budget import Pacing, RequestBudget
from resources.wiring import PAUSED_TAG, CrosswalkResource, SalesforceResource, SyncResource

CLOSED = "the off-hours window is closed; what is landed stays, the next night goes on from here"


def budgeted_org(
    context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, salesforce: SalesforceResource, sync: SyncResource
) -> SalesforceOrg:
    """Return the connected org; every request of the run counts against ``limits.api``, those of a first try too."""
    settings = crosswalk.settings
    org = salesforce.connect(settings)
    if org.session.budget is None:
        rules, run = settings.limits.api, run_context(context, crosswalk, sync)
        pacing = Pacing(rules.wait_minutes * 60.0, sync.deadline(), context.log.warning, org.session.policy.sleep)
        with crosswalk.connect() as con:
            spent = spent_before(con, crosswalk.home, run.run_id)
        # Signing in is free, but what was asked since then is not.
        org.session.budget = RequestBudget(rules, pacing, spent=spent + org.usage.counted_calls())
        org.session.budget.note(org.usage.org_used, org.usage.org_allowed)
    org.session.budget.pacing.tell = context.log.warning
    return org


@contextmanager
def pausing(
    context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, salesforce: SalesforceResource, sync: SyncResource
) -> Iterator[None]:
    """Pause the run where the block runs out of API requests or of time, or finds the integration switched off.

    To be entered before the warehouse is opened.
    """
    try:
        yield
    except BudgetError as short:
        said = str(short).replace("\n", "; ")
        pause(context, crosswalk, sync, said, salesforce, Alarm("quota_paused", short.what.splitlines()[0]))
    except SwitchedOffError as off:
        pause(context, crosswalk, sync, off.what)
    except WindowClosedError as closed:
        pause(context, crosswalk, sync, f"{closed.what}; {CLOSED}", salesforce)


def closed(context: dg.AssetExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource) -> bool:
    """Return whether the window has closed; if so, record the run as paused."""
    if sync.may_work():
        return False
    pause(context, crosswalk, sync, CLOSED)
    return True


def pause(
    context: dg.AssetExecutionContext,
    crosswalk: CrosswalkResource,
    sync: SyncResource,
    message: str,
    salesforce: SalesforceResource | None = None,
    alarm: Alarm | None = None,
) -> None:
    """Record why the run pauses, and what it has asked of the org so far; raise ``alarm`` if there is one."""
    context.log.warning(message)
    context.instance.add_run_tags(context.run.run_id, {PAUSED_TAG: message[:250]})
    run = run_context(context, crosswalk, sync)
    with crosswalk.connect() as con:
        if not is_begun(con, run.run_id):
            begin_run(con, run, window=run.window, published_run_id=published_run_id(crosswalk.home))
        if salesforce is not None:
            record_usage(con, salesforce.connect(crosswalk.settings), run)
            record_unloaded(con, crosswalk.home, run)
        finish_run(con, run, "paused", message)
        raise_alarms(con, crosswalk, run, [alarm] if alarm else [], context.log.warning)
