"""``crosswalk sync`` as a user starts it, killed at a drawn second and started again."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from resources.home import Home
from tests.support.trials import ROOT, Arena, Landed, against_truth, differences, forget, state, watched, whole_log


@dataclass
class CliRig:
    """Homes for whole runs through Dagster: one that has synced once, and what an uninterrupted run makes of it."""

    arena: Arena
    base: Home = field(init=False)
    expected: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def prepare(self) -> "CliRig":
        """Sync twice without interruption; the second run is timed."""
        self.base = self.arena.home()
        done = self.start(self.base, "--full")
        assert done.wait() == 0, "the first sync failed"
        whole, began = self.arena.home(self.base), time.monotonic()
        assert self.start(whole, "--full").wait() == 0, "the second sync failed"
        self.seconds, self.expected = time.monotonic() - began, state(whole)
        return self

    def start(self, home: Home, kind: str) -> "subprocess.Popen[bytes]":
        """Start the command in a home."""
        environment = {
            **os.environ,
            "CROSSWALK_HOME": str(home.root),
            "CROSSWALK_CONFIG": str(self.arena.settings),
            "PYTHONPATH": str(ROOT),
            **self.arena.scripted.org.environment(),
        }
        quiet = subprocess.DEVNULL
        command = [sys.executable, "-m", "apps.cli.main", "sync", kind]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdin=quiet, stdout=quiet, stderr=quiet)


def kill_cli(rig: CliRig, number: int, count: int, draw: random.Random, sooner: float = 1.0) -> list[str]:
    """Kill one ``crosswalk sync --full`` in its ``number``-th part of ``count``, and run the command again.

    ``sooner`` is the share of that time after which it is killed, for a machine that is faster than it was.
    """
    home, problems = rig.arena.home(rig.base), list[str]()
    with watched(home, problems):
        process = rig.start(home, "--full")
        time.sleep(sooner * rig.seconds * min(0.95, (number + draw.random()) / count))
        if process.poll() is not None:
            if sooner > 0.1:
                return kill_cli(rig, number, count, draw, sooner / 2)
            return ["the run ended before it could be killed"]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        landed, seen = Landed.of(home), len(whole_log(rig.arena.scripted))
        if code := rig.start(home, "--full").wait():
            problems.append(f"the restart ended with {code}")
        problems += landed.repeated(rig.arena.scripted.log()[seen:])
    problems += against_truth(home, rig.arena.scripted) + differences(rig.expected, state(home))
    if not problems:
        forget(home)
    return problems
