"""Match quality on a folder of real or made data: ``make bench-quality DATA=DIR OUT=FILE [LABELS=N]``.

The folder becomes a demo org, a full sync runs with the shipped default settings, the crosswalk is written as CSV and
scored against ``truth.csv`` where there is one. Truth is for the score only, unless LABELS allows decisions to be asked
of it before the run that counts (``labels.py``). The last line printed is JSON.
"""

import csv
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import duckdb

from benchmarks.labels import APPROVED, ask
from data_contracts.errors import CrosswalkError, ReferenceDataError
from data_contracts.settings import Settings
from pipelines.resolve import resolve
from pipelines.resolve.blocking_recall import blocking_recall
from pipelines.resolve.decisions import replay_decisions
from pipelines.resolve.sides import Object
from pipelines.run import OBJECTS, RunContext
from pipelines.standardize import TABLES, standardize
from resources.decisions import DecisionStore
from resources.home import Home
from resources.warehouse import Warehouse

KINDS = ("company", "person")
COLUMNS = ("object", "salesforce_id", "status", "reference_id", "method", "match_probability")
Row = tuple[Any, ...]


@click.command()
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--labels", default=0, type=click.IntRange(min=0), help="Decisions that may be asked of truth.csv.")
@click.option("--direct", is_flag=True, help="Developer's short cut: no org, no Dagster, only standardize and resolve.")
def main(data: Path, out: Path, labels: int, direct: bool) -> None:
    """Measure precision, recall, seconds and memory on the folder DATA."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="crosswalk-quality-") as folder, redirect_stdout(sys.stderr):
        home = Home(Path(folder) / "home")
        home.prepare()
        try:
            links, recall, cpu, used = (_direct if direct else _through_the_org)(data.resolve(), home, labels)
        except CrosswalkError as error:
            raise click.ClickException(str(error)) from error
    rows = [row for name in objects_of(data) for row in _per_record(data, name, links)]
    with out.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    figures = _score(rows, data / "truth.csv") | recall
    figures |= {"seconds": round(time.monotonic() - began, 2), "cpu_seconds": round(cpu, 2), "peak_mb": _peak_mb()}
    if labels:
        figures |= {"labels_offered": labels, "labels_used": used}
    click.echo(json.dumps(figures))


def objects_of(data: Path) -> list[Object]:
    """Return the objects the folder has a file for."""
    found = [name for name in OBJECTS if (data / f"{name.capitalize()}.csv").is_file()]
    if not found:
        raise click.ClickException(f"{data} has neither Account.csv, Contact.csv nor Lead.csv")
    return found


def _through_the_org(data: Path, home: Home, labels: int) -> tuple[dict[str, Row], dict[str, Any], float, int]:
    """Sync the folder as a user would; return links by record, blocking recall, our CPU seconds, labels used."""
    from apps.cli.sync import run_sync
    from apps.demo_org.launch import launch_demo_org

    references = {kind: {"path": str(data / f"reference_{kind}.csv")} for kind in KINDS if _reference(data, kind)}
    settings = home.root / "crosswalk.yaml"
    # Nobody is there to approve what a second run changes.
    approved = {"max_link_changes": APPROVED.matching.max_link_changes}
    settings.write_text(json.dumps({"reference": references, "matching": approved}), encoding="utf-8")
    os.environ |= {"CROSSWALK_HOME": str(home.root), "CROSSWALK_CONFIG": str(settings)}
    # The decisions of a benchmark belong to its own home, whatever store this machine's Crosswalk uses.
    os.environ.pop("CROSSWALK_DATABASE_URL", None)
    used = 0
    with launch_demo_org(data) as server:
        os.environ.update(server.environment())
        run_sync(home, full=True)
        if labels and (data / "truth.csv").is_file():
            with Warehouse(home.warehouse).connect() as con:
                used = ask(con, home, data / "truth.csv", objects_of(data), labels)
            run_sync(home, full=True)
        cpu = _cpu_seconds()
    with duckdb.connect(str(home.published), read_only=True) as con:
        return _links(con, objects_of(data)), blocking(con, data), cpu, used


def _direct(data: Path, home: Home, labels: int) -> tuple[dict[str, Row], dict[str, Any], float, int]:
    """Load the files as text and resolve them; for developing on quality, not for reporting speed."""
    os.environ.pop("CROSSWALK_DATABASE_URL", None)
    run, used = RunContext("quality", "full", datetime.now(UTC)), 0
    with Warehouse(home.warehouse).connect() as con:
        load_folder(con, data, run)
        _resolve(con, data, home, run)
        if labels and (data / "truth.csv").is_file():
            used = ask(con, home, data / "truth.csv", objects_of(data), labels)
            store = DecisionStore(home.decisions_url)
            replay_decisions(con, store, run)
            store.close()
            _resolve(con, data, home, run)
        return _links(con, objects_of(data)), blocking(con, data), _cpu_seconds(), used


def load_folder(con: duckdb.DuckDBPyConnection, data: Path, run: RunContext) -> None:
    """Load the files of ``data`` as the mirror and the reference would hold them, and standardise them."""
    for name in objects_of(data):
        _load(con, f"salesforce.{name}", data / f"{name.capitalize()}.csv", ", false AS _is_deleted")
    for kind in KINDS:
        if _reference(data, kind):
            _load(con, f"reference.{kind}", data / f"reference_{kind}.csv", ", 'source' AS origin")
    for table in TABLES:
        standardize(con, table, Settings(), run)


def _resolve(con: duckdb.DuckDBPyConnection, data: Path, home: Home, run: RunContext) -> None:
    for name in objects_of(data):
        resolve(con, name, APPROVED, run, models_dir=home.models)


def _load(con: duckdb.DuckDBPyConnection, table: str, path: Path, extra: str) -> None:
    try:
        con.execute(
            f"CREATE TABLE {table} AS SELECT *{extra} FROM read_csv(?, all_varchar = true, header = true, "
            "quote = '\"', escape = '\"', strict_mode = false)",
            [str(path)],
        )
    except duckdb.Error as error:
        raise ReferenceDataError(f"{path.name} cannot be read as CSV", why=str(error).splitlines()[0]) from error


def _reference(data: Path, kind: str) -> bool:
    return (data / f"reference_{kind}.csv").is_file()


def _links(con: duckdb.DuckDBPyConnection, objects: Sequence[str]) -> dict[str, Row]:
    """Return status, entity, method and probability by record id; the entity only where it is an answer."""
    union = " UNION ALL ".join(
        "SELECT salesforce_id, status, CASE WHEN status = 'linked' THEN reference_id END, method, match_probability "
        f"FROM crosswalk.{name}"
        for name in objects
    )
    return {row[0]: row[1:] for row in con.sql(union).fetchall()}


def blocking(con: duckdb.DuckDBPyConnection, data: Path) -> dict[str, Any]:
    """Return the share of true pairs that were considered at all; null without a truth file or without true pairs."""
    if not (data / "truth.csv").is_file():
        return {"blocking_recall": None}
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _truth AS SELECT * FROM read_csv(?, all_varchar = true)",
        [str(data / "truth.csv")],
    ).fetchall()
    found = [blocking_recall(con, name, "_truth") for name in objects_of(data)]
    pairs, met = sum(item.pairs for item in found), sum(item.met for item in found)
    return {"blocking_recall": round(met / pairs, 4) if pairs else None}


def _per_record(data: Path, name: str, links: dict[str, Row]) -> list[Row]:
    """Return one row per record of the file, its Id as it stands there."""
    with (data / f"{name.capitalize()}.csv").open(encoding="utf-8", newline="") as file:
        ids = [row["Id"] for row in csv.DictReader(file)]
    # A file may have the short, case-sensitive form of an id; Salesforce answers with the long one.
    short = {key[:15]: row for key, row in links.items()}
    missing = ("unmatched", None, None, None)
    return [(name, key, *(links.get(key) or short.get(key, missing))) for key in ids]


def _score(rows: list[Row], truth: Path) -> dict[str, Any]:
    """Return counts and, with a truth file, precision, recall and F1 of what is linked."""
    linked = {row[1]: row[3] for row in rows if row[2] == "linked"}
    figures: dict[str, Any] = {
        "records": len(rows),
        "linked": len(linked),
        "in_review": sum(row[2] == "in_review" for row in rows),
        "precision": None,
        "recall": None,
        "f1": None,
    }
    if not truth.is_file():
        return figures
    with truth.open(encoding="utf-8", newline="") as file:
        true = {row["salesforce_id"]: row["reference_id"] for row in csv.DictReader(file)}
    right = sum(true.get(key) == entity for key, entity in linked.items())
    precision = right / len(linked) if linked else 1.0
    recall = right / len(true) if true else 1.0
    f1 = 2 * right / (len(linked) + len(true)) if linked or true else 1.0
    return figures | {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}


def _cpu_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    times = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(item.ru_utime + item.ru_stime for item in times)


def _peak_mb() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


if __name__ == "__main__":
    main()
