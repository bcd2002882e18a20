"""``make soak``: kill points, scripted faults at every moment, and faults that come together, for hours if need be.

``python -m tests.soak [--points 200] [--seed N] [--only NUMBER]``. The seed is printed first and again with each
failure, which does not stop the rest; the exit code is 1 when there was one. ``--only`` repeats one trial of a seed.
A twentieth of the kill points goes through ``crosswalk sync`` as a user starts it, the rest through the same functions
without Dagster's bookkeeping.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from apps.demo_org.generate import generate_demo
from tests.support.cli_trials import CliRig, kill_cli
from tests.support.demo_org_client import serve_scripted
from tests.support.fault_scenarios import SCENARIOS, combined
from tests.support.fault_trials import MOMENTS, Moment, Requests, Scenario, disturb
from tests.support.kill_trials import KillPoint, Rig, kill_and_restart
from tests.support.trials import OFF, Arena, serve_worker

#: Of 20 kill points: through the command line, in whole runs, in an org that changes; the others in the extraction.
CLI, WHOLE, MOVING = 1, 8, 2


@dataclass(frozen=True)
class Trial:
    """One thing to try: its name, and what returns the complaints."""

    name: str
    run: Callable[[], list[str]]


@dataclass
class Soak:
    """The arenas of one soak and the trials drawn for it."""

    arena: Arena
    seed: int
    points: int
    _rigs: dict[bool, Rig] = field(default_factory=dict)
    _cli: list[CliRig] = field(default_factory=list)

    def trials(self) -> Iterator[Trial]:
        """Yield every trial; those that change the org come last, for nothing can be compared with them afterwards."""
        share = self.points / 20
        cli, whole, moving = round(CLI * share), round(WHOLE * share), round(MOVING * share)
        yield from self._kills(extract_only=True, number=self.points - cli - whole - moving)
        yield from self._kills(extract_only=False, number=whole)
        for number in range(cli):
            yield Trial(f"cli-{number}", partial(self._killed_cli, number, cli))
        yield from self._faults()
        for number in range(moving):
            yield Trial(f"moving-{number}", partial(self._moving, number))

    def rig(self, extract_only: bool) -> Rig:
        """Return the rig of one scope, prepared when it is first asked for."""
        if extract_only not in self._rigs:
            self._rigs[extract_only] = Rig(self.arena, extract_only, checks=not extract_only).prepare(self._draw(0))
        return self._rigs[extract_only]

    def cli(self) -> CliRig:
        """Return the homes for runs through the command line."""
        if not self._cli:
            self._cli.append(CliRig(self.arena).prepare())
        return self._cli[0]

    def _draw(self, number: int) -> random.Random:
        return random.Random(f"{self.seed} {number}")

    def _kills(self, *, extract_only: bool, number: int) -> Iterator[Trial]:
        name = "extraction" if extract_only else "whole"
        for index in range(number):

            def run(index: int = index) -> list[str]:
                rig = self.rig(extract_only)
                point = rig.points(self._draw(0), number)[index]
                return [f"{point}: {text}" for text in kill_and_restart(rig, point, self._draw(index))]

            yield Trial(f"{name}-{index}", run)

    def _faults(self) -> Iterator[Trial]:
        requests = Requests()
        for scenario in SCENARIOS.values():
            for kind in scenario.kinds:
                for moment in MOMENTS:
                    yield Trial(
                        f"{scenario.name}, {moment}, {kind}",
                        partial(self._disturbed, requests, scenario, kind, moment),
                    )
        for index in range(self.points):
            yield Trial(f"together-{index}", partial(self._together, requests, index))

    def _disturbed(self, requests: Requests, scenario: Scenario, kind: str, moment: Moment) -> list[str]:
        return disturb(self.rig(True), requests, scenario, kind, moment)

    def _killed_cli(self, number: int, count: int) -> list[str]:
        return kill_cli(self.cli(), number, count, self._draw(number))

    def _together(self, requests: Requests, index: int) -> list[str]:
        draw = self._draw(index)
        scenario, kind = combined(draw), draw.choice(["full", "delta"])
        return disturb(self.rig(True), requests, scenario, kind, draw.choice(MOMENTS), draw)

    def _moving(self, number: int) -> list[str]:
        rig, draw = self.rig(True), self._draw(number)
        moment = draw.randrange(10, len(rig.times["delta"]) - 10)
        kind: Literal["full", "delta"] = "full" if number % 2 else "delta"
        rest = draw.random() < 0.5
        point = KillPoint(10_000 + number, kind, moment, 0.0, True, rest=rest, moving=True)
        return [f"{point}: {text}" for text in kill_and_restart(rig, point, draw)]


def main() -> int:
    """Run the soak and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", default="", help="a trial's name, or the beginning of it")
    given = parser.parse_args()
    print(f"SEED={given.seed} POINTS={given.points}", flush=True)
    with tempfile.TemporaryDirectory(prefix="crosswalk-soak-") as folder:
        files, logs, homes = (Path(folder) / name for name in ("org", "log", "homes"))
        logs.mkdir()
        homes.mkdir()
        generate_demo(files, accounts=60, seed=7)
        with serve_scripted(files, logs) as scripted, serve_worker() as worker:
            return _run(
                Soak(Arena(homes, scripted, worker, files, (*OFF, "lead")), given.seed, given.points), given.only
            )


def _run(soak: Soak, only: str) -> int:
    began, done, failed = time.monotonic(), 0, list[str]()
    for trial in soak.trials():
        if not trial.name.startswith(only):
            continue
        try:
            wrong = trial.run()
        except Exception as error:  # noqa: BLE001 - one trial that breaks must not end the night
            wrong = [f"{type(error).__name__}: {error}"]
        done += 1
        if wrong:
            failed.append(trial.name)
            print(f"FAILED {trial.name} (SEED={soak.seed} ONLY='{trial.name}')", *wrong, sep="\n  ", flush=True)
        elif done % 10 == 0:
            print(f"{done} trials, {len(failed)} failed, {time.monotonic() - began:,.0f} s", flush=True)
    print(f"{done} trials, {len(failed)} failed: {', '.join(failed) or 'none'}; {time.monotonic() - began:,.0f} s")
    return 1 if failed or not done else 0


if __name__ == "__main__":
    sys.exit(main())
