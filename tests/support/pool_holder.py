"""A run that takes the warehouse's pool and stays, in a process a test may kill.

``python -m tests.support.pool_holder`` prints one line once its step holds the pool.
"""

import time

import dagster as dg

from assets._common import POOL


@dg.asset(pool=POOL)
def holder() -> None:
    """Stay until killed."""
    print("holding", flush=True)
    time.sleep(600)


if __name__ == "__main__":
    with dg.DagsterInstance.get() as instance:
        dg.materialize([holder], instance=instance)
