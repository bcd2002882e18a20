"""A generated org behind a real demo org, and homes in which whole jobs run through Dagster."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.demo_org.generate import generate_demo
from apps.demo_org.launch import DemoOrg, launch_demo_org
from tests.support.installation import Installation, install

ACCOUNTS = 250


@pytest.fixture(scope="session")
def org_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CSV files of a small org, its reference and its truth."""
    folder = tmp_path_factory.mktemp("org")
    generate_demo(folder, accounts=ACCOUNTS, seed=7)
    return folder


@pytest.fixture(scope="session")
def org(org_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoOrg]:
    """The org, served for the whole session; tests that change it start their own."""
    with launch_demo_org(org_files, request_log=tmp_path_factory.mktemp("log") / "requests.jsonl") as server:
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


@pytest.fixture(scope="module")
def installation(org_files: Path, org: DemoOrg, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A fresh home, for one test module."""
    return install(tmp_path_factory.mktemp("installation"), org_files, org).activate()
