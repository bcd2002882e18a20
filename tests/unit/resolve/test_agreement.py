"""Intervals against published figures, and the arithmetic of precision and recall."""

import pytest

from pipelines.resolve.agreement import Agreement, wilson
from pipelines.resolve.waterfall import waterfall


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3 (Wilson without correction).
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_intervals_are_those_of_the_literature(hits: int, of: int, low: float, high: float) -> None:
    found = wilson(hits, of)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.low <= found.share <= found.high


def test_nothing_judged_has_no_share() -> None:
    assert Agreement(0, 0, 0).precision is None
    assert Agreement(0, 3, 0).recall is None
    said = Agreement(right=9, wrong=1, missed=3)
    assert said.precision is not None
    assert said.recall is not None
    assert (said.precision.share, said.recall.share) == (0.9, 0.75)


def test_a_waterfall_has_no_gaps_and_says_what_the_weights_leave_to_the_prior() -> None:
    bars = waterfall(3.5, {"name": 8.0, "phone": -2.0, "learned": 0.0})
    assert [(bar.name, bar.start, bar.end) for bar in bars] == [
        ("prior", 0.0, -2.5),
        ("name", -2.5, 5.5),
        ("phone", 5.5, 3.5),
        ("match weight", 0.0, 3.5),
    ]
    assert waterfall(None, {"name": 8.0}) == ()
