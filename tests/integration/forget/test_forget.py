"""A person is forgotten: planted values are in no byte and no cell of the home, and what others have stays."""

import gzip
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from apps.cli.forget import command
from data_contracts.contracts import load_contract
from data_contracts.settings import Publish
from pipelines.forget_proof import prove
from pipelines.forget_subject import Subject
from pipelines.publish.parquet import export_parquet
from pipelines.publish.snapshot import publish_snapshot
from pipelines.run import RunContext
from resources.decisions import DecisionStore, Evidence
from resources.decisions_bulk import begin_bulk
from resources.decisions_creations import Creation, decide_creation
from resources.home import Home
from resources.landing import LandingFolder
from tests.support.decision_database import fresh_database
from tests.support.landed import land
from tests.support.org_tables import put, put_salesforce, warehouse

KEY, LOSER, LEAD = "003000000000001AAA", "003000000000002AAB", "00Q000000000001AAC"
OTHER = "003000000000009AAD"
#: Values only this person has: now, before a merge, as a lead, in an older snapshot, in evidence only.
CANARIES = (
    *("Zoltanbergqvist", "zoltan.b@canary.example", "+4799887766", "Oldzoltanname", "lead.zoltan@canary.example"),
    *("Earlierzoltan@canary.example", "Evidencezoltan", "Kanarigata 17"),
)
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def run_of(name: str) -> RunContext:
    return RunContext(name, "full", datetime.now(UTC), "s")


def contact(key: str, last: str, email: str, **more: Any) -> dict[str, Any]:
    return {"Id": key, "FirstName": "Anna", "LastName": last, "Email": email, "MailingCity": "Bergen", **more}


def put_rows(con: duckdb.DuckDBPyConnection, name: str, *rows: dict[str, Any]) -> None:
    """A table as its contract promises it, with something in every column that is always filled."""
    blank = {"VARCHAR": "x", "TIMESTAMP": DAY.replace(tzinfo=None), "BOOLEAN": False, "INTEGER": 1, "BIGINT": 1}
    columns = load_contract(name).columns
    filled = {column.name: blank.get(column.type) for column in columns if column.required or column.primary_key}
    put(con, name, [filled | row for row in rows], {column.name: column.type for column in columns})


def fill(con: duckdb.DuckDBPyConnection, email: str) -> None:
    """The warehouse of an org with this person, and another one of the same first name and city."""
    person = contact(KEY, CANARIES[0], email, Phone=CANARIES[2], MailingStreet=CANARIES[7])
    loser = contact(LOSER, CANARIES[3], "old@canary.example", MasterRecordId=KEY, _is_deleted=True)
    put_salesforce(con, "contact", [person, loser, contact(OTHER, "Savannah", "other@else.example")])
    lead = {"Id": LEAD, "LastName": CANARIES[0], "Email": CANARIES[4], "ConvertedContactId": KEY}
    put_salesforce(con, "lead", [lead])
    told = {"Description": f"ask {CANARIES[1]} first"}
    put_salesforce(
        con, "task", [{"Id": "00T1", "WhoId": KEY, "Subject": f"Call {CANARIES[0]}"}, {"Id": "00T2", **told}]
    )
    clean = {"salesforce_id": KEY, "last_name_clean": CANARIES[0].lower(), "name_tokens": [CANARIES[0].lower()]}
    other = {"salesforce_id": OTHER, "last_name_clean": "savannah", "name_tokens": ["anna", "savannah"]}
    put_rows(con, "standard.contact", clean, other)
    about = {"salesforce_id": KEY, "reference_id": "P1", "object": "contact", "status": "linked"}
    for name, mine, theirs in (
        ("crosswalk.contact", {}, {}),
        ("match.contact_candidate", {"block_keys": [f"name:{CANARIES[0].lower()}"]}, {"block_keys": ["name:savannah"]}),
        ("ops.link_history", {}, {}),
        ("imports.value", {"value": CANARIES[1]}, {"value": "Bergen"}),
    ):
        promised = load_contract(name).column_types()
        rows = [about | mine, about | theirs | {"salesforce_id": OTHER}]
        put_rows(con, name, *({key: value for key, value in row.items() if key in promised} for row in rows))
    types = dict.fromkeys(("reference_id", "email"), "VARCHAR")
    put(con, "imports.person", [{"reference_id": "P1", "email": CANARIES[1]}], types)
    put_rows(con, "ops.record_event", {"salesforce_id": OTHER, "related_ids": [KEY, OTHER], "related_id": KEY})
    con.execute("CREATE TABLE IF NOT EXISTS _state.contact_kept_record AS SELECT 1 AS n, ? AS id", [KEY])


def decide(url: str) -> None:
    store = DecisionStore(url)
    evidence = Evidence("h", json.dumps({"raw": {"x": CANARIES[6], "y": "Anna"}}), json.dumps({"raw": {"x": "E"}}))
    store.record(
        "contact", KEY, "P1", "positive", decided_by="ingrid", reason=f"{CANARIES[0]} it is", evidence=evidence
    )
    store.record("contact", OTHER, "P2", "negative", decided_by="ingrid", reason=f"not {CANARIES[1]}")
    begin_bulk(store, "ingrid", "contact", 0.9, 2, [(KEY, "P1"), (OTHER, "P2")], "r1")
    made = Creation("lead", LEAD, "person", "made-1", "accepted", {"last_name": CANARIES[0]}, None, "ingrid", DAY)
    decide_creation(store, made, 0, None)
    store.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with the person in every place where Crosswalk keeps anything."""
    made = Home(tmp_path / "home")
    made.prepare()
    monkeypatch.setenv("CROSSWALK_HOME", str(made.root))
    monkeypatch.setenv("CROSSWALK_CONFIG", str(tmp_path / "none.yaml"))
    (tmp_path / "none.yaml").write_text("publish: {keep: 3}\n")
    with warehouse(made.root) as con:
        fill(con, CANARIES[5])
        publish_snapshot(con, made, Publish(schemas=("salesforce", "ops")), run_of("r1"))
        fill(con, CANARIES[1])
        publish_snapshot(con, made, Publish(schemas=("salesforce", "ops")), run_of("r2"))
    export_parquet(made)
    (made.published.parent / "creation_proposal.csv").write_text(f"name\n{CANARIES[0]}\n")
    decide(made.decisions_url)
    header = "Id,LastName\n"
    loaded = land(made.landing, "contact", header + f"{KEY},{CANARIES[0]}\n{OTHER},Savannah\n", packed=True)
    loaded.mark_loaded(DAY)
    land(made.landing, "account", "Id,LastName\n001,Acme\n")
    (made.landing / "plan-x.json").write_text(json.dumps({"ids": [KEY[:15]]}))
    statistics = made.models / "contact-1.statistics"
    statistics.mkdir()
    with duckdb.connect() as con:
        values = f"VALUES ('{CANARIES[0].lower()}', 1.0), ('savannah', 0.5)"
        con.execute(f"COPY (FROM ({values}) AS t(value, weight)) TO '{statistics}/_rare_last.parquet' (FORMAT parquet)")
        con.execute(f"COPY (SELECT '{CANARIES[1]}' AS mail) TO '{made.published.parent}/p.parquet' (FORMAT parquet)")
    logs = made.dagster / "storage" / "run" / "compute_logs"
    logs.mkdir(parents=True)
    (logs / "a.err").write_text(f"saw {CANARIES[0]}")
    archive = made.root / "archive" / "00D-1"
    archive.mkdir(parents=True)
    shutil.copy(made.warehouse, archive / "warehouse.duckdb")
    shutil.copy(made.root / "decisions.db", archive / "decisions.db")
    (made.published.parent / "analytics.dead.tmp").write_bytes(b"half " + CANARIES[2].encode())
    return made


def everything(home: Home) -> Iterator[tuple[Path, str]]:
    """Every text of every file, unpacked: bytes, and what tables show. Independent of the code that proves it."""
    for path in sorted(home.root.rglob("*")):
        if not path.is_file():
            continue
        data = path.read_bytes()
        yield path, data.decode("latin-1")
        if path.suffix == ".gz":
            yield path, gzip.decompress(data).decode("latin-1")
        if path.suffix == ".parquet":
            yield path, str(duckdb.sql(f"FROM '{path}'").fetchall())
        if path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as con:
                names = con.sql("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
                for schema, table in names:
                    yield path, str(con.sql(f'FROM "{schema}"."{table}"').fetchall())


def found(home: Home) -> set[tuple[str, str]]:
    needles = (*CANARIES, KEY[:15], LOSER[:15], LEAD[:15])
    return {
        (path.name, needle) for path, text in everything(home) for needle in needles if needle.lower() in text.lower()
    }


def test_nothing_of_the_person_is_left_and_others_stay_as_they_were(home: Home) -> None:
    assert {needle for _, needle in found(home)} == {*CANARIES, KEY[:15], LOSER[:15], LEAD[:15]}
    done = CliRunner().invoke(command, ["contact", KEY[:15], "--yes", "--json"], catch_exceptions=False)
    told = json.loads(done.output)
    assert found(home) == set()
    assert told["proof"]["left"] == []
    assert told["ids"] == {"contact": sorted([KEY, LOSER]), "lead": [LEAD]}
    assert told["linked"] == {"person": ["P1"]}
    assert {"salesforce.contact", "crosswalk_decision", "crosswalk_creation", "match.contact_candidate"} <= {
        *told["rows"]
    }
    assert told["shared"] >= 2  # the first name and the city are also those of somebody else
    assert not any(canary.lower() in done.output.lower() for canary in CANARIES)
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        kept = con.sql("SELECT Id, FirstName, LastName, MailingCity FROM salesforce.contact").fetchall()
        assert kept == [(OTHER, "Anna", "Savannah", "Bergen")]
        tasks = con.sql("SELECT Id, WhoId, Subject, Description FROM salesforce.task ORDER BY Id").fetchall()
        assert tasks == [("00T1", None, None, None), ("00T2", None, None, "ask [erased] first")]
        assert con.sql("SELECT salesforce_id, value FROM imports.value").fetchall() == [(OTHER, "Bergen")]
        assert con.sql("SELECT related_ids, related_id FROM ops.record_event").fetchall() == [([OTHER], None)]
    with duckdb.connect(str(home.published), read_only=True) as con:
        assert con.sql("SELECT run_id FROM _meta").fetchall() == [("r2",)]
        assert con.sql("SELECT count(*) FROM duckdb_columns() WHERE NOT internal AND comment IS NULL").fetchall() == [
            (0,)
        ]
        assert con.sql("SELECT tags['storage_version'] FROM duckdb_databases() WHERE NOT internal").fetchall() == [
            ("v1.5.0+",)
        ]
    store = DecisionStore(home.decisions_url)
    assert [(item.salesforce_id, item.reason) for item in store.decisions()] == [(OTHER, "not [erased]")]
    store.close()
    assert duckdb.sql(f"FROM '{home.models}/contact-1.statistics/_rare_last.parquet'").fetchall() == [("savannah", 0.5)]
    assert [path.name for path in home.landing.glob("*/*")] == [
        LandingFolder.open(next(home.landing.glob("account/*"))).path.name
    ]


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh_database(request, tmp_path) as made:
        yield made


def in_tables(url: str) -> dict[str, set[str]]:
    """What of the person the files of our tables and the planner's samples hold, as the server itself reads them."""
    needles = (*CANARIES, KEY, LOSER, LEAD)
    files = "SELECT relname, pg_read_binary_file(pg_relation_filepath(oid)) FROM pg_class "
    files += (
        "WHERE relkind IN ('r', 'i', 't') AND (relname LIKE 'crosswalk_%' OR relnamespace = 'pg_toast'::regnamespace)"
    )
    samples = "SELECT 'samples', convert_to(string_agg(s::text, ' '), 'UTF8') FROM pg_stats AS s "
    samples += "WHERE tablename LIKE 'crosswalk_%'"
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("CHECKPOINT"))
        read = [*connection.execute(sa.text(files)), *connection.execute(sa.text(samples))]
    engine.dispose()
    texts = {name: bytes(data or b"").decode("latin-1").lower() for name, data in read}
    found = {name: {needle for needle in needles if needle.lower() in text} for name, text in texts.items()}
    return {name: held for name, held in found.items() if held}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_decisions_in_postgresql_forget_the_person_too(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    monkeypatch.setenv("CROSSWALK_HOME", str(home.root))
    monkeypatch.setenv("CROSSWALK_CONFIG", str(tmp_path / "none.yaml"))
    monkeypatch.setenv("CROSSWALK_DATABASE_URL", database)
    (tmp_path / "none.yaml").write_text("{}\n")
    with warehouse(home.root) as con:
        person = contact(KEY, CANARIES[0], CANARIES[1], Phone=CANARIES[2], MailingStreet=CANARIES[7])
        put_salesforce(con, "contact", [person, contact(OTHER, "Savannah", "other@else.example")])
        put_salesforce(con, "lead", [{"Id": LEAD, "LastName": CANARIES[0], "ConvertedContactId": KEY}])
    decide(database)
    store = DecisionStore(database)
    with store.begin() as connection:
        connection.execute(sa.text("ANALYZE"))
    held = in_tables(database)
    assert {"crosswalk_decision", "crosswalk_creation", "crosswalk_bulk", "samples"} <= held.keys()
    done = CliRunner().invoke(command, ["contact", KEY, "--yes", "--json"], catch_exceptions=False)
    assert {"crosswalk_decision", "crosswalk_creation", "crosswalk_bulk"} <= json.loads(done.output)["rows"].keys()
    assert in_tables(database) == {}
    assert [(item.salesforce_id, item.reason) for item in store.decisions()] == [(OTHER, "not [erased]")]
    store.close()


def test_what_a_program_of_others_left_in_the_home_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (tmp_path / "notes.txt").write_text(f"{CANARIES[1].upper()} called")
    (tmp_path / "other.gz").write_bytes(gzip.compress(b"x" * 2_000_000 + KEY[:15].encode()))
    (tmp_path / "harmless.txt").write_text("Savannah")
    proof = prove(home, Subject(ids={"contact": {KEY}}, values={CANARIES[1]}))
    assert proof.left == ("notes.txt", "other.gz")
    assert (proof.files, proof.holds) == (3, False)
