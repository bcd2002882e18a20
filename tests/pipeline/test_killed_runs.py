"""kill -9 at any asset, and run again: the same published tables as an uninterrupted run.

One home is killed again and again at later and later moments, then runs to its end; the moments are drawn with a seed.
What Dagster makes of a dead run is looked at here; many more moments, without it, are ``test_kill_points.py``.
"""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from apps.demo_org.launch import DemoOrg
from pipelines.publish.run_record import KILLED
from tests.support.installation import Installation, install, uninterrupted
from tests.support.run_request import Request
from tests.support.snapshots import column, content
from tests.support.trials import OFF, Worker

SEED = 20261121
OBJECTS = ("account", "contact")
#: Matching leads is half a run, and says nothing of kills that contacts do not.
SWITCHED_OFF = (*OFF, "lead")


@dataclass(frozen=True)
class Story:
    """A home that was killed: what was seen after each run, its snapshot after the rename, and the home at its end.

    ``expected`` is the snapshot of an uninterrupted run with the same settings.
    """

    installation: Installation
    expected: dict[str, list[tuple[Any, ...]]]
    runs: list[dict[str, Any]]
    links_at_rename: dict[str, dict[str, Any]]
    inode_kept: bool


def moments(openings: int) -> list[tuple[str, int]]:
    """A kill in a download, one in the second third of a run, and one between rename and record."""
    draw = random.Random(SEED)
    return [
        ("landing", draw.randint(1, 4)),
        ("after", draw.randint(openings // 3 + 1, openings * 2 // 3)),
        ("renamed", 0),
    ]


def run_all(worker: Worker, made: Installation, kills: list[tuple[str, int]]) -> list[dict[str, Any]]:
    """Run once for every kill; what is seen of each is said by ``run_worker``."""
    return [{"kill": kill, **worker.run(Request(made.environ(), kill=kill))} for kill in kills]


@pytest.fixture(scope="module")
def story(worker: Worker, org_files: Path, org: DemoOrg, tmp_path_factory: pytest.TempPathFactory) -> Story:
    whole = install(tmp_path_factory.mktemp("whole"), org_files, org, off=SWITCHED_OFF)
    expected, steps = uninterrupted(whole, worker)
    made = install(tmp_path_factory.mktemp("killed"), org_files, org, off=SWITCHED_OFF)
    openings = sum(not step.startswith("landing") for step in steps)
    runs = run_all(worker, made, moments(openings))
    published = made.home.published
    since = {name: column(published, f"crosswalk.{name}", "salesforce_id", "linked_since") for name in OBJECTS}
    before, held = published.stat().st_ino, duckdb.connect(str(published), read_only=True)
    with held:
        seen = held.sql("SELECT count(*), max(run_id) FROM crosswalk.account").fetchall()
        runs += run_all(worker, made, [("open", openings * 3 // 4), ("none", 0)])
        # Whoever had the snapshot open keeps it; the name leads to another file only after a whole run.
        kept = held.sql("SELECT count(*), max(run_id) FROM crosswalk.account").fetchall() == seen
    return Story(made, expected, runs, since, kept and published.stat().st_ino != before)


def test_every_kill_killed_and_the_last_run_succeeded(story: Story) -> None:
    assert [run["ended"] for run in story.runs] == [-9] * 4 + [0]


def test_the_published_tables_are_those_of_an_uninterrupted_run(story: Story) -> None:
    found = content(story.installation.home.published)
    assert found.keys() == story.expected.keys()
    assert [name for name, rows in story.expected.items() if found[name] != rows] == []


def test_records_stay_linked_since_they_first_were(story: Story) -> None:
    published = story.installation.home.published
    for name in OBJECTS:
        assert column(published, f"crosswalk.{name}", "salesforce_id", "linked_since") == story.links_at_rename[name]


def test_the_next_run_marks_the_dead_one_failed_and_takes_its_pool_slot(story: Story) -> None:
    for killed, after in zip(story.runs, story.runs[1:], strict=False):
        run_id = killed["runs"][0][0]
        assert killed["runs"][0][1] == "STARTED"
        assert dict(after["runs"])[run_id] == "FAILURE"
        assert run_id not in after["pool"]
    assert any(run["runs"][0][0] in run["pool"] for run in story.runs), "no kill left a slot: nothing was proven"
    assert story.runs[-1]["pool"] == []


def test_the_run_record_tells_killed_from_published(story: Story) -> None:
    with duckdb.connect(str(story.installation.home.published), read_only=True) as con:
        found = {row[0]: row[1:] for row in con.sql("SELECT run_id, status, message FROM ops.sync_run").fetchall()}
    for run in story.runs:
        run_id, (moment, _) = run["runs"][0][0], run["kill"]
        if moment in ("renamed", "none"):
            assert found[run_id] == ("succeeded", None)
        elif run_id in found:
            assert found[run_id] == ("failed", KILLED)
    assert sum(status == "failed" for status, _ in found.values()) >= 3


def test_the_last_snapshot_is_there_and_whole_until_the_next_is_published(story: Story) -> None:
    assert story.inode_kept
    assert list(story.installation.home.published.parent.glob("*.tmp*")) == []
