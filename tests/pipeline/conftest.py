"""A generated org behind a real demo org, and homes in which whole jobs run through Dagster."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.demo_org.generate import generate_demo
from apps.demo_org.launch import DemoOrg
from tests.support.installation import FirstSync, Installation, install
from tests.support.org_forge import forked_demo_org
from tests.support.trials import Worker, serve_worker

#: What a run costs here is Dagster's bookkeeping; the size of the org hardly shows.
ACCOUNTS = 250


@pytest.fixture(scope="session")
def org_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CSV files of a small org, its reference and its truth."""
    folder = tmp_path_factory.mktemp("org")
    generate_demo(folder, accounts=ACCOUNTS, seed=7)
    return folder


@pytest.fixture(scope="session")
def request_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the org was asked, by every run of the session."""
    return tmp_path_factory.mktemp("log") / "requests.jsonl"


@pytest.fixture(scope="session")
def org(org_files: Path, request_log: Path) -> Iterator[DemoOrg]:
    """The org, served for the whole session; tests that change it start their own."""
    with forked_demo_org(org_files, request_log=request_log) as server:
        yield server


@pytest.fixture(autouse=True, scope="module")
def restored_environment() -> Iterator[None]:
    """Give the environment back as it was."""
    before = dict(os.environ)
    for name in list(os.environ):
        if name.startswith(("CROSSWALK_", "SALESFORCE_", "DAGSTER_HOME")) and name != "CROSSWALK_CHROMIUM":
            del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def first_sync(org_files: Path, org: DemoOrg, tmp_path_factory: pytest.TempPathFactory) -> FirstSync:
    """One whole run, shared by all modules."""
    made = install(tmp_path_factory.mktemp("first"), org_files, org)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in made.environ().items():
            patch.setenv(name, value)
        return FirstSync(made, made.sync(drawn=True))


@pytest.fixture(scope="module")
def installation(first_sync: FirstSync, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A home in which one full run has published, for one test module to go on in."""
    return first_sync.installation.copied(tmp_path_factory.mktemp("installation")).activate()


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    """A process that runs syncs without Dagster, each in a child of its own."""
    with serve_worker() as served:
        yield served
