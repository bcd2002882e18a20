"""A small HTTP client of the demo org that knows nothing of Crosswalk's own, and files to serve."""

import csv
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from apps.demo_org.launch import DemoOrg
from tests.support.org_forge import forked_demo_org

#: The version most tests speak, and how many accounts the shared data has (more than one REST page).
V = "/services/data/v60.0"
ACCOUNTS = 2_345


class Client:
    """Speaks HTTP to a demo org with its ready line's token."""

    def __init__(self, org: DemoOrg, base: str | None = None) -> None:
        self.org, self.base = org, base or org.url
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {org.access_token}"

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:
        # verify is given per request: an environment variable would win over the session's.
        return self.session.request(method, self.base + path, **{"verify": self.org.ca_file, "timeout": 60, **more})

    def get(self, path: str, **params: Any) -> requests.Response:
        return self("GET", path, params=params)

    def query(self, soql: str, resource: str = "query") -> dict[str, Any]:
        answer = self.get(f"{V}/{resource}", q=soql)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def submit(self, soql: str, operation: str = "query", version: str = V) -> str:
        """Create a Bulk job and return its id."""
        created = self("POST", f"{version}/jobs/query", json={"operation": operation, "query": soql})
        assert created.status_code == 200, created.text
        return str(created.json()["id"])

    def finish(self, job: str, version: str = V) -> dict[str, Any]:
        """Wait until a job is finished and return what the last poll said."""
        deadline = time.monotonic() + 30
        while True:
            found: dict[str, Any] = self.get(f"{version}/jobs/query/{job}").json()
            if found["state"] in ("JobComplete", "Failed", "Aborted"):
                return found
            assert time.monotonic() < deadline, f"the job is still {found['state']}"
            time.sleep(0.02)


class Scripted:
    """An org of a test module's own: it may write, script faults and read the request log."""

    def __init__(self, org: DemoOrg, faults: Path, log: Path) -> None:
        self.org, self._faults, self._log = org, faults, log
        self.client = Client(org)

    def script(self, *faults: dict[str, Any]) -> None:
        self._faults.write_text(json.dumps(faults))

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.read_text().splitlines()]


@contextmanager
def serve_scripted(data: Path, folder: Path) -> Iterator[Scripted]:
    """Serve ``data`` with an empty fault script and a request log, both in ``folder``."""
    faults, log = folder / "faults.json", folder / "requests.jsonl"
    faults.write_text("[]")
    with forked_demo_org(data, faults=faults, request_log=log) as launched:
        yield Scripted(launched, faults, log)


def write_csv(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([header, *rows])
