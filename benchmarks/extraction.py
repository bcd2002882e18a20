"""Extraction side by side: Crosswalk, the floor, and simple-salesforce, on the same accounts in one run.

The floor is DuckDB reading the very gzip pages Crosswalk landed, from local disk into the same typed table. Every
contender is a process of its own (``extraction_steps``), measured by the system: seconds, CPU seconds, peak memory.
The demo org is another process, its CPU seconds given apart. Run by ``make bench-extraction ROWS=N``.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
import requests

from apps.demo_org.launch import DemoOrg, launch_demo_org

ROOT = Path(__file__).resolve().parents[1]
METADATA = ROOT / "apps" / "demo_org" / "metadata" / "Account.json"
#: With IsDeleted, which no export file has, the fields the user may see: forty.
UNLISTED = ("IsDeleted",)
#: One account in a hundred, by a value drawn at random.
ONE_PERCENT = "NumberOfEmployees < 1000"


class Bench:
    """One demo org of ``rows`` accounts, and contenders measured against it."""

    def __init__(self, folder: Path, rows: int, memory: str) -> None:
        self.folder, self.rows, self.memory = folder, rows, memory
        self.org: DemoOrg | None = None
        self.numbers = iter(range(1, 1000))
        self.kept = folder / "kept"

    def prepare(self) -> Path:
        """Write the org's data and the fields it hides; return the fault file."""
        data = self.folder / "org"
        data.mkdir()
        self.run("generate", {"path": str(data / "Account.csv"), "rows": self.rows})
        with (data / "Account.csv").open(encoding="utf-8") as lines:
            shown = {*next(lines).strip().split(","), *UNLISTED}
        names = [field["name"] for field in json.loads(METADATA.read_text())["fields"]]
        hidden = [{"action": "hide_field", "object": "Account", "field": name} for name in names if name not in shown]
        (self.folder / "faults.json").write_text(json.dumps(hidden))
        return self.folder / "faults.json"

    def run(self, step: str, order: dict[str, Any]) -> dict[str, Any]:
        """Run a step in its own process and return its figures."""
        environment = {**os.environ, **(self.org.environment() if self.org else {})}
        command = [sys.executable, "-m", "benchmarks.extraction_steps", step, json.dumps(order)]
        before, began = self.org_cpu(), time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
        assert process.stdout is not None
        said = process.stdout.read()
        process.stdout.close()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{step} failed, see above")
        return {
            "what": step,
            "seconds": round(seconds, 2),
            "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
            # Kilobytes on Linux, bytes on macOS.
            "peak_mb": round(used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6),
            "org_cpu_seconds": round(self.org_cpu() - before, 2),
            "job_seconds": self.job_seconds(),
            **json.loads(said),
        }

    def org_cpu(self) -> float:
        """Return the CPU seconds the demo org has taken so far."""
        if self.org is None:
            return 0.0
        times = psutil.Process(self.org.pid).cpu_times()
        return times.user + times.system

    def job_seconds(self) -> float:
        """Return what the org says its last Bulk job took: nobody can be faster than that."""
        if self.org is None:
            return 0.0
        jobs = requests.get(
            f"{self.org.url}/services/data/v62.0/jobs/query",
            headers={"Authorization": f"Bearer {self.org.access_token}"},
            verify=self.org.ca_file,
            timeout=60,
        ).json()["records"]
        return float(jobs[0]["totalProcessingTime"]) / 1000 if jobs else 0.0

    def ours(self, home: Path, kind: str = "full") -> dict[str, Any]:
        """Extract with Crosswalk into ``home``."""
        return self.run("ours", {"rows": self.rows, "home": str(home), "kind": kind, "memory": self.memory})

    def round(self) -> list[dict[str, Any]]:
        """Run every contender once, one after the other, each into files of its own; Crosswalk's last are kept."""
        shutil.rmtree(self.kept, ignore_errors=True)
        place = self.folder / f"round-{next(self.numbers)}"
        place.mkdir()
        ours = self.ours(self.kept)
        pages = self.kept / "landing" / ours.pop("landing")
        fields = json.loads((pages / "manifest.json").read_text())["fields"]
        order = {"rows": self.rows, "memory": self.memory, "fields": fields}
        floor = self.run("floor", {**order, "pages": str(pages), "database": str(place / "floor.duckdb")})
        assert self.org is not None
        theirs = self.run(
            "simple_salesforce",
            {
                **order,
                "folder": str(place / "csv"),
                "database": str(place / "s.duckdb"),
                "token": self.org.access_token,
            },
        )
        shutil.rmtree(place)
        return [floor, ours, theirs]

    def later(self, rounds: int, full: dict[str, Any]) -> list[dict[str, Any]]:
        """Return days without change, and days on which one account in a hundred changed, after the last full run."""
        still = [self.ours(self.kept, "delta") for _ in range(rounds)]
        changed = []
        for _ in range(rounds):
            self.change()
            changed.append(self.ours(self.kept, "delta"))
        days = [_beside(still, "delta_without_change", full), _beside(changed, "delta_of_one_percent", full)]
        for day, figure in zip((still, changed), days, strict=True):
            figure |= {key: day[-1][key] for key in ("fetched", "changed", "api_calls")}
        return days

    def change(self) -> None:
        """Change one account in a hundred."""
        assert self.org is not None
        order = {"do": "update_where", "object": "Account", "where": ONE_PERCENT, "values": {"Rating": "Hot"}}
        where = f"{self.org.url}/__demo__/execute"
        requests.post(where, json=order, verify=self.org.ca_file, timeout=300).raise_for_status()


def _beside(days: list[dict[str, Any]], name: str, full: dict[str, Any]) -> dict[str, Any]:
    """Return the medians of some runs and their share of a full one; starting the interpreter is no extraction.

    ``seconds`` include the time the org takes for a job, ``own_seconds`` do not, on both sides.
    """
    figure = {**medians([[day] for day in days])[0], "what": name}
    for key, unit, left_out in (
        ("seconds", "seconds", ()),
        ("own_seconds", "seconds", ("wait",)),
        ("cpu_seconds", "cpu_seconds", ()),
    ):
        mine, whole = (_stages(run, unit, left_out) for run in (figure, full))
        figure |= {f"stages_{key}": mine, f"full_{key}": whole, f"{key}_to_full": round(mine / whole, 3)}
    return figure


def _stages(figure: dict[str, Any], unit: str, left_out: Iterable[str]) -> float:
    laps = [float(lap[unit]) for name, lap in figure["stages"].items() if name not in left_out]
    return round(sum(laps), 3)


def medians(rounds: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return per contender the medians of its figures over all rounds."""
    figures = []
    for same in zip(*rounds, strict=True):
        middle = {key: _median(run[key] for run in same) for key in ("seconds", "cpu_seconds", "peak_mb")}
        figure: dict[str, Any] = {"what": same[0]["what"], "runs": len(same), **middle}
        if "stages" in same[0]:
            figure |= {key: _median(run[key] for run in same) for key in ("org_cpu_seconds", "job_seconds")}
            figure["stages"] = {
                name: {unit: _median(run["stages"][name][unit] for run in same) for unit in ("seconds", "cpu_seconds")}
                for name in same[0]["stages"]
            }
        figures.append(figure)
    return figures


def ratios(figures: list[dict[str, Any]], rows: int, memory: str) -> dict[str, Any]:
    """Put the medians side by side, with and without what the org itself took for the job."""
    floor, ours, theirs = figures
    own = ours["seconds"] - ours["job_seconds"]
    return {
        "what": "ratios",
        "rows": rows,
        "memory": memory,
        "rows_per_second": round(rows / own),
        "seconds_to_floor": round(own / floor["seconds"], 2),
        "cpu_to_floor": round(ours["cpu_seconds"] / floor["cpu_seconds"], 2),
        "faster_than_simple_salesforce": round(theirs["seconds"] / ours["seconds"], 2),
        "faster_than_simple_salesforce_without_the_job": round((theirs["seconds"] - theirs["job_seconds"]) / own, 2),
        "cpu_of_simple_salesforce": round(theirs["cpu_seconds"] / ours["cpu_seconds"], 2),
    }


def _median(values: Iterable[float]) -> float:
    return round(statistics.median(values), 3)


def main() -> None:
    """Print one JSON line per figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", default="512MB", help="DuckDB's memory setting, the same for every contender")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="crosswalk-bench-"))
    try:
        bench = Bench(folder, arguments.rows, arguments.memory)
        faults = bench.prepare()
        with launch_demo_org(folder / "org", faults=faults, timeout=900) as bench.org:
            figures = medians([bench.round() for _ in range(arguments.rounds)])
            days = bench.later(arguments.rounds, figures[1])
            for figure in [*figures, ratios(figures, arguments.rows, arguments.memory), *days]:
                figure["load_average"] = round(os.getloadavg()[1], 1)
                print(json.dumps(figure), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
