"""What patterns of agreement count less, against counts made by hand; and the same pattern in SQL as in numbers."""

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.resolve.together import BEFOREHAND, state_sql, states, taken_off, together_sql


def test_only_patterns_that_come_too_often_are_charged_and_by_how_much_too_often() -> None:
    # 100 known non-matches: 40 share phone and half of the name, 60 share the name alone.
    phone = np.array([2] * 40 + [0] * 60)
    name = np.array([1] * 40 + [2] * 60)
    shares = [np.array([0.99, 0.0, 0.01]), np.array([0.9, 0.06, 0.04])]
    found = taken_off([phone, name], np.ones(100), shares, 10_000)
    assert list(found) == ["21"]
    by_chance = 10_000 * 0.01 * 0.06
    assert found["21"] == pytest.approx(-np.log2((40 + BEFOREHAND) / (by_chance + BEFOREHAND)))


def test_agreements_that_are_independent_are_not_charged() -> None:
    rng = np.random.default_rng(5)
    shares = [np.array([0.7, 0.2, 0.1]), np.array([0.6, 0.3, 0.1])]
    drawn = [rng.choice(3, size=20_000, p=share) for share in shares]
    found = taken_off(drawn, np.ones(20_000), shares, 20_000)
    assert min(found.values(), default=0.0) > -0.2


def test_matches_are_not_looked_at() -> None:
    agree = np.full(50, 2)
    shares = [np.array([0.99, 0.0, 0.01])] * 2
    assert taken_off([agree, agree], np.zeros(50), shares, 1000) == {}
    assert taken_off([], np.zeros(0), [], 0) == {}


@settings(deadline=None, max_examples=25)
@given(st.lists(st.one_of(st.none(), st.floats(-30, 30)), min_size=1, max_size=20), st.floats(0.5, 20))
def test_sql_and_numbers_agree_on_the_state(weights: list[float | None], best: float) -> None:
    numbers = states(np.array([0.0 if w is None else w for w in weights]), best).tolist()
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t (i INTEGER, w DOUBLE)")
        con.executemany("INSERT INTO t VALUES (?, ?)", [(i, w) for i, w in enumerate(weights)])
        rows = con.sql(f"SELECT {state_sql('w', best)} FROM t ORDER BY i").fetchall()
    assert [row[0] for row in rows] == numbers


def test_sql_takes_off_what_the_pattern_says_and_nothing_elsewhere() -> None:
    sql = together_sql({"21": -3.5}, {"mw_phone": 10.0, "mw_name": 8.0})
    with duckdb.connect() as con:
        rows = con.sql(
            f"SELECT {sql} FROM (VALUES (9.0, 2.0), (9.0, 7.0), (NULL, 2.0), (9.0, NULL)) t(mw_phone, mw_name)"
        ).fetchall()
    assert [row[0] for row in rows] == [-3.5, 0.0, 0.0, 0.0]
    assert together_sql({}, {"mw_phone": 10.0}) == "0.0"
