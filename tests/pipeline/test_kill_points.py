"""kill -9 at drawn moments of a sync and a restart: tables as after an uninterrupted run, nothing done twice.

``make soak`` draws 200 of them, through Dagster too; what a trial looks at is ``tests/support/kill_trials.py``.
"""

import random
from collections.abc import Iterator

import pytest

from apps.demo_org.generate import generate_demo
from tests.support.demo_org_client import serve_scripted
from tests.support.kill_trials import KillPoint, Rig, kill_and_restart
from tests.support.trials import OFF, Arena, Worker

SEED = 20261122
#: Points in the extraction and with an org that changes meanwhile: twenty with the four of ``test_killed_runs.py``.
EXTRACTION, MOVING = 15, 1


@pytest.fixture(scope="module")
def arena(worker: Worker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    files, logs, homes = (tmp_path_factory.mktemp(name) for name in ("org", "log", "homes"))
    generate_demo(files, accounts=60, seed=7)
    with serve_scripted(files, logs) as scripted:
        yield Arena(homes, scripted, worker, files, (*OFF, "lead"))


@pytest.fixture(scope="module")
def extraction(arena: Arena) -> Rig:
    return Rig(arena, extract_only=True).prepare(random.Random(SEED))


@pytest.mark.parametrize("number", range(EXTRACTION))
def test_killed_in_the_extraction(number: int, extraction: Rig) -> None:
    point = extraction.points(random.Random(SEED), EXTRACTION)[number]
    assert kill_and_restart(extraction, point, random.Random(SEED + number)) == [], point


@pytest.mark.parametrize("number", range(MOVING))
def test_killed_while_the_org_changes(number: int, extraction: Rig, arena: Arena) -> None:
    draw = random.Random(SEED + number)
    moment = draw.randrange(20, len(extraction.times["delta"]) // 2)
    point = KillPoint(100 + number, "delta", moment, 0.0, extract_only=True, rest=True, moving=True)
    assert kill_and_restart(extraction, point, draw) == [], point
