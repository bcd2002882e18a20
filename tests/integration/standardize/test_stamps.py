"""A small change standardises what loading has stamped since, and is the same as looking at everything."""

from typing import Any

import duckdb
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from data_contracts.settings import Settings
from pipelines.standardize import standardize
from tests.support.resolution import connect, put, run_context

IDS = ("a", "b", "c", "d")
#: One run's work: rows it wrote, rows it took out, and whether it is resumed (under the stamp of the run before).
RUNS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(IDS), st.sampled_from(["Acme", "Globex", "Initech"])),
        st.sets(st.sampled_from(IDS), max_size=2),
        st.booleans(),
    ),
    min_size=2,
    max_size=5,
)


def write(con: duckdb.DuckDBPyConnection, rows: dict[str, dict[str, Any]]) -> None:
    nobody = {"Id": "nobody", "Name": None, "_is_deleted": True, "_run_id": "r0", "_synced_at": "2026-01-01"}
    put(con, "salesforce.account", [nobody, *rows.values()])
    con.execute("ALTER TABLE salesforce.account ALTER _synced_at TYPE TIMESTAMP").fetchall()


def names(con: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return con.sql("SELECT salesforce_id, name_core, _input_hash FROM standard.account ORDER BY 1").fetchall()


@effort(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RUNS)
def test_small_changes_by_stamps_are_the_same_as_at_once(
    runs: list[tuple[dict[str, str], set[str], bool]],
) -> None:
    rows: dict[str, dict[str, Any]] = {}
    day = 0
    with connect() as con, connect() as once:
        for written, gone, resumed in runs:
            day += 0 if resumed and day else 1
            stamp = {"_is_deleted": False, "_run_id": f"r{day}", "_synced_at": f"2026-03-{day:02d}"}
            rows |= {key: {"Id": key, "Name": name} | stamp for key, name in written.items()}
            rows = {key: row for key, row in rows.items() if key not in gone}
            write(con, rows)
            standardize(con, "account", Settings(), run_context(f"r{day}", "delta", day))
        write(once, rows)
        standardize(once, "account", Settings(), run_context())
        assert names(con) == names(once)


def test_rows_without_a_new_stamp_are_left_to_the_whole_run() -> None:
    row = {"Id": "a", "Name": "Acme", "_is_deleted": False, "_run_id": "r1", "_synced_at": "2026-03-01"}
    with connect() as con:
        write(con, {"a": row})
        standardize(con, "account", Settings(), run_context())
        write(con, {"a": row | {"Name": "Other"}})
        assert standardize(con, "account", Settings(), run_context("r2", "delta", 2)).changed == 0
        assert standardize(con, "account", Settings(), run_context("r3", "full", 3)).changed == 1


def test_a_table_that_lost_its_rows_is_made_again_in_a_small_change() -> None:
    row = {"Id": "a", "Name": "Acme", "_is_deleted": False, "_run_id": "r1", "_synced_at": "2026-03-01"}
    with connect() as con:
        write(con, {"a": row})
        standardize(con, "account", Settings(), run_context())
        con.execute("DELETE FROM standard.account").fetchall()
        assert standardize(con, "account", Settings(), run_context("r2", "delta", 2)).changed == 1
