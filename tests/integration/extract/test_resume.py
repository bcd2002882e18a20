"""kill -9 at any point, then the same command again: same tables, no job twice, no landed page twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from pipelines.extract import download_object, jobs, lists, load, submit
from resources import files
from resources.landing import LandingFolder, Manifest
from tests.integration.extract.conftest import ACCOUNTS
from tests.support.demo_org_client import Scripted
from tests.support.mirror import Mirror, settings_for

MakeMirror = Callable[..., Mirror]
ROOT = Path(__file__).parents[3]
OBJECTS = ("account", "contact")


@pytest.fixture(scope="module", autouse=True)
def _small_pages(scripted: Scripted) -> None:
    assert scripted.client("POST", "/__demo__/settings", json={"bulk_page_rows": 100}).status_code == 200


def _start(scripted: Scripted, home: Path, kind: str = "full") -> subprocess.Popen[bytes]:
    job = {"org": asdict(scripted.org), "home": str(home), "objects": OBJECTS, "kind": kind}
    command = [sys.executable, "-m", "tests.support.sync_worker", json.dumps(job)]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


def _manifests(home: Path) -> list[Manifest]:
    return [LandingFolder.open(path.parent).manifest for path in home.glob("landing/*/*/manifest.json")]


def _kill_when(process: subprocess.Popen[bytes], ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not ready():
        assert process.poll() is None, "the sync ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def _requests(log: list[dict[str, Any]], method: str, part: str) -> list[dict[str, Any]]:
    return [entry for entry in log if entry["method"] == method and part in entry["path"]]


def test_killed_while_downloading(mirror: MakeMirror, scripted: Scripted, tmp_path: Path) -> None:
    landed = 5
    scripted.script({"action": "delay", "seconds": 0.1, "match": {"path": "/results$"}})
    home, seen = tmp_path / "killed", len(scripted.log())
    process = _start(scripted, home)
    _kill_when(
        process,
        lambda: any(len(m.pages) >= landed for m in _manifests(home) if m.object == "account"),
    )
    had = {page.locator for m in _manifests(home) if m.object == "account" for page in m.pages}
    assert len(had) >= landed
    at_kill = len(scripted.log())
    scripted.script()

    submit_rows, submit.REST_ROWS = submit.REST_ROWS, -1
    try:
        resumed = Mirror(scripted.org, home, settings_for(*OBJECTS))
        results = resumed.sync("full")
    finally:
        submit.REST_ROWS = submit_rows

    log = scripted.log()
    assert len(_requests(log[seen:], "POST", "/jobs/query")) == len(OBJECTS), "no job was created twice"
    account_job = next(m.job_id for m in _manifests(home) if m.object == "account")
    again = [
        entry["query"].get("locator", "")
        for entry in _requests(log[at_kill:], "GET", f"{account_job}/results")
        if entry["path"].endswith("/results")
    ]
    # A request in flight at the kill may be logged after it.
    assert not {locator for locator in again if again.count(locator) == 1} & had
    assert results["account"].live == ACCOUNTS
    whole = mirror(*OBJECTS, name="whole")
    whole.sync("full")
    select = 'SELECT * EXCLUDE (_synced_at, _run_id) FROM salesforce.account ORDER BY "Id"'
    assert resumed.rows(select) == whole.rows(select)


def test_killed_between_commit_and_manifest_is_not_loaded_twice(
    mirror: MakeMirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    m = mirror()
    run, plan = m.submit("full")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(LandingFolder, "mark_loaded", die)
    with pytest.raises(KeyboardInterrupt):
        m.finish(run, plan, "account")
    monkeypatch.undo()
    result = m.finish(run, plan, "account")
    assert result.new == ACCOUNTS, "the committed load's own figures, not those of a second one"
    assert m.one("SELECT count(*) FROM _state.load_result") == 1


def test_an_interrupted_load_leaves_the_last_table(mirror: MakeMirror, monkeypatch: pytest.MonkeyPatch) -> None:
    m = mirror()
    m.sync("full")
    before = m.rows("SELECT * FROM salesforce.account ORDER BY ALL")
    run, plan = m.submit("full")
    for step in ("read_pages", "note_changes", "swap", "_record"):
        real = getattr(load, step)

        def die(*arguments: Any, real: Callable[..., Any] = real) -> None:
            real(*arguments)
            raise KeyboardInterrupt

        with monkeypatch.context() as dying:
            dying.setattr(load, step, die)
            with pytest.raises(KeyboardInterrupt):
                m.finish(run, plan, "account")
        assert m.rows("SELECT * FROM salesforce.account ORDER BY ALL") == before, step
    assert m.finish(run, plan, "account").unchanged == ACCOUNTS


def test_a_job_the_org_forgot_is_submitted_again(
    mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submit, "REST_ROWS", -1)
    m = mirror()
    _, plan = m.submit("full")
    gone = [{"message": "no such job", "errorCode": "NOT_FOUND"}]
    job = LandingFolder.open(m.home.landing / plan.require("account").landing).manifest.job_id
    scripted.script({"action": "status", "status": 404, "body": gone, "match": {"path": f"/jobs/query/{job}"}})
    assert m.sync("full")["account"].live == ACCOUNTS


def test_a_job_that_never_ends_is_asked_for_again_after_a_day(
    mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submit, "REST_ROWS", -1)
    scripted.script({"action": "slow_job", "seconds": 3600, "match": {"method": "POST", "path": "/jobs/query"}})
    m = mirror()
    _, plan = m.submit("full")
    scripted.script()
    stuck = LandingFolder.open(m.home.landing / plan.require("account").landing)
    assert m.submit("full")[1].require("account").landing == plan.require("account").landing
    with stuck.changing() as manifest:
        manifest.created_at -= jobs.STUCK_AFTER
    assert m.sync("full")["account"].live == ACCOUNTS
    assert LandingFolder.open(stuck.path).manifest.abandoned


def test_a_page_changed_on_disk_is_fetched_again(mirror: MakeMirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submit, "REST_ROWS", -1)
    m = mirror()
    run, plan = m.submit("full")
    download_object(m.org, m.home, plan.require("account"))
    folder = m.home.landing / plan.require("account").landing
    page = sorted(folder.glob("page-*"))[0]
    page.write_bytes(page.read_bytes()[:-1] + b"x")
    assert m.sync("full")["account"].live == ACCOUNTS
    assert run.run_id != "run-2"


def test_members_of_a_list_that_had_landed_when_the_run_was_killed(mirror: MakeMirror, scripted: Scripted) -> None:
    m = mirror(settings=settings_for(objects={"account": {"selection": {"lists": ["Big_ones"]}}}))
    run, _ = m.submit("full")
    first = lists.land_lists(m.org, m.home, m.settings, run)
    lists.LandedLists.path(m.home, run).unlink()

    def ids_asked(run_id: str) -> int:
        seen = len(scripted.log())
        again, _ = m.submit("full")
        assert again.run_id == run_id
        found = lists.land_lists(m.org, m.home, m.settings, again)
        assert ([item.landing for item in found.lists] == [item.landing for item in first.lists]) is (run_id == "run-2")
        log = scripted.log()[seen:]
        return len([entry for entry in log if str(entry["query"]).count("SELECT Id FROM Account WHERE")])

    assert ids_asked("run-2") == 0, "killed before the members were used"
    assert ids_asked("run-3") == 1, "a run that got on asks anew: somebody may have left the list"


def test_ids_of_a_killed_run_do_not_hide_what_came_since(mirror: MakeMirror, scripted: Scripted) -> None:
    """The Ids landed before the record was created, and its row afterwards: it has not left the selection."""
    chosen = {"account": {"selection": {"mode": "condition", "condition": "NumberOfEmployees >= 0"}}}
    m = mirror(settings=settings_for(objects=chosen))
    m.sync("full")
    _, killed = m.submit("delta")
    download_object(m.org, m.home, killed.require("account"))
    values = {"Name": "Since", "NumberOfEmployees": 1}
    created = {"do": "create", "object": "Account", "values": values}
    assert scripted.client("POST", "/__demo__/execute", json=created).status_code == 200
    clock = {"clock": {"advance_seconds": 30}}
    assert scripted.client("POST", "/__demo__/settings", json=clock).status_code == 200
    run, plan = m.submit("delta")
    assert plan.require("account").ids_landing == killed.require("account").ids_landing
    m.finish(run, plan, "account")
    assert m.one("SELECT count(*) FROM salesforce.account WHERE \"Name\" = 'Since'") == 1


def test_a_new_run_after_a_kill_between_commit_and_manifest_asks_the_org(
    mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submit, "REST_ROWS", -1)
    m = mirror()
    run, plan = m.submit("full")
    with monkeypatch.context() as dying:
        dying.setattr(LandingFolder, "mark_loaded", lambda *_: None)
        m.finish(run, plan, "account")
    created = {"do": "create", "object": "Account", "values": {"Name": "After the kill"}}
    assert scripted.client("POST", "/__demo__/execute", json=created).status_code == 200
    clock = {"clock": {"advance_seconds": 30}}
    assert scripted.client("POST", "/__demo__/settings", json=clock).status_code == 200
    m.sync("full")
    assert m.one("SELECT count(*) FROM salesforce.account WHERE \"Name\" = 'After the kill'") == 1


@pytest.mark.parametrize("name", ["plan-run-1.json", "manifest.json"])
def test_a_file_of_ours_is_the_old_one_or_the_new_one(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    target = tmp_path / name
    files.write_atomically(target, '{"whole": 1}')

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", die)
    with pytest.raises(KeyboardInterrupt):
        files.write_atomically(target, '{"whole": 2}')
    assert json.loads(target.read_text()) == {"whole": 1}
