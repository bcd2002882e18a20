"""A contact's link that follows its account's has the cause of that; its employer's own values are reference."""

import duckdb
import pytest

from data_contracts.contracts import load_contract
from pipelines.resolve.basis import Basis, compare_basis
from pipelines.resolve.links import write_link_changes
from pipelines.resolve.sides import Sides
from tests.support.resolution import connect, run_context

CONTACT, ACCOUNT = "003A".ljust(18, "0"), "001A".ljust(18, "0")
BASIS = Basis("m1", "s1", "v1")


def tables(con: duckdb.DuckDBPyConnection) -> None:
    names = ("contact", "person", "company")
    for table in (*(f"standard.{name}" for name in names), "match.contact_candidate", "match.decision"):
        con.execute(load_contract(table).ddl().replace(" NOT NULL", ""))
    con.execute(load_contract("ops.link_change").ddl())
    con.execute("CREATE TEMP TABLE _departed (salesforce_id VARCHAR, departure VARCHAR)")
    con.execute("CREATE TEMP TABLE _merged_account (id VARCHAR, merged_into VARCHAR)")
    con.execute("CREATE TEMP TABLE _left (n INTEGER, id VARCHAR)")
    con.execute("CREATE TEMP TABLE _candidate (salesforce_id VARCHAR, reference_id VARCHAR)")
    con.execute("CREATE TEMP TABLE _inherited (l INTEGER, from_id VARCHAR, reference_id VARCHAR, judgement VARCHAR, "
                "decided_at TIMESTAMP)")  # fmt: skip
    con.execute(
        f"INSERT INTO standard.contact (salesforce_id, account_id, _input_hash) VALUES ('{CONTACT}', '{ACCOUNT}', 1)"
    )
    con.execute("INSERT INTO standard.person (person_id, _input_hash) VALUES ('p1', 1), ('p2', 1)")
    con.execute("INSERT INTO standard.company (company_id, _input_hash) VALUES ('c1', 1), ('c2', 1)")


def linked(con: duckdb.DuckDBPyConnection, day: int, before: tuple[str, str] | None, now: tuple[str, str]) -> list[str]:
    """Link the contact, whose (person, employer) were ``before``; return the causes that are told."""
    run = run_context(f"r{day}", day=day)
    seen = f"SELECT '{CONTACT}' AS salesforce_id, '{{}}' AS reference_id, '{{}}' AS {{}}, 'model' AS method"
    previous = seen.format(*(before or ("", "")), "company_id") + ("" if before else " LIMIT 0")
    con.execute(f"CREATE OR REPLACE TEMP TABLE _previous AS {previous}")
    current = seen.format(*now, "company_reference_id")
    con.execute(f"CREATE OR REPLACE TABLE crosswalk.contact AS {current}, 'linked' AS status")
    sides = Sides("contact", "person", 1, 2, 2)
    write_link_changes(con, sides, run, compare_basis(con, sides, run, BASIS))
    told = con.execute("SELECT causes FROM ops.link_change WHERE run_id = ? AND object = 'contact'", [run.run_id])
    found: list[str] = told.fetchall()[0][0]
    return found


@pytest.mark.parametrize("cause", ["reference", "model", "decision", "settings", "data"])
def test_a_link_that_follows_the_account_has_its_cause(cause: str) -> None:
    with connect() as con:
        tables(con)
        assert linked(con, 1, None, ("p1", "c1")) == ["data"]
        con.execute(
            "INSERT INTO ops.link_change (run_id, object, salesforce_id, change, old_reference_id, new_reference_id, "
            "causes, cause, changed_at) VALUES ('r2', 'account', ?, 'moved', 'c1', 'c2', ?, ?, TIMESTAMP '2026-03-02')",
            [ACCOUNT, [cause], cause],
        ).fetchall()
        assert linked(con, 2, ("p1", "c1"), ("p2", "c2"))[0] == cause


def test_a_moved_contact_is_data_and_other_values_of_the_employer_are_reference() -> None:
    with connect() as con:
        tables(con)
        linked(con, 1, None, ("p1", "c1"))
        assert linked(con, 2, ("p1", "c1"), ("p2", "c2")) == ["data"], "no account was linked elsewhere in this run"
        con.execute(
            "UPDATE standard.company SET domain = 'other.com', _input_hash = 2 WHERE company_id = 'c2'"
        ).fetchall()
        assert linked(con, 3, ("p2", "c2"), ("p1", "c2")) == ["reference"]
