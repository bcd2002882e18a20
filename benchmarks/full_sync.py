"""One full sync from the demo org through Dagster and the next day's delta, stage by stage.

Seconds, CPU seconds and peak memory are those of the process that syncs, a process of its own for each run. The demo
org is another one: its start and its CPU seconds are told apart, and its time is in the seconds of ``landing``. Run by
``make bench`` and, at the documented limits, by ``make bench-full-sync`` (``SCALE=0.01`` for a hundredth of them).
"""

import argparse
import json
import multiprocessing
import os
import shutil
import tempfile
import threading
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests

from apps.cli.sync import run_sync
from apps.demo_org.generate import generate_demo
from apps.demo_org.generate.plan import LIMITS
from apps.demo_org.launch import DemoOrg, launch_demo_org
from apps.snapshot import read_published
from apps.truth import score
from resources.home import Home
from schedules.launch import RunOutcome

#: About one record in a hundred, by the last digits of the phone numbers that six in ten (of leads three) have.
ONE_PERCENT = {"Account": ("77", "33"), "Contact": ("77", "33"), "Lead": ("77", "33", "11", "55")}
GOALS = {"full": 900, "delta": 60, "peak_mb": 8_000}
SETTINGS = """\
limits: {{memory: {memory}}}
reference:
  company: {{path: org/reference/company.csv}}
  person: {{path: org/reference/person.csv}}
"""


@dataclass
class Sampler:
    """Resident memory and CPU seconds of this process, sampled while a run goes on."""

    interval: float = 0.05
    samples: list[tuple[float, int, float]] = field(default_factory=list)

    def __enter__(self) -> "Sampler":
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        process = psutil.Process()
        while not self._stop.wait(self.interval):
            times = process.cpu_times()
            self.samples.append((time.time(), process.memory_info().rss, times.user + times.system))

    def between(self, started: float, ended: float) -> tuple[float, float]:
        """Return (peak megabytes, CPU seconds) of an interval."""
        inside = [item for item in self.samples if started - self.interval <= item[0] <= ended + self.interval]
        if not inside:
            return 0.0, 0.0
        return max(rss for _, rss, _ in inside) / 1e6, inside[-1][2] - inside[0][2]


def stage_of(step: str) -> str:
    """Return the stage a step belongs to: the schema of its table, checks apart."""
    if step.endswith("keeps_contract"):
        return "contracts"
    first = step.split("__")[0]
    return {"resolve_account": "resolve", "resolve_contact": "resolve", "resolve_lead": "resolve"}.get(first, first)


def stages(outcome: RunOutcome, sampler: Sampler) -> list[dict[str, float | str]]:
    """Return per stage: seconds, CPU seconds, peak megabytes."""
    totals: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for step in outcome.steps:
        peak, cpu = sampler.between(step.started, step.ended)
        total = totals[stage_of(step.step)]
        total[0] += step.seconds
        total[1] += cpu
        total[2] = max(total[2], peak)
    return [
        {"stage": name, "seconds": round(wall, 1), "cpu_seconds": round(cpu, 1), "peak_mb": round(peak)}
        for name, (wall, cpu, peak) in totals.items()
    ]


@dataclass(frozen=True)
class Measured:
    """One run: how long it took, what each stage took, and why it failed if it did."""

    seconds: float
    cpu_seconds: float
    peak_mb: int
    stages: list[dict[str, Any]]
    failures: tuple[str, ...]


def sync_measured(full: bool) -> Measured:
    """Sync once in this process, which the environment points at a home and an org."""
    home = Home.from_environment()
    began = time.monotonic()
    with Sampler() as sampler:
        outcome = run_sync(home, full=full)
    seconds = time.monotonic() - began
    peak, cpu = sampler.between(0, time.time())
    failures = tuple(str(item) for item in outcome.failures)
    return Measured(round(seconds, 1), round(cpu, 1), round(peak), stages(outcome, sampler), failures)


def in_own_process(full: bool) -> Measured:
    """Sync in a fresh process: what an earlier run took is not in the peak of this one."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(sync_measured, full).result()


def measure(folder: Path, sizes: dict[str, int], memory: str) -> None:
    """Generate, serve, sync, change one record in a hundred, sync again; print one figure per line."""
    org = folder / "org"
    began = time.monotonic()
    generate_demo(org, **sizes)  # type: ignore[arg-type]
    generated = time.monotonic() - began
    (folder / "crosswalk.yaml").write_text(SETTINGS.format(memory=memory))
    os.environ |= {"CROSSWALK_HOME": str(folder / "home"), "CROSSWALK_CONFIG": str(folder / "crosswalk.yaml")}
    home = Home.from_environment()
    began = time.monotonic()
    with launch_demo_org(org, timeout=3_600) as server:
        started = time.monotonic() - began
        os.environ.update(server.environment())
        told = {"generated_seconds": round(generated, 1), "started_seconds": round(started, 1)}
        show({"what": "demo org", **sizes, **told, "cpu_seconds": org_cpu(server)})
        run(server, home, "full")
        for row in links(home, org):
            show(row)
        for name, endings in ONE_PERCENT.items():
            where = " OR ".join(f"Phone LIKE '%{ending}'" for ending in endings)
            order = {"do": "update_where", "object": name, "where": where, "values": {"Phone": None}}
            answer = requests.post(f"{server.url}/__demo__/execute", json=order, verify=server.ca_file, timeout=900)
            answer.raise_for_status()
        run(server, home, "delta")


def run(server: DemoOrg, home: Home, kind: str) -> None:
    """Sync and print what each stage took, the whole, the org's own CPU seconds and the sizes on disk."""
    before = org_cpu(server)
    done = in_own_process(kind == "full")
    for stage in done.stages:
        show({"run": kind, **stage})
    whole = asdict(done) | {"stages": len(done.stages), "org_cpu_seconds": round(org_cpu(server) - before, 1)}
    show({"run": kind, "stage": "all", **whole, "goal_seconds": GOALS[kind], "goal_peak_mb": GOALS["peak_mb"]})
    if done.failures:
        raise SystemExit(f"the {kind} run failed: {'; '.join(done.failures)}")
    published = read_published(home)
    fetched = {row.object: row.fetched for row in published.objects}
    landing = sum(path.stat().st_size for path in home.landing.rglob("*") if path.is_file())
    sizes = {"warehouse_mb": home.warehouse.stat().st_size, "snapshot_mb": home.published.stat().st_size}
    show({"run": kind, "fetched": fetched, "api_calls": published.api_calls,
          **{name: round(size / 1e6) for name, size in (sizes | {"landing_mb": landing}).items()}})  # fmt: skip


def links(home: Home, org: Path) -> list[dict[str, Any]]:
    """Return per object: records, links, precision and recall against the truth."""
    figures = []
    for row in read_published(home).objects:
        if row.linked is not None:
            result = score(home.published, org / "truth" / f"{row.object}.csv", row.object)
            told = {"precision": round(result.precision, 4), "recall": round(result.recall, 4)}
            counts = {"records": row.records, "linked": row.linked, "in_review": row.in_review}
            figures.append({"object": row.object, **counts, **told})
    return figures


def org_cpu(server: DemoOrg) -> float:
    """Return the CPU seconds the demo org has taken so far."""
    times = psutil.Process(server.pid).cpu_times()
    return round(times.user + times.system, 1)


def show(figure: dict[str, Any]) -> None:
    """Print a figure as one line of JSON."""
    print(json.dumps(figure), flush=True)


def main() -> None:
    """Read the sizes and print one JSON line per figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the documented limits")
    for name in LIMITS:
        parser.add_argument(f"--{name}", type=int, help=f"{LIMITS[name]:,} times the scale unless given")
    parser.add_argument("--memory", default="2GB", help="limits.memory of the settings")
    parser.add_argument("--keep", type=Path, help="work in this folder, and leave it there")
    arguments = parser.parse_args()
    sizes = {name: getattr(arguments, name) or max(1, int(most * arguments.scale)) for name, most in LIMITS.items()}
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="crosswalk-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        measure(folder.resolve(), sizes, arguments.memory)
    finally:
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
