"""Expectation maximisation on a sample whose truth is known."""

import numpy as np

from pipelines.resolve.comparisons import COMPARISONS
from pipelines.resolve.rungs import COMPANY_RUNGS, PERSON_RUNGS, uses_of
from pipelines.resolve.training import Sample, maximise

CHOSEN = tuple(c for c in COMPARISONS["company"] if c.name in ("name", "phone"))


def sample(records: int = 400, candidates: int = 5, *, certain: int = 0, seed: int = 3) -> tuple[Sample, np.ndarray]:
    """Three in four records have their match first; matches mostly agree, the others hardly."""
    rng = np.random.default_rng(seed)
    size = records * candidates
    first = np.arange(size) % candidates == 0
    match = first & (np.arange(size) // candidates % 4 != 0)
    levels = {}
    for c in CHOSEN:
        best = len(c.levels)
        agree = np.where(match, rng.random(size) < 0.85, rng.random(size) < 0.03)
        levels[c.name] = np.where(agree, best, 0).astype(np.int64)
    sure = match & (np.arange(size) // candidates < certain)
    made = Sample(
        levels=levels,
        starts=np.flatnonzero(first),
        record=np.cumsum(first) - 1,
        certain=sure,
        rung=np.where(sure, "ACC_DOMAIN", ""),
        barred=np.zeros(size, dtype=bool),
        random={c.name: np.zeros(5_000, dtype=np.int64) for c in CHOSEN},
        all_pairs=float(records * 300),
    )
    return made, match


def test_agreement_weighs_for_and_disagreement_against() -> None:
    parameters, prior = maximise(sample()[0], CHOSEN)
    for name, found in parameters.items():
        assert found["m"][0] > 100 * found["u"][0], name
        assert found["m"][-1] < found["u"][-1], name
        assert abs(sum(found["m"]) - 1) < 1e-9
        assert abs(sum(found["u"]) - 1) < 1e-9
        assert min(found["m"] + found["u"]) > 0, "an untrained parameter"
    assert 0.5 * 300 / 120_000 < prior < 1.5 * 300 / 120_000


def test_the_same_sample_gives_the_same_model_and_certain_links_bring_it_nearer_the_truth() -> None:
    plain, _ = maximise(sample()[0], CHOSEN)
    again, _ = maximise(sample()[0], CHOSEN)
    helped, _ = maximise(sample(certain=200)[0], CHOSEN)
    assert plain == again
    assert abs(helped["phone"]["m"][0] - 0.85) < 0.05
    assert abs(helped["phone"]["m"][0] - 0.85) <= abs(plain["phone"]["m"][0] - 0.85)


def test_a_barred_pair_is_no_match_to_learn_from() -> None:
    made, match = sample()
    barred = Sample(**(made.__dict__ | {"barred": match}))
    _, prior = maximise(barred, CHOSEN)
    assert prior < maximise(made, CHOSEN)[1] / 3


def test_every_rung_has_a_code_of_its_kind_and_says_what_it_uses() -> None:
    names = {kind: {c.name for c in found} for kind, found in COMPARISONS.items()}
    for rung in COMPANY_RUNGS:
        assert rung.code.startswith("ACC_")
        assert uses_of(rung.code) <= names["company"]
    for rung in PERSON_RUNGS:
        assert rung.code.startswith("PER_")
        assert uses_of(rung.code) <= names["person"]
    assert uses_of("NO_SUCH") == frozenset()
