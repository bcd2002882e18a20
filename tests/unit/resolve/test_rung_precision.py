"""The share of matches among a rung's links, told from what their other columns say."""

import numpy as np
import pytest

from pipelines.resolve.rung_precision import STATED, likeliest_share


@pytest.mark.parametrize("share", [0.6, 0.9, 0.99])
def test_it_finds_the_share_that_was_mixed(share: float) -> None:
    rng = np.random.default_rng(5)
    match = rng.random(20_000) < share
    # Another column agrees in 8 of 10 matches and in 1 of 100 others.
    agrees = rng.random(len(match)) < np.where(match, 0.8, 0.01)
    odds = np.where(agrees, 0.8 / 0.01, 0.2 / 0.99)
    assert abs(likeliest_share(odds, 0, 0) - share) < 0.02


def test_without_witnesses_it_stays_what_is_stated_and_decisions_move_it() -> None:
    assert likeliest_share(np.zeros(0), 0, 0) == pytest.approx(STATED)
    assert likeliest_share(np.ones(500), 0, 0) == pytest.approx(STATED), "a column that says nothing"
    assert likeliest_share(np.zeros(0), 0, 10) < 0.7
    assert likeliest_share(np.zeros(0), 1000, 0) > 0.999


def test_a_handful_of_pairs_neither_proves_nor_ruins_it() -> None:
    assert likeliest_share(np.array([0.001]), 0, 0) > 0.9
    assert likeliest_share(np.array([1e6]), 0, 0) < 1
