"""Calibration without labels: how often the best candidate of a record is wrong because the right one is not there.

A record with a certain link shows it: take its entity away, and what is left is what a record meets whose entity the
reference lacks, sites of the same organisation and namesakes included. These weights of the wrong (decoys, as protein
search has them) against the weights of the records that are to be decided say how sure a weight makes. What decisions
teach (``learning.py``) comes on top: they are asked of the doubtful pairs, and say little of how many there are.

The odds of "none of them" are 1 in the model. Calibrated they are ``2^-shift * odds^(1 - slope)``, the odds being the
sum of those of all candidates, and never below the share of records whose entity is taken to be missing: before a
candidate is looked at, "none of them" is as likely as that. Decoys can show that the model is too sure; that few are
seen does not show the contrary, because records with a certain link are the easy ones.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
#: Edges in bits between which decoys are counted; what lies below tells the wrong from nothing.
EDGES = np.array([-np.inf, -2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, np.inf])
#: Below so many decoys the model's own odds stand.
FEWEST_DECOYS = 100
#: A record whose best candidate is at least this likely has a link that can be taken away.
SURE = 0.9
#: How far the slope (as a factor, in logarithms) and the shift (bits) are taken to stray before anything is seen.
SPREAD = (0.25, 1.0)


@dataclass(frozen=True)
class Calibration:
    """``slope`` and ``shift`` in bits, share of records whose entity is taken to be missing, decoys it rests on.

    ``least`` are the lowest odds of "none of them".
    """

    slope: float = 1.0
    shift: float = 0.0
    missing: float = 0.0
    decoys: int = 0
    least: float = 1.0

    @property
    def none_sql(self) -> str:
        """SQL over ``together``, the summed odds of a record's candidates, for the odds of "none of them"."""
        return (
            f"greatest({self.least!r}, pow(2, {-self.shift!r}) * pow(greatest(together, 1e-300), {1 - self.slope!r}))"
        )

    def none_odds(self, together: Floats) -> Floats:
        """Return the same as numbers."""
        stretched = np.exp2(-self.shift) * np.power(np.maximum(together, 1e-300), 1 - self.slope)
        return np.asarray(np.maximum(self.least, stretched))


def calibrate(bits: Floats, starts: Ints, certain: Flags, barred: Flags) -> Calibration:
    """Return the calibration of weights ``bits`` of candidate pairs, those of one record together from ``starts`` on.

    ``certain`` are the links of rungs, ``barred`` the pairs a veto speaks against. Deterministic.
    """
    if not len(starts):
        return Calibration()
    odds = np.exp2(np.clip(bits, -60, 60)) * ~barred
    together = np.add.reduceat(odds, starts)
    best = _best(odds, starts, certain)
    linked = certain[best]
    others = odds.copy()
    others[best] = 0
    decoys = _log2(np.add.reduceat(others, starts)[linked | (odds[best] / (1 + together) >= SURE)])
    open_ones = _log2(together[~linked])
    if len(decoys) < FEWEST_DECOYS or not len(open_ones):
        return Calibration(decoys=len(decoys))
    slope, shift = _likeliest(decoys, open_ones)
    wrong = np.maximum(_wrong(open_ones, 1.0, 0.0), _wrong(open_ones, slope, shift))
    missing = float(wrong.sum())
    # Two records more on either side: that none is missing is not known of a few.
    least = (missing + 2) / (len(starts) + 4)
    return Calibration(slope, shift, missing / len(starts), len(decoys), least)


def _likeliest(decoys: Floats, seen: Floats) -> tuple[float, float]:
    """Return the slope and shift under which the wrong among ``seen`` lie where the decoys do."""
    counts = np.histogram(decoys, EDGES)[0].astype(np.float64)
    place = np.clip(np.searchsorted(EDGES, seen, "right") - 1, 0, len(EDGES) - 2)

    def cost(tried: Floats) -> float:
        expected = np.bincount(place, weights=_wrong(seen, float(np.exp(tried[0])), float(tried[1])))
        # A thousandth of a record in each: none was seen there, which does not make a decoy there impossible.
        shares = np.pad(expected, (0, len(counts) - len(expected))) + 1e-3
        held = (tried[0] / SPREAD[0]) ** 2 / 2 + (tried[1] / SPREAD[1]) ** 2 / 2
        return float(held - (counts * np.log(shares / shares.sum())).sum())

    found = minimize(cost, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-4})
    return float(np.exp(found.x[0])), float(found.x[1])


def _wrong(bits: Floats, slope: float, shift: float) -> Floats:
    """Return the probability that none of a record's candidates is right, from the bits of all of them together."""
    return np.asarray(1 / (1 + np.exp2(np.clip(slope * bits + shift, -200, 200))))


def _best(odds: Floats, starts: Ints, certain: Flags) -> Ints:
    """Return the place of each record's certain link, else of its likeliest candidate."""
    ends = np.append(starts[1:], len(odds))
    record = np.repeat(np.arange(len(starts)), ends - starts)
    order = np.lexsort((-odds, ~certain, record))
    return np.asarray(order[starts], dtype=np.int64)


def _log2(odds: Floats) -> Floats:
    return np.log2(np.maximum(odds, 1e-60))
