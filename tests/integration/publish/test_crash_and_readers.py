"""Publishing with real processes: killed at every stage, and read from all the while."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from resources.home import Home

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def start(script: str, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, str(HERE / script), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def publish(home: Home, run_id: str, times: int = 1) -> None:
    with start("publisher.py", str(home.root), run_id, "-", str(times)) as process:
        process.communicate(timeout=120)
    assert process.returncode == 0


def kill_at(home: Home, run_id: str, stage: str) -> None:
    with start("publisher.py", str(home.root), run_id, stage, "1") as process:
        for line in process.stdout:
            if line.strip() == stage:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL


def published(home: Home) -> tuple[str, set[str]]:
    """Return the run of the snapshot and the runs its tables' rows are of."""
    with duckdb.connect(str(home.published), read_only=True) as con:
        run = con.sql("SELECT run_id FROM _meta").fetchall()[0][0]
        rows = con.sql("SELECT _run_id FROM salesforce.account UNION SELECT _run_id FROM salesforce.contact").fetchall()
    return run, {row[0] for row in rows}


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A home that has published once, to be copied; nothing has it open."""
    made = Home(tmp_path_factory.mktemp("first") / "home")
    publish(made, "first")
    return made


@pytest.fixture
def home(first, tmp_path):
    shutil.copytree(first.root, tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.mark.parametrize("stage", ["attached", "built", "verified", "synced", "renamed"])
def test_killed_at_any_stage_leaves_a_whole_snapshot_and_the_next_run_goes_on(home, stage):
    kill_at(home, "killed", stage)
    expected = "killed0" if stage == "renamed" else "first0"
    assert published(home) == (expected, {expected})
    publish(home, "next")
    assert published(home) == ("next0", {"next0"})
    assert [p.name for p in home.root.rglob("analytics.duckdb")] == ["analytics.duckdb"]
    assert list(home.published.parent.glob("*.tmp*")) == []
    with duckdb.connect(str(home.published), read_only=True) as con:
        runs = con.sql("SELECT run_id, status, message IS NOT NULL FROM ops.sync_run ORDER BY started_at").fetchall()
    assert runs == [("first0", "succeeded", False), ("killed0", "failed", True), ("next0", "succeeded", False)]


def test_killed_before_the_first_snapshot_leaves_none(tmp_path):
    home = Home(tmp_path / "home")
    kill_at(home, "killed", "synced")
    assert not home.published.exists()
    publish(home, "next")
    assert published(home)[0] == "next0"


def test_readers_see_no_error_and_no_torn_state_through_many_publishes(home):
    readers = [start("reader.py", str(home.published)) for _ in range(2)]
    publish(home, "later", times=6)
    told = [json.loads(reader.communicate("stop\n", timeout=60)[0]) for reader in readers]
    for seen in told:
        assert seen["errors"] == []
        assert seen["torn"] == 0
        assert seen["reads"] > 5
    assert len({run for seen in told for run in seen["runs"]}) > 2


@pytest.mark.parametrize("read_only", [True, False])
def test_an_open_analyst_neither_blocks_a_publish_nor_loses_what_he_reads(home, read_only):
    code = (
        f"import duckdb, sys; c = duckdb.connect({str(home.published)!r}, read_only={read_only}); "
        "ask = lambda: print(c.sql('SELECT run_id FROM _meta').fetchall()[0][0], "
        "c.sql('SELECT count(*) FROM salesforce.contact').fetchall()[0][0], flush=True); "
        "ask(); sys.stdin.readline(); ask()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as analyst:
        before = analyst.stdout.readline()
        publish(home, "second", times=2)
        after, _ = analyst.communicate("go on\n", timeout=60)
    assert before == after == "first0 2000\n"
    assert published(home)[0] == "second1"
