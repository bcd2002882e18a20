"""Calibration by decoys: what a record meets when its entity is taken away, against what is to be decided."""

from typing import Any

import duckdb
import numpy as np
import pytest

from pipelines.resolve.calibration import FEWEST_DECOYS, Calibration, calibrate


def _world(records: int, missing: float, lure: float, seed: int = 1) -> tuple[Any, ...]:
    """Records with two candidates each; in ``missing`` of them none is right; wrong ones reach 6 bits in ``lure``."""
    draw = np.random.default_rng(seed)
    wrong = np.where(draw.random((records, 2)) < lure, 6.0, -12.0) + draw.normal(size=(records, 2))
    present = draw.random(records) >= missing
    wrong[present, 0] = 14 + draw.normal(size=int(present.sum()))
    certain = np.zeros(2 * records, dtype=bool)
    certain[0::2] = present & (draw.random(records) < 0.5)
    return wrong.reshape(-1), np.arange(0, 2 * records, 2), certain, np.zeros(2 * records, dtype=bool), present


def _none(found: Calibration, *odds: float) -> Any:
    rows = duckdb.execute(f"SELECT {found.none_sql} FROM (SELECT unnest($odds) AS together)", {"odds": odds})
    none = np.array([row[0] for row in rows.fetchall()])
    assert found.none_odds(np.array(odds, dtype=float)) == pytest.approx(none, rel=1e-9)
    return none


@pytest.mark.parametrize("lure", [0.05, 0.2])
def test_a_weight_that_wrong_candidates_reach_is_no_longer_believed(lure: float) -> None:
    bits, starts, certain, barred, present = _world(4000, 0.3, lure)
    found = calibrate(bits, starts, certain, barred)
    open_ones = ~certain[starts]
    odds = np.exp2(bits.reshape(-1, 2)).sum(axis=1)
    none = _none(found, *odds[open_ones].tolist())
    believed = none / (none + odds[open_ones])
    reached = odds[open_ones] > 2**3
    actual = int((~present[open_ones] & reached).sum())
    model = float((1 / (1 + odds[open_ones][reached])).sum())
    assert model < 0.2 * actual, "the model's own odds expect too few wrong"
    assert max(0.3 * actual, 3 * model) < believed[reached].sum() < 2 * actual
    assert found.missing == pytest.approx(0.3, abs=0.1)


def test_decoys_that_stay_low_leave_the_model_its_odds() -> None:
    bits, starts, certain, barred, _ = _world(4000, 0.3, 0.0)
    found = calibrate(bits, starts, certain, barred)
    assert _none(found, 2.0**14)[0] < 2


def test_few_decoys_and_no_records_change_nothing() -> None:
    bits, starts, certain, barred, _ = _world(FEWEST_DECOYS // 2, 0.3, 0.2)
    assert _none(calibrate(bits, starts, certain, barred), 2.0**6)[0] == 1.0
    assert calibrate(np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros(0, bool), np.zeros(0, bool)) == Calibration()


def test_calibration_never_makes_surer_than_the_model_is() -> None:
    for slope in (0.3, 1.0, 1.7):
        for shift in (-3.0, 0.0, 3.0):
            nones = _none(Calibration(slope, shift), *(2.0**bits for bits in (-60, -5, 0, 5, 60)))
            assert min(nones) >= 1.0


@pytest.mark.parametrize("missing", [0.1, 0.3, 0.6])
def test_none_of_them_is_as_likely_as_an_entity_is_missing(missing: float) -> None:
    """Before a candidate is looked at; the true entity is among the candidates of all other records."""
    bits, starts, certain, barred, present = _world(4000, missing, 0.0)
    found = calibrate(bits, starts, certain, barred)
    assert found.least == pytest.approx(1 - present.mean(), abs=0.05)
    assert min(_none(found, 2.0**-5, 1.0, 2.0**5)) >= found.least
