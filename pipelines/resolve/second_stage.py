"""The second stage: what people's decisions add to the weight of a pair, fitted on numbers alone.

A record is at most one entity, so its candidates compete with each other and with "none of them", as they do where
probabilities are made. The second stage is a weighted sum of readable features, in bits beside those of the
comparisons; without evidence every weight is zero and the first stage stands. Which pairs and features there are is
``learning.py``.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
#: Parts into which the decided records are divided to see how what was learnt does on records it did not see.
FOLDS = 10
#: How strongly weights are held at zero; the one that does best on held-out records is used, strongest first.
STRENGTHS = (30.0, 10.0, 3.0, 1.0, 0.3, 0.1)


@dataclass(frozen=True)
class Lessons:
    """Candidates of decided records, those of one record together.

    ``bits`` are the first stage's weights, ``starts`` where each record begins, ``judged`` is 1 where a person
    accepted the pair, -1 where one rejected it, 0 where nobody spoke. ``none`` has per record the logarithm of the odds
    that it is none of them, as the first stage has it.
    """

    features: Floats
    bits: Floats
    starts: Ints
    judged: Ints
    none: Floats

    @cached_property
    def record(self) -> Ints:
        """The record of each pair, counted from 0."""
        marks = np.zeros(len(self.bits), dtype=np.int64)
        marks[self.starts[1:]] = 1
        return np.cumsum(marks)

    def of(self, records: npt.NDArray[np.bool_]) -> "Lessons":
        """Return the lessons of the records that are True."""
        kept = records[self.record]
        numbers = self.record[kept]
        first = np.concatenate([[True], numbers[1:] != numbers[:-1]]) if len(numbers) else np.zeros(0, dtype=bool)
        return Lessons(
            self.features[kept], self.bits[kept], np.flatnonzero(first), self.judged[kept], self.none[records]
        )


@dataclass(frozen=True)
class SecondStage:
    """Weights in natural logarithms per unit of a feature, and how both stages did on held-out decisions.

    ``before`` and ``after`` are the mean cost of a decision, minus the logarithm of the probability given to it.
    """

    weights: Floats
    strength: float
    before: float
    after: float
    better: bool


def fit(lessons: Lessons, fold: Ints) -> SecondStage:
    """Fit on all lessons; ``fold`` is the part (0 to ``FOLDS`` - 1) each record belongs to when tried on held-out ones.

    It is better when its mean cost on held-out records is lower by more than the standard error of the difference.
    """
    before = costs(lessons, np.zeros(lessons.features.shape[1]))
    tried = {strength: _held_out(lessons, fold, strength) for strength in STRENGTHS}
    strength = min(tried, key=lambda s: float(tried[s].mean()))
    gain = before - tried[strength]
    error = float(gain.std(ddof=1) / np.sqrt(len(gain))) if len(gain) > 1 else float("inf")
    return SecondStage(
        weights=weights_of(lessons, strength),
        strength=strength,
        before=float(before.mean()),
        after=float(tried[strength].mean()),
        better=bool(gain.mean() > error),
    )


def weights_of(lessons: Lessons, strength: float) -> Floats:
    """Return the weights that cost least, each held at zero with ``strength``."""

    def cost(weights: Floats) -> tuple[float, Floats]:
        each, gradient = _costs_and_gradient(lessons, weights)
        return float(each.sum() + strength * weights @ weights / 2), gradient + strength * weights

    found = minimize(cost, np.zeros(lessons.features.shape[1]), jac=True, method="L-BFGS-B")
    return np.asarray(found.x)


def costs(lessons: Lessons, weights: Floats) -> Floats:
    """Return per record minus the logarithm of the probability given to what people said about it."""
    return _costs_and_gradient(lessons, weights)[0]


def _costs_and_gradient(lessons: Lessons, weights: Floats) -> tuple[Floats, Floats]:
    """Return the cost of each record, and the gradient of their sum.

    A record with an accepted pair costs -log p of that pair. One with rejected pairs only costs -log of the
    probability that it is none of them: what is left for its other candidates and for "none".
    """
    log_odds = np.clip(lessons.bits * np.log(2) + lessons.features @ weights, -60, 60)
    record, records = lessons.record, len(lessons.starts)
    accepted, rejected = lessons.judged == 1, lessons.judged == -1
    settled = np.zeros(records, dtype=bool)
    settled[record[accepted]] = True
    everything = _log_sums(log_odds, lessons, np.ones(len(log_odds), dtype=bool), none=True)
    # What the judgement leaves possible: the accepted pair alone, or everything but the rejected ones.
    possible = np.where(settled[record], accepted, ~rejected)
    allowed = _log_sums(log_odds, lessons, possible, none=~settled)
    share = np.exp(log_odds - everything[record])
    share_allowed = np.where(possible, np.exp(np.minimum(log_odds - allowed[record], 0.0)), 0.0)
    return everything - allowed, lessons.features.T @ (share - share_allowed)


def _log_sums(
    log_odds: Floats, lessons: Lessons, counted: npt.NDArray[np.bool_], *, none: npt.NDArray[np.bool_] | bool
) -> Floats:
    """Return per record the logarithm of the summed odds of the pairs counted, and of "none" where told."""
    peak = np.maximum.reduceat(np.where(counted, log_odds, -np.inf), lessons.starts)
    peak = np.where(np.isfinite(peak), peak, 0.0)
    raised = np.where(counted, np.exp(log_odds - peak[lessons.record]), 0.0)
    total = np.add.reduceat(raised, lessons.starts)
    inside = peak + np.log(np.maximum(total, 1e-300))
    return np.where(none, np.logaddexp(inside, lessons.none), inside)


def _held_out(lessons: Lessons, fold: Ints, strength: float) -> Floats:
    """Return the cost of each record under weights learnt from the records of the other folds."""
    found = np.zeros(len(lessons.starts))
    for part in range(FOLDS):
        inside = fold == part
        if inside.any() and not inside.all():
            found[inside] = costs(lessons.of(inside), weights_of(lessons.of(~inside), strength))
        elif inside.any():
            found[inside] = costs(lessons, np.zeros(lessons.features.shape[1]))
    return found
