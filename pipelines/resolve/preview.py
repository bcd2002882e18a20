"""What other thresholds would do, told before they are set: "0.92 → 0.95 unlinks 143, of which about 9 wrong".

Counted on the candidates of the last run, with the rule ``decide.sql`` links by; nothing is resolved again. How many
are wrong is the sum of what the probabilities leave open, and where a person has spoken, what they said.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from data_contracts.settings import Thresholds
from pipelines.resolve.sides import Object

_SQL = Path(__file__).parent / "preview.sql"
#: Link thresholds that are shown when none is asked for.
SHOWN = (0.5, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995)
#: What the goal for links without a person is, and so what is suggested.
WANTED_PRECISION = 0.99


@dataclass(frozen=True)
class Threshold:
    """What a link threshold would link without a person: records, and how many of them are about wrong."""

    link: float
    records: int
    wrong: float

    @property
    def precision(self) -> float | None:
        """The expected share of right links; None where there are none."""
        return 1 - self.wrong / self.records if self.records else None


@dataclass(frozen=True)
class Preview:
    """The difference between two settings, in records: links lost and made, and how many of each are about wrong.

    ``to_review`` and ``from_review`` count what would come to a person and what no longer would.
    """

    object: str
    before: Thresholds
    after: Thresholds
    unlinked: int
    unlinked_wrong: float
    linked: int
    linked_wrong: float
    to_review: int
    from_review: int

    def sentences(self) -> list[str]:
        """Say it in words."""
        step = f"{self.object}: link {self.before.link:g} → {self.after.link:g}"
        said = []
        if self.unlinked:
            said.append(f"{step} unlinks {self.unlinked:,}, of which about {self.unlinked_wrong:.0f} wrong")
        if self.linked:
            said.append(f"{step} links {self.linked:,} more, of which about {self.linked_wrong:.0f} wrong")
        if self.to_review or self.from_review:
            said.append(f"{self.object}: {self.to_review:,} records come to review, {self.from_review:,} leave it")
        return said or [f"{step} changes nothing"]


def preview(con: duckdb.DuckDBPyConnection, name: Object, before: Thresholds, after: Thresholds) -> Preview:
    """Return what ``after`` would do instead of ``before``; ``con`` holds the snapshot or the warehouse.

    Links by rung or by a person stay whatever the thresholds are, and are not counted.
    """
    row = con.sql(
        f"WITH best AS ({_best(name)}), compared AS (SELECT {_WRONG} AS wrong, {_status(before)} AS old, "
        f"{_status(after)} AS new FROM best) "
        "SELECT count(*) FILTER (old = 'linked' AND new <> 'linked'), "
        "coalesce(sum(wrong) FILTER (old = 'linked' AND new <> 'linked'), 0)::DOUBLE, "
        "count(*) FILTER (old <> 'linked' AND new = 'linked'), "
        "coalesce(sum(wrong) FILTER (old <> 'linked' AND new = 'linked'), 0)::DOUBLE, "
        "count(*) FILTER (old <> 'in_review' AND new = 'in_review'), "
        "count(*) FILTER (old = 'in_review' AND new <> 'in_review') FROM compared"
    ).fetchall()[0]
    return Preview(name, before, after, *row)


def sweep(con: duckdb.DuckDBPyConnection, name: Object, now: Thresholds) -> list[Threshold]:
    """Return what each of the usual link thresholds, and the present one, would link without a person."""
    found = []
    for link in sorted({*SHOWN, now.link}):
        other = now.model_copy(update={"link": link, "review": min(now.review, link)})
        row = con.sql(
            f"WITH best AS ({_best(name)}) SELECT count(*), coalesce(sum({_WRONG}), 0)::DOUBLE FROM best "
            f"WHERE {_status(other)} = 'linked'"
        ).fetchall()[0]
        found.append(Threshold(link, *row))
    return found


def suggested(thresholds: list[Threshold], wanted: float = WANTED_PRECISION) -> float | None:
    """Return the lowest link threshold whose links are expected to be right often enough; None where none is."""
    enough = [t.link for t in thresholds if t.precision is not None and t.precision >= wanted]
    return min(enough, default=None)


#: The share of a record's link that is expected to be wrong: what people said, else what the probability leaves open.
_WRONG = "CASE judgement WHEN 'positive' THEN 0 WHEN 'negative' THEN 1 ELSE 1 - probability END"


def _status(thresholds: Thresholds) -> str:
    """Return SQL for what becomes of a record by the model alone, as ``decide.sql`` has it."""
    leads = f"coalesce(margin >= {thresholds.ambiguity_margin}, true)"
    return (
        f"CASE WHEN probability >= {thresholds.link} AND {leads} AND free THEN 'linked' "
        f"WHEN probability >= {thresholds.review} THEN 'in_review' ELSE 'unmatched' END"
    )


def _best(name: Object) -> str:
    return _SQL.read_text(encoding="utf-8").split("\n", 1)[1].replace("{object}", name)
