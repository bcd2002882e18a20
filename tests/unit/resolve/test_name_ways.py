"""The three ways in which likeness of names is computed give the same numbers, whichever way a pair goes."""

from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.resolve.scripts import run_script

#: Words that are equal, alike to one or to several others, run together, numbers, and alike to none.
WORDS = ("maria", "marie", "mario", "marias", "acme", "acne", "globex", "north", "harbor", "northharbor", "4711", "b")
NAMES = st.lists(st.sampled_from(WORDS), min_size=0, max_size=6)
WEIGHTS = st.lists(st.sampled_from((0.02, 0.3, 0.5, 0.51, 1.0)), min_size=len(WORDS), max_size=len(WORDS))


def _likeness(con: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    run_script(con, "name_alike.sql", replace={"pairs": "_asked"})
    return con.execute("SELECT l, r, alike, contained, shared FROM _name_alike ORDER BY l, r").fetchall()


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.lists(NAMES, min_size=12, max_size=12), st.lists(NAMES, min_size=12, max_size=12), WEIGHTS)
def test_column_by_column_is_as_alike_as_list_by_list(
    left: list[list[str]], right: list[list[str]], weights: list[float]
) -> None:
    with duckdb.connect() as con:
        run_script(con, "similarity.sql")
        con.execute("CREATE TEMP TABLE _word (word VARCHAR, weight FLOAT)")
        con.executemany("INSERT INTO _word VALUES (?, ?)", [list(row) for row in zip(WORDS, weights, strict=True)])
        for side, names in (("left", left), ("right", right)):
            con.execute(f"CREATE TEMP TABLE _{side} (n INTEGER, name_tokens VARCHAR[], other_names VARCHAR[])")
            con.executemany(f"INSERT INTO _{side} VALUES (?, ?, [])", [[n, name] for n, name in enumerate(names)])
            con.execute(f"ALTER TABLE _{side} ADD COLUMN name_key VARCHAR")
            run_script(con, "words.sql", side=side)
        con.execute("CREATE TEMP TABLE _asked AS SELECT l.n AS l, r.n AS r FROM _left l, _right r")
        found = _likeness(con)
        assert len(found) == 144
        con.execute("UPDATE _left_words SET w1 = NULL, same = hash(words, 'left')")
        rounded = [tuple(None if x is None else round(x, 6) for x in row) for row in found]
        assert [tuple(None if x is None else round(x, 6) for x in row) for row in _likeness(con)] == rounded
