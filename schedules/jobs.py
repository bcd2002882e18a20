"""The two jobs: the nightly delta and the weekly full sync, the same assets with another run kind."""

from typing import Any, Literal

import dagster as dg

from assets._common import OBJECT_TAG
from data_contracts.settings import Settings

DAILY, WEEKLY = "daily_sync", "weekly_full_sync"


def build_jobs(settings: Settings) -> list[Any]:
    """Return the delta job and the full job (Dagster does not publish the type of an asset job).

    What belongs to an object that is switched off is in neither: its tables stay as they are, whoever starts a run.
    """
    selection: dg.AssetSelection = dg.AssetSelection.all()
    for name, item in settings.objects.items():
        if not item.enabled:
            selection = selection - dg.AssetSelection.tag(OBJECT_TAG, name)
    return [
        _job(DAILY, "delta", "Fetch what changed since the last run, match it again and publish.", selection),
        _job(WEEKLY, "full", "Fetch everything, reconcile deletes, match everything and publish.", selection),
    ]


def run_config(kind: Literal["full", "delta"], **sync: object) -> dict[str, Any]:
    """Return the launchpad's configuration of a run: its kind, and the short console log."""
    return {"resources": {"sync": {"config": {"kind": kind, **sync}}}, "loggers": {"console": {"config": {}}}}


def _job(name: str, kind: Literal["full", "delta"], description: str, selection: dg.AssetSelection) -> Any:
    return dg.define_asset_job(
        name,
        selection=selection,
        description=description,
        config=run_config(kind),
        # One process: the warehouse has one writer, and every step would pay the imports again.
        executor_def=dg.in_process_executor,
    )
