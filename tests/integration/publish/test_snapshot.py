"""What is in the snapshot: every table with its words, narrowed and masked as the settings say, audited before use."""

import importlib.util
import resource
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from data_contracts.contracts import contract_names, load_contract
from data_contracts.errors import SettingsError, WarehouseError
from data_contracts.settings import Publish
from pipelines.publish.published_tables import PUBLISHED_SCHEMAS
from pipelines.publish.run_record import KILLED, begin_run, finish_run
from pipelines.publish.snapshot import publish_snapshot
from pipelines.publish.snapshot_files import earlier_snapshots
from pipelines.run import RunContext
from resources.home import Home
from resources.warehouse import Warehouse

spec = importlib.util.spec_from_file_location("publisher", Path(__file__).with_name("publisher.py"))
publisher = importlib.util.module_from_spec(spec)
spec.loader.exec_module(publisher)


def run_of(run_id: str) -> RunContext:
    return RunContext(run_id, "full", datetime.now(UTC), settings_hash="abc")


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path / "home")
    made.prepare()
    return made


@pytest.fixture
def con(home):
    with Warehouse(home.warehouse).connect() as connection:
        publisher.fill(connection, "r1", rows=20)
        yield connection


def snapshot(home: Home) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(home.published), read_only=True)


def test_every_table_with_its_rows_and_words(con, home):
    con.execute("ALTER TABLE salesforce.account ADD COLUMN Region__c VARCHAR")
    con.execute("COMMENT ON COLUMN salesforce.account.Region__c IS 'Sales region'")
    con.execute("CREATE TABLE salesforce.invoice__c AS SELECT '1' AS Id, 3 AS Amount__c")
    con.execute("CREATE TABLE salesforce._batch (a INTEGER)")
    con.execute("CREATE TABLE _state.watermark (a INTEGER)")
    result = publish_snapshot(con, home, Publish(), run_of("r1"))
    assert (result.path, result.rows, result.bytes) == (home.published, 41, home.published.stat().st_size)
    with snapshot(home) as published:
        tables = {
            f"{s}.{t}" for s, t in published.sql("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
        }
        assert tables == {*contract_names(), "salesforce.invoice__c", "main._meta"}
        schemas = {row[0] for row in published.sql("SELECT schema_name FROM duckdb_schemas()").fetchall()}
        assert schemas >= set(PUBLISHED_SCHEMAS)
        assert "_state" not in schemas
        told = published.sql(
            "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'account'"
        ).fetchall()
        account = load_contract("salesforce.account")
        assert dict(told).items() >= {c.name: c.description for c in account.columns}.items() | {
            ("Region__c", "Sales region")
        }
        assert published.sql(
            "SELECT count(*) FROM duckdb_columns() WHERE NOT internal AND comment IS NULL"
        ).fetchall() == [(0,)]
        assert published.sql("SELECT run_id, run_kind, settings_hash FROM _meta").fetchall() == [("r1", "full", "abc")]


def test_rows_are_those_of_the_warehouse(con, home):
    publish_snapshot(con, home, Publish(), run_of("r1"))
    query = "SELECT * FROM {}salesforce.contact EXCEPT ALL SELECT * FROM {}salesforce.contact"
    con.execute(f"ATTACH '{home.published}' AS p (READ_ONLY)")
    try:
        assert con.sql(query.format("", "p.")).fetchall() == con.sql(query.format("p.", "")).fetchall() == []
    finally:
        con.execute("DETACH p")


@pytest.mark.parametrize(("version", "number"), [("v1.5.0", 68), ("v1.0.0", 64)])
def test_storage_version_is_that_of_the_settings(con, home, version, number):
    publish_snapshot(con, home, Publish(storage_version=version), run_of("r1"))
    header = home.published.read_bytes()[8:20]
    assert (header[:4], int.from_bytes(header[4:], "little")) == (b"DUCK", number)


def test_a_promised_field_the_org_hides_is_an_empty_column(con, home):
    con.execute("ALTER TABLE salesforce.account DROP COLUMN Website")
    publish_snapshot(con, home, Publish(), run_of("r1"))
    with snapshot(home) as published:
        assert published.sql("SELECT count(*), count(Website) FROM salesforce.account").fetchall() == [(20, 0)]


def test_schemas_and_columns_can_be_left_out(con, home):
    settings = Publish(schemas=("salesforce", "ops"), hidden_columns=("salesforce.contact.Email",))
    publish_snapshot(con, home, settings, run_of("r1"))
    with snapshot(home) as published:
        schemas = {row[0] for row in published.sql("SELECT DISTINCT schema_name FROM duckdb_tables()").fetchall()}
        columns = {row[0] for row in published.sql("SELECT column_name FROM (DESCRIBE salesforce.contact)").fetchall()}
    assert schemas == {"salesforce", "ops", "main"}
    assert "Email" not in columns
    assert "LastName" in columns


def test_masking_hides_personal_values_and_keeps_joins(con, home):
    con.execute("ALTER TABLE salesforce.contact ADD COLUMN Nickname__c VARCHAR")
    con.execute("ALTER TABLE salesforce.account ADD COLUMN Region__c VARCHAR")
    con.execute(
        "UPDATE salesforce.contact SET LastName = 'Muster', Email = Id, Nickname__c = 'Susi', Birthdate = '1990-01-02'"
    )
    con.execute("UPDATE salesforce.account SET Region__c = 'EMEA'")
    seen = []
    for run_id in ("r1", "r2"):
        publish_snapshot(con, home, Publish(mask_personal=True), run_of(run_id))
        with snapshot(home) as published:
            seen.append(
                published.sql(
                    "SELECT Id, LastName, Email, Nickname__c, Birthdate FROM salesforce.contact ORDER BY Id"
                ).fetchall()
            )
            assert published.sql("SELECT DISTINCT Region__c FROM salesforce.account").fetchall() == [("EMEA",)]
    assert seen[0] == seen[1]
    assert {len(str(value)) for row in seen[0] for value in row[1:]} == {32}
    assert len({row[1] for row in seen[0]}) == 1
    assert len({row[2] for row in seen[0]}) == 20
    content = home.published.read_bytes()
    assert b"Muster" not in content
    assert b"Susi" not in content
    assert (home.root / "masking.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        (Publish(schemas=("salesforce", "crosswalks")), "did you mean 'crosswalk'"),
        (Publish(hidden_columns=("salesforce.contact.Emial",)), r"did you mean 'salesforce\.contact\.Email'"),
        (Publish(storage_version="v7"), "storage_version: 'v7'"),
    ],
)
def test_settings_that_name_nothing_are_refused_and_the_last_snapshot_stays(con, home, settings, match):
    publish_snapshot(con, home, Publish(), run_of("r1"))
    with pytest.raises(SettingsError) as raised:
        publish_snapshot(con, home, settings, run_of("r2"))
    assert match.replace("\\", "") in str(raised.value)
    with snapshot(home) as published:
        assert published.sql("SELECT run_id FROM _meta").fetchall() == [("r1",)]
    assert [path.name for path in home.published.parent.iterdir()] == ["analytics.duckdb"]
    publish_snapshot(con, home, Publish(), run_of("r3"))


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        ("DELETE FROM salesforce.contact WHERE Name = 'x3'", "salesforce.contact has another number of rows"),
        ("UPDATE _meta SET run_id = 'other'", "names another run"),
        ("COMMENT ON COLUMN ops.sync_run.kind IS NULL", "sync_run.kind has no description"),
    ],
)
def test_a_draft_that_is_not_what_was_written_never_takes_the_place(con, home, damage, match):
    publish_snapshot(con, home, Publish(), run_of("r1"))

    def tamper(stage: str) -> None:
        if stage == "built":
            with duckdb.connect(str(next(home.published.parent.glob("*.tmp")))) as draft:
                draft.execute(damage)

    with pytest.raises(WarehouseError, match=match):
        publish_snapshot(con, home, Publish(), run_of("r2"), on_stage=tamper)
    with snapshot(home) as published:
        assert published.sql("SELECT run_id FROM _meta").fetchall() == [("r1",)]
    assert [path.name for path in home.published.parent.iterdir()] == ["analytics.duckdb"]


def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_left_attached(con, home):
    home.published.parent.rmdir()
    home.published.parent.write_text("a file where the folder should be")
    with pytest.raises(WarehouseError, match="could not be written"):
        publish_snapshot(con, home, Publish(), run_of("r1"))
    home.published.parent.unlink()
    assert publish_snapshot(con, home, Publish(), run_of("r1")).rows == 40


def test_a_disk_that_fills_up_leaves_the_last_snapshot_and_a_sound_warehouse(con, home):
    publish_snapshot(con, home, Publish(), run_of("r1"))
    con.execute("CHECKPOINT")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(WarehouseError, match="could not be written"):
            publish_snapshot(con, home, Publish(), run_of("r2"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in home.published.parent.iterdir()] == ["analytics.duckdb"]
    publish_snapshot(con, home, Publish(), run_of("r3"))
    with snapshot(home) as published:
        assert published.sql("SELECT run_id FROM _meta").fetchall() == [("r3",)]


def test_earlier_snapshots_are_kept_as_many_as_asked_for(con, home):
    (home.published.parent / "analytics.dead.tmp").write_text("half")
    (home.published.parent / "analytics.dead.tmp.wal").write_text("half")
    for run_id in ("r1", "r2", "r3", "r4"):
        publish_snapshot(con, home, Publish(keep=2), run_of(run_id))
    kept = []
    for path in earlier_snapshots(home):
        with duckdb.connect(str(path), read_only=True) as earlier:
            kept.append(earlier.sql("SELECT run_id FROM _meta").fetchall()[0][0])
    assert kept == ["r3", "r2"]
    assert len(list(home.root.rglob("analytics.duckdb"))) == 1
    assert list(home.published.parent.glob("*.tmp*")) == []
    publish_snapshot(con, home, Publish(keep=0), run_of("r5"))
    assert earlier_snapshots(home) == []


def test_run_records_tell_running_ended_and_killed_apart(con, home):
    assert begin_run(con, run_of("r1"), org_id="00D", window="20:00-06:00") == 0
    assert begin_run(con, run_of("r2")) == 1
    finish_run(con, run_of("r2"), "paused", "window closed")
    assert begin_run(con, run_of("r2")) == 0
    publish_snapshot(con, home, Publish(), run_of("r2"))
    query = "SELECT run_id, status, message, ended_at >= started_at, org_id FROM {} ORDER BY run_id"
    killed = ("r1", "failed", KILLED, True, "00D")
    assert con.sql(query.format("ops.sync_run")).fetchall() == [killed, ("r2", "running", None, None, None)]
    with snapshot(home) as published:
        assert published.sql(query.format("ops.sync_run")).fetchall() == [killed, ("r2", "succeeded", None, True, None)]
    finish_run(con, run_of("r2"), "failed", "org down")
    assert con.sql(query.format("ops.sync_run")).fetchall()[1] == ("r2", "failed", "org down", True, None)
    # Dagster's "Re-execute from failure" begins behind the step that begins the run.
    publish_snapshot(con, home, Publish(), run_of("r2"))
    with snapshot(home) as published:
        assert published.sql(query.format("ops.sync_run")).fetchall()[1] == ("r2", "succeeded", None, True, None)
