"""Runs of the full job through Dagster that kill themselves, each in a child that ``run_worker`` forks.

A kill is a signal, not an exception: nothing of ours gets to run afterwards. Moments: ``before``, ``open`` and
``after`` the body of the n-th opening of the warehouse (``open``: done, not yet closed), ``landing`` (in the n-th
download), ``renamed`` (published, not yet recorded), ``none`` (not at all).
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
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
    """Run the full job in this process, which is there for nothing else, and return its exit code if it lives."""
    if moment == "renamed":
        assets.published.finish_run = lambda *_: die()
    return 0 if run_now(build_defs(resource_overrides=overrides(moment, number)), home, kind="full").success else 1


def state(home: Home) -> dict[str, object]:
    """What Dagster says of the runs, the newest first, and who holds the pool."""
    with dagster_instance(home) as instance:
        pool = instance.event_log_storage.get_concurrency_info("warehouse")
        runs = [[item.run_id, item.status.value] for item in instance.get_runs()]
        return {"runs": runs, "pool": sorted({slot.run_id for slot in pool.claimed_slots})}
