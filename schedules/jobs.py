"""The two jobs: the nightly delta and the weekly full sync, the same assets with another run kind."""

import dagster as dg

from resources.wiring import SyncResource

DAILY, WEEKLY = "daily_sync", "weekly_full_sync"


def build_jobs() -> tuple[dg.UnresolvedAssetJobDefinition, dg.UnresolvedAssetJobDefinition]:
    """Return the delta job and the full job."""
    return (
        _job(DAILY, SyncResource(kind="delta"), "Fetch what changed since the last run, match it again and publish."),
        _job(WEEKLY, SyncResource(kind="full"), "Fetch everything, reconcile deletes, match everything and publish."),
    )


def _job(name: str, sync: SyncResource, description: str) -> dg.UnresolvedAssetJobDefinition:
    return dg.define_asset_job(
        name,
        selection=dg.AssetSelection.all(),
        description=description,
        config=dg.RunConfig(resources={"sync": sync}),
        # One process: the warehouse has one writer, and every step would pay the imports again.
        executor_def=dg.in_process_executor,
    )
