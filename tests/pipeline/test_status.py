"""``crosswalk status`` after a run: what it asked of the org, how fresh the mirror is, what changed in the org."""

import json
from datetime import UTC, datetime

import duckdb
import pytest
from click.testing import CliRunner

from apps.cli.status import command
from apps.snapshot import read_upkeep
from tests.support.installation import FirstSync


def test_the_snapshot_tells_api_use_and_freshness(first_sync: FirstSync) -> None:
    home = first_sync.installation.home
    upkeep = read_upkeep(home)
    api = upkeep.api
    with duckdb.connect(str(home.published), read_only=True) as con:
        calls = con.execute("SELECT sum(calls), sum(estimated) FROM ops.api_usage").fetchall()[0]
        counted, before, after = con.execute(
            "SELECT api_counted, org_used_before, org_used_after FROM ops.sync_run"
        ).fetchall()[0]
    assert (api.calls, api.estimated) == calls
    # Nobody else used this org meanwhile, and it counts what we count, all but the call that told its first count.
    assert after - before == counted - 1
    assert api.used_by_others == 0
    covered = {item.object: item.covered_until for item in upkeep.freshness}
    assert {"account", "contact", "lead", "user"} <= set(covered)
    now = datetime.now(UTC).replace(tzinfo=None)
    assert all(moment is not None and moment < now for moment in covered.values())
    assert upkeep.schema_changes == ()


def test_the_command_shows_it_to_people_and_machines(first_sync: FirstSync, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in first_sync.installation.environ().items():
        monkeypatch.setenv(name, value)
    told = CliRunner().invoke(command, [], catch_exceptions=False).output
    for words in ("of 2,000 a run may send", "estimated", "pauses at 95%", "covered until (UTC)"):
        assert words in told
    document = json.loads(CliRunner().invoke(command, ["--json"], catch_exceptions=False).output)
    assert document["budget"]["per_run"] == 2_000
    assert document["api"]["calls"] == document["published"]["api_calls"]
    assert {item["object"] for item in document["freshness"]} >= {"account", "lead"}
