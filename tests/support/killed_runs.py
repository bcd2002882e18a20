"""Runs of the full job that kill themselves: ``python -m tests.support.killed_runs JSON``, one line of JSON per run.

Each run is a child forked from this process, which has the imports behind it and never opens a database. A kill is a
signal, not an exception: nothing of ours gets to run afterwards. Arguments: ``kills``, a list of [moment, number].
Moments: ``before``, ``open`` and ``after`` the body of the n-th opening of the warehouse (``open``: done, not yet
closed), ``landing`` (in the n-th download), ``renamed`` (published, not yet recorded), ``none`` (not at all).
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import altair  # noqa: F401 - the imports a run makes on its way, made once
import dagster as dg
import great_expectations  # noqa: F401
import splink  # noqa: F401
from duckdb import DuckDBPyConnection
from pydantic import PrivateAttr

import assets.published
from data_contracts.settings import Settings
from definitions import build_defs
from resources.home import Home
from resources.salesforce import SalesforceOrg
from resources.wiring import CrosswalkResource, SalesforceResource
from schedules.launch import dagster_instance, run_now


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class KillingWarehouse(CrosswalkResource):
    """Kills its process at the ``number``-th opening of the warehouse."""

    moment: str
    number: int
    _opened: int = PrivateAttr(default=0)

    @contextmanager
    def connect(self) -> Iterator[DuckDBPyConnection]:
        self._opened += 1
        due = self._opened == self.number
        if due and self.moment == "before":
            die()
        with super().connect() as con:
            yield con
            if due and self.moment == "open":
                die()
        if due and self.moment == "after":
            die()


class KillingOrg(SalesforceResource):
    """Kills its process when a page of the ``number``-th query has arrived and is not landed yet."""

    number: int
    _queries: int = PrivateAttr(default=0)

    def connect(self, settings: Settings) -> SalesforceOrg:
        if self._org is None:
            query = super().connect(settings).rest.query

            def killing(soql: str, **more: bool) -> Iterator[list[dict[str, object]]]:
                self._queries += 1
                for page in query(soql, **more):
                    if self._queries == self.number:
                        die()
                    yield page

            vars(self._org.rest)["query"] = killing  # type: ignore[union-attr]
        return super().connect(settings)


def overrides(moment: str, number: int) -> dict[str, dg.ConfigurableResource]:
    if moment == "landing":
        return {"salesforce": KillingOrg(number=number)}
    return {"crosswalk": KillingWarehouse(moment=moment, number=number)}


def run(home: Home, moment: str, number: int) -> int:
    """Run the job in a child and return how it ended: minus the signal, or its exit code."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 99
    try:
        if moment == "renamed":
            assets.published.finish_run = lambda *_: die()
        outcome = run_now(build_defs(resource_overrides=overrides(moment, number)), home, kind="full")
        code = 0 if outcome.success else 1
    finally:
        os._exit(code)


def state(home: Home) -> dict[str, object]:
    """What Dagster says of the runs, the newest first, and who holds the pool."""
    with dagster_instance(home) as instance:
        pool = instance.event_log_storage.get_concurrency_info("warehouse")
        runs = [[item.run_id, item.status.value] for item in instance.get_runs()]
        return {"runs": runs, "pool": sorted({slot.run_id for slot in pool.claimed_slots})}


def main(argument: str) -> None:
    home = Home.from_environment()
    for moment, number in json.loads(argument)["kills"]:
        ended = run(home, moment, number)
        sys.stdout.write(json.dumps({"kill": [moment, number], "ended": ended, **state(home)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
