"""A whole run under the eyes of an analyst: an object is empty now, a person was forgotten; what it leaves behind."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from apps.cli.forget import command as forget_command
from apps.demo_org.launch import DemoOrg
from pipelines.forget_proof import prove
from pipelines.forget_subject import Subject
from schedules.launch import RunOutcome
from tests.support.installation import Installation

ROOT = Path(__file__).parents[2]
NO_LEADS = """
  lead:
    selection: {mode: condition, condition: "LastName = 'Nobody is called this'"}
"""
#: What a sync may send besides GET: asking for a token, and creating, aborting or deleting a query job.
READING = re.compile(r"^/services/(oauth2/token|data/v\d+\.\d/jobs/query(/\w+)?)$")


@dataclass(frozen=True)
class Watched:
    """A run and what the analyst saw in its course."""

    outcome: RunOutcome
    report: dict[str, Any]
    output: str
    #: A contact whom the org still has, and who was forgotten before the run.
    forgotten: str


def forget_somebody(installation: Installation) -> str:
    """Forget a linked contact who is nobody else besides, by the command, and return the id."""
    with duckdb.connect(str(installation.home.published), read_only=True) as con:
        (somebody,) = con.sql(
            "SELECT c.salesforce_id FROM crosswalk.contact AS c "
            'JOIN salesforce.contact AS s ON s."Id" = c.salesforce_id '
            "WHERE c.status = 'linked' AND NOT s.\"IsPersonAccount\" AND c.salesforce_id NOT IN "
            '(SELECT "ConvertedContactId" FROM salesforce.lead WHERE "ConvertedContactId" IS NOT NULL) '
            "ORDER BY 1 LIMIT 1"
        ).fetchall()[0]
    installation.activate()
    done = CliRunner().invoke(forget_command, ["contact", somebody, "--yes", "--json"], catch_exceptions=False)
    assert json.loads(done.output)["proof"]["left"] == []
    return str(somebody)


@pytest.fixture(scope="module")
def watched(installation: Installation) -> Watched:
    forgotten = forget_somebody(installation)
    text = installation.settings.read_text()
    installation.settings.write_text(text.replace("reference:", f"{NO_LEADS.strip(chr(10))}\nreference:", 1))
    analyst = subprocess.Popen(
        [sys.executable, "-m", "tests.support.analyst", str(installation.home.published)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with analyst:
        assert analyst.stdout is not None
        assert analyst.stdout.readline() == "open\n"
        outcome = installation.sync()
        told, errors = analyst.communicate("stop\n", timeout=60)
    assert analyst.returncode == 0, errors
    return Watched(outcome, json.loads(told), errors, forgotten)


def test_the_run_succeeds_while_somebody_reads(watched: Watched) -> None:
    assert watched.outcome.success, watched.outcome.failures
    assert watched.report["queries"] > 5


def test_the_analyst_sees_the_old_state_or_the_new_one_and_nothing_between(
    watched: Watched, first_sync: Any, installation: Installation
) -> None:
    first, seen = watched.report["first"], watched.report["seen"]
    assert first[0] == first_sync.outcome.run_id
    assert seen[0] == first
    assert [row[0] for row in seen] in ([first[0]], [first[0], watched.outcome.run_id])
    for _, accounts, leads, runs, told, apart in seen:
        assert accounts == first[1]
        assert runs == 1
        assert leads == told
        assert apart == 0


def test_an_object_that_counts_nothing_syncs_as_empty(watched: Watched, installation: Installation) -> None:
    with duckdb.connect(str(installation.home.published), read_only=True) as con:
        live = con.sql("SELECT count(*) FROM salesforce.lead WHERE NOT _is_deleted").fetchall()
        linked = con.sql("SELECT count(*) FROM crosswalk.lead WHERE status = 'linked'").fetchall()
        (row,) = con.execute(
            "SELECT eligible, removed > 0 FROM ops.run_statistics WHERE object = 'lead' AND run_id = ?",
            [watched.outcome.run_id],
        ).fetchall()
    assert (live, linked, row) == ([(0,)], [(0,)], (0, True))


def test_who_was_forgotten_does_not_come_back_with_a_whole_run(
    watched: Watched, installation: Installation, org_files: Path
) -> None:
    assert watched.forgotten[:15] in (org_files / "Contact.csv").read_text(), "the org goes on sending the record"
    for file in (installation.home.published, installation.home.warehouse):
        with duckdb.connect(str(file), read_only=True) as con:
            tables = con.sql("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
            holding = [
                f"{schema}.{table}"
                for schema, table in tables
                if con.execute(
                    f'SELECT count(*) FROM "{schema}"."{table}" AS t WHERE contains(t::VARCHAR, ?)',
                    [watched.forgotten[:15]],
                ).fetchall()
                != [(0,)]
            ]
            assert len(tables) > 40
        assert holding == []
    found = prove(installation.home, Subject(ids={"contact": {watched.forgotten}}))
    assert (found.left, found.files > 20) == ((), True)


def test_a_sync_only_reads_the_org(watched: Watched, request_log: Path) -> None:
    asked = [json.loads(line) for line in request_log.read_text().splitlines()]
    assert len(asked) > 50
    writing = [(item["method"], item["path"]) for item in asked if item["method"] not in ("GET", "HEAD")]
    assert [item for item in writing if not READING.match(item[1])] == []
    assert ("POST", "/services/oauth2/token") in writing


def test_no_secret_is_written_anywhere(watched: Watched, installation: Installation, org: DemoOrg) -> None:
    key = Path(org.private_key_file).read_text().splitlines()[1]
    secrets = [org.client_secret.encode(), org.access_token.encode(), key.encode()]
    files = [path for path in installation.folder.rglob("*") if path.is_file()]
    assert any("history" in str(path) for path in files), "Dagster's event log is not among the files"
    for path in files:
        data = path.read_bytes()
        assert [path for secret in secrets if secret in data] == []
        # A token of a session starts with the id of its org and an exclamation mark.
        assert re.search(rb"00D\w{12,15}!", data) is None, path
