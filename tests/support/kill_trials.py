"""kill -9 at a drawn moment of a sync, a restart, and what must then be true. One trial, one list of complaints."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from resources.home import Home
from tests.support.trials import (
    REST_PAGE,
    Arena,
    Landed,
    against_truth,
    differences,
    draw_moments,
    forget,
    state,
    watched,
    whole_log,
)


@dataclass(frozen=True)
class KillPoint:
    """Where one trial kills: ``moment`` of a run of ``kind`` and ``delay`` seconds later.

    ``resumed`` restarts the same run as Dagster resumes one, without the steps that were done; otherwise it is another
    run. ``rest`` reads by REST. ``moving`` changes the org in between.
    """

    number: int
    kind: Literal["full", "delta"]
    moment: int
    delay: float
    extract_only: bool
    resumed: bool = False
    rest: bool = False
    moving: bool = False


@dataclass
class Rig:
    """An arena with what uninterrupted runs of it look like: a home before the org changed, and after."""

    arena: Arena
    extract_only: bool
    checks: bool = False
    base: Home = field(init=False)
    expected: dict[str, dict[str, Any]] = field(default_factory=dict)
    times: dict[str, list[float]] = field(default_factory=dict)

    def prepare(self, draw: random.Random, kinds: Sequence[str] = ("full", "delta")) -> "Rig":
        """Sync once, change the org, and sync by each kind without interruption."""
        self.base = self.arena.home()
        # An hour ago: what changed must not all lie within the overlap, or nothing could be lost.
        self.arena.clock(skew_seconds=-3600)
        self.arena.succeeded(self.base, kind="full", **self.scope)
        self.arena.clock(skew_seconds=-1800)
        self.arena.change(draw)
        self.arena.clock(skew_seconds=0)
        for kind in kinds:
            self.measure(kind, self.arena.home(self.base if kind == "delta" else None))
        return self

    def measure(self, kind: str, home: Home) -> None:
        """Run without interruption and keep what came of it, and when its moments were."""
        found = self.arena.succeeded(home, kind=kind, **self.scope)
        self.expected[kind], self.times[kind] = state(home), found["times"]
        forget(home)

    @property
    def scope(self) -> dict[str, Any]:
        """What every run of this rig has in common."""
        return {"extract_only": self.extract_only, "checks": self.checks}

    def points(self, draw: random.Random, number: int, first: int = 0) -> list[KillPoint]:
        """Draw kill points: halves full and delta, thirds resumed, thirds by REST, spread over the run."""
        kinds: list[Literal["full", "delta"]] = [kind for kind in ("full", "delta") if kind in self.times]
        found: list[KillPoint] = []
        for place, kind in enumerate(kinds):
            count = (number + len(kinds) - 1 - place) // len(kinds)
            for index, (moment, delay) in enumerate(draw_moments(draw, self.times[kind], count)):
                number_of = first + len(found)
                resumed, rest = draw.random() < 1 / 3, index % 3 == 2
                found.append(KillPoint(number_of, kind, moment, delay, self.extract_only, resumed, rest))
        return found


def kill_and_restart(rig: Rig, point: KillPoint, draw: random.Random) -> list[str]:
    """Kill one run, restart it, and return everything that is wrong afterwards."""
    arena, problems = rig.arena, list[str]()
    home = arena.home(rig.base if point.kind == "delta" or point.moving else None)
    more = {**rig.scope, "kind": point.kind, "rest": REST_PAGE if point.rest else 0}
    run_id = f"killed-{point.number}"
    with watched(home, problems):
        killed = arena.run(home, run_id=run_id, moment=point.moment, delay=point.delay, **more)
        if killed["ended"] == 0 and point.delay:
            # Faster than the run that was timed: the moment itself is sure to come.
            return kill_and_restart(rig, replace(point, delay=0.0), draw)
        if killed["ended"] == 0 and point.moment > 10:
            # A run by REST has fewer moments than the one by Bulk that was timed.
            return kill_and_restart(rig, replace(point, moment=point.moment * 3 // 4), draw)
        if killed["ended"] == 0:
            return [*problems, f"the run ended before moment {point.moment} came: nothing was killed"]
        if killed["ended"] != -9:
            return [*problems, f"the run ended with {killed['ended']} by itself"]
        landed, seen = Landed.of(home), len(whole_log(arena.scripted))
        if point.moving:
            arena.change(draw)
        again = {"run_id": run_id, "done": killed["steps"][:-1]} if point.resumed else {}
        found = arena.run(home, **more, **again)
        problems += _unwell(found)
        problems += landed.repeated(arena.scripted.log()[seen:])
        if point.moving:
            problems += _unwell(arena.run(home, **{**more, "kind": "delta"}))
    problems += against_truth(home, arena.scripted)
    if not point.moving and not problems:
        problems += differences(rig.expected[point.kind], state(home))
    if not problems:
        forget(home)
    return [f"killed in {killed['steps'][-1:]}: {problem}" for problem in problems]


def _unwell(found: dict[str, Any]) -> Sequence[str]:
    if found["ended"] != 0:
        return [f"the restart ended with {found['ended']}"]
    outcome = found["outcome"]
    return [*outcome["failures"], *(f"skipped: {name}" for name in outcome["skipped"])]
