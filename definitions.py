"""Assembles schedules, assets and resources into one ``dg.Definitions``; nothing else belongs here."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from assets import build_assets, build_checks
from assets.run_log import console_logger
from data_contracts.settings import Settings
from data_contracts.settings_file import load_settings
from resources.wiring import CrosswalkResource, SalesforceResource, SyncResource
from schedules.calendar import in_dagster
from schedules.dead_runs import build_sensor
from schedules.event_log import keep_open
from schedules.jobs import build_jobs
from schedules.sync import build_schedules
from schedules.watch import build_watch


def build_defs(
    *, settings: Settings | None = None, resource_overrides: Mapping[str, Any] | None = None
) -> dg.Definitions:
    """Return all definitions; ``resource_overrides`` replaces resources by name (tests, other deployments).

    Raises SettingsError when ``crosswalk.yaml`` cannot be used; no secret and no org is needed to load.
    """
    settings = settings or load_settings()
    assets = build_assets(settings, in_dagster)
    resources = {
        "crosswalk": CrosswalkResource(),
        "salesforce": SalesforceResource(),
        "sync": SyncResource(),
        **(resource_overrides or {}),
    }
    return dg.Definitions(
        assets=assets,
        asset_checks=build_checks(),
        jobs=build_jobs(settings),
        schedules=build_schedules(settings, [spec for asset in assets for spec in asset.specs]),
        sensors=[build_sensor(), build_watch(settings)],
        resources=resources,
        loggers={"console": console_logger},
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What the code location serves, in a process that Dagster has started."""
    if home := os.environ.get("DAGSTER_HOME"):
        keep_open(Path(home))
    return build_defs()
