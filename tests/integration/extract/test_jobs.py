"""What can become of a Bulk job: slow, failed for its size, aborted, forgotten, created without our knowing."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from data_contracts.errors import ExtractionError, OrgUnreachableError, WindowClosedError
from pipelines.extract import download_object, load_object, submit
from resources.landing import LandingFolder
from resources.salesforce import bulk
from resources.salesforce.bulk import BulkApi
from tests.integration.extract.conftest import ACCOUNTS
from tests.support.demo_org_client import Scripted
from tests.support.mirror import Mirror

pytestmark = pytest.mark.usefixtures("always_bulk")
MakeMirror = Callable[..., Mirror]
CREATE = {"method": "POST", "path": "/jobs/query/?$"}
TOO_LARGE = "InternalServerError : Retried more than 15 times in a row"


@pytest.fixture(scope="module", autouse=True)
def _small_pages(scripted: Scripted) -> None:
    assert scripted.client("POST", "/__demo__/settings", json={"bulk_page_rows": 100}).status_code == 200


def _created(log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry for entry in log if entry["method"] == "POST" and re.search(CREATE["path"], entry["path"])]


def _no_jobs(org: Scripted) -> None:
    """Those of other tests, of the same second and by the same user, could be anybody's."""
    for job in org.client.get("/services/data/v62.0/jobs/query").json()["records"]:
        org.client("DELETE", f"/services/data/v62.0/jobs/query/{job['id']}")


def _folder(m: Mirror, plan: Any, name: str = "account") -> LandingFolder:
    return LandingFolder.open(m.home.landing / plan.require(name).landing)


def test_all_jobs_are_submitted_before_one_is_awaited_without_order_or_limit(
    mirror: MakeMirror, scripted: Scripted
) -> None:
    seen = len(scripted.log())
    mirror("account", "contact", "lead").sync("full")
    log = [entry for entry in scripted.log()[seen:] if "/jobs/query" in entry["path"]]
    assert [entry["method"] for entry in log[:4]] == ["POST", "POST", "POST", "GET"]
    queries = [str(entry["query"]).upper() for entry in log[:3]]
    assert not [query for query in queries if " ORDER BY " in query or " LIMIT " in query]


def test_polling_backs_off_and_stops_when_the_window_closes(
    mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.script({"action": "slow_job", "seconds": 1.2})
    m = mirror()
    run, plan = m.submit("full")
    chosen, seen = plan.require("account"), len(scripted.log())
    with pytest.raises(WindowClosedError, match="window is closed"):
        download_object(m.org, m.home, chosen, works_until=datetime.now(UTC) + timedelta(seconds=0.9))
    polls = [entry for entry in scripted.log()[seen:] if re.search(r"/jobs/query/\w+$", entry["path"])]
    assert 2 <= len(polls) <= 5
    assert m.progress

    at = len(scripted.log())
    again, plan_again = m.submit("full")
    assert _folder(m, plan_again).path == _folder(m, plan).path, "the next night takes the job up"
    # Half way through the pages the window closes once more.
    real, begun = BulkApi.download, []

    def counted(*arguments: Any) -> Any:
        begun.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(BulkApi, "download", counted)
    left = iter([60.0] * 12)
    monkeypatch.setattr("pipelines.extract.download._countdown", lambda _: lambda: next(left, -1.0))
    with pytest.raises(WindowClosedError):
        download_object(m.org, m.home, plan_again.require("account"), works_until=datetime.now(UTC))
    monkeypatch.undo()
    assert 0 < len(begun) < 12
    assert len(_folder(m, plan_again).manifest.pages) == len(begun)
    assert m.finish(again, plan_again, "account").live == ACCOUNTS
    assert _created(scripted.log()[at:]) == []
    assert run.run_id != again.run_id


@pytest.mark.parametrize("failures", [1, 2])
def test_a_job_too_large_goes_on_in_ranges_of_ids(failures: int, mirror: MakeMirror, scripted: Scripted) -> None:
    scripted.script({"action": "job_failed", "message": TOO_LARGE, "match": {**CREATE, "nth": [1, 3][:failures]}})
    m = mirror()
    result = m.sync("full")["account"]
    assert result.live == ACCOUNTS
    manifest = LandingFolder.open(next(m.home.landing.glob("account/*/manifest.json")).parent).manifest
    assert len(manifest.parts) == 1 + 3 * failures
    assert [manifest.part_rows(number) for number in range(len(manifest.parts))] == [p.records for p in manifest.parts]
    assert sum(part.records or 0 for part in manifest.parts) == ACCOUNTS
    assert any("parts" in line for line in m.progress)
    whole = mirror(name="whole")
    scripted.script()
    whole.sync("full")
    select = 'SELECT * EXCLUDE (_synced_at, _run_id) FROM salesforce.account ORDER BY "Id"'
    assert m.rows(select) == whole.rows(select)


def test_killed_among_the_parts_goes_on_with_them(
    mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.script({"action": "job_failed", "message": TOO_LARGE, "match": {**CREATE, "nth": 1}})
    m = mirror()
    _, plan = m.submit("full")
    real, calls = BulkApi.download, []

    def dying(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 7:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(BulkApi, "download", dying)
    with pytest.raises(KeyboardInterrupt):
        download_object(m.org, m.home, plan.require("account"))
    monkeypatch.undo()
    landed = len(_folder(m, plan).manifest.pages)
    assert landed
    seen = len(scripted.log())
    assert m.sync("full")["account"].live == ACCOUNTS
    log = scripted.log()[seen:]
    assert _created(log) == []
    fetched = [entry for entry in log if entry["path"].endswith("/results")]
    manifest = LandingFolder.open(next(m.home.landing.glob("account/*/manifest.json")).parent).manifest
    assert len(fetched) == len(manifest.pages) - landed


def test_a_job_that_cannot_be_cut_any_more_says_so(mirror: MakeMirror, scripted: Scripted) -> None:
    scripted.script({"action": "job_failed", "message": TOO_LARGE})
    with pytest.raises(ExtractionError, match="Retried more than 15") as caught:
        mirror("contact").sync("full")
    assert "narrow the selection" in str(caught.value)


def test_an_aborted_job_is_an_error_and_the_next_run_creates_another(mirror: MakeMirror, scripted: Scripted) -> None:
    scripted.script({"action": "slow_job", "seconds": 0.5})
    m = mirror()
    run, plan = m.submit("full")
    job = _folder(m, plan).manifest.job_id
    aborted = scripted.client("PATCH", f"/services/data/v62.0/jobs/query/{job}", json={"state": "Aborted"})
    assert aborted.status_code == 200
    with pytest.raises(ExtractionError, match="Aborted") as caught:
        m.finish(run, plan, "account")
    assert "someone aborted it" in str(caught.value)
    scripted.script()
    seen = len(scripted.log())
    assert m.sync("full")["account"].live == ACCOUNTS
    assert len(_created(scripted.log()[seen:])) == 1


def test_a_job_forgotten_between_two_pages_is_created_again(
    mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    m = mirror()
    run, plan = m.submit("full")
    chosen = plan.require("account")
    real, calls = BulkApi.download, []

    def dying(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(BulkApi, "download", dying)
    with pytest.raises(KeyboardInterrupt):
        download_object(m.org, m.home, chosen)
    monkeypatch.undo()
    assert _folder(m, plan).manifest.pages
    job = _folder(m, plan).manifest.job_id
    assert scripted.client("DELETE", f"/services/data/v62.0/jobs/query/{job}").status_code == 204
    result = m.finish(run, plan, "account")
    assert (result.live, result.fetched) == (ACCOUNTS, ACCOUNTS), "no page of the first job is mixed with the second"
    assert _folder(m, plan).manifest.job_id != job


def test_pages_are_asked_for_in_the_version_the_job_was_created_with(mirror: MakeMirror) -> None:
    m = mirror()
    run, plan = m.submit("full")
    m.org.api_version, m.org.bulk = "60.0", BulkApi(m.org.session, "60.0")
    assert m.finish(run, plan, "account").live == ACCOUNTS


def test_a_job_whose_creation_was_not_answered_is_adopted(
    mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    m = mirror()
    _no_jobs(scripted)
    real, lost = m.org.bulk.submit, []

    def answer_lost(*arguments: Any) -> Any:
        lost.append(real(*arguments))
        raise OrgUnreachableError("no answer")

    monkeypatch.setattr(m.org.bulk, "submit", answer_lost)
    seen = len(scripted.log())
    run, plan = m.submit("full")
    assert _folder(m, plan).manifest.job_id == lost[0].id
    assert m.finish(run, plan, "account").live == ACCOUNTS
    assert len(_created(scripted.log()[seen:])) == 1


def test_a_kill_between_request_and_manifest_leaves_no_job_behind(
    mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    m = mirror()
    _no_jobs(scripted)
    real, made = m.org.bulk.submit, []

    def die(*arguments: Any) -> Any:
        made.append(real(*arguments))
        raise KeyboardInterrupt

    monkeypatch.setattr(m.org.bulk, "submit", die)
    with pytest.raises(KeyboardInterrupt):
        m.submit("full")
    monkeypatch.undo()
    monkeypatch.setattr(submit, "REST_ROWS", -1)
    seen = len(scripted.log())
    run, plan = m.submit("full")
    assert _folder(m, plan).manifest.job_id == made[0].id
    assert m.finish(run, plan, "account").live == ACCOUNTS
    assert _created(scripted.log()[seen:]) == []


def test_a_job_that_may_be_somebody_else_s_is_left_alone(
    mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    m = mirror()
    _no_jobs(scripted)
    real, made = m.org.bulk.submit, []

    def die(*arguments: Any) -> Any:
        made.extend([real(*arguments), real("SELECT Id FROM Account", "queryAll")])
        raise KeyboardInterrupt

    monkeypatch.setattr(m.org.bulk, "submit", die)
    with pytest.raises(KeyboardInterrupt):
        m.submit("full")
    monkeypatch.undo()
    monkeypatch.setattr(submit, "REST_ROWS", -1)
    run, plan = m.submit("full")
    assert _folder(m, plan).manifest.job_id not in [job.id for job in made]
    assert m.finish(run, plan, "account").live == ACCOUNTS
    for job in made:
        assert m.org.bulk.status(job.id).finished


def test_what_a_run_has_loaded_is_not_fetched_again_by_it(mirror: MakeMirror, scripted: Scripted) -> None:
    m = mirror("account", "contact")
    run, plan = m.submit("full")
    m.finish(run, plan, "account")
    seen = len(scripted.log())
    with m.warehouse.connect() as con:
        again = submit.submit_jobs(con, m.org, m.home, m.settings, run)
    assert [(item.name, item.landing) for item in again.objects.values()] == [
        (item.name, item.landing) for item in plan.objects.values()
    ]
    m.finish(run, again, "account")
    m.finish(run, again, "contact")
    log = scripted.log()[seen:]
    assert _created(log) == []
    assert not [entry for entry in log if "Account" in str(entry["query"])]


@pytest.mark.parametrize("status", ["failed", "paused", "succeeded"])
def test_an_interrupted_full_run_is_finished_and_not_repeated(
    status: str, mirror: MakeMirror, scripted: Scripted
) -> None:
    m = mirror("account", "contact")
    run, plan = m.submit("full")
    m.finish(run, plan, "account")
    with m.warehouse.connect() as con:
        con.execute(
            "CREATE TABLE ops.sync_run AS SELECT ? AS run_id, 'full' AS kind, ? AS status, ?::TIMESTAMP AS started_at",
            [run.run_id, status, run.started_at.replace(tzinfo=None)],
        ).fetchall()
    seen = len(scripted.log())
    kinds = {name: result.kind for name, result in m.sync("full").items()}
    assert kinds == {"account": "full" if status == "succeeded" else "delta", "contact": "full"}
    created = [entry["object"] for entry in _created(scripted.log()[seen:])]
    assert created == (["Account"] if status == "succeeded" else []), "the contact job of the first run is taken up"


def test_a_page_that_breaks_again_and_again_is_fetched_until_it_is_whole(
    mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 64)
    results = {"method": "GET", "path": "/jobs/query/[^/]+/results$"}
    scripted.script({"action": "drop_connection", "bytes": 200, "match": {**results, "nth": [1, 2, 5, 6, 9]}})
    m = mirror()
    run, plan = m.submit("full")
    download_object(m.org, m.home, plan.require("account"))
    with m.warehouse.connect() as con:
        assert load_object(con, m.home, m.settings, plan.require("account"), run).live == ACCOUNTS
