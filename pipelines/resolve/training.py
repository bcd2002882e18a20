"""Training without labels: what certain links teach, and expectation maximisation for the rest.

A record is at most one entity, so its candidates compete: that, and the other candidates of records that a rung has
linked (known non-matches), is what tells matches from non-matches even where little but a name is there. Every match
counts once, those of the rungs too: a rung takes the matches that agree in its columns away, so that what it leaves
disagrees there more often than matches do, and learning from the rest alone drifts until disagreement says nothing.

u is over all pairs of the two sides: exact for equality (``closed_form.py``), the expected matches taken off; for
likeness counted on the candidates, which hold nearly every agreement, and sampled on the rest. Sampling alone never
sees two different companies share a domain; counting candidates alone would take the rare agreements blocking looks
for to be common.
"""

from dataclasses import asdict, dataclass, field

import duckdb
import numpy as np
import numpy.typing as npt

from pipelines.resolve.calibration import calibrate
from pipelines.resolve.closed_form import agreements
from pipelines.resolve.comparisons import COMPARISONS, Comparison
from pipelines.resolve.model import Model, fingerprint
from pipelines.resolve.scoring import Parameters, score, starting_parameters
from pipelines.resolve.scripts import run_script
from pipelines.resolve.sides import Sides
from pipelines.resolve.together import STATES, states, taken_off
from pipelines.resolve.vetoes import VETOES, alike_join
from pipelines.run import RunContext
from resources.resolution_engine import ResolutionEngine

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
#: Records whose candidates a model learns from.
SAMPLE = 10_000
#: A comparison needs this many pairs with both values, or the model does without it.
FEWEST_PAIRS = 1
#: The assumed shares of the levels count as much as this many matches.
ASSUMED = 5.0
#: From this many known non-matches on, they alone say how non-matches look.
ENOUGH_KNOWN = 100
ROUNDS = 60
#: Random pairs that show how values agree by chance, and what a level none of them is on counts for.
RANDOM_PAIRS = 100_000
UNSEEN = 1e-3


@dataclass(frozen=True)
class Sample:
    """Pairs to learn from, ordered by record: levels (0 worst, -1 absent), certain links and the rung of each.

    ``agreeing`` has, best level first, how many of all pairs are on a comparison's levels, where that is known exactly.
    """

    levels: dict[str, Ints]
    starts: Ints
    record: Ints
    certain: npt.NDArray[np.bool_]
    rung: npt.NDArray[np.str_]
    barred: npt.NDArray[np.bool_]
    random: dict[str, Ints]
    all_pairs: float
    agreeing: dict[str, list[float]] = field(default_factory=dict)

    @property
    def settled(self) -> npt.NDArray[np.bool_]:
        """Pairs of records with a certain link: match or non-match is known."""
        linked = np.zeros(len(self.starts), dtype=bool)
        linked[self.record[self.certain]] = True
        return np.asarray(linked[self.record])


def train(con: duckdb.DuckDBPyConnection, engine: ResolutionEngine, sides: Sides, run: RunContext) -> Model | None:
    """Train on the pairs of ``_sample_pair`` (l, r); return None when nothing can be compared.

    Deterministic: the same tables give the same model.
    """
    comparisons = COMPARISONS[sides.kind]
    start = starting_parameters(comparisons)
    run_script(con, "random_pair.sql", pairs=RANDOM_PAIRS, left=min(sides.left, SAMPLE), right=sides.right)
    score(con, engine, sides, "_random_pair", comparisons, start, 0.5, "_by_chance", levels=True)
    # Last, because reading the sample needs the name likeness of its pairs.
    score(con, engine, sides, "_sample_pair", comparisons, start, 0.5, "_leveled", levels=True)
    sample = _read_sample(con, comparisons, sides)
    usable = tuple(c for c in comparisons if (sample.levels[c.name] >= 0).sum() >= FEWEST_PAIRS)
    if not usable:
        return None
    parameters, prior = maximise(sample, usable)
    together = dependence(sample, parameters)
    bits = weights(sample, parameters, prior, together)
    return Model(
        object=sides.object,
        kind=sides.kind,
        parameters=parameters,
        prior=prior,
        together=together,
        calibration=asdict(calibrate(bits, sample.starts, sample.certain, sample.barred)),
        fingerprint=fingerprint(sides.kind),
        input_hash=_input_hash(con),
        trained_on={
            "records": len(sample.starts),
            "pairs": len(sample.record),
            "certain_links": int(sample.certain.sum()),
        },
        run_id=run.run_id,
        trained_at=run.started_at.isoformat(),
    )


def maximise(sample: Sample, comparisons: tuple[Comparison, ...]) -> tuple[Parameters, float]:
    """Return m and u (best level first) and the share of matches among all pairs of the two sides."""
    assumed = {c.name: np.array(c.starts[::-1]) for c in comparisons}
    speaks = {c.name: np.array(c.speaks[::-1]) for c in comparisons}
    settled, certain = sample.settled, sample.certain.astype(float)
    known = (settled & ~sample.certain).astype(float)
    m, matches = dict(assumed), np.full(len(certain), 0.5)
    # A random pair that agrees on everything is a match blocking has missed: it must not make agreement look common.
    by_chance = np.ones(len(next(iter(sample.random.values()))))
    for step in range(ROUNDS + 1):
        others = known if known.sum() >= ENOUGH_KNOWN else 1 - matches
        u = {name: _everywhere(sample, name, others, by_chance, len(assumed[name])) for name in assumed}
        if step:
            u = {name: _exactly(sample, name, u[name], matches) for name in assumed}
        if step:
            m = {name: _shares(sample, name, matches, ASSUMED * assumed[name]) for name in assumed}
            m = {name: np.where(speaks[name], m[name], u[name]) for name in assumed}
        found = matches.sum() if step else 0.5 * len(sample.starts)
        odds = max(float(found), 0.5) / max(sample.all_pairs - float(found), 0.5)
        matches = np.where(settled, certain, _responsibility(sample, m, u, odds))
        by_chance = 1 / (1 + _pair_odds(sample.random, m, u, odds))
    for name in assumed:
        # What nobody has seen says nothing: no assumption stands in for it.
        seen = _seen(sample, name, len(assumed[name])) & speaks[name]
        known_share = (1 - float(u[name][~seen].sum())) / max(float(m[name][seen].sum()), 1e-300)
        m[name] = np.where(seen, m[name] * known_share, u[name])
    parameters = {n: {"m": [float(x) for x in m[n][::-1]], "u": [float(x) for x in u[n][::-1]]} for n in assumed}
    return parameters, odds / (1 + odds)


def _seen(sample: Sample, name: str, size: int) -> npt.NDArray[np.bool_]:
    """Return which levels any pair of the sample or any random pair is on."""
    levels = np.concatenate([sample.levels[name], sample.random[name]])
    return np.asarray(np.bincount(levels[levels >= 0], minlength=size) > 0)


def dependence(sample: Sample, parameters: Parameters) -> dict[str, float]:
    """Return what patterns of agreement count less (``together.py``), learnt from the rivals of certain links."""
    known = (sample.settled & ~sample.certain).astype(float)
    if known.sum() < ENOUGH_KNOWN:
        return {}
    # The known ones stand for as many of all pairs as they are of the candidates.
    pairs = sample.all_pairs * float(known.sum()) / len(known)
    expected: list[Floats] = []
    for name, trained in parameters.items():
        u, bits = np.array(trained["u"][::-1]), _bits(trained)
        random = sample.random[name]
        present = float((random >= 0).mean()) if len(random) else 1.0
        shares = np.bincount(states(bits, float(bits.max())), weights=u, minlength=STATES).astype(np.float64) * present
        shares[0] = 1 - shares[1:].sum()
        expected.append(shares)
    return taken_off(_patterns(sample, parameters), known, expected, pairs)


def weights(sample: Sample, parameters: Parameters, prior: float, together: dict[str, float]) -> Floats:
    """Return the match weight of every pair of the sample in bits, as ``_scored`` will have it."""
    found = np.full(len(sample.record), np.log2(prior / (1 - prior)))
    for name, trained in parameters.items():
        found += _weight(sample.levels[name], _bits(trained))
    if together:
        digits = np.stack(_patterns(sample, parameters), axis=1)
        patterns, place = np.unique(digits, axis=0, return_inverse=True)
        off = [together.get("".join(str(state) for state in pattern), 0.0) for pattern in patterns]
        found += np.array(off)[place.reshape(-1)]
    return found


def _patterns(sample: Sample, parameters: Parameters) -> list[Ints]:
    """Return the states of every pair in each comparison (``together.py``)."""
    bits = {name: _bits(trained) for name, trained in parameters.items()}
    return [states(_weight(sample.levels[name], b), float(b.max())) for name, b in bits.items()]


def _bits(trained: dict[str, list[float]]) -> Floats:
    """Return the bits of each level, worst first."""
    return np.asarray(np.log2(np.array(trained["m"][::-1]) / np.array(trained["u"][::-1])))


def _weight(levels: Ints, bits: Floats) -> Floats:
    return np.where(levels >= 0, bits[np.maximum(levels, 0)], 0.0)


def _everywhere(sample: Sample, name: str, others: Floats, by_chance: Floats, size: int) -> Floats:
    """Return u over all pairs: as the candidates among non-matches say, and the random pairs for the rest."""
    candidates = float(len(sample.record))
    # Half a pair among the candidates, not among the fewer known non-matches: few are known where the data is poor.
    seen = np.full(size, 0.5 * max(float(others.sum()), 1.0) / candidates)
    rest = max(sample.all_pairs - candidates, 0.0)
    random = sample.random[name]
    counted = np.bincount(random[random >= 0], weights=by_chance[random >= 0], minlength=size) + UNSEEN
    share = counted / counted.sum()
    return np.asarray((candidates * _shares(sample, name, others, seen) + rest * share) / (candidates + rest))


def _exactly(sample: Sample, name: str, u: Floats, matches: Floats) -> Floats:
    """Return u with the levels that are counted exactly put right, the others keeping their proportions."""
    counted = sample.agreeing.get(name, [])
    if not counted:
        return u
    levels, random = sample.levels[name], sample.random[name]
    present = sample.all_pairs * max(float((random >= 0).mean()) if len(random) else 1.0, 1 / sample.all_pairs)
    found = u.copy()
    for place, pairs in enumerate(counted, start=1):
        expected = float(matches[levels == len(u) - place].sum())
        # Half a pair at least: that no two ever agree by chance has not been seen, only that none did here.
        found[-place] = min(max(pairs - expected, 0.5) / max(present - float(matches.sum()), 1.0), 0.5 / len(counted))
    rest = slice(0, len(u) - len(counted))
    found[rest] *= (1 - found[rest.stop :].sum()) / max(float(found[rest].sum()), 1e-300)
    return found


def _responsibility(sample: Sample, m: dict[str, Floats], u: dict[str, Floats], odds: float) -> Floats:
    """Return per pair the probability that it is the match of its record, all its candidates considered."""
    pair_odds = _pair_odds(sample.levels, m, u, odds) * ~sample.barred
    together = np.add.reduceat(pair_odds, sample.starts)
    return np.asarray(pair_odds / (1 + together[sample.record]))


def _pair_odds(levels: dict[str, Ints], m: dict[str, Floats], u: dict[str, Floats], odds: float) -> Floats:
    """Return the odds of each pair by itself: the prior ones times what every comparison says."""
    weight = np.full(len(next(iter(levels.values()))), np.log(odds))
    for name in m:
        ratio = np.log(m[name] / u[name])
        weight += np.where(levels[name] >= 0, ratio[np.maximum(levels[name], 0)], 0.0)
    return np.asarray(np.exp(np.clip(weight, -60, 60)))


def _shares(sample: Sample, name: str, counts: Floats, assumed: Floats) -> Floats:
    """Return the share of each level among the pairs, each counted as given, with ``assumed`` counts added."""
    levels = sample.levels[name]
    present = levels >= 0
    found = np.bincount(levels[present], weights=counts[present], minlength=len(assumed)) + assumed
    return np.asarray(found / found.sum())


def _read_sample(con: duckdb.DuckDBPyConnection, comparisons: tuple[Comparison, ...], sides: Sides) -> Sample:
    gammas = ", ".join(f"g.gamma_{c.name}" for c in comparisons)
    table = con.sql(
        f"SELECT g.l, {gammas}, coalesce(h.code, '') AS code, {VETOES[sides.kind]} IS NOT NULL AS barred "
        f"FROM _leveled g JOIN _left l ON l.n = g.l JOIN _right r ON r.n = g.r {alike_join(sides.kind, 'g.l', 'g.r')} "
        "LEFT JOIN (SELECT l, r, min(code) AS code FROM _anchor GROUP BY l, r) h ON h.l = g.l AND h.r = g.r "
        "ORDER BY g.l, g.r"
    ).to_arrow_table()
    # In order: a sum depends on the order of what is summed, and the same data must give the same model.
    chance = con.sql(f"SELECT {gammas} FROM _by_chance g ORDER BY g.l, g.r").to_arrow_table()
    records = table["l"].to_numpy()
    first = np.concatenate([[True], records[1:] != records[:-1]]) if len(records) else np.zeros(0, dtype=bool)
    codes = np.array(table["code"].to_pylist(), dtype=str)
    return Sample(
        levels={c.name: table[f"gamma_{c.name}"].to_numpy().astype(np.int64) for c in comparisons},
        starts=np.flatnonzero(first),
        record=np.cumsum(first) - 1,
        certain=codes != "",
        rung=codes,
        barred=table["barred"].to_numpy(zero_copy_only=False).astype(np.bool_),
        random={c.name: chance[f"gamma_{c.name}"].to_numpy().astype(np.int64) for c in comparisons},
        all_pairs=float(con.sql("SELECT count(*) FROM _sample").fetchall()[0][0]) * sides.right,
        agreeing=agreements(con, sides, comparisons),
    )


def _input_hash(con: duckdb.DuckDBPyConnection) -> str:
    """Return a hash of both sides' standard values, the same in whatever order the rows are."""
    left, right = con.sql(
        "SELECT (SELECT bit_xor(hash(s)) FROM _left s), (SELECT bit_xor(hash(s)) FROM _right s)"
    ).fetchall()[0]
    return f"{left or 0:016x}{right or 0:016x}"
