"""The API budget over real HTTP: estimated, refused, paused and resumed, and equal to what the org logged."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from data_contracts.errors import BudgetError, ExtractionError, QuotaError
from data_contracts.settings import ApiBudget
from pipelines.extract import usage as ledger
from pipelines.publish.run_record import begin_run
from pipelines.run import RunContext
from resources.salesforce.budget import Pacing, RequestBudget
from resources.salesforce.usage import FREE_KINDS, endpoint_kind
from tests.support.demo_org_client import Scripted
from tests.support.mirror import Mirror, settings_for

MakeMirror = Callable[..., Mirror]
LIMIT = {"limit": "DailyApiRequests"}
RESULTS = {"method": "GET", "path": "/jobs/query/[^/]+/results$"}


@pytest.fixture(autouse=True)
def _plenty_left(scripted: Scripted) -> Iterator[None]:
    yield
    use(scripted, 0, 100_000)


def use(scripted: Scripted, used: int, allowed: int) -> None:
    """What the others of the org have used of what it allows."""
    # Its own setting costs nothing: /__demo__ is no API.
    answer = scripted.client("POST", "/__demo__/settings", json={**LIMIT, "used": used, "max": allowed})
    assert answer.status_code == 200


def budgeted(m: Mirror, sleep: Callable[[float], None] = lambda _: None, **rules: Any) -> list[str]:
    """Give the mirror's org a budget whose pauses pass in no time; return what it tells."""
    told: list[str] = []
    pacing = Pacing(patience=rules.pop("patience", 1200.0), sleep=sleep, tell=told.append)
    m.org.session.budget = RequestBudget(ApiBudget.model_validate(rules), pacing)
    return told


def begun(m: Mirror) -> RunContext:
    run = RunContext("run-1", "full", datetime.now(UTC))
    with m.warehouse.connect() as con:
        begin_run(con, run)
    return run


def jobs_created(entries: list[dict[str, Any]]) -> int:
    return sum(entry["method"] == "POST" and entry["path"].endswith("/jobs/query") for entry in entries)


@pytest.mark.usefixtures("always_bulk")
def test_our_count_is_the_orgs_log_per_endpoint_and_the_ledger_adds_up(mirror: MakeMirror, scripted: Scripted) -> None:
    seen = len(scripted.log())
    m = mirror("account", "contact", "Site__c")
    begun(m)
    scripted.script({"action": "status", "status": 503, "match": {**RESULTS, "nth": [1, 3]}})
    budgeted(m)
    m.sync("full")
    with m.warehouse.connect() as con:
        ledger.record_usage(con, m.org, RunContext("run-1", "full", datetime.now(UTC)))
    logged = Counter(endpoint_kind(entry["path"]) for entry in scripted.log()[seen:] if entry["path"][:3] != "/__")
    ours = dict(m.rows("SELECT endpoint, sum(calls) FROM ops.api_usage WHERE run_id = 'run-1' GROUP BY ALL"))
    assert ours == dict(logged)
    assert ours["bulk_result"] == 5  # three pages, two of them asked for twice
    counted = sum(calls for kind, calls in ours.items() if kind not in FREE_KINDS)
    assert m.org.session.budget is not None
    assert m.org.session.budget.spent == counted
    row = m.rows(
        "SELECT api_calls, api_counted, org_used_after - org_used_before, org_used_by_others, org_allowed "
        "FROM ops.sync_run"
    )
    # The org counts neither the call in which it tells its count for the first time, nor two that it failed.
    assert row == [(sum(ours.values()), counted, counted - 3, -2, 100_000)]
    # Every endpoint was foreseen, and the whole of it within a factor of two on a job as small as this.
    said = m.one("SELECT list(DISTINCT endpoint) FROM ops.api_usage WHERE estimated IS NULL AND calls > 0")
    assert not said
    estimated, calls = m.rows("SELECT api_estimated, api_calls FROM ops.sync_run")[0]
    assert calls / 2 <= estimated <= calls * 2


def test_a_run_over_its_budget_creates_nothing_and_says_what_it_needs(mirror: MakeMirror, scripted: Scripted) -> None:
    m = mirror("account", "contact")
    m.sync("full")
    before = m.rows("SELECT * FROM salesforce.account ORDER BY ALL")
    seen = len(scripted.log())
    budgeted(m, per_run=16)
    with pytest.raises(ExtractionError) as refused:
        m.submit("full")
    said = str(refused.value)
    for words in ("account ", "contact ", "limits.api.per_run (16)", "raise limits.api.per_run to ", "no job was"):
        assert words in said
    assert jobs_created(scripted.log()[seen:]) == 0
    assert m.rows("SELECT * FROM salesforce.account ORDER BY ALL") == before
    # The number it names is enough.
    enough = int(said.partition("raise limits.api.per_run to ")[2].split()[0].replace(",", ""))
    budgeted(m, per_run=enough)
    m.sync("full")


@pytest.mark.parametrize(("used", "allowed", "kind"), [(900, 1000, BudgetError), (0, 12, ExtractionError)])
def test_what_is_kept_for_others_is_not_planned_with(
    used: int, allowed: int, kind: type[Exception], mirror: MakeMirror, scripted: Scripted
) -> None:
    m = mirror("account", "contact")
    use(scripted, used, allowed)
    # 90 % is under the pause, and what is left under it does not do for this run.
    budgeted(m, pause_at=0.92 if used else 0.95, patience=0.0)
    with pytest.raises(kind, match="no job was created|kept for others"):
        m.sync("full")


@pytest.mark.usefixtures("always_bulk")
def test_it_pauses_where_the_org_runs_short_and_goes_on_when_others_use_less(
    mirror: MakeMirror, scripted: Scripted
) -> None:
    m = mirror("account")
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        use(scripted, 9_600 if len(naps) == 1 else 4_000, 10_000)

    told = budgeted(m, sleep)
    run, plan = m.submit("full")
    use(scripted, 9_600, 10_000)
    assert m.finish(run, plan, "account").fetched > 1_000
    assert naps == [300.0, 300.0]
    assert told[0].startswith("paused: the org has used 96%")
    assert told[-1].startswith("resumed: the org has used 40%")


@pytest.mark.usefixtures("always_bulk")
def test_others_using_up_everything_pause_it_and_the_request_is_sent_again(
    mirror: MakeMirror, scripted: Scripted
) -> None:
    m = mirror("account")
    told = budgeted(m)
    scripted.script({"action": "quota_exhausted", "match": {**RESULTS, "times": 1}})
    assert m.sync("full")["account"].fetched > 1_000
    assert "REQUEST_LIMIT_EXCEEDED" in told[0]
    assert told[-1].startswith("resumed")


@pytest.mark.usefixtures("always_bulk")
def test_when_patience_ends_pages_stay_and_the_next_run_goes_on_from_them(
    mirror: MakeMirror, scripted: Scripted
) -> None:
    assert scripted.client("POST", "/__demo__/settings", json={"bulk_page_rows": 300}).status_code == 200
    m = mirror("account")
    told = budgeted(m, patience=600.0)
    scripted.script({"action": "quota_exhausted", "match": {"path": "/results$|/limits$", "nth": list(range(3, 99))}})
    with pytest.raises(BudgetError, match="what has landed is kept"):
        m.sync("full")
    assert len(told) == 1
    scripted.script()
    seen = len(scripted.log())
    again = Mirror(scripted.org, m.home.root, m.settings)
    assert again.sync("full")["account"].fetched > 1_000
    entries = scripted.log()[seen:]
    assert jobs_created(entries) == 0
    assert sum(entry["path"].endswith("/results") for entry in entries) == 2


def test_too_many_requests_at_a_time_is_gone_in_a_moment(mirror: MakeMirror, scripted: Scripted) -> None:
    m = mirror("account")
    body = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests Limit exceeded."}]
    answer = {"action": "status", "status": 403, "body": body}
    scripted.script({**answer, "match": {"path": "/describe$|/query$", "times": 2}})
    told = budgeted(m)
    m.sync("full")
    assert told == []
    scripted.script({**answer, "match": {"path": "/describe$"}})
    with pytest.raises(QuotaError, match="ConcurrentRequests"):
        m.sync("full")


def test_a_run_tried_again_has_what_its_first_try_sent_to_its_account(mirror: MakeMirror) -> None:
    m = mirror("account", settings=settings_for("account"))
    run, plan = m.submit("full")
    spent = m.org.usage.counted_calls()

    def before(run_id: str) -> int:
        with m.warehouse.connect() as con:
            return ledger.spent_before(con, m.home, run_id)

    assert before(run.run_id) == spent > 3
    assert before("another") == 0
    m.finish(run, plan, "account")
    assert before(run.run_id) == m.org.usage.counted_calls() > spent
