"""``crosswalk sync`` without Dagster's bookkeeping: what the command starts, in place of ``schedules.launch.run_now``.

What a real run through Dagster leaves is held against one like this in ``tests/pipeline/test_light_run.py``.
"""

import uuid
from collections.abc import Sequence
from typing import Literal

import dagster as dg

from resources.home import Home
from resources.wiring import CrosswalkResource, SalesforceResource, SyncResource
from schedules.launch import RunOutcome, embedded_dagster_home
from schedules.selection import selection_for
from tests.support.light_run import plain, run_light, steps_of


def run_now_light(
    defs: dg.Definitions, home: Home, *, kind: Literal["full", "delta"], objects: Sequence[str] = ()
) -> RunOutcome:
    """Run the steps of the job in ``home``, which is that of the environment, and return how it ended."""
    assert Home.from_environment() == home
    embedded_dagster_home(home)
    chosen = set(selection_for(defs.resolve_all_asset_specs(), objects)) if objects else None
    steps = [step for step in steps_of(defs) if chosen is None or (step.makes | step.checks) <= chosen]
    run_id = str(uuid.uuid4())
    # Contracts are held to in the runs of other tests.
    with plain(checks=False):
        found = run_light(steps, CrosswalkResource(), SalesforceResource(), SyncResource(kind=kind), run_id=run_id)
    return RunOutcome(run_id, found.success, tuple(found.failures), ())
