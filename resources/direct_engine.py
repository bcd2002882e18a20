"""Splink's arithmetic without Splink's tables: a trained model applied to given pairs in one SQL statement.

It takes the very settings Splink takes and gives the same columns; a test compares the two pair by pair. What it does
not know (term frequency adjustments) it hands to Splink. Splink stays the format of a model.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import duckdb

from resources.resolution_engine import DuckDBEngine

#: What may stand in a comparison level for its weight to be the logarithm of m over u and nothing else.
_PLAIN = {"sql_condition", "label_for_charts", "m_probability", "u_probability", "is_null_level"}


class DirectEngine:
    """Scores on the connection that holds the data: one join of each side, one CASE per comparison."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con

    def score(
        self,
        settings: dict[str, Any],
        left: str,
        right: str,
        pairs: str,
        into: str,
        *,
        also: Mapping[str, str] | None = None,
        kept: str = "true",
    ) -> None:
        """See ``ResolutionEngine.score``; the three inputs and ``into`` are temporary tables.

        A condition may also use other columns of ``pairs``, as ``<column>_p``, which Splink has no place for. ``also``
        are more columns of ``into``, name → SQL over the same; ``kept`` is SQL over l, r and match_weight for
        the pairs that are written.
        """
        if not is_plain(settings):
            DuckDBEngine(self._con).score(settings, left, right, pairs, into)
            self._con.execute(f"DELETE FROM {into} WHERE NOT ({kept})").fetchall()
            return
        columns = (self._columns(left), self._columns(right), self._columns(pairs))
        statement = weighing(settings, *columns, also or {}, kept)
        statement = statement.format(left=left, right=right, pairs=pairs)
        self._con.execute(f"CREATE OR REPLACE TEMP TABLE {into} AS {statement}").fetchall()

    def _columns(self, table: str) -> list[str]:
        return [row[0] for row in self._con.execute(f"DESCRIBE {table}").fetchall()]


def is_plain(settings: dict[str, Any]) -> bool:
    """Whether every level of the settings weighs log2(m / u), whatever its values are."""
    levels = [level for comparison in settings["comparisons"] for level in comparison["comparison_levels"]]
    return all(level.keys() <= _PLAIN for level in levels)


def weighing(
    settings: dict[str, Any],
    left: list[str],
    right: list[str],
    pairs: list[str],
    also: Mapping[str, str] = MappingProxyType({}),
    kept: str = "true",
) -> str:
    """Return the query that scores ``{pairs}`` (l, r) of ``{left}`` and ``{right}`` (column n) with these settings.

    ``left``, ``right`` and ``pairs`` are the columns of the three; ``also`` and ``kept`` as in ``DirectEngine.score``.
    """
    prior = settings["probability_two_random_records_match"]
    names = [comparison["output_column_name"] for comparison in settings["comparisons"]]
    seen = [f"a.{name} AS {name}_l" for name in left] + [f"b.{name} AS {name}_r" for name in right]
    seen += [f"p.{name} AS {name}_p" for name in pairs if name not in ("l", "r")]
    levels = ", ".join(f"{_level(c)} AS gamma_{c['output_column_name']}" for c in settings["comparisons"])
    weights = ", ".join(f"{_weight(c)} AS mw_{c['output_column_name']}" for c in settings["comparisons"])
    total = " + ".join([repr(math.log2(prior / (1 - prior))), *(f"mw_{name}" for name in names)])
    gammas = "".join(f", gamma_{name}" for name in names) if settings["retain_matching_columns"] else ""
    bits = "".join(f", mw_{name}" for name in names)
    told = "".join(f", {_escaped(sql)} AS {name}" for name, sql in also.items())
    # The two sides in one row first: a condition is written over <column>_l and <column>_r.
    return (
        f"WITH seen AS (SELECT p.l, p.r, {', '.join(seen)} FROM {{pairs}} p "
        f"JOIN {{left}} a ON a.n = p.l JOIN {{right}} b ON b.n = p.r), "
        f"leveled AS (SELECT *, {levels} FROM seen), weighed AS (SELECT *, {weights} FROM leveled), "
        # What else is known is asked of the pairs that are kept alone.
        f"summed AS (SELECT *, {total} AS match_weight FROM weighed) "
        f"SELECT l, r, match_weight{gammas}{bits}{told} FROM summed WHERE {_escaped(kept)}"
    )


def _escaped(sql: str) -> str:
    """Return SQL as it stands in a text that is formatted later."""
    return sql.replace("{", "{{").replace("}", "}}")


def _level(comparison: dict[str, Any]) -> str:
    """Return the CASE that finds the level of a pair: -1 nothing to compare, 0 the worst, the highest the best."""
    worth = len([level for level in comparison["comparison_levels"] if not level.get("is_null_level")])
    cases, rest = [], 0
    for level in comparison["comparison_levels"]:
        value = -1 if level.get("is_null_level") else (worth := worth - 1)
        if level["sql_condition"].strip().upper() == "ELSE":
            rest = value
        else:
            cases.append(f"WHEN {_escaped(level['sql_condition'])} THEN {value}")
    return f"(CASE {' '.join(cases)} ELSE {rest} END)::TINYINT"


def _weight(comparison: dict[str, Any]) -> str:
    """Return the CASE that gives a level its bits."""
    levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
    cases = [
        f"WHEN {len(levels) - 1 - place} THEN {math.log2(level['m_probability'] / level['u_probability'])!r}"
        for place, level in enumerate(levels)
    ]
    return f"(CASE gamma_{comparison['output_column_name']} {' '.join(cases)} ELSE 0.0 END)::DOUBLE"
