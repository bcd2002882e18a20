"""The plain classes of this room as Dagster resources; the only module here that imports ``dagster``.

What a resource does lives in the class it wraps. Definitions load without any secret: the org is
connected to when a step first asks for it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import dagster as dg
from duckdb import DuckDBPyConnection
from pydantic import Field, PrivateAttr

from data_contracts.settings import Settings
from data_contracts.settings_file import load_settings, settings_path
from resources.decisions import DecisionStore
from resources.home import Home
from resources.instance_claim import claim
from resources.salesforce import SalesforceOrg, TokenStore
from resources.warehouse import Warehouse

LOCATION = "crosswalk"
"""Name of the code location in ``workspace.yaml``."""

PAUSED_TAG = "crosswalk/paused"
"""Tag of a run that stopped at a checkpoint without a failure: why."""


class CrosswalkResource(dg.ConfigurableResource["CrosswalkResource"]):
    """The home, its settings and its warehouse, held under the home's lock for the whole run."""

    _settings: Settings | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["CrosswalkResource"]:
        """Take the home's lock; whatever still counts as running then is dead, and is settled first."""
        run_id = context.run.run_id if context.run else "none"
        if context.instance:
            claim_instance(context.instance, self.home)
        with self.home.lock(f"run {run_id}"):
            if context.instance:
                settle_dead_runs(context.instance, run_id)
            yield self

    @property
    def home(self) -> Home:
        """The home named by ``CROSSWALK_HOME``."""
        return Home.from_environment()

    @property
    def settings(self) -> Settings:
        """The settings, read once per run."""
        if self._settings is None:
            self._settings = load_settings()
        return self._settings

    @property
    def settings_folder(self) -> Path:
        """The folder that relative paths in the settings start from."""
        return settings_path()[0].resolve().parent

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse with the memory limit of the settings."""
        return Warehouse(self.home.warehouse, self.settings.limits.memory)

    @contextmanager
    def connect(self) -> Iterator[DuckDBPyConnection]:
        """Open the warehouse for the length of one step."""
        with self.warehouse.connect() as connection:
            yield connection

    @property
    def decisions(self) -> DecisionStore:
        """The store of human decisions."""
        return DecisionStore(self.home.decisions_url)


class SalesforceResource(dg.ConfigurableResource["SalesforceResource"]):
    """The org named by the settings and the ``SALESFORCE_*`` variables, connected once per run."""

    _org: SalesforceOrg | None = PrivateAttr(default=None)

    def connect(self, settings: Settings) -> SalesforceOrg:
        """Return the connected org."""
        if self._org is None:
            store = TokenStore(Home.from_environment().root)
            self._org = SalesforceOrg.connect(settings.connection, os.environ, store=store)
        return self._org

    def connected(self) -> SalesforceOrg | None:
        """Return the org if this run has connected to it; nothing is asked of it here."""
        return self._org


class SyncResource(dg.ConfigurableResource["SyncResource"]):
    """What kind of run this is: shown and changeable in the launchpad."""

    kind: Literal["full", "delta"] = Field(
        default="full", description="full: everything again; delta: what changed since"
    )
    full_objects: list[str] = Field(default=[], description="objects synced in full although the run is a delta")
    trigger: Literal["manual", "schedule"] = Field(
        default="manual", description="a scheduled run keeps to the off-hours window, Run Now does not"
    )
    window: str = Field(default="", description="the off-hours window and night it was asked for, in words")
    works_until: str = Field(
        default="", description="UTC time at which the off-hours window closes; empty: any time, as with Run Now"
    )

    _by_hand: bool = PrivateAttr(default=False)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Notice a run of the schedule that a person re-executes: that is a Run Now, whatever was configured then."""
        self._by_hand = bool(context.run and is_restarted_by_hand(context.run))

    def started_by(self) -> Literal["manual", "schedule"]:
        """Return who started this run."""
        return "manual" if self._by_hand else self.trigger

    def window_in_words(self) -> str:
        """Return which window the run keeps to, or that it ignores it."""
        if self._by_hand:
            return "any time (Run Now, started again by hand)"
        return self.window or self.works_until or "any time (Run Now)"

    def may_work(self) -> bool:
        """Return whether the window is still open for another unit of work."""
        closes = self.deadline()
        return closes is None or now() < closes

    def deadline(self) -> datetime | None:
        """Return when the window closes, None for a run at any time."""
        if not self.works_until or self._by_hand:
            return None
        closes = datetime.fromisoformat(self.works_until)
        return closes if closes.tzinfo else closes.replace(tzinfo=UTC)

    def kind_of(self, name: str) -> Literal["full", "delta"]:
        """Return how this run syncs object ``name``."""
        return "full" if name in self.full_objects else self.kind


def is_restarted_by_hand(run: dg.DagsterRun) -> bool:
    """Return whether a person re-executes an earlier run; what the daemon retries has a number."""
    return "dagster/parent_run_id" in run.tags and "dagster/retry_number" not in run.tags


def claim_instance(instance: dg.DagsterInstance, home: Home) -> None:
    """Claim ``instance`` for ``home``; raises SettingsError where it belongs to another one."""
    claim(instance.daemon_cursor_storage, home, os.environ.get("DAGSTER_HOME"))


def settle_dead_runs(
    instance: dg.DagsterInstance, own_run_id: str = "", *, started_before: datetime | None = None
) -> list[str]:
    """Mark runs that a killed process left as running failed, and free their pool slots; return their ids.

    Called under the home's lock: another run of ours that is alive can only be about to fail for want of it.
    """
    latest = (started_before or now()).timestamp()
    records = instance.get_run_records(filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    started = [record.dagster_run for record in records if (record.start_time or 0.0) <= latest]
    dead = [run for run in started if run.run_id != own_run_id and _is_ours(run)]
    for run in dead:
        instance.report_run_failed(run, f"the process of run {run.run_id} ended without a word (killed?)")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return [run.run_id for run in dead]


def _is_ours(run: dg.DagsterRun) -> bool:
    origin = run.remote_job_origin
    return origin is None or origin.location_name == LOCATION


def now() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.now(UTC)
