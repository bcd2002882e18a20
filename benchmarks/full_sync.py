"""One full sync from the demo org, stage by stage: seconds, CPU seconds and peak memory of our own process.

The demo org is a process of its own: its time is part of our wait, not of our CPU or memory. Run by ``make bench``.
"""

import argparse
import json
import os
import shutil
import tempfile
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from apps.cli.sync import run_sync
from apps.demo_org.generate import generate_demo
from apps.demo_org.launch import launch_demo_org
from apps.snapshot import read_published
from apps.truth import score
from resources.home import Home
from schedules.launch import RunOutcome

SETTINGS = """\
reference:
  company: {path: org/reference/company.csv}
  person: {path: org/reference/person.csv}
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


def measure(folder: Path, accounts: int, contacts: int, leads: int) -> list[dict[str, object]]:
    """Run one full sync of generated data and return one figure per line."""
    org = folder / "org"
    generate_demo(org, accounts=accounts, contacts=contacts, leads=leads)
    (folder / "crosswalk.yaml").write_text(SETTINGS)
    os.environ |= {"CROSSWALK_HOME": str(folder / "home"), "CROSSWALK_CONFIG": str(folder / "crosswalk.yaml")}
    home = Home.from_environment()
    with launch_demo_org(org, timeout=900) as server:
        os.environ.update(server.environment())
        began = time.monotonic()
        with Sampler() as sampler:
            outcome = run_sync(home, full=True)
        seconds = time.monotonic() - began
    published = read_published(home)
    figures: list[dict[str, object]] = [dict(item) for item in stages(outcome, sampler)]
    peak, cpu = sampler.between(0, time.time())
    figures.append({"stage": "all", "seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1), "peak_mb": round(peak)})
    for row in published.objects:
        if row.linked is not None:
            result = score(home.published, org / "truth" / f"{row.object}.csv", row.object)
            figures.append(
                {"object": row.object, "records": row.records, "linked": row.linked, "in_review": row.in_review,
                 "precision": round(result.precision, 4), "recall": round(result.recall, 4)}
            )  # fmt: skip
    figures.append(
        {
            "warehouse_mb": round(home.warehouse.stat().st_size / 1e6),
            "snapshot_mb": round(home.published.stat().st_size / 1e6),
        }
    )
    return figures


def main() -> None:
    """Print one JSON line per figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=200_000)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--leads", type=int, default=50_000)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="crosswalk-bench-"))
    try:
        for figure in measure(folder, arguments.accounts, arguments.contacts, arguments.leads):
            print(json.dumps(figure), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
