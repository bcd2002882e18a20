"""The complaints of the kill and fault trials: each can be made, or a trial that finds nothing would prove nothing."""

import random
from typing import Any

import pytest

from tests.support.fault_scenarios import SCENARIOS, combined
from tests.support.fault_trials import MOMENTS, RAW, Scenario, place, script
from tests.support.trials import Landed, differences, draw_moments

LANDED = Landed(pages={("750A", "loc1")}, rest={("Account", "001x")}, jobs={"Account"})


def _request(method: str, path: str, name: str = "", **query: str) -> dict[str, Any]:
    return {"method": method, "path": path, "object": name, "query": query}


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        (_request("GET", "/x/jobs/query/750A/results", locator="loc1"), "fetched again"),
        (_request("POST", "/x/jobs/query", "Account"), "second job"),
        (_request("GET", "/x/query", q="SELECT Id FROM Account WHERE Id > '001x' ORDER BY Id"), "asked for again"),
    ],
)
def test_what_is_done_twice_is_noticed(entry: dict[str, Any], complaint: str) -> None:
    assert complaint in LANDED.repeated([entry])[0]


@pytest.mark.parametrize(
    "entry",
    [
        _request("GET", "/x/jobs/query/750A/results", locator="loc2"),
        _request("GET", "/x/jobs/query/750B/results", locator="loc1"),
        _request("POST", "/x/jobs/query", "Contact"),
        _request("GET", "/x/query", q="SELECT Id FROM Account WHERE Id > '001y' ORDER BY Id"),
    ],
)
def test_what_was_not_done_before_may_be_done(entry: dict[str, Any]) -> None:
    assert LANDED.repeated([entry]) == []


def test_a_row_and_a_table_that_differ_are_named() -> None:
    told = differences({"a.b": [(1,), (2,)], "a.c": []}, {"a.b": [(1,), (3,)], "a.d": []})
    assert [line.split(" ")[0] for line in told] == ["a.c", "a.d", "a.b"]
    assert "(2,)" in told[-1]
    assert "(3,)" in told[-1]


def test_points_are_spread_over_the_whole_run() -> None:
    times = [index / 10 for index in range(200)]
    found = draw_moments(random.Random(1), times, 20)
    assert all(1 <= moment <= len(times) - 3 and delay >= 0 for moment, delay in found)
    assert [sum(low <= moment < low + 50 for moment, _ in found) for low in (0, 50, 100)] == [5, 5, 5]


def test_a_fault_strikes_where_the_moment_says() -> None:
    log = [_request("GET", "/a"), _request("GET", "/b"), _request("GET", "/a"), _request("GET", "/a")]
    once = Scenario("x", ({"action": "status", "match": {"path": "/a"}},))
    assert [script(once, moment, log)[0]["match"]["nth"] for moment in MOMENTS] == [[1], [2], [3]]
    lasting = Scenario("x", once.faults, lasts=True)
    assert [script(lasting, moment, log)[0]["match"]["after"] for moment in MOMENTS] == [0, 1, 2]
    assert [place(moment, 1) for moment in MOMENTS] == [1, 1, 1]


@pytest.mark.parametrize("text", ["Traceback (most", "unexpected OSError in landing__account", 'File "x.py", line 1'])
def test_a_raw_error_is_no_message(text: str) -> None:
    assert RAW.search(text)


def test_faults_together_are_two_or_three_of_the_list() -> None:
    for number in range(50):
        parts = combined(random.Random(number)).name.split(" + ")
        assert len(set(parts)) == len(parts) in (2, 3)
        assert set(parts) <= SCENARIOS.keys()
