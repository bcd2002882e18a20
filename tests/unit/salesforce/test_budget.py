"""The API budget: what is kept for others is never touched, whatever the org's other users do."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.errors import BudgetError
from data_contracts.settings import ApiBudget
from resources.salesforce.budget import Pacing, RequestBudget

QUERY = "/services/data/v62.0/query"


class Org:
    """An org with a rolling count that its other users move; time passes only in ``sleep``."""

    def __init__(self, used: int, allowed: int, others: Callable[[int], int]) -> None:
        self.used, self.allowed, self.others = used, allowed, others
        self.clock = datetime(2026, 1, 1, tzinfo=UTC)
        self.looks = 0

    def now(self) -> datetime:
        return self.clock

    def sleep(self, seconds: float) -> None:
        self.clock += timedelta(seconds=seconds)
        self.used = self.others(self.used)


def budget(org: Org, **rules: object) -> tuple[RequestBudget, Callable[[], None], list[str]]:
    told: list[str] = []
    pacing = Pacing(sleep=org.sleep, now=org.now, tell=told.append)
    made = RequestBudget(ApiBudget.model_validate(rules), pacing)

    def look() -> None:
        org.looks += 1
        org.used += 1
        made.note(org.used, org.allowed)

    return made, look, told


def test_a_run_sends_no_more_than_its_own_budget() -> None:
    org = Org(0, 100_000, lambda used: used)
    made, look, _ = budget(org, per_run=3)
    for _ in range(3):
        made.admit(QUERY, look)
    with pytest.raises(BudgetError, match="3 API requests, all that limits.api.per_run allows"):
        made.admit(QUERY, look)


@pytest.mark.parametrize("path", ["/services/oauth2/token", "/services/data", "/services/data/", "/id/00D/005"])
def test_what_salesforce_does_not_count_is_not_counted(path: str) -> None:
    made, look, _ = budget(Org(0, 100, lambda used: used), per_run=1)
    for _ in range(5):
        made.admit(path, look)
    assert made.spent == 0


def test_it_pauses_at_one_share_and_resumes_under_another() -> None:
    org = Org(960, 1000, lambda used: used - 70)
    made, look, told = budget(org)
    made.note(960, 1000)
    made.admit(QUERY, look)
    # 96 % → 890, 821 (with the look's own request) … until under 75 %.
    assert org.used < 750
    assert org.looks >= 3
    assert told[0].startswith("paused: the org has used 96%")
    assert told[-1].startswith("resumed")
    assert made.spent == org.looks + 1


def test_an_org_that_stays_short_ends_the_wait_with_what_to_do() -> None:
    org = Org(990, 1000, lambda used: used)
    made, look, _ = budget(org)
    made.note(990, 1000)
    with pytest.raises(BudgetError, match=r"limits.api.pause_at is 95%[\s\S]*what has landed is kept"):
        made.admit(QUERY, look)
    assert org.clock - datetime(2026, 1, 1, tzinfo=UTC) <= timedelta(hours=1, minutes=5)


def test_the_wait_ends_with_the_window() -> None:
    org = Org(990, 1000, lambda used: used)
    made, look, _ = budget(org)
    made.pacing.until = org.clock + timedelta(minutes=7)
    made.note(990, 1000)
    with pytest.raises(BudgetError):
        made.admit(QUERY, look)
    assert org.clock - datetime(2026, 1, 1, tzinfo=UTC) <= timedelta(minutes=10)


@given(
    used=st.integers(0, 1000),
    moves=st.lists(st.integers(-120, 40), min_size=1, max_size=30),
    requests=st.integers(1, 60),
)
def test_no_request_is_sent_at_or_above_the_share_kept_for_others(used: int, moves: list[int], requests: int) -> None:
    steps = iter(moves * 50)
    org = Org(used, 1000, lambda now: max(0, now + next(steps)))
    made, look, _ = budget(org)
    made.note(org.used, org.allowed)
    for _ in range(requests):
        try:
            made.admit(QUERY, look)
        except BudgetError:
            return
        assert org.used < 950
        org.used += 1
        made.note(org.used, org.allowed)
