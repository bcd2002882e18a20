"""What: one thin Dagster asset per published table, in the order data flows. No SQL and no logic here."""

from collections.abc import Sequence

import dagster as dg

from assets.alarms import alarm
from assets.checks import build_checks
from assets.freshness import with_freshness
from assets.imports import build_import_assets
from assets.ownership import build_ownership_assets
from assets.preflight import build_preflight_assets
from assets.published import Calendar, build_publish_assets
from assets.reference import build_reference_assets
from assets.resolve import build_resolve_assets
from assets.salesforce import build_salesforce_assets
from assets.standard import build_standard_assets
from data_contracts.settings import Settings

__all__ = ["build_assets", "build_checks"]


def build_assets(settings: Settings, calendar: Calendar) -> Sequence[dg.AssetsDefinition]:
    """Return every asset, in the order data flows; ``calendar`` says when the next runs are."""
    assets = [
        *build_salesforce_assets(settings),
        *build_preflight_assets(),
        *build_reference_assets(),
        *build_standard_assets(),
        *build_resolve_assets(),
        *build_import_assets(),
        *build_ownership_assets(settings),
        alarm,
        *build_publish_assets(settings, calendar),
    ]
    return with_freshness(assets, settings)
