"""A sync that something goes wrong in: green and right, or red and clear, the last snapshot untouched.

A scenario says what goes wrong and to which requests; where it strikes is drawn from the requests of an undisturbed
run. One trial returns one list of complaints.
"""

import hashlib
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import duckdb

from resources.home import Home
from tests.support.kill_trials import Rig
from tests.support.trials import Arena, against_truth, differences, forget, state, watched, whole_log

Moment = Literal["first", "middle", "last"]
MOMENTS: tuple[Moment, ...] = ("first", "middle", "last")
RESULTS = r"/jobs/query/[^/]+/results$"
POLL = r"/jobs/query/\w+$"
SUBMIT = "/jobs/query/?$"
DATA = "/services/data/v"
NOT_FOUND = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
#: What a message must not hold: a trace, or the name of an error nobody foresaw.
RAW = re.compile(r"Traceback|File \"|unexpected \w+ in|not turned into|object at 0x|could not record")


@dataclass(frozen=True)
class Scenario:
    """What goes wrong.

    ``faults`` are entries of the faults file without their count; ``lasts`` says whether it happens once at the drawn
    moment, ``times`` over, or from then on. ``ends`` is what the run must do, or ``any``. ``told`` names tables that
    may differ where the run tells of it in ``ops.schema_change`` or as stale. ``after`` are tables that may differ
    after the next clean run: they tell what happened. ``meanwhile`` is done to the org when the moment comes.
    """

    name: str
    faults: tuple[Mapping[str, Any], ...] = ()
    times: int = 1
    lasts: bool = False
    ends: Literal["green", "red", "any"] = "any"
    kinds: tuple[str, ...] = ("full", "delta")
    told: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    says: str = ""
    rest: int = 0
    meanwhile: Callable[[Arena], None] | None = None
    afterwards: Callable[[Arena], None] | None = None
    request: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Requests:
    """What an undisturbed run asked, by kind and page size: where a fault can strike."""

    logs: dict[tuple[str, int], list[dict[str, Any]]] = field(default_factory=dict)

    def of(self, rig: Rig, kind: str, rest: int) -> list[dict[str, Any]]:
        """Return the requests of a run without faults."""
        if (kind, rest) not in self.logs:
            seen, home = len(whole_log(rig.arena.scripted)), rig.arena.home(rig.base)
            rig.arena.succeeded(home, kind=kind, rest=rest, **rig.scope)
            if rest == 0:
                rig.expected.setdefault(f"{kind} again", state(home))
            self.logs[kind, rest] = whole_log(rig.arena.scripted)[seen:]
            forget(home)
        return self.logs[kind, rest]


def place(moment: Moment, count: int) -> int:
    """Return the number (from 1) of the request that a moment means."""
    return {"first": 1, "middle": (count + 1) // 2, "last": count}[moment]


def script(
    scenario: Scenario, moment: Moment, requests: Sequence[Mapping[str, Any]], draw: random.Random | None = None
) -> list[dict[str, Any]]:
    """Return the faults file for a moment, or with ``draw`` for a drawn one each; empty where nothing can be struck."""
    found = []
    for fault in scenario.faults:
        match = dict(fault.get("match", {}))
        count = sum(_concerns(match, entry) for entry in requests)
        if not count:
            continue
        at = draw.randint(1, count) if draw else place(moment, count)
        if scenario.lasts:
            match["after"] = at - 1
        else:
            match["nth"] = list(range(at, at + scenario.times))
        found.append({**fault, "match": match})
    return found


def _concerns(match: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    return (
        match.get("method", entry["method"]) == entry["method"]
        and str(match.get("object", entry["object"])).lower() == str(entry["object"]).lower()
        and re.search(match.get("path", ""), entry["path"]) is not None
    )


@contextmanager
def happening(arena: Arena, act: Callable[[Arena], None] | None, after: int) -> Iterator[None]:
    """Do ``act`` once the org has had ``after`` more requests."""
    if act is None:
        yield
        return
    size, over = len(whole_log(arena.scripted)), threading.Event()

    def watch() -> None:
        while not over.is_set() and len(arena.scripted.log()) < size + after:
            time.sleep(0.01)
        if not over.is_set():
            act(arena)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def disturb(
    rig: Rig,
    requests: Requests,
    scenario: Scenario,
    kind: str,
    moment: Moment,
    draw: random.Random | None = None,
    *,
    thorough: bool = True,
) -> list[str]:
    """Run with the scenario's faults, then without, and return everything that is wrong.

    With ``draw`` each fault strikes at a moment of its own. Unless ``thorough``, a run that recovered is the last.
    """
    arena, asked = rig.arena, requests.of(rig, kind, scenario.rest)
    faults = script(scenario, moment, asked, draw)
    if scenario.faults and not faults:
        return []
    home, problems = arena.home(rig.base), list[str]()
    more = {**rig.scope, "kind": kind, "rest": scenario.rest}
    before, seen = _digest(home), len(whole_log(arena.scripted))
    with watched(home, problems):
        arena.scripted.script(*faults)
        with happening(arena, scenario.meanwhile, place(moment, len(asked))):
            found = arena.run(home, **more, **scenario.request)
        struck = any(entry["fault"] for entry in whole_log(arena.scripted)[seen:])
        arena.scripted.script()
        if scenario.afterwards:
            scenario.afterwards(arena)
        problems += judge(rig, home, scenario, kind, found, before)
        if not draw and faults and not struck and not any(fault["action"].startswith("hide") for fault in faults):
            problems.append("the fault never happened")
        again = thorough or bool(_complaints(found))
        problems += [f"the next run: {text}" for text in _complaints(arena.run(home, **more))] if again else []
    if again and not problems:
        problems += [f"after the next run: {text}" for text in against_truth(home, arena.scripted)]
        problems += [f"after the next run: {text}" for text in _different(rig, home, kind, scenario.after)]
    if not problems:
        forget(home)
    ended = "green" if found["outcome"] and not _complaints(found) else "red"
    return [f"{moment} {kind} ({ended}): {problem}" for problem in problems]


def judge(rig: Rig, home: Home, scenario: Scenario, kind: str, found: dict[str, Any], before: str) -> list[str]:
    """Hold one disturbed run to the rule: never green and wrong, never red and unclear."""
    if found["ended"] != 0:
        return [f"the process ended with {found['ended']}"]
    failures, skipped = found["outcome"]["failures"], found["outcome"]["skipped"]
    green = not failures and not skipped
    problems = (
        [f"it ended {'green' if green else 'red'}: {failures}"]
        if scenario.ends == ("red" if green else "green")
        else []
    )
    if green:
        excused = [name for name in scenario.told if _tells(home, name)]
        problems += _different(rig, home, kind, excused)
        names = [name for name in ("Account", "Contact") if f"salesforce.{name.lower()}" not in excused]
        return problems + against_truth(home, rig.arena.scripted, names)
    if _digest(home) != before:
        problems.append("the run failed, and the snapshot is another one")
    for text in failures:
        if "\nWhy: " not in text or "\nNext: " not in text or RAW.search(text):
            problems.append(f"the message is not clear: {text[:400]!r}")
        if rig.arena.scripted.org.access_token in text:
            problems.append("the message holds a token")
    if scenario.says and not any(scenario.says in text for text in failures):
        problems.append(f"nobody said {scenario.says!r}: {failures}")
    if not failures and _status(home) != "paused":
        problems.append(f"nothing failed, {len(skipped)} steps were skipped and the run is {_status(home)}")
    return problems


def _different(rig: Rig, home: Home, kind: str, excused: Sequence[str]) -> list[str]:
    expected, found = rig.expected[f"{kind} again"], state(home)
    return differences(*({k: v for k, v in side.items() if k not in excused} for side in (expected, found)))


def _tells(home: Home, table: str) -> bool:
    """Whether the snapshot says that a table may not be what the org has."""
    name = table.partition(".")[2].replace("_", "")
    with duckdb.connect(str(home.published), read_only=True) as con:
        changes = con.execute(
            "SELECT count(*) FROM ops.schema_change WHERE lower(object_name) = ? AND change IN ('hidden', 'removed')",
            [name],
        ).fetchall()
        stale = con.execute(
            "SELECT count(*) FROM ops.run_statistics WHERE object = ? AND stale_since IS NOT NULL", [name]
        ).fetchall()
    return bool(changes[0][0] or stale[0][0]) or table.startswith(("ops.", "_state.", "tables"))


def _complaints(found: Mapping[str, Any]) -> list[str]:
    if found["ended"] != 0:
        return [f"the process ended with {found['ended']}"]
    outcome = found["outcome"]
    return [*outcome["failures"], *(f"skipped: {name}" for name in outcome["skipped"])]


def _status(home: Home) -> str:
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        return str(con.sql("SELECT status FROM ops.sync_run ORDER BY started_at DESC LIMIT 1").fetchall()[0][0])


def _digest(home: Home) -> str:
    return hashlib.sha256(home.published.read_bytes()).hexdigest()
