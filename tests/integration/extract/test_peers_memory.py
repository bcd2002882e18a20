"""What users of other tools report of memory: results larger than what may be used are streamed, not held."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.extract.rest_pages import write_rest_pages

ROOT = Path(__file__).resolve().parents[3]
MEMORY, ROWS, PAGES = 100, 40_000, 3
#: Runs in a process of its own and prints the peak of its resident memory in megabytes.
LOAD = f"""
from pathlib import Path
import resource, sys
from resources.landing import LandedField
from tests.support.landed_pages import LandedPages
names = ["Id", *(f"T{{n}}__c" for n in range(8))]
made = LandedPages(Path(sys.argv[1]), [LandedField(name=name, type="VARCHAR") for name in names], "{MEMORY}MB")
text = "and some sixty characters more that no dictionary holds"
header = ",".join(f'"{{name}}"' for name in names) + chr(10)
def page(number):
    lines = (
        f'"{{i:015d}}AAA"' + "".join(f',"{{hash((i, n))}} {{text}} {{i * n}}"' for n in range(8))
        for i in range(number * {ROWS}, (number + 1) * {ROWS})
    )
    return (header + chr(10).join(lines) + chr(10)).encode(), {ROWS}
if sys.argv[2] == "land":
    print(made.land([page(number) for number in range({PAGES})]))
else:
    with made.warehouse.connect() as con:
        assert made.load(con, sys.argv[2]).live == {ROWS * PAGES}
    status = Path("/proc/self/status")
    if status.exists():
        # Unlike getrusage, it does not count what the parent held when it started this process.
        print(next(int(line.split()[1]) // 1000 for line in status.read_text().splitlines() if "VmHWM" in line))
    else:
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_000_000)
"""


def _in_its_own_process(folder: Path, what: str) -> str:
    command = [sys.executable, "-c", LOAD, str(folder), what]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    # DuckDB may have drawn a progress bar before.
    return done.stdout.splitlines()[-1].strip()


def test_a_load_stays_within_the_memory_setting(tmp_path: Path) -> None:
    """simple-salesforce#428, #530, #572, #629: killed at 300,000 rows; forcedotcom/cli#1995: heap out of memory."""
    landing = _in_its_own_process(tmp_path, "land")
    assert int(_in_its_own_process(tmp_path, landing)) <= MEMORY + 150


def test_rest_pages_are_written_one_at_a_time(tmp_path: Path) -> None:
    """dlt reads a result file of up to a gigabyte with .json(); MeltanoLabs holds each page three times."""
    written: list[int] = []

    def served() -> Iterator[list[dict[str, Any]]]:
        for number in range(50):
            # What was written so far is on its way to the disk, not waiting for the last page.
            written.append((tmp_path / "page.csv.gz.part").stat().st_size if number else 0)
            yield [{"Id": f"{number}-{i}", "T__c": f"{i * 7919 % 104_729} {number}"} for i in range(2_000)]

    assert write_rest_pages(tmp_path / "page.csv.gz", ["Id", "T__c"], served()) == 100_000
    assert written[-1] > written[10] > 0
