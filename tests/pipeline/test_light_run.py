"""What a whole run leaves, without Dagster around it: the same tables, and none of them half-written."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from apps.demo_org.launch import DemoOrg
from data_contracts.settings_file import load_settings
from definitions import build_defs
from pipelines.resolve import links, resolve
from pipelines.run import RunContext
from resources.warehouse import Warehouse
from resources.wiring import CrosswalkResource, SalesforceResource, SyncResource
from tests.support.installation import FirstSync, Installation, install
from tests.support.light_run import plain, run_light, steps_of
from tests.support.snapshots import content


def test_a_run_without_dagster_leaves_the_same_tables(
    first_sync: FirstSync, org: DemoOrg, org_files: Path, tmp_path: Path
) -> None:
    """What the kill points and scripted faults run in is the sync itself."""
    made = install(tmp_path, org_files, org).activate()
    with plain():
        sync = SyncResource(kind="full")
        done = run_light(steps_of(build_defs()), CrosswalkResource(), SalesforceResource(), sync, run_id="light")
    assert (done.failures, done.skipped) == ([], [])
    light, expected = content(made.home.published), content(first_sync.installation.home.published)
    assert [name for name in expected if light[name] != expected[name]] == []


def test_killed_while_links_are_written_nothing_of_them_is(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not committed when the process dies is gone: an exception shows the same, without the process."""

    def cut(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    def tables() -> list[list[tuple[Any, ...]]]:
        with warehouse.connect() as con:
            return [
                con.sql(f"FROM {name} ORDER BY ALL").fetchall() for name in ("crosswalk.account", "ops.link_change")
            ]

    warehouse = Warehouse(installation.home.warehouse)
    before = tables()
    monkeypatch.setattr(links, "write_link_changes", cut)
    run = RunContext("cut", "delta", datetime.now(UTC))
    with warehouse.connect() as con, pytest.raises(KeyboardInterrupt):
        resolve(con, "account", load_settings(), run, models_dir=installation.home.models)
    assert before[0]
    assert tables() == before
