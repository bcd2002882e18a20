"""What each part of resolution gives, on every folder of a data root: ``python -m benchmarks.ablation --data DIR``.

A part is switched off by itself and everything else stays as shipped. Constants that a user can set are chosen on all
folders but one and tried on that one. Truth is for the scores, and for the decisions of the labelled rows; nothing
here is used by the product. One JSON line per figure, then a table.
"""

import csv
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
import duckdb

from benchmarks.labels import ask
from benchmarks.quality import blocking, load_folder, objects_of
from data_contracts.settings import Matching, Settings, Thresholds
from pipelines.resolve import resolve
from pipelines.resolve.comparisons import COMPARISONS
from pipelines.resolve.decisions import replay_decisions
from pipelines.resolve.rungs import COMPANY_RUNGS
from pipelines.resolve.sides import Object
from pipelines.run import RunContext
from resources.decisions import DecisionStore
from resources.home import Home
from resources.warehouse import Warehouse

LABELS = 80
LINKS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
MARGINS = (0.0, 1.0, 2.0, 3.0)
#: Names of comparisons a row of the table leaves out, by the kind they belong to.
ADDRESS = ("street", "locality")


@contextmanager
def _as_shipped() -> Iterator[Settings]:
    yield _free(Settings())


@contextmanager
def _without_rungs() -> Iterator[Settings]:
    yield _free(Settings(matching=Matching(rungs=())))


@contextmanager
def _without(target: str, instead: Any) -> Iterator[Settings]:
    with patch(target, instead):
        yield _free(Settings())


@contextmanager
def _without_comparisons(*names: str) -> Iterator[Settings]:
    """Leave comparisons out of the model, whatever kind of entity has them."""
    with ExitStack() as stack:
        for kind, found in COMPARISONS.items():
            kept = tuple(c for c in found if c.name not in names)
            stack.enter_context(patch.dict(COMPARISONS, {kind: kept}))
        yield _free(Settings())


@contextmanager
def _without_word_weights() -> Iterator[Settings]:
    """Names compared without the words: the levels that ask for words never hold."""
    levels = {
        kind: tuple(
            replace(c, levels=tuple(level for level in c.levels if "names_" not in level.condition)) for c in found
        )
        for kind, found in COMPARISONS.items()
    }
    with patch.dict(COMPARISONS, levels):
        yield _free(Settings())


@contextmanager
def _without_places() -> Iterator[Settings]:
    """Names, numbers and domains that several places share tell as much as one's own, to the model and to rungs."""
    levels = {
        kind: tuple(
            replace(c, levels=tuple(level for level in c.levels if "_places_r" not in level.condition)) for c in found
        )
        for kind, found in COMPARISONS.items()
    }
    rungs = tuple(replace(rung, certain="true") for rung in COMPANY_RUNGS)
    with patch.dict(COMPARISONS, levels), patch("pipelines.resolve.rungs.COMPANY_RUNGS", rungs):
        yield _free(Settings())


PARTS: dict[str, Callable[[], Any]] = {
    "as shipped": _as_shipped,
    "no rungs": _without_rungs,
    "sampled u, none exact": lambda: _without("pipelines.resolve.training.agreements", lambda *_: {}),
    "correlated agreements count in full": lambda: _without("pipelines.resolve.training.dependence", lambda *_: {}),
    "shared numbers and domains count in full": _without_places,
    "probabilities as the model has them": lambda: _without("pipelines.resolve.links.none_sql", lambda *_: "1.0"),
    "no weights of words": _without_word_weights,
    "no name": lambda: _without_comparisons("name", "last_name", "first_name"),
    "no phone": lambda: _without_comparisons("phone"),
    "no address": lambda: _without_comparisons(*ADDRESS),
    "no veto": lambda: _without("pipelines.resolve.met.VETOES", dict.fromkeys(("company", "person"), "NULL::VARCHAR")),
}


def _free(settings: Settings) -> Settings:
    """Return the settings without the limit on changed links: here every run changes many."""
    return settings.model_copy(update={"matching": settings.matching.model_copy(update={"max_link_changes": 1.0})})


@click.command()
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(data: Path) -> None:
    """Measure every folder below DATA that has a truth.csv, with each part switched off."""
    folders = sorted(path.parent for path in data.glob("*/truth.csv"))
    if not folders:
        raise click.ClickException(f"no folder below {data} has a truth.csv")
    # The decisions of a benchmark belong to its own home, whatever store this machine's Crosswalk uses.
    os.environ.pop("CROSSWALK_DATABASE_URL", None)
    table: dict[str, dict[str, dict[str, float]]] = {}
    scored: dict[str, dict[tuple[float, float], float]] = {}
    for folder in folders:
        with tempfile.TemporaryDirectory(prefix="crosswalk-ablation-") as place:
            home = Home(Path(place))
            home.prepare()
            with Warehouse(home.warehouse).connect() as con:
                load_folder(con, folder, _run(0))
                for part, switched in PARTS.items():
                    table.setdefault(part, {})[folder.name] = _measure(con, folder, home, switched, len(table))
                scored[folder.name] = _constants(con, folder, home)
                table.setdefault(f"{LABELS} decisions", {})[folder.name] = _taught(con, folder, home)
    for part, figures in table.items():
        click.echo(json.dumps({"part": part} | figures))
    for name, (link, margin, f1) in left_out(scored).items():
        click.echo(json.dumps({"chosen without": name, "link": link, "ambiguity_margin": margin, "f1": f1}))
    click.echo(_markdown(table))


def left_out(scored: dict[str, dict[tuple[float, float], float]]) -> dict[str, tuple[float, float, float]]:
    """Return, per folder, the constants that are best in the mean of the other folders, and their F1 on this one."""
    found = {}
    for name in scored:
        others = [figures for other, figures in scored.items() if other != name]
        if others:
            best = max(scored[name], key=lambda pair: (sum(figures[pair] for figures in others), pair))
            found[name] = (*best, scored[name][best])
    return found


def _measure(
    con: duckdb.DuckDBPyConnection, folder: Path, home: Home, switched: Callable[[], Any], number: int
) -> dict[str, float]:
    with switched() as settings:
        for name in objects_of(folder):
            resolve(con, name, settings, _run(number), models_dir=home.models)
    return _score(con, folder)


def _constants(con: duckdb.DuckDBPyConnection, folder: Path, home: Home) -> dict[tuple[float, float], float]:
    """Return the F1 of each pair of link threshold and margin."""
    found = {}
    for number, (link, margin) in enumerate(product(LINKS, MARGINS)):
        thresholds = Thresholds(link=link, review=min(link, 0.5), ambiguity_margin=margin)
        settings = _free(Settings(matching=Matching(thresholds=thresholds)))
        for name in objects_of(folder):
            # The model of the run as shipped is used again: thresholds do not change it.
            resolve(con, name, settings, _run(100 + number, "delta" if number else "full"), models_dir=home.models)
        found[link, margin] = _score(con, folder)["f1"]
    return found


def _taught(con: duckdb.DuckDBPyConnection, folder: Path, home: Home) -> dict[str, float]:
    objects = objects_of(folder)
    for name in objects:
        resolve(con, name, _free(Settings()), _run(900), models_dir=home.models)
    ask(con, home, folder / "truth.csv", objects, LABELS)
    store = DecisionStore(home.decisions_url)
    replay_decisions(con, store, _run(901))
    store.close()
    for name in objects:
        resolve(con, name, _free(Settings()), _run(902), models_dir=home.models)
    return _score(con, folder)


def _score(con: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, float]:
    """Return precision, recall and F1 of what is linked."""
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        true = {row["salesforce_id"]: row["reference_id"] for row in csv.DictReader(file)}
    linked = {key: entity for name in objects_of(folder) for key, entity in _linked(con, name)}
    right = sum(true.get(key) == entity for key, entity in linked.items())
    expected = sum(_expected_wrong(con, name) for name in objects_of(folder))
    return {
        "wrong": len(linked) - right,
        "wrong_expected": round(expected, 1),
        "blocking_recall": blocking(con, folder)["blocking_recall"],
        "precision": round(right / len(linked), 4) if linked else 1.0,
        "recall": round(right / len(true), 4),
        "f1": round(2 * right / (len(linked) + len(true)), 4),
    }


def _linked(con: duckdb.DuckDBPyConnection, name: Object) -> list[tuple[str, str]]:
    return con.sql(f"SELECT salesforce_id, reference_id FROM crosswalk.{name} WHERE status = 'linked'").fetchall()


def _expected_wrong(con: duckdb.DuckDBPyConnection, name: Object) -> float:
    """Return how many of the links are wrong by their own probabilities."""
    return float(
        con.sql(
            f"SELECT coalesce(sum(1 - match_probability), 0) FROM crosswalk.{name} WHERE status = 'linked'"
        ).fetchall()[0][0]
    )


def _run(number: int, kind: str = "full") -> RunContext:
    return RunContext(f"ablation-{number}", kind, datetime.now(UTC))  # type: ignore[arg-type]


def _markdown(table: dict[str, dict[str, dict[str, float]]]) -> str:
    names = list(next(iter(table.values())))
    lines = ["| part | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for part, figures in table.items():
        cells = (f"{figures[n]['f1']:.3f} ({figures[n]['precision']:.3f}, {figures[n]['recall']:.3f})" for n in names)
        lines.append(f"| {part} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
