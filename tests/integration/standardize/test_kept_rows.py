"""A row is standardised once and kept until one of its inputs, or the way of cleaning, changes."""

from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from data_contracts.errors import ReferenceDataError
from data_contracts.settings import Settings
from pipelines.standardize import standardize
from tests.support.resolution import connect, put, run_context

Companies = list[dict[str, Any]]


def company(key: str | None, name: str, **more: Any) -> dict[str, Any]:
    return {"company_id": key, "name": name, "website": None, "city": None, "country": None} | more


def update(con: duckdb.DuckDBPyConnection, companies: Companies) -> tuple[int, int]:
    put(con, "reference.company", companies or [company("none", "x")])
    if not companies:
        con.execute("DELETE FROM reference.company")
    result = standardize(con, "company", Settings(), run_context())
    return result.changed, result.gone


def table(con: duckdb.DuckDBPyConnection) -> list[Any]:
    return con.sql("SELECT * FROM standard.company ORDER BY company_id").fetchall()


def test_only_what_changed_is_cleaned_again() -> None:
    with connect() as con:
        assert update(con, [company("a", "Acme Inc"), company("b", "Globex"), company("c", "Initech")]) == (3, 0)
        # A mark that cleaning would not leave shows which rows were touched.
        con.execute("UPDATE standard.company SET name_core = 'kept'").fetchall()
        assert update(con, [company("a", "Acme Inc"), company("b", "Globex Corp"), company("d", "Hooli")]) == (2, 1)
        cores = con.sql("SELECT company_id, name_core FROM standard.company ORDER BY 1").fetchall()
        assert update(con, [company("a", "Acme Inc"), company("b", "Globex Corp"), company("d", "Hooli")]) == (0, 0)
    assert cores == [("a", "kept"), ("b", "globex"), ("d", "hooli")]


def test_another_way_of_cleaning_cleans_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [company("a", "Acme Inc"), company("b", "Globex")]
    with connect() as con:
        update(con, rows)
        monkeypatch.setitem(standardize.__globals__, "cleaning_version", lambda: "another")
        assert update(con, rows) == (2, 0)


def test_a_table_of_another_version_is_made_anew() -> None:
    with connect() as con:
        con.execute("CREATE TABLE standard.company (company_id VARCHAR, name_raw VARCHAR)")
        assert update(con, [company("a", "Acme Inc")]) == (1, 0)


@pytest.mark.parametrize(
    "then",
    [
        [company("a", "Acme"), company("a", "Acme")],
        [company("a", "Acme"), company("a", "Other")],
        [company("a", "Acme"), company(None, "Nameless")],
        [company("x", "Acme"), company("x", "Acme")],
    ],
)
def test_a_key_missing_or_repeated_is_refused_and_the_rows_stay(then: Companies) -> None:
    with connect() as con:
        update(con, [company("a", "Acme")])
        before = table(con)
        with pytest.raises(ReferenceDataError, match="company_id"):
            update(con, then)
        assert table(con) == before


_ROWS = st.dictionaries(
    st.sampled_from("abcdef"),
    st.tuples(st.sampled_from(["Acme Inc", "Globex", "n/a"]), st.sampled_from([None, "Bonn", "Nice"])),
)


@effort(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_ROWS, min_size=2, max_size=4))
def test_step_by_step_is_the_same_as_at_once(states: list[dict[str, tuple[str, str | None]]]) -> None:
    batches = [[company(key, name, city=city) for key, (name, city) in state.items()] for state in states]
    with connect() as stepwise, connect() as once:
        for batch in batches:
            update(stepwise, batch)
        update(once, batches[-1])
        assert table(stepwise) == table(once)
