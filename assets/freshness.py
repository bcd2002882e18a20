"""How old the mirror and the snapshot may get before the Dagster UI turns them amber and red.

One pass over the assets of objects that sync daily; objects synced by hand only have no such promise.
"""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg

from assets._common import OBJECT_TAG
from data_contracts.settings import Settings

#: A run may end anywhere in the night's window, so two good ones can lie a day and the longest window apart.
WARN_AFTER = timedelta(hours=36)
#: A second night was missed.
STALE_AFTER = timedelta(hours=60)
SNAPSHOT = ("published", "analytics")


def with_freshness(assets: Sequence[dg.AssetsDefinition], settings: Settings) -> list[dg.AssetsDefinition]:
    """Return ``assets``, those of daily objects and the snapshot with a freshness policy."""
    daily = {name for name, item in settings.objects.items() if item.enabled and item.frequency == "daily"}
    if not daily:
        return list(assets)
    policy = dg.FreshnessPolicy.time_window(fail_window=STALE_AFTER, warn_window=WARN_AFTER)

    def promise(spec: dg.AssetSpec) -> dg.AssetSpec:
        mirrors = spec.key.path[0] == "salesforce" and spec.tags.get(OBJECT_TAG) in daily
        if mirrors or tuple(spec.key.path) == SNAPSHOT:
            return spec.replace_attributes(freshness_policy=policy)
        return spec

    return [asset.map_asset_specs(promise) for asset in assets]
