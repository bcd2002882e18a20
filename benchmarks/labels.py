"""Decisions for a quality run, asked of ``truth.csv`` as they would be asked of a steward: one pair, yes or no.

Which pairs are asked is the product's own choice (``pipelines.resolve.active``), in a few sittings, each after a look
at what the earlier ones taught. Nothing else of the truth is read.
"""

import csv
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from data_contracts.settings import Matching, Settings
from pipelines.resolve import resolve
from pipelines.resolve.active import Question, questions
from pipelines.resolve.decisions import replay_decisions
from pipelines.resolve.sides import Object
from pipelines.run import RunContext
from resources.decisions import DecisionStore, Judgement
from resources.home import Home

#: The shipped settings of somebody who approves whatever a run changes after decisions: nobody is there to be asked.
APPROVED = Settings(matching=Matching(max_link_changes=1))

#: Sittings into which the decisions are divided.
SITTINGS = 4
STEWARD = "truth.csv"


def ask(con: duckdb.DuckDBPyConnection, home: Home, truth: Path, objects: list[Object], labels: int) -> int:
    """Ask for at most ``labels`` decisions and record them in the home's store; return how many were made.

    ``con`` is a warehouse that was resolved; after each sitting but the last it is resolved again.
    """
    with truth.open(encoding="utf-8", newline="") as file:
        true = {row["salesforce_id"]: row["reference_id"] for row in csv.DictReader(file)}
    store = DecisionStore(home.decisions_url)
    answered: set[tuple[str, str]] = set()
    try:
        for sitting in range(SITTINGS):
            wanted = (labels * (sitting + 1)) // SITTINGS - len(answered)
            for name, question in _queue(con, objects, wanted, answered):
                # A file may have the short form of an id; Salesforce answers with the long one.
                known = true.get(question.salesforce_id, true.get(question.salesforce_id[:15]))
                right = known == question.reference_id
                answered.add((question.salesforce_id, question.reference_id))
                judgement: Judgement = "positive" if right else "negative"
                store.record(name, question.salesforce_id, question.reference_id, judgement, decided_by=STEWARD)
            if sitting < SITTINGS - 1:
                _again(con, store, home, objects, sitting)
    finally:
        store.close()
    return len(answered)


def _queue(
    con: duckdb.DuckDBPyConnection, objects: list[Object], wanted: int, answered: set[tuple[str, str]]
) -> list[tuple[Object, Question]]:
    """Return the pairs of all objects that teach most and were not asked before."""
    found = [(name, item) for name in objects for item in questions(con, name, wanted + len(answered))]
    fresh = [pair for pair in found if (pair[1].salesforce_id, pair[1].reference_id) not in answered]
    return sorted(fresh, key=lambda pair: (-pair[1].teaching_value, pair[1].salesforce_id))[:wanted]


def _again(
    con: duckdb.DuckDBPyConnection, store: DecisionStore, home: Home, objects: list[Object], sitting: int
) -> None:
    """Resolve again with what has been decided so far."""
    run = RunContext(f"sitting-{sitting}", "full", datetime.now(UTC))
    replay_decisions(con, store, run)
    for name in objects:
        resolve(con, name, APPROVED, run, models_dir=home.models)
