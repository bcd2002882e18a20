"""Whatever is wrong: a message an admin understands, an exit code that is not 0, and the last snapshot as it was.

The command line runs in this process; Dagster's bookkeeping, which is not the subject, stays in memory.
"""

import csv
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from apps.cli.main import main
from apps.demo_org.launch import DemoOrg
from pipelines.extract import submit
from resources.home import Home
from resources.salesforce import RetryPolicy
from schedules import launch
from tests.support.installation import Installation
from tests.support.light_run import plain
from tests.support.org_forge import forked_demo_org

ROOT = Path(__file__).parents[2]
#: An id that no org gives: the contract asks for letters and digits.
BAD_ID = "00Q5g0000-broken-1"


@dataclass(frozen=True)
class Answer:
    """How a command ended and what it said on standard error."""

    code: int
    said: str


Command = Callable[..., Answer]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(autouse=True)
def untouched(installation: Installation, restored_environment: None) -> Iterator[None]:
    """After every test the settings and the environment are as before, and the snapshot byte for byte the same."""
    before, settings, environment = (
        digest(installation.home.published),
        installation.settings.read_text(),
        {**os.environ},
    )
    yield
    installation.settings.write_text(settings)
    os.environ.clear()
    os.environ.update(environment)
    assert digest(installation.home.published) == before
    assert list(installation.home.published.parent.glob("*.tmp*")) == []


@pytest.fixture
def crosswalk(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Command:
    """The command line, in this process, without waiting between tries."""

    @contextmanager
    def in_memory(_: Home) -> Iterator[dg.DagsterInstance]:
        with dg.DagsterInstance.ephemeral() as instance:
            yield instance

    def run(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["crosswalk", *arguments])
        with plain(), pytest.raises(SystemExit) as ended:
            main()
        told = capfd.readouterr()
        assert "Traceback" not in told.out + told.err
        assert '.py", line' not in told.out + told.err
        error = told.err.rpartition("Error: ")[2]
        assert error, told.err
        return Answer(int(ended.value.code or 0), error)

    monkeypatch.setattr(launch, "dagster_instance", in_memory)
    monkeypatch.setattr(RetryPolicy, "wait", lambda *_: None)
    return run


def refused(answer: Answer, *words: str) -> None:
    """The command failed, and its message has all of the words and says what to do next."""
    assert answer.code != 0
    assert [word for word in words if word not in answer.said] == [], answer.said
    assert "Next: " in answer.said or "Try " in answer.said


# --- settings ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("objects:\n  account: [daily\n", ["line ", "not YAML"]),
        ("objects:\n\taccount: {}\n", ["line 2", "tab"]),
        ("", ["holds no settings"]),
        ("objekts:\n  account: {}\n", ["line 1", "objekts", "did you mean objects?"]),
        ("objects:\n  account: {frequenzy: daily}\n", ["line 2", "frequenzy", "did you mean frequency?"]),
        ("objects:\n  account: {frequency: dayly}\n", ["objects.account.frequency", "dayly", "daily"]),
        ("limits:\n  memory: much\n", ["line 2", "limits.memory", "much"]),
        ("window:\n  time_zone: Mars/Olympus\n", ["line 2", "window.time_zone", "Mars/Olympus"]),
        ("matching:\n  thresholds: {link: 0.4, review: 0.8}\n", ["matching.thresholds", "0.8", "0.4"]),
        ("imports:\n  mapping:\n    account: {website: {}}\n", ["mapping.account.website", "blank mapping row"]),
    ],
    ids=["no yaml", "tab", "empty", "key", "inner key", "value", "memory", "time zone", "thresholds", "blank row"],
)  # fmt: skip
def test_settings_nobody_could_mean(
    crosswalk: Command, installation: Installation, text: str, words: list[str]
) -> None:
    installation.settings.write_text(text)
    refused(crosswalk("sync", "--full"), "crosswalk.yaml", *words)


def test_an_object_the_settings_do_not_have(crosswalk: Command) -> None:
    refused(crosswalk("sync", "--object", "acount"), "'acount'", "account")


def test_no_settings_file(crosswalk: Command, installation: Installation) -> None:
    os.environ["CROSSWALK_CONFIG"] = str(installation.folder / "nowhere.yaml")
    answer = crosswalk("sync", "--object", "user")
    refused(answer, "nowhere.yaml", "crosswalk init")
    assert answer.code == 1


def test_a_field_to_match_on_that_the_org_does_not_have(crosswalk: Command, installation: Installation) -> None:
    text = installation.settings.read_text().replace("Reference_Company_Id__c", "Refrence_Id__c")
    installation.settings.write_text(text)
    refused(crosswalk("sync", "--object", "account"), "Account.Refrence_Id__c", "crosswalk.yaml")


def test_the_switch_of_the_whole_integration(crosswalk: Command, installation: Installation) -> None:
    installation.settings.write_text("connection: {enabled: false}\n" + installation.settings.read_text())
    refused(crosswalk("sync"), "line 1, connection.enabled", "switched off", "connection.enabled: true")


# --- the org ----------------------------------------------------------------------------------------------------


def test_a_wrong_secret_in_a_process_of_its_own_leaves_no_secret_behind(
    installation: Installation, org: DemoOrg
) -> None:
    wrong = "wrong-secret-8d5f1c"
    done = in_process(installation, SALESFORCE_CLIENT_SECRET=wrong)
    assert done.returncode == 1
    assert "Next: " in done.stderr
    assert "SALESFORCE_CLIENT_SECRET" in done.stderr
    assert "Traceback" not in done.stderr
    for secret in (wrong, org.client_secret, org.access_token):
        assert secret not in done.stdout + done.stderr
        found = [
            path for path in installation.folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()
        ]
        assert found == []
    with duckdb.connect(str(installation.home.warehouse), read_only=True) as con:
        last = con.sql("SELECT status, message FROM ops.sync_run ORDER BY started_at DESC LIMIT 1").fetchall()
    assert last[0][0] == "failed"
    assert last[0][1]


def in_process(installation: Installation, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "apps.cli.main", "sync", "--object", "user"]
    env = {**os.environ, **installation.environ(), "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300)


def test_the_org_is_down(crosswalk: Command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    os.environ["SALESFORCE_INSTANCE_URL"] = f"https://localhost:{port}"
    refused(crosswalk("sync", "--object", "user"), f"localhost:{port}")


def test_variables_are_missing(crosswalk: Command) -> None:
    for name in ("SALESFORCE_CLIENT_SECRET", "SALESFORCE_CLIENT_ID"):
        del os.environ[name]
    refused(crosswalk("sync", "--object", "user"), "SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET")


def test_the_home_is_busy(crosswalk: Command, installation: Installation) -> None:
    before = runs_of(installation)
    code = (
        "import sys; from pathlib import Path; from resources.home import Home\n"
        "with Home(Path(sys.argv[1])).lock('a long run'): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(installation.home.root)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        refused(crosswalk("sync", "--object", "user"), "in use by a long run", str(holder.pid), "crosswalk status")
        holder.communicate("")
    assert runs_of(installation) == before, "a run that cannot be is not begun"


def runs_of(installation: Installation) -> int:
    """How many runs Dagster knows of."""
    with launch.dagster_instance(installation.home) as instance:
        return instance.get_runs_count()


# --- the org misbehaves -----------------------------------------------------------------------------------------


class FaultyOrg:
    """The same org, in which faults are scripted, and one lead has an id no org gives."""

    def __init__(self, server: DemoOrg, faults: Path, lead: dict[str, str]) -> None:
        self.server, self._faults, self.lead = server, faults, lead

    def script(self, *faults: dict[str, Any]) -> None:
        self._faults.write_text(json.dumps(faults))
        os.environ.update(self.server.environment())


@pytest.fixture(scope="module")
def faulty(org_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyOrg]:
    folder = tmp_path_factory.mktemp("faulty")
    data, faults = folder / "org", folder / "faults.json"
    shutil.copytree(org_files, data)
    with (data / "Lead.csv").open(newline="", encoding="utf-8") as file:
        leads = list(csv.DictReader(file))
    with (data / "Lead.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, leads[0].keys())
        writer.writeheader()
        writer.writerows([{**leads[0], "Id": BAD_ID}, *leads[1:]])
    faults.write_text("[]")
    with forked_demo_org(data, faults=faults) as server:
        yield FaultyOrg(server, faults, leads[0])


def test_another_org(crosswalk: Command, faulty: FaultyOrg, org: DemoOrg, installation: Installation) -> None:
    body = {"organization_id": "00D000000000002AAA", "user_id": "005000000000001AAA", "preferred_username": "a@b.c"}
    faulty.script({"action": "status", "status": 200, "body": body, "match": {"path": "userinfo"}})
    with duckdb.connect(str(installation.home.warehouse), read_only=True) as con:
        described = con.sql("FROM salesforce.field ORDER BY ALL").fetchall()
    refused(crosswalk("sync", "--object", "user"), "00D000000000002AAA", org.org_id, "CROSSWALK_HOME")
    with duckdb.connect(str(installation.home.warehouse), read_only=True) as con:
        assert con.sql("FROM salesforce.field ORDER BY ALL").fetchall() == described


def test_the_quota_is_used_up(crosswalk: Command, faulty: FaultyOrg, installation: Installation) -> None:
    """Nothing is wrong, so nothing fails: the run is paused, and the exit code says to try again later."""
    installation.settings.write_text(installation.settings.read_text() + "limits: {api: {wait_minutes: 0}}\n")
    faulty.script({"action": "quota_exhausted", "match": {"path": "/services/data"}})
    answer = crosswalk("sync", "--object", "user")
    refused(answer, "REQUEST_LIMIT_EXCEEDED", "paused", "limits.api.pause_at")
    assert answer.code == 75
    with duckdb.connect(str(installation.home.warehouse), read_only=True) as con:
        last = con.sql("SELECT status, message FROM ops.sync_run ORDER BY started_at DESC LIMIT 1").fetchall()
    assert last[0][0] == "paused"
    assert "REQUEST_LIMIT_EXCEEDED" in last[0][1]


def test_everything_wrong_with_extraction_is_told_at_once(
    crosswalk: Command, faulty: FaultyOrg, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One object over its cap, one that arrives empty though the org counts it, one whose Bulk job fails."""
    monkeypatch.setattr(submit, "REST_ROWS", -1)
    faulty.script(
        {"action": "job_failed", "message": "InvalidBatch: too hot", "match": {"object": "Account"}},
        {"action": "empty_result", "match": {"object": "Lead", "method": "POST"}},
    )
    installation.settings.write_text(installation.settings.read_text() + "limits: {records: {contact: 5}}\n")
    rows = table_sizes(installation, "account", "contact", "lead")
    answer = crosswalk("sync", "--object", "account", "--object", "contact", "--object", "lead")
    refused(answer, "InvalidBatch: too hot", "limits.records.contact", "Lead arrived empty")
    assert table_sizes(installation, "account", "contact", "lead") == rows
    with duckdb.connect(str(installation.home.warehouse), read_only=True) as con:
        runs = "FROM ops.run_statistics WHERE object = 'contact' ORDER BY started_at DESC"
        told = con.sql(f"SELECT reason, over_limit, eligible {runs} LIMIT 1").fetchall()
    assert told[0][0].startswith("refused: contact has ")
    assert told[0][1] == told[0][2] - 5 > 0


def table_sizes(installation: Installation, *names: str) -> list[int]:
    with duckdb.connect(str(installation.home.warehouse), read_only=True) as con:
        return [con.sql(f"SELECT count(*) FROM salesforce.{name}").fetchall()[0][0] for name in names]


def test_a_broken_contract_names_rule_rows_and_ids_and_no_person(crosswalk: Command, faulty: FaultyOrg) -> None:
    faulty.script()
    answer = crosswalk("sync", "--object", "lead")
    refused(answer, "salesforce.lead", "id_format", "1 of ", BAD_ID)
    for name in ("LastName", "Email", "Phone"):
        assert not faulty.lead[name] or faulty.lead[name] not in answer.said


# --- the reference ----------------------------------------------------------------------------------------------

HEADER = {"company": b"company_id,name", "person": b"person_id,last_name"}


@pytest.mark.parametrize(
    ("company", "person", "words"),
    [
        (None, b"number,last_name\n1,Doe\n", [["company.csv", "does not exist"], ["person.csv", "person_id"]]),
        (
            HEADER["company"] + b"\nC1,One\nC2,Two\nC1,Three\n",
            HEADER["person"] + b"\nP1,M\xfcller\n",
            [["company.csv", "more than one row", "C1"], ["person.csv", "UTF-8", "line 2"]],
        ),
    ],
    ids=["missing, no id", "duplicate ids, not UTF-8"],
)
def test_reference_files(
    crosswalk: Command,
    installation: Installation,
    tmp_path: Path,
    company: bytes | None,
    person: bytes,
    words: list[list[str]],
) -> None:
    """Two wrong files at a time: each is told. Every way to be wrong is in tests/integration/reference."""
    for name, data in {"company": company, "person": person}.items():
        if data is not None:
            (tmp_path / f"{name}.csv").write_bytes(data)
    text = re.sub(r"\S+/reference/(\w+\.csv)", rf"{tmp_path}/\1", installation.settings.read_text())
    installation.settings.write_text(text)
    answer = crosswalk("sync", "--object", "user")
    refused(answer, *(word for group in words for word in group))
    assert "ller" not in answer.said
    assert "Doe" not in answer.said
