"""What is asked of the imports from outside: import again, and proposals as files."""

import csv
import json
import stat
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from data_contracts.errors import CrosswalkError, SettingsError, WarehouseError
from data_contracts.settings import Settings
from pipelines.imports import build_creation_proposals, build_imports
from pipelines.imports.proposal_files import publish_proposals
from pipelines.imports.reimport import asked_again, close_reimports, full_id, note_reimports
from resources.decisions import DecisionStore
from resources.decisions_reimports import reimports_of, waiting_reimports
from resources.home import Home
from tests.integration.imports.conftest import run
from tests.support.org_tables import put_crosswalk, put_salesforce, run_context, warehouse

pytestmark = pytest.mark.usefixtures("home")

RECORD = "001000000000001AAA"


def _propose(home: Home, status: str = "proposed") -> None:
    """A warehouse with one proposal."""
    with warehouse(home.root) as con:
        put_salesforce(con, "account", [{"Id": RECORD, "Name": "Acme", "Website": "acme.test"}])
        put_crosswalk(con, "account", {RECORD: None})
        build_imports(con, "account", Settings(), run_context())
        build_creation_proposals(con, "account", Settings(), run_context())
        con.execute("UPDATE imports.creation_proposal SET status = ?", [status])


def _publish(home: Home) -> None:
    """A snapshot of nothing but the proposals."""
    with duckdb.connect(str(home.published)) as con:
        con.execute(f"ATTACH '{home.warehouse}' AS w (READ_ONLY); CREATE SCHEMA imports")
        con.execute("CREATE TABLE imports.creation_proposal AS FROM w.imports.creation_proposal")


@pytest.mark.parametrize(
    ("short", "whole"), [("001000000000001", RECORD), ("001A0000006Vm9r", "001A0000006Vm9rIAC"), (RECORD, RECORD)]
)
def test_an_id_has_eighteen_characters(short: str, whole: str):
    assert full_id(short) == whole


def test_a_wish_is_kept_once_until_a_run_has_published_it(home: Home):
    told = json.loads(run("reimport", "account", RECORD[:15], "--later", "--json").output)
    assert told == {"object": "account", "ids": [RECORD], "asked": 1}
    assert "asked for already" in run("reimport", "account", RECORD, "--later").output
    assert run("reimport", "lead", "--later").exit_code == 0
    with closing(DecisionStore(home.decisions_url)) as store, warehouse(home.root) as con:
        first = run_context("run-1")
        assert note_reimports(con, store, first, ["account", "lead"]) == {"account": (RECORD,), "lead": None}
        assert [asked_again(con, first, name) for name in ("account", "contact", "lead")] == [(RECORD,), (), None]
        # A run that failed did nothing: the next one takes the wishes up, those of its own objects.
        again = run_context("run-2")
        assert note_reimports(con, store, again, ["account"]) == {"account": (RECORD,)}
        assert close_reimports(con, store, again) == 1
        assert [wish.object for wish in waiting_reimports(store)] == ["lead"]
        (done,) = reimports_of(store, "account", RECORD)
        assert done.run_id == "run-2"
        assert note_reimports(con, store, run_context("run-3"), ["account"]) == {}


def test_many_records_are_read_as_a_whole_object(home: Home):
    ids = [f"001{number:012d}" for number in range(201)]
    assert run("reimport", "account", *ids, "--later").exit_code == 0
    with closing(DecisionStore(home.decisions_url)) as store, warehouse(home.root) as con:
        assert note_reimports(con, store, run_context(), ["account"]) == {"account": None}


def test_what_cannot_be_imported_again_is_refused(tmp_path: Path, home: Home):
    assert isinstance(run("reimport", "account", "1; DROP", "--later").exception, SettingsError)
    assert isinstance(run("reimport", "everything", RECORD, "--later").exception, SettingsError)
    (tmp_path / "crosswalk.yaml").write_text("objects:\n  lead: {enabled: false}\n")
    refused = run("reimport", "lead", "--later").exception
    assert "crosswalk.yaml line 2" in str(refused)
    with closing(DecisionStore(home.decisions_url)) as store:
        assert waiting_reimports(store) == ()


def test_proposals_are_exported_as_csv_and_parquet(tmp_path: Path, home: Home):
    _propose(home)
    _publish(home)
    told = json.loads(run("proposals", "export", "all.csv", "--status", "all", "--json").output)
    assert told["proposals"] == 1
    (row,) = csv.DictReader((tmp_path / "all.csv").open())
    assert (row["salesforce_id"], row["name"], row["status"]) == (RECORD, "Acme", "proposed")
    assert stat.S_IMODE((tmp_path / "all.csv").stat().st_mode) == 0o600
    assert "0 proposals (accepted) in some.parquet" in run("proposals", "export", "some.parquet").output
    assert duckdb.sql(f"SELECT count(*) FROM '{tmp_path / 'some.parquet'}'").fetchall() == [(0,)]
    for file in ("all.txt", "nowhere/all.csv"):
        assert isinstance(run("proposals", "export", file).exception, CrosswalkError)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.csv", "home", "some.parquet"]


def test_where_the_snapshot_is_masked_the_export_has_the_real_values(tmp_path: Path, home: Home):
    (tmp_path / "crosswalk.yaml").write_text("publish: {mask_personal: true}\n")
    assert isinstance(run("proposals", "export", "a.csv").exception, WarehouseError)
    _propose(home, "accepted")
    assert "1 proposals (accepted)" in run("proposals", "export", "a.csv").output
    assert "Acme" in (tmp_path / "a.csv").read_text()


def test_the_files_beside_the_snapshot_hold_what_it_holds(home: Home):
    _propose(home)
    _publish(home)
    assert publish_proposals(home.published) == 1
    files = [home.published.with_name(f"creation_proposal.{form}") for form in ("csv", "parquet")]
    assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o644, 0o644]
    assert duckdb.sql(f"SELECT name FROM '{files[1]}'").fetchall() == [("Acme",)]
    with duckdb.connect(str(home.published)) as con:
        con.execute("DROP TABLE imports.creation_proposal")
    assert publish_proposals(home.published) is None
    assert not any(path.exists() for path in files)
