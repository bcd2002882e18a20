"""Blocking recall: the share of true pairs that were considered at all, wherever somebody knows the truth.

What blocking misses no model can find. Nothing here is used to link.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.resolve.sides import Object, kind_of
from pipelines.tables import table_columns

_SQL = Path(__file__).with_suffix(".sql")
#: Pairs that a key brought and no table lists (``hopeless.py``).
_HOPELESS = (
    "SELECT l.id AS salesforce_id, r.id AS reference_id FROM {kept}_pair p "
    "JOIN {kept}_record l ON l.n = p.l JOIN {kept}_entity r ON r.n = p.r WHERE p.hopeless"
)
_NO_INDEX = "SELECT NULL::VARCHAR AS salesforce_id, NULL::VARCHAR AS reference_id WHERE false"


@dataclass(frozen=True)
class BlockingRecall:
    """True pairs of which both sides exist, those that were considered, and per kind of key the share it brought."""

    pairs: int
    met: int
    by_key: dict[str, float]

    @property
    def recall(self) -> float | None:
        """The share of true pairs that were considered; None without any."""
        return self.met / self.pairs if self.pairs else None


def blocking_recall(con: duckdb.DuckDBPyConnection, name: Object, truth: str) -> BlockingRecall:
    """Compare ``match.<name>_candidate`` as the last run left it with relation ``truth`` (salesforce_id, reference_id).

    A pair counts as met where a key or a rung brought it, and also where only a decision did; one that weighs too
    little to be listed where ``con`` is the warehouse, whose index has it.
    """
    sql = _SQL.read_text(encoding="utf-8")
    index = f"_state.{name}_kept"
    hopeless = _HOPELESS.format(kept=index) if table_columns(con, f"{index}_pair") else _NO_INDEX
    for placeholder, text in {"truth": truth, "object": name, "kind": kind_of(name), "hopeless": hopeless}.items():
        sql = sql.replace("{" + placeholder + "}", text)
    (_, pairs, met), *rows = con.sql(sql).fetchall()
    return BlockingRecall(pairs, met, {key: count / pairs for key, _, count in rows})
