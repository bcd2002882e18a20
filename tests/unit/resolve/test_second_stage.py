"""What the second stage learns from lessons whose truth is known, and when it is better than the first."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from pipelines.resolve.second_stage import FOLDS, Lessons, _costs_and_gradient, costs, fit, weights_of


def lessons(records: int, *, telling: float, seed: int = 1, candidates: int = 3) -> tuple[Lessons, np.ndarray]:
    """The first stage gives every candidate 0 bits; a hidden feature says, ``telling`` nats strong, which one is it."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(records * candidates, 2))
    odds = np.exp(telling * features[:, 0]).reshape(records, candidates)
    shares = np.cumsum(odds / (1 + odds.sum(axis=1, keepdims=True)), axis=1)
    winner = (rng.random((records, 1)) > shares).sum(axis=1)
    judged = np.full((records, candidates), -1)
    for record, place in enumerate(winner):
        if place < candidates:
            judged[record] = 0
            judged[record, place] = 1
    bits, starts = np.zeros(records * candidates), np.arange(0, records * candidates, candidates)
    made = Lessons(features, bits, starts, judged.ravel(), np.zeros(records))
    return made, np.arange(records) % FOLDS


def by_hand(made: Lessons, weights: np.ndarray) -> list[float]:
    """The cost of each record, computed record by record from the definition."""
    found = []
    for i, start in enumerate(made.starts):
        end = made.starts[i + 1] if i + 1 < len(made.starts) else len(made.bits)
        odds = [2 ** made.bits[k] * np.exp(made.features[k] @ weights) for k in range(start, end)]
        total = np.exp(made.none[i]) + sum(odds)
        judged = made.judged[start:end]
        if 1 in judged:
            found.append(-np.log(odds[list(judged).index(1)] / total))
        else:
            refused = sum(o for o, j in zip(odds, judged, strict=True) if j == -1)
            found.append(-np.log(1 - refused / total))
    return found


def test_the_cost_is_that_of_the_definition_and_the_gradient_is_its_own() -> None:
    rng = np.random.default_rng(7)
    starts = np.array([0, 2, 3, 7])
    judged = np.array([1, 0, -1, -1, 0, -1, 0, 0, 1])
    made = Lessons(rng.normal(size=(9, 3)), rng.normal(size=9) * 3, starts, judged, rng.normal(size=4))
    for weights in (np.zeros(3), rng.normal(size=3)):
        assert costs(made, weights) == pytest.approx(by_hand(made, weights))
        off = check_grad(
            lambda w: float(_costs_and_gradient(made, w)[0].sum()), lambda w: _costs_and_gradient(made, w)[1], weights
        )
        assert off < 1e-5


def test_what_is_there_to_learn_is_learnt_and_is_better_on_held_out_records() -> None:
    made, fold = lessons(300, telling=2.0)
    found = fit(made, fold)
    assert found.better
    assert found.after < found.before
    assert found.weights[0] == pytest.approx(2.0, abs=0.5)
    assert abs(found.weights[1]) < 0.4
    again = fit(made, fold)
    assert (found.weights == again.weights).all()


def test_where_there_is_nothing_to_learn_nothing_is_adopted() -> None:
    adopted = [fit(*lessons(60, telling=0.0, seed=seed)).better for seed in range(6)]
    # "None of them" and the candidates are equally likely by construction: what is found is noise.
    assert sum(adopted) <= 2


def test_stronger_holding_means_smaller_weights() -> None:
    made, _ = lessons(100, telling=2.0)
    sizes = [float(np.abs(weights_of(made, strength)).sum()) for strength in (0.1, 1.0, 10.0, 100.0)]
    assert sizes == sorted(sizes, reverse=True)
    assert weights_of(made, 1e9) == pytest.approx(np.zeros(2), abs=1e-6)
