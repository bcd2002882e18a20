"""Agreements that come together by chance: what is taken off so that one piece of evidence is not counted twice.

Sites of one organisation share its phone number and half of its name; members of a family share last name, street and
town. Each comparison weighs such an agreement as if it came alone. How often known non-matches show a whole pattern of
agreements, against how often they would if comparisons were independent, is what the pattern is worth less. Only
patterns seen more often than that count, and none where too few non-matches are known.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
#: A comparison says nothing or disagrees (0), agrees with less than half of its best weight (1), or with more (2).
STATES = 3
#: So many pairs of each pattern are taken to be seen and expected beforehand: one pair proves nothing.
BEFOREHAND = 1.0


def states(weights: Floats, best: float) -> Ints:
    """Return the state of each pair in one comparison, from its weights in bits and the best a pair can get."""
    return np.where(weights <= 0, 0, np.where(weights <= best / 2, 1, 2)).astype(np.int64)


def state_sql(column: str, best: float) -> str:
    """Return the same as SQL over a column of weights."""
    return f"CASE WHEN coalesce({column}, 0) <= 0 THEN 0 WHEN {column} <= {best / 2!r} THEN 1 ELSE 2 END"


def taken_off(patterns: list[Ints], known: Floats, expected: list[Floats], pairs: float) -> dict[str, float]:
    """Return, per pattern that known non-matches show too often, the bits to take off (negative numbers).

    ``patterns`` has the states of the candidate pairs in each comparison, ``known`` is 1 for the known non-matches,
    ``expected`` the share of each state among all non-matching pairs, ``pairs`` how many of all pairs the known ones
    stand for. A pattern is written as its states in order: ``210`` is strong, weak, none.
    """
    if not patterns:
        return {}
    table = np.stack(patterns, axis=1)[known > 0]
    found = {}
    for pattern, seen in zip(*np.unique(table, axis=0, return_counts=True), strict=True):
        if (pattern > 0).sum() < 2:
            continue
        by_chance = pairs * float(np.prod([shares[state] for shares, state in zip(expected, pattern, strict=True)]))
        surplus = float(np.log2((seen + BEFOREHAND) / (by_chance + BEFOREHAND)))
        if surplus > 0:
            found["".join(str(state) for state in pattern)] = -surplus
    return found


def together_sql(together: dict[str, float], weights: dict[str, float]) -> str:
    """Return SQL for the bits to take off a pair; ``weights`` are the columns of weights and the best of each."""
    if not together:
        return "0.0"
    pattern = " || ".join(f"({state_sql(column, best)})::VARCHAR" for column, best in weights.items())
    names = ", ".join(f"'{name}'" for name in together)
    bits = ", ".join(repr(value) for value in together.values())
    return f"coalesce(map([{names}], [{bits}]::DOUBLE[])[{pattern}], 0.0)"
