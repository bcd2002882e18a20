"""The embedded instance's databases stay open while a run works; any other database is left alone."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from schedules.event_log import kept_open


def ask(path: Path, *statements: str) -> object:
    """What the last statement answers on a connection of its own, closed again."""
    with sa.create_engine(f"sqlite:///{path}", poolclass=NullPool).connect() as connection:
        *before, last = statements
        for statement in before:
            connection.execute(sa.text(statement))
        answer = connection.execute(sa.text(last)).scalar()
        connection.commit()
    return answer


def test_the_log_is_copied_into_the_database_once_at_the_end(tmp_path: Path) -> None:
    inside, log = tmp_path / "dagster" / "runs.db", tmp_path / "dagster" / "runs.db-wal"
    inside.parent.mkdir()
    ask(inside, "PRAGMA journal_mode=WAL", "CREATE TABLE event (id INTEGER)", "SELECT 1")
    with kept_open(inside.parent):
        for number in range(3):
            ask(inside, f"INSERT INTO event VALUES ({number})", "SELECT 1")
        # Closing its own connection did not end the log, and whoever reads beside us sees every row.
        assert log.stat().st_size > 0
        assert ask(inside, "PRAGMA synchronous") == 1
        assert ask(inside, "SELECT count(*) FROM event") == 3
    assert not log.exists()
    assert ask(inside, "SELECT count(*) FROM event") == 3


def test_a_database_made_on_the_way_is_kept_open_too(tmp_path: Path) -> None:
    with kept_open(tmp_path):
        # Dagster makes one for each run, and asks for the log after its first tables.
        ask(tmp_path / "run.db", "CREATE TABLE event (id INTEGER)", "PRAGMA journal_mode=WAL")
        for number in range(2):
            ask(tmp_path / "run.db", f"INSERT INTO event VALUES ({number})", "SELECT 1")
        assert (tmp_path / "run.db-wal").stat().st_size > 0
    assert not (tmp_path / "run.db-wal").exists()


def test_other_databases_wait_for_the_disk_as_before(tmp_path: Path) -> None:
    outside = tmp_path / "decisions.db"
    with kept_open(tmp_path / "dagster"):
        assert ask(outside, "PRAGMA synchronous") == 2
    inside = tmp_path / "dagster" / "runs.db"
    inside.parent.mkdir()
    assert ask(inside, "PRAGMA synchronous") == 2
