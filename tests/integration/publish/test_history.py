"""As-of history: what was believed on any day is what the tables said on that day, and little is kept of it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.contracts import load_contract
from data_contracts.settings import Publish
from pipelines.publish.history import add_macros, record_history
from pipelines.publish.invariants import check_invariants
from pipelines.publish.snapshot import publish_snapshot
from pipelines.run import RunContext
from resources.home import Home
from tests.support.org_tables import warehouse

FIRST = datetime(2026, 3, 1, 2, tzinfo=UTC)
IDS = ("A", "B", "C")
#: What a record may be found to be: linked to one of two entities, in review, unmatched, or not there at all.
STATES = st.sampled_from([("linked", "E1"), ("linked", "E2"), ("in_review", "E1"), ("unmatched", None), None])
NIGHTS = st.lists(st.tuples(STATES, STATES, STATES), min_size=1, max_size=6)
AS_OF = "SELECT salesforce_id, status, reference_id FROM as_of(?) ORDER BY ALL"


def run_of(night: int) -> RunContext:
    return RunContext(f"r{night}", "full", FIRST + timedelta(days=night), "s")


def night(con: duckdb.DuckDBPyConnection, states: tuple[Any, ...], run: RunContext) -> dict[str, int]:
    """Write the crosswalk of a night, with another probability every time, and follow it."""
    con.execute(load_contract("crosswalk.account").ddl(replace=True))
    for key, state in zip(IDS, states, strict=True):
        if state:
            con.execute(
                "INSERT INTO crosswalk.account (salesforce_id, status, reference_id, match_probability, "
                "candidate_count, reason_code, reason, run_id) VALUES (?, ?, ?, random(), 1, 'model', 'why', ?)",
                [key, *state, run.run_id],
            )
    return record_history(con, run)


def believed(states: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return [(key, *state) for key, state in zip(IDS, states, strict=True) if state]


@given(nights=NIGHTS, again=st.booleans())
@settings(max_examples=6, deadline=None)
def test_every_day_shows_what_was_believed_then(nights: list[tuple[Any, ...]], again: bool) -> None:
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA crosswalk; CREATE SCHEMA ops; CREATE SCHEMA ownership")
        changes = 0
        for number, states in enumerate(nights):
            found = night(con, states, run_of(number))
            if again:  # a run that was killed and goes on
                assert night(con, states, run_of(number)) == found
            before = nights[number - 1] if number else (None, None, None)
            expected = sum(new is not None and new != old for new, old in zip(states, before, strict=True))
            assert found["ops.link_history"] == expected
            changes += expected
        add_macros(con, "memory", {"ops.link_history": {"valid_from", "valid_to"}})
        for number, states in enumerate(nights):
            day = (FIRST + timedelta(days=number)).date()
            assert con.execute(AS_OF, [day]).fetchall() == believed(states)
            assert con.execute(AS_OF, [str(day)]).fetchall() == believed(states)
        assert con.execute(AS_OF, [date(2026, 2, 28)]).fetchall() == []
        # Before the run of a day began, what the day before ended with was believed.
        assert con.execute(AS_OF, ["2026-03-01 01:59:00"]).fetchall() == []
        assert con.sql("SELECT count(*) FROM ops.link_history").fetchall() == [(changes,)]
        report = check_invariants(con, load_contract("ops.link_history"))
        assert report.passed


def test_the_cause_is_that_of_the_link_change_or_says_that_the_link_stayed() -> None:
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA crosswalk; CREATE SCHEMA ops; CREATE SCHEMA ownership")
        night(con, (("linked", "E1"), ("in_review", "E1"), None), run_of(0))
        con.execute(
            "INSERT INTO ops.link_change (run_id, object, salesforce_id, change, old_reference_id, new_reference_id, "
            "cause, changed_at) VALUES ('r1', 'account', 'A', 'moved', 'E1', 'E2', 'decision', now()::TIMESTAMP)"
        )
        night(con, (("linked", "E2"), ("unmatched", None), None), run_of(1))
        told = con.sql("SELECT salesforce_id, run_id, cause FROM ops.link_history ORDER BY ALL").fetchall()
    assert told == [("A", "r0", "first"), ("A", "r1", "decision"), ("B", "r0", "first"), ("B", "r1", "reassessed")]


def test_a_clock_that_was_set_back_makes_no_interval_end_before_it_begins() -> None:
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA crosswalk; CREATE SCHEMA ops; CREATE SCHEMA ownership")
        night(con, (("linked", "E1"), None, None), run_of(3))
        night(con, (("linked", "E2"), None, None), run_of(1))
        assert check_invariants(con, load_contract("ops.link_history")).passed
        assert con.sql("SELECT reference_id FROM ops.link_history WHERE valid_to IS NULL").fetchall() == [("E2",)]


def test_owners_are_followed_and_the_snapshot_brings_the_macros(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    insert = (
        "INSERT INTO ownership.account (reference_id, salesforce_id, is_primary, owner_id, owner_name, "
        "owner_kind, lists, open_amount) VALUES ('E1', 'A', true, ?, ?, 'user', [], ?)"
    )
    with warehouse(tmp_path) as con:
        for number, owner in enumerate((("005A", "Ann"), ("005A", "Ann"), ("005B", "Bob"))):
            con.execute(load_contract("ownership.account").ddl(replace=True))
            con.execute(insert, [*owner, number])
            record_history(con, run_of(number))
        publish_snapshot(con, home, Publish(), run_of(2))
    with duckdb.connect(str(home.published), read_only=True) as con:
        query = "SELECT owner_name FROM ownership_as_of(?)"
        assert con.execute(query, ["2026-03-02"]).fetchall() == [("Ann",)]
        assert con.execute(query, ["2026-03-03"]).fetchall() == [("Bob",)]
        assert con.sql("SELECT count(*) FROM ops.ownership_history").fetchall() == [(2,)]  # amounts are not followed
        assert con.sql("FROM as_of('2026-03-03')").fetchall() == []
