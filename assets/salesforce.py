"""The mirror of the org: describe, one asset that submits all Bulk jobs, then landing and table per object.

Waiting and downloading (``landing/*``) never hold the warehouse; loading (``salesforce/*``) does, briefly.
When the off-hours window closes, the next unit of work is not begun and everything below it is skipped.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from assets._common import (
    OBJECT_TAG,
    OWNERS,
    POOL,
    foreseeable,
    key,
    materialized,
    run_context,
    spec_arguments,
)
from data_contracts.contracts import contract_names, load_contract
from data_contracts.settings import Settings
from pipelines.extract import (
    download_object,
    load_list_membership,
    load_object,
    refresh_schema,
    submit_jobs,
)
from pipelines.publish.run_record import begin_run, finish_run
from pipelines.publish.tables import ensure_tables
from resources.wiring import CrosswalkResource, SalesforceResource, SyncResource, require_connection

GROUP = "salesforce"
JOBS = dg.AssetKey(["landing", "jobs"])


def build_salesforce_assets(settings: Settings) -> Sequence[dg.AssetsDefinition]:
    """Return the assets that mirror the enabled objects."""
    names = [name for name, item in settings.objects.items() if item.enabled]
    per_object = [asset for name in names for asset in (_landing_asset(name), _table_asset(name))]
    return [schema, jobs, *per_object, _list_membership_asset(names)]
