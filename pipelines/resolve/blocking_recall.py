"""Blocking recall: the share of true pairs that were considered at all, wherever somebody knows the truth.

What blocking misses no model can find. Nothing here is used to link.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.resolve.sides import Object, kind_of

_SQL = Path(__file__).with_suffix(".sql")


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

    A pair counts as met where a key or a rung brought it, and also where only a decision did; not where it weighs so
    little that it is not listed (``hopeless.py``).
    """
    sql = _SQL.read_text(encoding="utf-8")
    for placeholder, text in {"truth": truth, "object": name, "kind": kind_of(name)}.items():
        sql = sql.replace("{" + placeholder + "}", text)
    (_, pairs, met), *rows = con.sql(sql).fetchall()
    return BlockingRecall(pairs, met, {key: count / pairs for key, _, count in rows})
