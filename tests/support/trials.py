"""An org, its homes and a worker for runs that are killed or disturbed: what is compared afterwards, and how.

A trial is a function that returns what was wrong, one line each, so that a test can assert that nothing was and a soak
can go on counting.
"""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from resources.home import Home
from resources.landing import LandingFolder, Manifest
from tests.support.demo_org_client import Scripted
from tests.support.run_request import Request
from tests.support.snapshots import by_another_name, content

ROOT = Path(__file__).parents[2]
#: Rows of one Bulk page, and of one REST page where a trial reads by REST.
BULK_PAGE, REST_PAGE = 25, 20

SETTINGS = """\
objects:
  account: {{custom_filters: [{{field: Industry}}]}}
{off}
reference:
  company: {{path: {org}/reference/company.csv}}
  person: {{path: {org}/reference/person.csv}}
matching:
  reference_id_fields: {{account: Reference_Company_Id__c}}
publish: {{keep: 1}}
"""
#: Objects that add steps to a run and nothing to a trial.
OFF = ("campaign", "campaign_member", "task", "event", "opportunity_contact_role", "user")


class Worker:
    """The process that forks one child per run."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, request: Request) -> dict[str, Any]:
        """Run one request and return how it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(request)) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the worker died"
        found: dict[str, Any] = json.loads(line)
        return found


@contextmanager
def serve_worker() -> Iterator[Worker]:
    """Start a worker; it ends with its standard input."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.run_worker"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "GX_ANALYTICS_ENABLED": "false"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Worker(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)


@dataclass
class Arena:
    """One org with its worker, and a folder for the homes of trials."""

    folder: Path
    scripted: Scripted
    worker: Worker
    org_files: Path
    off: Sequence[str] = OFF
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1_000_000)))

    def __post_init__(self) -> None:
        answer = self.scripted.client("POST", "/__demo__/settings", json={"bulk_page_rows": BULK_PAGE})
        assert answer.status_code == 200, answer.text
        off = "\n".join(f"  {name}: {{enabled: false}}" for name in self.off)
        self.settings.write_text(SETTINGS.format(org=self.org_files, off=off))

    @property
    def settings(self) -> Path:
        return self.folder / "crosswalk.yaml"

    def home(self, base: Home | None = None) -> Home:
        """Return a new home, or a copy of ``base``."""
        root = self.folder / f"home-{next(self._numbers)}"
        if base is not None:
            shutil.copytree(base.root, root)
        home = Home(root)
        home.prepare()
        return home

    def run(self, home: Home, **more: Any) -> dict[str, Any]:
        """Run once in ``home``; every run has an id of its own unless one is given."""
        environment = {
            "CROSSWALK_HOME": str(home.root),
            "CROSSWALK_CONFIG": str(self.settings),
            **self.scripted.org.environment(),
        }
        return self.worker.run(Request(environment, **{"run_id": f"run-{next(self._numbers)}", **more}))

    def succeeded(self, home: Home, **more: Any) -> dict[str, Any]:
        """Run once without disturbance; anything but success is an error of the test."""
        found = self.run(home, **more)
        assert found["ended"] == 0, found
        assert not found["outcome"]["failures"], found["outcome"]["failures"]
        assert not found["outcome"]["skipped"], found["outcome"]["skipped"]
        return found

    def do(self, action: str, **arguments: Any) -> Any:
        """Change the org."""
        answer = self.scripted.client("POST", "/__demo__/execute", json={"do": action, **arguments})
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def clock(self, **wanted: Any) -> None:
        """Set the org's clock."""
        answer = self.scripted.client("POST", "/__demo__/settings", json={"clock": wanted})
        assert answer.status_code == 200, answer.text

    def change(self, draw: random.Random) -> None:
        """Change the org as its people do: new, changed, deleted, undeleted and merged records, one converted lead."""
        accounts, leads = self._ids("Account", draw), self._ids("Lead", draw)
        for place, name in enumerate(("Ardent & Co", 'Quote "d"', "Line\nbreak")):
            self.do("update", object="Account", id=accounts[place], values={"Name": f"{name} {draw.randrange(999)}"})
        self.do("create", object="Account", values={"Name": f"New {draw.randrange(9999)}", "Website": "new.example"})
        self.do("delete", object="Account", id=accounts[4])
        self.do("delete", object="Account", id=accounts[5])
        self.do("undelete", object="Account", id=accounts[5])
        self.do("merge", object="Account", master=accounts[6], losers=[accounts[7]])
        self.do("update", object="Contact", id=self._ids("Contact", draw)[0], values={"LastName": "Ōkubo"})
        self.do("convert_lead", lead=leads[0], create_opportunity=True, opportunity_name="Won back")

    def _ids(self, name: str, draw: random.Random) -> list[str]:
        more = " AND IsPersonAccount = false" if name == "Account" else ""
        more += " AND IsConverted = false" if name == "Lead" else ""
        soql = f"SELECT Id FROM {name} WHERE IsDeleted = false{more} ORDER BY Id LIMIT 200"
        ids = [str(record["Id"]) for record in self.scripted.client.query(soql)["records"]]
        draw.shuffle(ids)
        return ids


def draw_moments(draw: random.Random, times: Sequence[float], number: int) -> list[tuple[int, float]]:
    """Return (moment, delay) spread evenly over a run: one half by the clock, the other by what happens."""
    found = []
    for place in range(number):
        share = (place + draw.random()) / number
        if place % 2:
            found.append((1 + int(share * (len(times) - 4)), 0.0))
        else:
            at = share * times[-4]
            moment = max(1, bisect_right(times, at))
            found.append((moment, round(max(0.001, at - times[moment - 1]), 4)))
    return found


def state(home: Home) -> dict[str, list[tuple[Any, ...]]]:
    """What is published, and what the warehouse keeps to itself: watermarks, doubts, the names of its tables."""
    found = content(home.published)
    with duckdb.connect(str(home.warehouse)) as con:
        private = "SELECT object, selection_key, fields FROM _state.watermark ORDER BY ALL"
        found["_state.watermark"] = con.sql(private).fetchall()
        found["_state.doubt"] = con.sql("SELECT object, remedy FROM _state.doubt ORDER BY ALL").fetchall()
        tables = "SELECT schema_name, table_name FROM duckdb_tables() ORDER BY ALL"
        found["tables"] = con.sql(tables).fetchall()
    return found


def differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Name the tables that differ, with one row each side has alone."""
    told = [f"{name} is on one side only" for name in sorted(expected.keys() ^ found.keys())]
    for name in sorted(expected.keys() & found.keys()):
        if expected[name] != found[name]:
            lack = [row for row in expected[name] if row not in found[name]][:1]
            more = [row for row in found[name] if row not in expected[name]][:1]
            sizes = f"{len(found[name])} rows instead of {len(expected[name])}"
            told.append(f"{name} differs: {sizes}; lacks {str(lack)[:700]}; has {str(more)[:700]}")
    return told


def manifests(home: Home) -> list[Manifest]:
    """Every readable manifest of a home."""
    paths = sorted(home.landing.glob("*/*/manifest.json"))
    return [LandingFolder.open(path.parent).manifest for path in paths]


@dataclass
class Landed:
    """What had been done when a run was killed, and must not be done again."""

    pages: set[tuple[str, str]]
    rest: set[tuple[str, str]]
    jobs: set[str]

    @classmethod
    def of(cls, home: Home) -> "Landed":
        """Read it from the manifests of the runs so far that are not part of an earlier sync."""
        found = [item for item in manifests(home) if not item.abandoned]
        return cls(
            {(item.job_id, page.locator) for item in found if item.transport == "bulk" for page in item.pages},
            {(item.api_name, page.locator) for item in found if item.transport == "rest" for page in item.pages},
            {item.api_name for item in found if item.job_id and not item.loaded_at},
        )

    def repeated(self, log: Sequence[Mapping[str, Any]]) -> list[str]:
        """Name what ``log``, the requests since the kill, asked for once more."""
        told = []
        for entry in log:
            path, query = str(entry["path"]), entry["query"]
            if path.endswith("/results") and (path.split("/")[-2], query.get("locator", "")) in self.pages:
                told.append(f"a landed page was fetched again: {path} {query}")
            if entry["method"] == "POST" and path.endswith("/jobs/query") and entry["object"] in self.jobs:
                told.append(f"a second job for {entry['object']}, whose first was there")
            soql = str(query.get("q", ""))
            for api, last in self.rest:
                if last and f" FROM {api} " in soql and f"Id > '{last}'" in soql:
                    told.append(f"a landed page was asked for again: {soql[-60:]}")
        return told


class Reader(threading.Thread):
    """An analyst who looks at the snapshot all the time: it is there and whole, and each run's is always the same."""

    def __init__(self, home: Home) -> None:
        super().__init__(daemon=True)
        self._home, self._over = home, threading.Event()
        self._required = home.published.exists()
        self.problems: list[str] = []
        self.looks, self._seen = 0, dict[str, str]()

    def run(self) -> None:
        while not self._over.wait(1):
            self._look()

    def _look(self) -> None:
        if not self._required and not self._home.published.exists():
            return
        self._required = True
        try:
            with duckdb.connect(str(self._home.published), read_only=True) as con:
                run_id = str(con.sql("SELECT run_id FROM _meta").fetchall()[0][0])
                names = "SELECT schema_name || '.' || table_name FROM duckdb_tables() ORDER BY 1"
                counts = (f"SELECT '{name}', count(*) FROM {name}" for (name,) in con.sql(names).fetchall())
                sizes = con.sql(" UNION ALL ".join(counts)).fetchall()
        except duckdb.Error as error:
            self.problems.append(f"the snapshot could not be read: {str(error)[:200]}")
            return
        self.looks += 1
        digest = hashlib.sha256(str(sorted(sizes)).encode()).hexdigest()
        if self._seen.setdefault(run_id, digest) != digest:
            self.problems.append(f"the snapshot of {run_id} changed while it was published")

    def stop(self) -> list[str]:
        """Look a last time and return what was wrong."""
        self._over.set()
        self.join()
        self._look()
        return self.problems


@contextmanager
def watched(home: Home, problems: list[str]) -> Iterator[None]:
    """Have somebody read the snapshot meanwhile."""
    reader = Reader(home)
    reader.start()
    try:
        yield
    finally:
        problems += reader.stop()


def whole_log(scripted: Scripted) -> list[dict[str, Any]]:
    """The request log once nothing more is written to it: a request in flight at a kill is logged a moment later."""
    before = -1
    while (size := len(scripted.log())) != before:
        before = size
        time.sleep(0.02)
    return scripted.log()


def truth(scripted: Scripted, name: str, fields: Sequence[str]) -> list[tuple[Any, ...]]:
    """Every record of the org, deleted ones too, asked for by a client that knows nothing of Crosswalk's own."""
    answer = scripted.client.query(f"SELECT {', '.join(fields)} FROM {name} ORDER BY Id", "queryAll")
    records = list(answer["records"])
    while not answer["done"]:
        answer = scripted.client.get(answer["nextRecordsUrl"]).json()
        records += answer["records"]
    return [tuple(record[field] for field in fields) for record in records]


def mirrored(home: Home, name: str, fields: Sequence[str]) -> list[tuple[Any, ...]]:
    """The same from the published snapshot, written as the org writes it."""
    listed = ", ".join(
        f"strftime(\"{item}\", '%Y-%m-%dT%H:%M:%S.000+0000')" if item == "SystemModstamp" else f'"{item}"'
        for item in fields
    )
    with by_another_name(home.published) as path, duckdb.connect(str(path), read_only=True) as con:
        return con.sql(f'SELECT {listed} FROM salesforce.{name} ORDER BY "Id"').fetchall()


def against_truth(home: Home, scripted: Scripted, names: Sequence[str] = ("Account", "Contact")) -> list[str]:
    """Compare the published mirror with the org."""
    fields = ("Id", "Name", "OwnerId", "IsDeleted", "MasterRecordId", "SystemModstamp")
    told = []
    for name in names:
        expected, found = truth(scripted, name, fields), mirrored(home, name.lower(), fields)
        if expected != found:
            odd = [row[0] for row in set(expected) ^ set(found)][:3]
            told.append(f"{name}: {len(found)} records published, {len(expected)} in the org, among them {odd}")
    return told


def forget(home: Home) -> None:
    """Remove the home of a trial that found nothing."""
    with suppress(OSError):
        shutil.rmtree(home.root)
