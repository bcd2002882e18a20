"""Going back to an earlier snapshot, how long things are kept, and the snapshot as Parquet files."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from apps.cli.export import command as export
from apps.cli.rollback import command as rollback
from data_contracts.contracts import load_contract
from data_contracts.errors import CrosswalkError, WarehouseError
from data_contracts.settings import Publish, Retention
from pipelines.publish.parquet import export_parquet
from pipelines.publish.rollback import kept_snapshots, roll_back
from pipelines.publish.snapshot import publish_snapshot
from pipelines.publish.snapshot_files import earlier_snapshots
from pipelines.retention import AGES, LEAST_RUNS, OF_RUNS, expire
from pipelines.run import RunContext
from resources.home import Home
from tests.support.org_tables import put_salesforce, warehouse

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SMALL = Publish(schemas=("salesforce", "ops"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    monkeypatch.setenv("CROSSWALK_HOME", str(made.root))
    monkeypatch.setenv("CROSSWALK_CONFIG", str(tmp_path / "crosswalk.yaml"))
    (tmp_path / "crosswalk.yaml").write_text("publish: {keep: 3}\n")
    return made


def publish(home: Home, *names: str, keep: int = 3) -> None:
    with warehouse(home.root) as con:
        for name in names:
            put_salesforce(con, "account", [{"Id": "A1", "Name": name}])
            run = RunContext(name, "full", datetime.now(UTC), "s")
            publish_snapshot(con, home, SMALL.model_copy(update={"keep": keep}), run)


def read(home: Home) -> list[tuple[object, ...]]:
    with duckdb.connect(str(home.published), read_only=True) as con:
        return con.sql("SELECT run_id, (SELECT Name FROM salesforce.account) FROM _meta").fetchall()


def test_back_forward_and_undone_by_the_next_publishing(home: Home) -> None:
    publish(home, "r1", "r2", "r3")
    with duckdb.connect(str(home.published), read_only=True) as held:
        told = CliRunner().invoke(rollback, ["--json"], catch_exceptions=False)
        assert held.sql("SELECT run_id FROM _meta").fetchall() == [("r3",)]
    assert json.loads(told.output)["published"] == "r2"
    assert read(home) == [("r2", "r2")]
    assert [(item.run_id, item.current) for item in kept_snapshots(home)] == [
        ("r3", False),
        ("r2", True),
        ("r1", False),
    ]
    said = CliRunner().invoke(rollback, ["r3"], catch_exceptions=False).output
    assert "run r3" in said
    assert read(home) == [("r3", "r3")]
    CliRunner().invoke(rollback, ["r1"], catch_exceptions=False)
    publish(home, "r4")
    assert read(home) == [("r4", "r4")]
    assert {item.run_id for item in kept_snapshots(home)} == {"r1", "r2", "r3", "r4"}
    assert [path.name for path in home.published.parent.glob("*.tmp")] == []
    with duckdb.connect(str(home.published), read_only=True) as con:
        acts = con.sql("SELECT act, run_id_before, run_id FROM ops.publication ORDER BY happened_at").fetchall()
    assert acts == [("rolled back", "r3", "r2"), ("rolled back", "r2", "r3"), ("rolled back", "r3", "r1")]


def test_what_is_not_kept_cannot_be_put_back(home: Home) -> None:
    with pytest.raises(WarehouseError, match="nothing is published"):
        roll_back(home)
    publish(home, "r1", keep=0)
    with pytest.raises(WarehouseError, match="no earlier snapshot"):
        roll_back(home)
    publish(home, "run-2")
    with pytest.raises(WarehouseError, match=r"no kept snapshots fit 'r9'[\s\S]*kept are: r1"):
        roll_back(home, "r9")
    assert read(home) == [("run-2", "run-2")]


def test_parquet_files_are_what_the_snapshot_shows(home: Home, tmp_path: Path) -> None:
    with pytest.raises(CrosswalkError, match="nothing is published"):
        export_parquet(home)
    publish(home, "r1")
    export_parquet(home)
    publish(home, "r2")
    done = json.loads(CliRunner().invoke(export, ["parquet", "--json"], catch_exceptions=False).output)
    files = Path(done["path"])
    assert duckdb.sql(f"SELECT Name FROM '{files}/salesforce/account.parquet'").fetchall() == [("r2",)]
    assert done["tables"] == len(list(files.rglob("*.parquet")))
    assert {path.name for path in files.parent.iterdir()} == {"analytics.duckdb", "earlier", "parquet"}
    foreign = tmp_path / "mine"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("x")
    with pytest.raises(WarehouseError, match="not Parquet"):
        export_parquet(home, foreign)
    assert (foreign / "thesis.txt").exists()


def test_what_is_old_goes_and_what_is_in_force_stays(home: Home) -> None:
    publish(home, "r1", "r2")
    old, young = (NOW - timedelta(days=days) for days in (31, 29))
    with warehouse(home.root) as con:
        for table, column in AGES.items():
            columns = load_contract(table).columns
            con.execute(load_contract(table).ddl(replace=True).replace(" NOT NULL", ""))
            assert column in {item.name for item in columns}
            for number, moment in enumerate((old, young, None), start=1):
                con.execute(f"INSERT INTO {table} ({column}) VALUES (?)", [moment and moment.replace(tzinfo=None)])
                if table == "imports.change":
                    con.execute("UPDATE imports.change SET sequence = ? WHERE sequence IS NULL", [number])
        for table in OF_RUNS:
            con.execute(load_contract(table).ddl(replace=True).replace(" NOT NULL", ""))
        for number in range(LEAST_RUNS + 2):
            started = (NOW - timedelta(days=100 - number)).replace(tzinfo=None)
            con.execute("INSERT INTO ops.sync_run (run_id, started_at) VALUES (?, ?)", [f"r{number}", started])
            con.execute("INSERT INTO ops.run_statistics (run_id) VALUES (?)", [f"r{number}"])
        told = expire(con, home, Retention(history_days=30, snapshot_days=1), NOW)
        assert told.rows == {**dict.fromkeys(AGES, 1), "ops.run_statistics": 2, "ops.sync_run": 2}
        for table in AGES:
            assert con.sql(f"SELECT count(*) FROM {table}").fetchall() == [(2,)]
        assert expire(con, home, Retention(history_days=30), NOW).rows == {}
        assert len(earlier_snapshots(home)) == 1
        later = datetime.now(UTC) + timedelta(days=2)
        assert expire(con, home, Retention(history_days=3000, snapshot_days=1), later).snapshots == 1
    assert earlier_snapshots(home) == []
    assert read(home) == [("r2", "r2")]
