"""Preflight in a run: shown in the Dagster UI without names of users, looked at in full runs only."""

from typing import Any

import dagster as dg
import duckdb

from apps.demo_org.launch import DemoOrg
from assets.preflight import CHECK, KEY
from schedules.launch import dagster_instance
from tests.support.installation import FirstSync, Installation


def metadata_of(event: dg.EventLogEntry) -> dict[str, Any]:
    assert event.asset_materialization is not None
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def test_a_full_run_shows_what_preflight_found_and_counts_its_calls(first_sync: FirstSync, org: DemoOrg) -> None:
    home, run_id = first_sync.installation.home, first_sync.outcome.run_id
    with dagster_instance(home) as instance:
        event = instance.get_latest_materialization_event(KEY)
        checks = [
            entry.dagster_event.asset_check_evaluation_data
            for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
            if entry.dagster_event is not None
        ]
    assert event is not None
    shown = metadata_of(event)
    assert shown["level"] == "🟠 amber"  # the demo org's user is a System Administrator
    assert shown["red"] == 0
    for words in ("| Account |", "Modify All Data", "readable: "):
        assert words in shown["found"]
    assert "| Account | Website | matching, default mapping | readable |" in shown["fields"]
    assert "refresh_token" in shown["asked for"]
    assert org.username not in str(shown)
    (check,) = [item for item in checks if item.check_name == CHECK]
    assert check.passed
    with duckdb.connect(str(home.published), read_only=True) as con:
        calls = con.execute("SELECT sum(calls) FROM ops.api_usage WHERE run_id = ?", [run_id]).fetchall()[0][0]
    assert calls > shown["API calls"] > 0


def test_a_delta_asks_nothing_for_it(installation: Installation) -> None:
    with dagster_instance(installation.home) as instance:
        before = instance.get_latest_materialization_event(KEY)
    outcome = installation.sync(full=False, objects=("campaign",))
    assert outcome.success
    with dagster_instance(installation.home) as instance:
        after = instance.get_latest_materialization_event(KEY)
    assert before is not None
    assert after is not None
    assert before.run_id == after.run_id
