"""How often each rung is right, estimated where nobody has labelled anything.

A rung looks at some columns; the others bear witness. Among the pairs it links, a share p are matches: these agree on
the other columns as the model's matches do, the rest as its non-matches do, and p is what makes the pairs seen most
likely. Decisions on pairs that satisfy the rung are counted beside it. What is stated for a rung before anything is
known counts as much as a few pairs, so that a handful of links neither proves nor ruins it.
"""

from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt

from pipelines.resolve.model import Model
from pipelines.resolve.rungs import Rung, uses_of

#: What a rung is taken to be worth before anything is known of it, and how many pairs that counts for.
STATED = 0.99
STATED_FOR = 20.0
ROUNDS = 100
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RungPrecision:
    """A rung's estimated precision, the pairs of the sample it rests on, and decisions for and against such pairs."""

    code: str
    precision: float
    pairs: int
    accepted: int
    rejected: int


def estimate_precision(
    con: duckdb.DuckDBPyConnection, rungs: tuple[Rung, ...], model: Model | None
) -> tuple[RungPrecision, ...]:
    """Create ``_rung_precision`` (code, precision, pairs, accepted, rejected) and return its rows.

    Reads the sample as training left it: ``_anchor`` and, where there is a model, ``_leveled``.
    """
    found = []
    for code in dict.fromkeys(rung.code for rung in rungs):
        accepted, rejected = _decisions(con, [rung for rung in rungs if rung.code == code])
        odds = _witnesses(con, code, model) if model is not None else np.zeros(0)
        precision = likeliest_share(odds, accepted, rejected)
        found.append(RungPrecision(code, precision, len(odds), accepted, rejected))
    write_precision(con, tuple(found))
    return tuple(found)


def write_precision(con: duckdb.DuckDBPyConnection, found: tuple[RungPrecision, ...]) -> None:
    """Create ``_rung_precision`` with these rows."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _rung_precision "
        "(code VARCHAR, precision DOUBLE, pairs BIGINT, accepted BIGINT, rejected BIGINT)"
    )
    for row in found:
        values = [row.code, row.precision, row.pairs, row.accepted, row.rejected]
        con.execute("INSERT INTO _rung_precision VALUES (?, ?, ?, ?, ?)", values)


def read_precision(con: duckdb.DuckDBPyConnection) -> tuple[RungPrecision, ...]:
    """Return the rows of ``_rung_precision``."""
    return tuple(RungPrecision(*row) for row in con.sql("FROM _rung_precision ORDER BY code").fetchall())


def likeliest_share(odds: Floats, accepted: int, rejected: int) -> float:
    """Return the share of matches among pairs, each with the odds its witnesses give (1: they say nothing)."""
    share, sure = STATED, STATED * STATED_FOR + accepted
    telling = odds[odds != 1.0]
    for _ in range(ROUNDS):
        matches = telling * share / (telling * share + 1 - share)
        share = float((matches.sum() + sure) / (len(telling) + STATED_FOR + accepted + rejected))
    return share


def _witnesses(con: duckdb.DuckDBPyConnection, code: str, model: Model) -> Floats:
    """Return, per sampled link of a rung, how many times likelier its other columns are in a match."""
    names = [comparison.name for comparison in model.comparisons if comparison.name not in uses_of(code)]
    if not names:
        return np.zeros(0)
    levels = ", ".join(f"g.gamma_{name}" for name in names)
    table = con.sql(
        f"SELECT {levels} FROM _leveled g JOIN _anchor a ON a.l = g.l AND a.r = g.r WHERE a.code = '{code}' "
        "ORDER BY g.l, g.r"
    ).to_arrow_table()
    bits = np.zeros(table.num_rows)
    for name in names:
        level = table[f"gamma_{name}"].to_numpy().astype(np.int64)
        m, u = (np.maximum(model.parameters[name][part][::-1], 1e-12) for part in ("m", "u"))
        ratio = np.log(m) - np.log(u)
        bits += np.where(level >= 0, ratio[np.maximum(level, 0)], 0.0)
    return np.asarray(np.exp(np.clip(bits, -60, 60)), dtype=np.float64)


def _decisions(con: duckdb.DuckDBPyConnection, rungs: list[Rung]) -> tuple[int, int]:
    """Return how many decided pairs that satisfy one of the rungs a person accepted and rejected."""
    tests = []
    for rung in rungs:
        keys = zip(rung.keys_of("left"), rung.keys_of("right"), strict=True)
        equal = (f"l.{mine} = r.{theirs}" for mine, theirs in keys)
        tests.append(" AND ".join([*equal, f"({rung.test})", f"({rung.certain})"]))
    rows = con.sql(
        "SELECT count(*) FILTER (judgement = 'positive'), count(*) FILTER (judgement = 'negative') FROM _decided d "
        f"JOIN _left l ON l.n = d.l JOIN _right r ON r.n = d.r WHERE {' OR '.join(f'({test})' for test in tests)}"
    ).fetchall()
    return int(rows[0][0]), int(rows[0][1])
