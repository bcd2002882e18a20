"""One Crosswalk home with its settings, and how a test runs a job in it."""

import os
import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from apps.cli.sync import run_sync
from apps.demo_org.launch import DemoOrg
from resources.home import Home
from schedules.launch import RunOutcome
from tests.support.light_run import plain
from tests.support.run_request import Request
from tests.support.snapshots import content
from tests.support.trials import Worker

SETTINGS = """\
objects:
  account:
    set_up_on: 2026-01-05
    custom_filters: [{{field: Industry}}]
{off}reference:
  company: {{path: {org}/reference/company.csv}}
  person: {{path: {org}/reference/person.csv}}
matching:
  reference_id_fields: {{account: Reference_Company_Id__c}}
"""


@dataclass
class Installation:
    """One home with its settings file and the environment to reach the org."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Home:
        return Home(self.folder / "home")

    @property
    def settings(self) -> Path:
        return self.folder / "crosswalk.yaml"

    def environ(self) -> dict[str, str]:
        return {"CROSSWALK_HOME": str(self.home.root), "CROSSWALK_CONFIG": str(self.settings), **self.environment}

    def activate(self) -> "Installation":
        """Point this process at the home; the fixture that made it puts the environment back."""
        os.environ.update(self.environ())
        self.home.prepare()
        return self

    def sync(self, *, full: bool = True, objects: tuple[str, ...] = (), drawn: bool = False) -> RunOutcome:
        """Run once through Dagster; plots are drawn where they are the subject."""
        with nullcontext() if drawn else plain():
            return run_sync(self.activate().home, full=full, objects=objects)

    def copied(self, folder: Path) -> "Installation":
        """The same home with its settings elsewhere; no process may have its warehouse open."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return replace(self, folder=folder)


def install(folder: Path, org_files: Path, server: DemoOrg, *, off: Sequence[str] = ()) -> Installation:
    """Write the settings of a new home for ``server``; ``off`` are objects that are not mirrored."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Installation(folder, server.environment())
    switched_off = "".join(f"  {name}: {{enabled: false}}\n" for name in off)
    made.settings.write_text(SETTINGS.format(org=org_files, off=switched_off))
    made.home.prepare()
    return made


def uninterrupted(made: Installation, worker: Worker) -> tuple[dict[str, list[tuple[Any, ...]]], list[str]]:
    """Return the snapshot of a full run without Dagster, and its steps; a test of its own holds it against one with."""
    found = worker.run(Request(made.environ(), checks=True, rest=2_000))
    assert (found["ended"], found["outcome"]["failures"], found["outcome"]["skipped"]) == (0, [], [])
    return content(made.home.published), found["steps"]


@dataclass(frozen=True)
class FirstSync:
    """An uninterrupted full run in a fresh home, which nobody runs in again: tests go on in copies of it."""

    installation: Installation
    outcome: RunOutcome
