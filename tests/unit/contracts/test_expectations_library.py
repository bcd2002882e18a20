"""Great Expectations never sees pyspark, which would end a spawned worker."""

import subprocess
import sys

#: A main module like that of a spawned worker: no file and no spec. A stand-in shows whether pyspark was looked at.
SCRIPT = """
import sys, types
seen = types.ModuleType("pyspark"); seen.mark = "ours"; sys.modules["pyspark"] = seen
from data_contracts.expectations_library import great_expectations
assert great_expectations().expectations.ExpectColumnToExist
assert sys.modules["pyspark"].mark == "ours"
from great_expectations.compatibility import pyspark
print("without" if not pyspark.pyspark else "with", "pyspark")
"""


def test_a_worker_without_a_file_goes_on() -> None:
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=240)
    assert (run.returncode, run.stdout) == (0, "without pyspark\n"), run.stderr
