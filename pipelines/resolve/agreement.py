"""Precision and recall of what would be linked without a person, where people have spoken, with intervals.

The people's decisions are the labels. They are about the hard pairs, and the model may have learnt from them: over all
records both figures are likely to be higher. Nothing is decided here.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import duckdb

from data_contracts.contracts import load_contract
from data_contracts.settings import Matching
from pipelines.resolve.decisions import IN_FORCE
from pipelines.resolve.sides import Object
from pipelines.run import RunContext

_SQL = Path(__file__).parent / "agreement.sql"
#: Standard deviations of a normal distribution that hold 95 % of it.
Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Interval:
    """A share of ``of`` cases, with the 95 % interval of Wilson, which holds for few cases and shares near 0 and 1."""

    share: float
    low: float
    high: float
    of: int


@dataclass(frozen=True)
class Agreement:
    """What Crosswalk by itself and people said of the same records.

    ``right``: would link what was accepted; ``wrong``: would link, or had linked, what was rejected or another entity
    than the accepted one; ``missed``: would not link what was accepted.
    """

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> Interval | None:
        """The share of its links that are right; None where people have judged none."""
        return wilson(self.right, self.right + self.wrong)

    @property
    def recall(self) -> Interval | None:
        """The share of accepted pairs it would link; None where none was accepted."""
        return wilson(self.right, self.right + self.missed)


def wilson(hits: int, of: int) -> Interval | None:
    """Return the share ``hits`` / ``of`` and its 95 % Wilson interval; None of nothing."""
    if not of:
        return None
    share, squared = hits / of, Z_95**2
    middle = (share + squared / (2 * of)) / (1 + squared / of)
    half = Z_95 * math.sqrt(share * (1 - share) / of + squared / (4 * of**2)) / (1 + squared / of)
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half), of)


def agreement(con: duckdb.DuckDBPyConnection, name: Object, matching: Matching, run: RunContext) -> Agreement:
    """Compare the last run's candidates of an object with the decisions in force, by the rule that links the model's.

    Reads ``match.decision``, ``match.<object>_candidate`` and ``ops.link_change`` (what was linked before a person
    rejected it); a table that is not there counts as empty.
    """
    for table in ("match.decision", f"match.{name}_candidate", "ops.link_change"):
        con.execute(load_contract(table).ddl()).fetchall()
    sql = _SQL.read_text(encoding="utf-8").replace("{in_force}", IN_FORCE).replace("{object}", name)
    thresholds = matching.thresholds
    rows = con.execute(
        sql,
        {
            "object": name,
            "at": run.started_at.replace(tzinfo=None),
            "link": thresholds.link,
            "margin": thresholds.ambiguity_margin,
        },
    ).fetchall()
    return Agreement(*rows[0])
