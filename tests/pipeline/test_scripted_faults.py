"""What goes wrong in a sync: it recovers, or it fails with a clear error and the last snapshot stays.

Never green and wrong. One moment of each here; ``make soak`` tries every scenario at its first, middle and last
moment, and hundreds together. What a trial looks at is ``tests/support/fault_trials.py``.
"""

import random
from collections.abc import Iterator
from typing import get_args

import pytest

from apps.demo_org import faults
from apps.demo_org.generate import generate_demo
from tests.support.demo_org_client import serve_scripted
from tests.support.fault_scenarios import SCENARIOS, combined
from tests.support.fault_trials import MOMENTS, Requests, disturb
from tests.support.kill_trials import Rig
from tests.support.trials import OFF, Arena, Worker

SEED = 20261122
#: The rest of the list is left to the soak, and to the integration tests of extraction.
TRIED = (
    "session expires",
    "503 forever",
    "connection breaks in every page",
    "the answer to creating a job is lost",
    "quota gone for good",
    "no room from salesforce__account",
    "a job fails for its size",
    "a job never ends",
    "Account is hidden",
    "a field that nothing needs is hidden",
    "a page lacks its last row",
    "a job holds nothing",
    "the org's clock is an hour back",
)
TOGETHER = 3


@pytest.fixture(scope="module")
def rig(worker: Worker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    files, logs, homes = (tmp_path_factory.mktemp(name) for name in ("org", "log", "homes"))
    generate_demo(files, accounts=60, seed=7)
    with serve_scripted(files, logs) as scripted:
        arena = Arena(homes, scripted, worker, files, (*OFF, "lead"))
        yield Rig(arena, extract_only=True).prepare(random.Random(SEED), kinds=())


@pytest.fixture(scope="module")
def requests() -> Requests:
    return Requests()


@pytest.mark.parametrize("name", TRIED)
def test_it_recovers_or_says_so(name: str, rig: Rig, requests: Requests) -> None:
    scenario, draw = SCENARIOS[name], random.Random(f"{SEED} {name}")
    moment = draw.choice(MOMENTS)
    assert disturb(rig, requests, scenario, draw.choice(scenario.kinds), moment, thorough=False) == []


@pytest.mark.parametrize("number", range(TOGETHER))
def test_several_things_go_wrong(number: int, rig: Rig, requests: Requests) -> None:
    draw = random.Random(f"{SEED} {number}")
    scenario, kind = combined(draw), draw.choice(["full", "delta"])
    assert disturb(rig, requests, scenario, kind, "first", draw, thorough=False) == [], scenario.name


def test_every_fault_the_org_can_script_is_in_the_list() -> None:
    known = {get_args(item.model_fields["action"].annotation)[0] for item in get_args(get_args(faults.AnyFault)[0])}
    used = {fault["action"] for scenario in SCENARIOS.values() for fault in scenario.faults}
    # Slowness is no fault to a client with patience, and a refused sign-in has its own tests.
    assert known - used == {"delay", "slow", "oauth_error"}
