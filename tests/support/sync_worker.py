"""One extraction in a process of its own, so that a test may kill it: ``python -m tests.support.sync_worker JSON``."""

import json
import sys
from pathlib import Path

from apps.demo_org.launch import DemoOrg
from pipelines.extract import submit
from tests.support.mirror import Mirror, settings_for


def main(argument: str) -> None:
    job = json.loads(argument)
    submit.REST_ROWS = -1
    mirror = Mirror(DemoOrg(**job["org"]), Path(job["home"]), settings_for(*job["objects"]))
    mirror.sync(job["kind"])


if __name__ == "__main__":
    main(sys.argv[1])
