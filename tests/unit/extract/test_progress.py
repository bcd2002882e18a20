"""What a step tells of itself: every state once, rows at a readable pace, and how much longer it takes."""

import time

from pipelines.extract.estimate import added, bulk_calls, pages_of, polls
from pipelines.extract.progress import Pace, Waiting, alive, span


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_hundred_pages_in_ten_seconds_are_a_few_lines_and_the_last_is_told() -> None:
    clock, said = Clock(), list[str]()
    pace = Pace(said.append, "account", "landed", clock)
    for _ in range(100):
        clock.now += 0.1
        pace.add(50, 5_000)
    assert 5 <= len(said) <= 7
    assert said[1].endswith("500 rows/s, about 8 s to go")
    assert said[-1] == "account: 5,000 of 5,000 rows landed, 500 rows/s"


def test_a_job_tells_each_state_at_once_and_the_same_one_now_and_then() -> None:
    clock, said = Clock(), list[str]()
    waiting = Waiting(said.append, "lead", clock)
    for second in range(60):
        clock.now += 1
        waiting.tell("750A", "UploadComplete" if second < 3 else "InProgress", second * 100, 10_000)
    assert said[0] == "lead: job 750A is UploadComplete, 0 of 10,000 rows, 1 s and 1 poll so far"
    assert "InProgress, 300 of 10,000 rows, 4 s and 4 polls so far, about 2 min" in said[1]
    assert 6 <= len(said) <= 8


def test_a_long_statement_says_that_it_is_at_work_and_a_short_one_nothing() -> None:
    said: list[str] = []
    with alive(said.append, "account: still loading", every=0.02):
        time.sleep(0.15)
    assert len(said) >= 2
    with alive(said.append, "contact: still loading"):
        assert True
    assert all(line.startswith("account: still loading, 0 s so far") for line in said)


def test_spans_in_words() -> None:
    assert [span(seconds) for seconds in (0, 59.4, 200, 3_725)] == ["0 s", "59 s", "3 min 20 s", "1 h 2 min"]


def test_two_million_rows_are_some_eighty_calls() -> None:
    calls = bulk_calls(2_000_000)
    assert calls == {"bulk_create": 1, "bulk_job": polls(2_000_000), "bulk_result_pages": 8, "bulk_result": 40}
    assert sum(calls.values()) < 100
    # Four objects at their caps, and ten smaller ones, are far within the default of a run.
    assert sum(added(*[calls] * 4, *[bulk_calls(100_000)] * 10).values()) < 1_000


def test_a_wait_is_polled_as_the_client_polls() -> None:
    """The model against the client's own loop, on a clock that only sleeping moves."""
    for rows in (0, 20_000, 500_000, 2_000_000):
        clock, pause, asked = 0.0, 0.2, 1
        while clock < 10 + rows / 5_000:
            clock, pause, asked = clock + pause, min(pause * 1.6, 30.0), asked + 1
        assert abs(polls(rows) - asked) <= 1


def test_a_full_last_page_by_rest_is_followed_by_an_empty_one() -> None:
    assert [pages_of(rows, 2_000) for rows in (0, 1_999, 2_000, 4_001)] == [1, 1, 2, 3]
