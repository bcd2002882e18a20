"""How often values agree by chance, counted exactly where that has a closed form.

Pairs that are equal in a column are the sum over its values of how often each side has it; no pair is made. That holds
for the levels which ask for equality alone, or for equality and something of the reference's own row (a rare name);
the first levels of a comparison are read for this form. Levels of likeness have none: they are sampled.
"""

import re

import duckdb

from pipelines.resolve.comparisons import Comparison
from pipelines.resolve.scoring import DERIVED
from pipelines.resolve.sides import Sides

_EQUAL = re.compile(r"(\w+)_l = (\w+)_r")
_OF_THE_REFERENCE = re.compile(r"(\w+)_r (>=|<=|>|<) [\d.]+")


def equal_columns(condition: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the columns a condition asks to be equal and what it asks of the reference's row; None for another form.

    Only conjunctions are read: ``name_key_l = name_key_r AND total_r >= 0.8``.
    """
    columns, own = [], []
    for part in condition.split(" AND "):
        equal = _EQUAL.fullmatch(part.strip())
        if equal and equal[1] == equal[2]:
            columns.append(equal[1])
        elif _OF_THE_REFERENCE.fullmatch(part.strip()):
            own.append(part.strip())
        else:
            return None
    return (tuple(columns), tuple(own)) if columns else None


def agreements(
    con: duckdb.DuckDBPyConnection, sides: Sides, comparisons: tuple[Comparison, ...]
) -> dict[str, list[float]]:
    """Return how many pairs of ``_sample`` and ``_right`` are on a comparison's first levels, if they have the form.

    The best level first. A pair is on the first level that holds, so what an earlier one has counted is taken off.
    """
    found = {}
    for comparison in comparisons:
        counts: list[float] = []
        for level in comparison.levels:
            form = equal_columns(level.condition)
            first = equal_columns(comparison.levels[0].condition)
            # An earlier level must ask for the same columns: then its pairs are among this one's.
            if form is None or first is None or form[0] != first[0] or any(c in DERIVED for c in form[0]):
                break
            counts.append(_count(con, sides, *form) - sum(counts))
        if counts:
            found[comparison.name] = counts
    return found


def _count(con: duckdb.DuckDBPyConnection, sides: Sides, columns: tuple[str, ...], own: tuple[str, ...]) -> float:
    keys = ", ".join(columns)
    joined = " AND ".join(f"l.{column} = s.{column}" for column in columns)
    source = "_right s"
    if any("total_r" in part for part in own):
        source += " LEFT JOIN _right_words w ON w.n = s.n"
    if sides.kind == "person":
        source += (
            " LEFT JOIN _rare_last a ON a.value = s.last_squashed LEFT JOIN _rare_first b ON b.value = s.first_squashed"
        )
    tests = [re.sub(r"(\w+)_r\b", lambda match: DERIVED.get(match[1], f"s.{match[1]}"), part) for part in own]
    row = con.sql(
        f"SELECT coalesce(sum(l.records), 0)::DOUBLE FROM {source} JOIN (SELECT {keys}, count(*) AS records "
        f"FROM _left SEMI JOIN _sample USING (n) GROUP BY ALL) l ON {joined} "
        f"WHERE {' AND '.join(tests) or 'true'}"
    ).fetchall()[0]
    return float(row[0])
