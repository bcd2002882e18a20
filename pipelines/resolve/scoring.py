"""Pairs in, comparison levels and weights out: what the engine is given and in which form its answer is kept."""

import math
import re
from typing import Any

import duckdb

from pipelines.resolve.candidates import share_of_memory
from pipelines.resolve.comparisons import COMPARISONS, Comparison
from pipelines.resolve.met import known_of_pairs
from pipelines.resolve.scripts import run_script
from pipelines.resolve.sides import Sides
from resources.direct_engine import DirectEngine
from resources.resolution_engine import ResolutionEngine, splink_settings

Parameters = dict[str, dict[str, list[float]]]
"""Comparison → ``m`` and ``u``: the share of each level, best first, among matches and non-matches."""

#: Bytes a pair takes while it is scored: its values of both sides, and likeness of names on the way.
BYTES_PER_PAIR = 500
#: How conditions ask for the likeness of two names, which is a value of the pair.
_LIKENESS = re.compile(r"names_(\w+)\(names_l, n_r\)")
#: Nothing to join where a side has no such values.
_NOTHING = "(SELECT NULL::INTEGER AS n, NULL AS names WHERE false)"
#: Columns that are no column of a side, as SQL over the tables ``features.sql`` joins.
DERIVED = {
    "last_weight": "coalesce(a.weight, 1.0)",
    "first_weight": "coalesce(b.weight, 1.0)",
    "total": "w.total",
    "names": "k.names",
}


def starting_parameters(comparisons: tuple[Comparison, ...]) -> Parameters:
    """Return parameters before training: only good for finding out which level each pair is on."""
    return {c.name: {"m": list(c.starts), "u": [1 / len(c.starts)] * len(c.starts)} for c in comparisons}


def splink_comparisons(comparisons: tuple[Comparison, ...], parameters: Parameters) -> list[dict[str, Any]]:
    """Return Splink's form of the comparisons with their trained parameters."""
    found = []
    for comparison in comparisons:
        m, u = parameters[comparison.name]["m"], parameters[comparison.name]["u"]
        conditions = [*((level.condition, level.label) for level in comparison.levels), ("ELSE", "nothing alike")]
        levels: list[dict[str, Any]] = [
            {"sql_condition": comparison.absent, "label_for_charts": "nothing to compare", "is_null_level": True}
        ]
        levels += [
            {"sql_condition": sql, "label_for_charts": label, "m_probability": m[i], "u_probability": u[i]}
            for i, (sql, label) in enumerate(conditions)
        ]
        found.append({"output_column_name": comparison.name, "comparison_levels": levels})
    return found


def prepare_features(
    con: duckdb.DuckDBPyConnection,
    sides: Sides,
    pairs: str,
    *,
    by_pair: bool = False,
    more: frozenset[str] = frozenset(),
) -> None:
    """Create ``_left_seen`` and ``_right_seen`` for the records in ``pairs``, with every column a comparison needs.

    For companies also ``_name_alike`` (l, r, …), the likeness of the names of every pair; a record carries it as a map
    ``names`` by entity, unless the engine reads it ``by_pair``. ``more`` are columns wanted beside.
    """
    last, first = ("last_squashed", "first_squashed") if sides.kind == "person" else ("NULL::VARCHAR", "NULL::VARCHAR")
    if sides.kind == "company":
        run_script(con, "name_alike.sql", replace={"pairs": pairs})
    maps = sides.kind == "company" and not by_pair
    if maps:
        run_script(con, "name_maps.sql")
    wanted = {column for comparison in COMPARISONS[sides.kind] for column in comparison.columns} | more
    names = sorted(wanted - {"names"} if by_pair else wanted)
    for side, key in (("left", "l"), ("right", "r")):
        columns = ["s.n", *(_column(name) for name in names if side == "right" or name != "place")]
        run_script(
            con,
            "features.sql",
            side=side,
            replace={
                "columns": ", ".join(columns),
                "key": key,
                "pairs": pairs,
                "last": last,
                "first": first,
                "names": "_left_names" if maps and side == "left" else _NOTHING,
            },
        )


def score(
    con: duckdb.DuckDBPyConnection,
    engine: ResolutionEngine,
    sides: Sides,
    pairs: str,
    comparisons: tuple[Comparison, ...],
    parameters: Parameters,
    prior: float,
    into: str,
    *,
    levels: bool = False,
    known: bool = False,
    kept: str = "true",
) -> None:
    """Score table ``pairs`` (l, r) and write ``into`` (l, r, match_weight, mw_…; with ``levels`` also gamma_…).

    With ``known`` also what else is known of a pair, where the engine can tell: both sides are at hand then. ``kept``
    is SQL over l, r and match_weight for the pairs that are written.
    """
    by_pair = isinstance(engine, DirectEngine)
    also = {name: _of_both_sides(sql) for name, sql in known_of_pairs(sides.kind).items()} if known and by_pair else {}
    prepare_features(con, sides, pairs, by_pair=by_pair, more=_columns_in(also))
    given = splink_comparisons(comparisons, parameters)
    if by_pair and sides.kind == "company":
        pairs = "_name_alike"
        for level in (level for comparison in given for level in comparison["comparison_levels"]):
            level["sql_condition"] = _LIKENESS.sub(r"\1_p", level["sql_condition"])
    settings = splink_settings(given, prior, levels=levels)
    if isinstance(engine, DirectEngine):
        engine.score(settings, "_left_seen", "_right_seen", pairs, into, also=also, kept=kept)
    else:
        engine.score(settings, "_left_seen", "_right_seen", pairs, into)
        con.execute(f"DELETE FROM {into} WHERE NOT ({kept})")


def score_in_parts(
    con: duckdb.DuckDBPyConnection,
    engine: ResolutionEngine,
    sides: Sides,
    pairs: str,
    model: tuple[tuple[Comparison, ...], Parameters, float],
    into: str,
    columns: str,
    *,
    known: bool = False,
    kept: str = "true",
) -> int:
    """Score ``pairs`` like ``score``, as many at a time as memory allows; write SQL ``columns`` of it to ``into``.

    ``known`` and ``kept`` are those of ``score``.

    ``model`` are comparisons, parameters and prior. For companies ``_name_alike`` has all pairs in the end. Returns the
    parts; all pairs of a record are in one.
    """
    count: int = con.sql(f"SELECT count(*) FROM {pairs}").fetchall()[0][0]
    parts = max(1, math.ceil(count * BYTES_PER_PAIR / share_of_memory(con)))
    if known and isinstance(engine, DirectEngine):
        columns = ", ".join([columns, *known_of_pairs(sides.kind)])
    tables = {into: f"SELECT {columns} FROM _part_scored"}
    if sides.kind == "company" and parts > 1:
        tables["_every_likeness"] = "FROM _name_alike"
    for part in range(parts):
        con.execute(f"CREATE OR REPLACE TEMP TABLE _part AS SELECT l, r FROM {pairs} WHERE l % {parts} = {part}")
        score(con, engine, sides, "_part", *model, "_part_scored", known=known, kept=kept)
        for table, rows in tables.items():
            con.execute(f"INSERT INTO {table} {rows}" if part else f"CREATE OR REPLACE TEMP TABLE {table} AS {rows}")
    if "_every_likeness" in tables:
        con.execute("DROP TABLE _name_alike")
        con.execute("ALTER TABLE _every_likeness RENAME TO _name_alike")
    return parts


def _of_both_sides(sql: str) -> str:
    """Return SQL over ``l``, ``r`` and ``a`` as the engine has it: ``<column>_l``, ``<column>_r``, ``<column>_p``."""
    for alias, suffix in (("l", "l"), ("r", "r"), ("a", "p")):
        sql = re.sub(rf"\b{alias}\.(\w+)", rf"\1_{suffix}", sql)
    return sql


def _columns_in(also: dict[str, str]) -> frozenset[str]:
    """Return the columns of a side that SQL of ``_of_both_sides`` asks for; an entity alone has a ``place``."""
    return frozenset(name for sql in also.values() for name in re.findall(r"\b(\w+)_[lr]\b", sql))


def _column(name: str) -> str:
    return f"{DERIVED[name]} AS {name}" if name in DERIVED else f"s.{name}"
