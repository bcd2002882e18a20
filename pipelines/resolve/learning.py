"""Learning from decisions: which pairs and features the second stage is given, and what is adopted of it.

The arithmetic is in ``second_stage.py``. What is adopted is kept in the model as a weight in bits per feature, so
that applying it needs no library, costs one expression per pair, and can be read.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np

from pipelines.resolve.calibration import Calibration
from pipelines.resolve.met import met_pairs
from pipelines.resolve.model import Model
from pipelines.resolve.second_stage import FOLDS, Lessons, SecondStage, fit
from pipelines.resolve.sides import Kind, Sides

#: Below so many decisions nothing is learnt: a handful of hard cases says little about the others.
FEWEST_DECISIONS = 30
#: The weight of a model that no decision has taught.
NOTHING_LEARNED = "0.0"


@dataclass(frozen=True)
class Feature:
    """Something a steward can see of a pair, as SQL over the columns of ``met.sql``; about 0 to 1, or -1 to 1."""

    name: str
    sql: str


_PLACE = "greatest(coalesce(weight_street, 0), coalesce(weight_phone, 0))"
#: What tells pairs of one pattern of agreement apart, and which patterns mislead; absent columns are left out.
_FEATURES: dict[Kind, tuple[tuple[Feature, tuple[str, ...]], ...]] = {
    "company": (
        (Feature("names alike", "coalesce(alike, 0.5)"), ("name",)),
        (Feature("one name in the other", "coalesce(contained, 0.5)"), ("name",)),
        (Feature("rare words shared", "least(coalesce(shared, 0), 3) / 3"), ("name",)),
        (Feature("numbers in the names differ", "numbers_differ::INTEGER"), ("name",)),
        (
            Feature("other name, same place", f"(weight_name < 0 AND {_PLACE} > 0)::INTEGER"),
            ("name", "street", "phone"),
        ),
        (
            Feature(
                "same name, other place",
                "(weight_name > 0 AND least(coalesce(weight_street, 0), coalesce(weight_phone, 0)) < 0 "
                f"AND {_PLACE} <= 0)::INTEGER",
            ),
            ("name", "street", "phone"),
        ),
    ),
    "person": (
        (
            Feature("same last name, other first name", "(weight_last_name > 0 AND weight_first_name < 0)::INTEGER"),
            ("last_name", "first_name"),
        ),
        (
            Feature("same first name, other last name", "(weight_first_name > 0 AND weight_last_name < 0)::INTEGER"),
            ("last_name", "first_name"),
        ),
        (
            Feature(
                "same name, other birth date",
                "(weight_last_name > 0 AND weight_first_name > 0 AND weight_birthdate < 0)::INTEGER",
            ),
            ("last_name", "first_name", "birthdate"),
        ),
    ),
}


def features(model: Model) -> tuple[Feature, ...]:
    """Return the features of the pairs a model weighs: each comparison for and against, their sum, and patterns."""
    found = [
        Feature("any pair", "1"),
        Feature("all weights together", "least(greatest(match_weight, -20), 20) / 10"),
        Feature("proposed by a rung", "(rule_code IS NOT NULL)::INTEGER"),
        Feature("vetoed", "(veto IS NOT NULL)::INTEGER"),
        Feature("same country", "same_country::INTEGER"),
    ]
    for comparison in model.comparisons:
        weight = f"coalesce(weight_{comparison.name}, 0)"
        found += [
            Feature(f"{comparison.name} agrees", f"least(greatest({weight}, 0), 15) / 10"),
            Feature(f"{comparison.name} differs", f"least(greatest(-{weight}, 0), 15) / 10"),
        ]
    names = {comparison.name for comparison in model.comparisons}
    return (*found, *(feature for feature, needs in _FEATURES[model.kind] if names.issuperset(needs)))


def learned_weight(model: Model | None) -> str:
    """Return SQL over the columns of ``met.sql``: the bits a model's second stage adds to a pair."""
    if model is None or not model.learned.get("adopted"):
        return NOTHING_LEARNED
    weights: dict[str, float] = model.learned["bits"]
    terms = [f"{weights[f.name]!r} * coalesce({f.sql}, 0)" for f in features(model) if f.name in weights]
    return " + ".join(terms) or NOTHING_LEARNED


def learn(con: duckdb.DuckDBPyConnection, sides: Sides, model: Model) -> Model:
    """Return the model with a second stage learnt from the decisions in ``_decided``, adopted only if it is better.

    With fewer than ``FEWEST_DECISIONS`` judged candidates the model is returned as it is. Deterministic: the parts into
    which records are divided depend on their ids.
    """
    chosen = features(model)
    lessons, fold, decisions = _lessons(con, sides, chosen, Calibration(**model.calibration))
    if decisions < FEWEST_DECISIONS:
        return model
    found = fit(lessons, fold)
    return replace(model, learned=_document(found, chosen, decisions))


def _document(found: SecondStage, chosen: tuple[Feature, ...], decisions: int) -> dict[str, Any]:
    bits = found.weights / np.log(2)
    return {
        "adopted": found.better,
        "decisions": decisions,
        "cost_before": found.before,
        "cost_after": found.after,
        "strength": found.strength,
        "bits": {feature.name: float(weight) for feature, weight in zip(chosen, bits, strict=True)},
    }


def _lessons(
    con: duckdb.DuckDBPyConnection, sides: Sides, chosen: tuple[Feature, ...], calibration: Calibration
) -> tuple[Lessons, np.ndarray, int]:
    """Return the candidates of the decided records, the fold of each record, and how many decisions they hold."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _lesson AS SELECT l, r FROM (SELECT l, r FROM _pair UNION SELECT l, r FROM "
        "_rung_hit UNION SELECT l, r FROM _decided) SEMI JOIN "
        "(SELECT l FROM _decided WHERE judgement <> 'unsure') d USING (l)"
    )
    columns = ", ".join(f"coalesce({f.sql}, 0)::DOUBLE AS f{i}" for i, f in enumerate(chosen))
    table = con.sql(
        f"SELECT m.l, i.id AS salesforce_id, m.match_weight, {columns}, CASE d.judgement WHEN 'positive' THEN 1 "
        f"WHEN 'negative' THEN -1 ELSE 0 END AS judged FROM ({met_pairs(con, sides, '_lesson')}) m "
        "JOIN _left i ON i.n = m.l LEFT JOIN _decided d ON d.l = m.l AND d.r = m.r "
        "WHERE m.match_weight IS NOT NULL ORDER BY m.l, m.r"
    ).to_arrow_table()
    records = table["l"].to_numpy()
    first = np.concatenate([[True], records[1:] != records[:-1]]) if len(records) else np.zeros(0, dtype=bool)
    judged = table["judged"].to_numpy().astype(np.int64)
    starts = np.flatnonzero(first)
    numbers = np.stack([table[f"f{i}"].to_numpy() for i in range(len(chosen))], axis=1)
    ids = table["salesforce_id"].to_pylist()
    fold = np.array([_part(str(ids[start])) for start in starts], dtype=np.int64)
    bits = table["match_weight"].to_numpy().astype(np.float64)
    together = np.add.reduceat(np.exp2(np.clip(bits, -60, 60)), starts) if len(starts) else np.zeros(0)
    lessons = Lessons(numbers, bits, starts, judged, np.log(calibration.none_odds(together)))
    return lessons, fold, int((judged != 0).sum())


def _part(record: str) -> int:
    return int(hashlib.sha256(record.encode()).hexdigest()[:8], 16) % FOLDS
