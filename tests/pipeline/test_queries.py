"""Every query of docs/queries.md runs on the demo's snapshot, finds something, and what it finds is right."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.installation import FirstSync

PAGE = (Path(__file__).parents[2] / "docs" / "queries.md").read_text(encoding="utf-8")
QUESTIONS = dict(re.findall(r"^### (\d+)\. [^\n]*\n\n```sql\n(.*?)```$", PAGE, flags=re.S | re.M))
OBJECTS = ("account", "contact", "lead")


@pytest.fixture(scope="module")
def con(first_sync: FirstSync) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(first_sync.installation.home.published), read_only=True) as opened:
        yield opened


def ask(con: duckdb.DuckDBPyConnection, question: int) -> list[dict[str, Any]]:
    return con.sql(QUESTIONS[str(question)]).to_arrow_table().to_pylist()


def test_there_are_twenty() -> None:
    assert [*QUESTIONS] == [str(number) for number in range(1, 21)]
    assert PAGE.count("```sql") == 20


@pytest.mark.parametrize("number", QUESTIONS)
def test_a_question_has_an_answer(con: duckdb.DuckDBPyConnection, number: str) -> None:
    assert ask(con, int(number))


def test_records_are_those_of_the_org_and_links_those_of_the_crosswalk(
    con: duckdb.DuckDBPyConnection, org_files: Path
) -> None:
    for row in ask(con, 1):
        with (org_files / f"{row['object'].title()}.csv").open(newline="", encoding="utf-8") as file:
            assert row["records"] == sum(1 for _ in csv.DictReader(file))
    ways = ask(con, 3)
    for name in OBJECTS:
        linked = con.sql(f"SELECT count(*) FROM crosswalk.{name} WHERE status = 'linked'").fetchall()[0][0]
        assert sum(row["links"] for row in ways if row["object"] == name) == linked


def test_companies_are_in_the_crm_or_they_are_not(con: duckdb.DuckDBPyConnection) -> None:
    linked = {
        row[0] for row in con.sql("SELECT reference_id FROM crosswalk.account WHERE status = 'linked'").fetchall()
    }
    missing = {row["company_id"] for row in ask(con, 6)}
    every = {row[0] for row in con.sql("SELECT company_id FROM reference.company").fetchall()}
    assert missing == every - linked or len(missing) == 100
    assert not missing & linked
    assert all(row["accounts"] == len(row["names"]) > 1 for row in ask(con, 5))


def test_owners_and_amounts_add_up(con: duckdb.DuckDBPyConnection) -> None:
    companies = con.sql("SELECT count(DISTINCT reference_id) FROM ownership.account").fetchall()[0][0]
    assert sum(row["companies"] for row in ask(con, 11)) == companies
    told = sum(row["amount"] or 0 for row in ask(con, 13))
    whole = con.sql("SELECT sum(amount) FROM ownership.opportunity WHERE object = 'account'").fetchall()[0][0]
    assert told == whole > 0


def test_today_is_believed_what_the_crosswalk_says(con: duckdb.DuckDBPyConnection) -> None:
    for name in OBJECTS:
        mine = f"SELECT salesforce_id, status, reference_id, reason FROM crosswalk.{name}"
        then = f"SELECT salesforce_id, status, reference_id, reason FROM as_of(current_date) WHERE object = '{name}'"
        assert con.sql(f"({mine} EXCEPT {then}) UNION ALL ({then} EXCEPT {mine})").fetchall() == []
    everything = con.sql("SELECT count(*) FROM as_of(current_date)").fetchall()[0][0]
    assert sum(row["records"] for row in ask(con, 16)) == everything
    assert {row["cause"] for row in ask(con, 15)} == {"first"}
    owned = con.sql("SELECT sum(n) FROM (SELECT count(*) AS n FROM ownership.account UNION ALL SELECT count(*) FROM "
                    "ownership.contact UNION ALL SELECT count(*) FROM ownership.lead)").fetchall()[0][0]  # fmt: skip
    assert sum(row["records"] for row in ask(con, 17)) == owned
