"""Resolution side by side: Crosswalk and stock Splink 5, on the same standard columns in one run.

N accounts against N companies of a generator of our own (``resolution_data.sql``). Every step is a process of its own
(``resolution_steps``), measured by the system: seconds, CPU seconds, peak memory. Ours is measured for the first time
(standardise, train, link), for a re-link on kept standard columns with the kept model, and for a change of one row in a
hundred on either side. Splink gets the columns we standardised. Run by ``make bench-resolution ROWS=N``.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def run(step: str, order: dict[str, Any]) -> dict[str, Any]:
    """Run a step in its own process and return its figures."""
    command = [sys.executable, "-m", "benchmarks.resolution_steps", step, json.dumps(order)]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ}, stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = process.stdout.read()
    process.stdout.close()
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{step} failed, see above")
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        # Kilobytes on Linux, bytes on macOS.
        "peak_mb": round(used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6),
        **json.loads(said.splitlines()[-1]),
    }


def figures(rows: int, memory: str, folder: Path, *, splink: bool, verbose: bool) -> list[dict[str, Any]]:
    """Return what every contender took, in the order they were run."""
    common = {"rows": rows, "memory": memory, "folder": str(folder), "verbose": verbose}
    run("generate", common)
    run("load", common)
    orders: list[tuple[str, dict[str, Any]]] = [
        ("crosswalk, first time", {"kind": "full", "export": splink}),
        ("crosswalk, re-link with the kept model", {"kind": "delta", "forget_index": True}),
        ("crosswalk, nothing changed", {"kind": "delta"}),
        ("crosswalk, 1 % of accounts changed", {"kind": "delta", "change": "account"}),
        ("crosswalk, 1 % of companies changed", {"kind": "delta", "change": "company"}),
    ]
    found = []
    for day, (what, order) in enumerate(orders, start=1):
        found.append({"what": what, "rows": rows, **run("ours", {**common, **order, "run": f"r{day}", "day": day})})
        sys.stdout.write(json.dumps(found[-1]) + "\n")
        sys.stdout.flush()
    if splink:
        found.append({"what": "splink, stock", "rows": rows, **run("splink", common)})
        sys.stdout.write(json.dumps(found[-1]) + "\n")
    return found


def main() -> None:
    """Run the benchmark and print one JSON line per figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="accounts, and companies")
    parser.add_argument("--memory", default="2GB", help="DuckDB memory limit of Crosswalk, as limits.memory")
    parser.add_argument("--without-splink", action="store_true", help="measure Crosswalk alone")
    parser.add_argument("--verbose", action="store_true", help="also the CPU seconds at each step")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-resolution-") as folder:
        figures(
            arguments.rows,
            arguments.memory,
            Path(folder),
            splink=not arguments.without_splink,
            verbose=arguments.verbose,
        )


if __name__ == "__main__":
    main()
