"""How good the comparison of names is alone: ``python -m benchmarks.names --data DIR``.

``DIR`` holds labelled pairs of names (OpenSanctions' name bench, DNB's damaged names, emm's unit-test pairs). Each pair
goes through standardization and the word-by-word name comparison, and through nothing else: no other field, no model,
no label. The document frequencies are those of the names at hand. One JSON line per figure.

Two names are taken to be the same from a likeness of ``ALIKE`` on, the level "mostly the same" of the comparison, fixed
before the labels were looked at; the best threshold in hindsight is printed beside it, as others publish theirs.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import duckdb
import pyarrow as pa

from data_contracts.settings import Settings
from pipelines.resolve.candidates import weigh_side, weigh_words
from pipelines.resolve.scripts import run_script
from pipelines.resolve.sides import read_sides
from pipelines.run import RunContext
from pipelines.standardize import standardize
from resources.warehouse import SCHEMAS

#: From this likeness on two names are taken to be the same.
ALIKE = 0.7
#: Kinds of names the figures are given for: what others publish on is the first.
ORGANISATIONS = ("Company", "Organization", "LegalEntity")


@dataclass(frozen=True)
class Pair:
    """Two names and whether they are meant to be one entity's."""

    left: str
    right: str
    same: bool


@dataclass(frozen=True)
class Counts:
    """Pairs called the same rightly and wrongly, and those missed."""

    right: int
    wrong: int
    missed: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 1 where there is nothing to find and nothing was found."""
        all_of_them = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / all_of_them if all_of_them else 1.0


@click.command()
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--show", is_flag=True, help="Also print the pairs that are wrong, on standard error.")
def main(data: Path, show: bool) -> None:
    """Score the name comparison on the labelled pairs in DIR."""
    for name, pairs in (
        ("opensanctions companies", opensanctions(data, ("Company",))),
        ("opensanctions organisations", opensanctions(data, ORGANISATIONS)),
        ("opensanctions companies, labels as corrected later", opensanctions(data, ("Company",), corrected=True)),
        ("emm companies", emm(data)),
    ):
        scores = likeness([(pair.left, pair.right) for pair in pairs])
        click.echo(json.dumps({"pairs": name, "count": len(pairs)} | figures(pairs, scores)))
        if show:
            for pair, score in zip(pairs, scores, strict=True):
                if (score >= ALIKE) != pair.same:
                    click.echo(f"{score:.2f} {pair.same!s:5} {pair.left} | {pair.right}", err=True)
    click.echo(json.dumps({"pairs": "dnb damaged names, best of all 500"} | top_one(*dnb(data))))


def opensanctions(data: Path, schemas: Sequence[str], *, corrected: bool = False) -> list[Pair]:
    """Return the pairs of OpenSanctions' name bench; by default with the labels the published scores were made on."""
    file = "os_name_bench_cases.csv" if corrected else "os_logicv2_frozen.csv"
    found = [row for row in _rows(data / file) if row["schema"] in schemas]
    return [Pair(row["name1"], row["name2"], row["is_match"] == "true") for row in found]


def emm(data: Path) -> list[Pair]:
    """Return emm's pairs, nearly all of them different companies that share a word."""
    return [
        Pair(row["gt_name"], row["name"], row["correct"] == "True")
        for row in _rows(data / "emm_unittest_namepairs.csv")
    ]


def dnb(data: Path) -> tuple[list[str], list[str]]:
    """Return DNB's damaged names and the names they were made of, row by row."""
    good = [row["company_name"] for row in _rows(data / "dnb_test_names.csv")]
    bad = [row["company_name"] for row in _rows(data / "dnb_adjusted_test_names.csv")]
    rows = min(len(good), len(bad))
    return bad[:rows], good[:rows]


def likeness(pairs: Sequence[tuple[str, str]]) -> list[float]:
    """Return how alike the names of each pair are, 0 to 1, as the name comparison sees them."""
    with duckdb.connect() as con:
        _prepare(con, [left for left, _ in pairs], [right for _, right in pairs])
        con.execute("CREATE TEMP TABLE _asked AS SELECT l.n AS l, r.n AS r, l.id FROM _left l JOIN _right r USING (id)")
        run_script(con, "name_alike.sql", replace={"pairs": "_asked"})
        found = con.sql(
            "SELECT coalesce(alike, 0) FROM _asked LEFT JOIN _name_alike USING (l, r) ORDER BY id"
        ).fetchall()
    return [float(alike) for (alike,) in found]


def figures(pairs: Sequence[Pair], scores: Sequence[float]) -> dict[str, float]:
    """Return F1, precision and recall at ``ALIKE``, and the best F1 of any threshold with that threshold."""
    at = counted(pairs, scores, ALIKE)
    best = max(((counted(pairs, scores, t).f1, t) for t in set(scores)), default=(0.0, ALIKE))
    return {
        "f1": round(at.f1, 3),
        "precision": round(at.right / max(at.right + at.wrong, 1), 3),
        "recall": round(at.right / max(at.right + at.missed, 1), 3),
        "best_f1": round(best[0], 3),
        "best_threshold": round(best[1], 3),
    }


def counted(pairs: Sequence[Pair], scores: Sequence[float], threshold: float) -> Counts:
    """Return the counts when names this much alike are called the same."""
    called = [(score >= threshold, pair.same) for pair, score in zip(pairs, scores, strict=True)]
    return Counts(called.count((True, True)), called.count((True, False)), called.count((False, True)))


def top_one(asked: Sequence[str], known: Sequence[str]) -> dict[str, float]:
    """Return the share of names whose own original is the most alike of all, ties shared out."""
    with duckdb.connect() as con:
        _prepare(con, asked, known)
        con.execute("CREATE TEMP TABLE _asked AS SELECT l.n AS l, r.n AS r FROM _left l, _right r")
        run_script(con, "name_alike.sql", replace={"pairs": "_asked"})
        share = con.sql(
            "SELECT sum(hit) FROM (SELECT max((l.id = r.id)::INTEGER) / count(*) AS hit FROM _name_alike a "
            "JOIN _left l ON l.n = a.l JOIN _right r ON r.n = a.r GROUP BY a.l, a.alike "
            "QUALIFY row_number() OVER (PARTITION BY a.l ORDER BY a.alike DESC) = 1)"
        ).fetchall()[0][0]
    return {"count": len(asked), "accuracy": round(share / len(asked), 3)}


def _prepare(con: duckdb.DuckDBPyConnection, left: Sequence[str], right: Sequence[str]) -> None:
    """Make ``_left`` and ``_right`` of the names, the way a run does; the ids are the places in the lists."""
    for schema in SCHEMAS:
        con.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
    for table, key, name, names in (
        ("salesforce.account", "Id", "Name", left),
        ("reference.company", "company_id", "name", right),
    ):
        rows = pa.table({key: [f"{i:06d}" for i in range(len(names))], name: list(names)})
        con.register("_names", rows)
        con.execute(f"CREATE TABLE {table} AS SELECT * FROM _names")
        con.unregister("_names")
    run = RunContext("names", "full", datetime.now(UTC))
    standardize(con, "account", Settings(), run)
    standardize(con, "company", Settings(), run)
    weigh_words(con, read_sides(con, "account"))
    for side in ("left", "right"):
        weigh_side(con, side)


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise click.ClickException(f"{path.name} is not in {path.parent}")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
