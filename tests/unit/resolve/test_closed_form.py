"""How often values agree by chance: the closed form against making every pair."""

import random

import duckdb
import pytest

from pipelines.resolve.closed_form import agreements, equal_columns
from pipelines.resolve.comparisons import COMPARISONS, Comparison, Level
from pipelines.resolve.sides import Sides


@pytest.mark.parametrize(
    ("condition", "form"),
    [
        ("a_l = a_r", (("a",), ())),
        ("a_l = a_r AND b_l = b_r", (("a", "b"), ())),
        ("a_l = a_r AND total_r >= 0.8", (("a",), ("total_r >= 0.8",))),
        ("a_l = b_r", None),
        ("near(a_l, a_r, 1)", None),
        ("a_l = a_r OR b_l = b_r", None),
        ("total_r >= 0.8", None),
    ],
)
def test_only_equality_has_the_form(condition: str, form: object) -> None:
    assert equal_columns(condition) == form


def test_the_shipped_comparisons_have_levels_of_the_form() -> None:
    exact = {c.name for found in COMPARISONS.values() for c in found if equal_columns(c.levels[0].condition)}
    assert exact >= {"domain", "phone", "last_name", "first_name", "birthdate"}


def test_it_counts_what_making_every_pair_counts() -> None:
    made = random.Random(4)
    comparison = Comparison(
        "name",
        ("name_key",),
        "name_key_l IS NULL OR name_key_r IS NULL",
        (
            Level("same, rare", "name_key_l = name_key_r AND size_r >= 3", 0.4),
            Level("same", "name_key_l = name_key_r", 0.3),
            Level("alike", "jaro_winkler_similarity(name_key_l, name_key_r) > 0.9", 0.1),
        ),
    )
    with duckdb.connect() as con:
        for side in ("left", "right"):
            con.execute(f"CREATE TABLE _{side} (n INTEGER, name_key VARCHAR, size INTEGER)")
            rows = [(n, made.choice(["a", "b", "c", None]), made.randrange(6)) for n in range(60)]
            con.executemany(f"INSERT INTO _{side} VALUES (?, ?, ?)", rows)
        con.execute("CREATE TABLE _sample AS SELECT n FROM _left WHERE n % 3 = 0")
        found = agreements(con, Sides("account", "company", 60, 60, 60), (comparison,))
        rare, same = con.sql(
            "SELECT count(*) FILTER (r.size >= 3), count(*) FILTER (r.size < 3) "
            "FROM _left l SEMI JOIN _sample USING (n) JOIN _right r ON l.name_key = r.name_key"
        ).fetchall()[0]
    assert found == {"name": [float(rare), float(same)]}
    assert rare > 0
    assert same > 0
