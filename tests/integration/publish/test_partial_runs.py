"""A run of some objects publishes the tables of the others as well: those must keep their contracts too."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from assets import build_assets
from assets._common import key
from assets.checks import check_others
from data_contracts.contracts import contract_names, load_contract
from data_contracts.errors import ContractError
from data_contracts.settings import ObjectSettings, Settings
from pipelines.tables import ensure_table
from resources.warehouse import Warehouse

BROKEN = (
    "INSERT INTO crosswalk.contact BY NAME SELECT '1' AS salesforce_id, '?' AS status, '' AS reason, "
    "'?' AS reason_code, 0 AS candidate_count, '' AS company_reason, 'r' AS run_id"
)


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with Warehouse(tmp_path / "w.duckdb").connect() as opened:
        for name in contract_names():
            ensure_table(opened, load_contract(name))
        yield opened


def run_of(*left_out: str) -> dg.DagsterRun:
    selected = {key(name) for name in contract_names() if name not in left_out}
    return dg.DagsterRun(job_name="sync", asset_selection=frozenset(selected))


def test_a_table_left_broken_by_an_earlier_run_stops_the_run_that_would_publish_it(
    con: duckdb.DuckDBPyConnection,
) -> None:
    assert check_others(con, Settings(), run_of("crosswalk.contact")) == ["crosswalk.contact"]
    con.execute(BROKEN)
    with pytest.raises(ContractError, match=r"crosswalk\.contact breaks its contract"):
        check_others(con, Settings(), run_of("crosswalk.contact"))


def test_what_the_run_checks_itself_is_not_checked_twice(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(BROKEN)
    assert check_others(con, Settings(), dg.DagsterRun(job_name="sync")) == []
    assert check_others(con, Settings(), run_of()) == []


def test_the_snapshot_waits_for_objects_without_a_contract() -> None:
    settings = Settings.model_validate({"objects": {"Site__c": ObjectSettings().model_dump()}})
    assets = build_assets(settings, lambda *_: "")
    (analytics,) = (asset for asset in assets if dg.AssetKey(["published", "analytics"]) in asset.keys)
    assert dg.AssetKey(["salesforce", "site__c"]) in analytics.dependency_keys
