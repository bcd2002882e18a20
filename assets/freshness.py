"""How old the mirror and the snapshot may get before the Dagster UI turns them amber and red.

One pass over the assets of objects that sync by schedule; objects synced by hand only have no such promise.
"""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg

from assets._common import OBJECT_TAG
from data_contracts.settings import Settings

#: Days after which an object of a frequency is amber and red: one night, or two, more than from run to run. A run may
#: end anywhere in the night's window, so two good ones can lie a day and the longest window apart.
_DAYS = {"daily": (1.5, 2.5), "weekly": (8.5, 15.5), "biweekly": (15.5, 29.5), "monthly": (32.5, 63.5)}
SNAPSHOT = ("published", "analytics")


def with_freshness(assets: Sequence[dg.AssetsDefinition], settings: Settings) -> list[dg.AssetsDefinition]:
    """Return ``assets``, those of objects that sync by schedule and the snapshot with a freshness policy."""
    wanted = {name: _DAYS[item.frequency] for name, item in settings.objects.items() if item.is_scheduled}
    if not wanted or not settings.connection.enabled:
        return list(assets)
    policies = {name: _policy(*days) for name, days in wanted.items()}
    often = _policy(*min(wanted.values()))

    def promise(spec: dg.AssetSpec) -> dg.AssetSpec:
        mirrors = policies.get(spec.tags.get(OBJECT_TAG, "")) if spec.key.path[0] == "salesforce" else None
        policy = often if tuple(spec.key.path) == SNAPSHOT else mirrors
        return spec.replace_attributes(freshness_policy=policy) if policy else spec

    return [asset.map_asset_specs(promise) for asset in assets]


def _policy(warn: float, fail: float) -> dg.FreshnessPolicy:
    return dg.FreshnessPolicy.time_window(fail_window=timedelta(days=fail), warn_window=timedelta(days=warn))
