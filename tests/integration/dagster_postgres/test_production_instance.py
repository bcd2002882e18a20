"""The project's own ``dagster.yaml``: Dagster on a real PostgreSQL, its pools, and a run that is killed."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster_postgres import PostgresEventLogStorage, PostgresRunStorage, PostgresScheduleStorage

from assets._common import POOL
from resources.home import Home
from schedules.dead_runs import settle

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def database(postgres_url: str) -> Iterator[sa.URL]:
    """A database of our own."""
    server = sa.make_url(postgres_url).set(drivername="postgresql+psycopg2")
    name = f"dagster_{uuid.uuid4().hex[:12]}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield server.set(database=name)
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="module")
def instance(database: sa.URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """The production instance, in a folder that holds nothing but the project's ``dagster.yaml``."""
    folder = tmp_path_factory.mktemp("dagster-home")
    shutil.copy(ROOT / "dagster.yaml", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(folder))
        patch.setenv("DAGSTER_PG_HOST", database.host or "")
        patch.setenv("DAGSTER_PG_PORT", str(database.port or 5432))
        patch.setenv("DAGSTER_PG_USERNAME", database.username or "postgres")
        patch.setenv("DAGSTER_PG_PASSWORD", database.password or "")
        patch.setenv("DAGSTER_PG_DB", str(database.database))
        if socket := database.query.get("host"):
            # A server on a Unix socket has no host name; libpq takes the socket's folder from here.
            patch.setenv("PGHOST", str(socket))
        with dg.DagsterInstance.get() as made:
            yield made


def test_runs_events_and_schedules_are_kept_in_postgresql(instance: dg.DagsterInstance) -> None:
    assert isinstance(instance.run_storage, PostgresRunStorage)
    assert isinstance(instance.event_log_storage, PostgresEventLogStorage)
    assert isinstance(instance.schedule_storage, PostgresScheduleStorage)
    assert not instance.telemetry_enabled
    assert not instance.nux_enabled


def test_one_step_at_a_time_may_hold_the_warehouse(instance: dg.DagsterInstance) -> None:
    assert instance.event_log_storage.get_pool_config().default_pool_limit == 1


def test_a_run_is_stored(instance: dg.DagsterInstance, database: sa.URL) -> None:
    @dg.asset(pool=POOL)
    def counted() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata={"dagster/row_count": 7})

    result = dg.materialize([counted], instance=instance)
    assert result.success
    engine = sa.create_engine(database, poolclass=sa.NullPool)
    with engine.connect() as connection:
        statement = sa.text("SELECT status FROM runs WHERE run_id = :run_id")
        assert connection.execute(statement, {"run_id": result.run_id}).all() == [("SUCCESS",)]
    event = instance.get_latest_materialization_event(dg.AssetKey("counted"))
    assert event
    assert event.asset_materialization
    assert event.asset_materialization.metadata["dagster/row_count"].value == 7


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home the instance serves: one instance serves one."""
    made = Home(tmp_path_factory.mktemp("home"))
    made.prepare()
    return made


def test_a_killed_run_is_marked_failed_and_its_slot_is_free_again(instance: dg.DagsterInstance, home: Home) -> None:
    command = [sys.executable, "-m", "tests.support.pool_holder"]
    with subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"holding\n"
        process.kill()
    (run,) = instance.get_runs(filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    assert instance.event_log_storage.get_concurrency_info(POOL).active_run_ids == {run.run_id}

    assert settle(instance, home, grace=timedelta()) == [run.run_id]

    ended = instance.get_run_by_id(run.run_id)
    assert ended
    assert ended.status == dg.DagsterRunStatus.FAILURE
    assert instance.event_log_storage.get_concurrency_info(POOL).active_run_ids == set()


def test_a_run_that_is_alive_is_left_alone(instance: dg.DagsterInstance, home: Home) -> None:
    with home.lock("a run"):
        run = instance.create_run_for_job(_nothing, status=dg.DagsterRunStatus.STARTED)
        assert settle(instance, home, grace=timedelta()) == []
    alive = instance.get_run_by_id(run.run_id)
    assert alive
    assert alive.status == dg.DagsterRunStatus.STARTED
    instance.delete_run(run.run_id)


@dg.job
def _nothing() -> None:
    """No step."""
