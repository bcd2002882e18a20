"""Block keys: none of a value that is missing, none twice for a row, two words the same whichever comes first."""

from collections.abc import Iterator
from itertools import combinations

import duckdb
import pytest

from pipelines.resolve.candidates import block_keys, key_kinds, weigh_side
from pipelines.resolve.scripts import run_script
from pipelines.resolve.sides import Kind, Object, Sides

#: Column of a side that keys are made of, and its value of one row.
VALUES: dict[Kind, dict[str, str]] = {
    "person": {
        "last_squashed": "'brown'",
        "first_squashed": "'brown'",
        "birthdate": "'19800229'",
        "email_clean": "'jo.brown@example.com'",
        "phone_tails": "['125550100', '125550100']",
        "street_number": "'12'",
        "street_name": "'main'",
        "postal_code_clean": "'10001'",
        "city_clean": "'boston'",
        "employer_id": "'c1'",
        "employer_domain": "'example.com'",
        "employer_key": "'example'",
    },
    "company": {
        "name_squashed": "'acme'",
        "other_names": "['acme mills', 'acme']",
        "acronym": "'acw'",
        "domain": "'acme.example'",
        "phone_tail": "'125550100'",
        "street_number": "'12'",
        "street_name": "'main'",
        "postal_code_clean": "'10001'",
        "city_clean": "'boston'",
    },
}
OBJECTS: dict[Kind, Object] = {"person": "contact", "company": "account"}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        run_script(con, "similarity.sql")
        con.execute("CREATE TEMP TABLE _word (word VARCHAR, weight FLOAT)")
        yield con


def _keys(
    con: duckdb.DuckDBPyConnection, kind: Kind, names: list[list[str]], missing: str = ""
) -> dict[int, list[str]]:
    """Return per row the kinds of its keys, for rows with these words and the same other values."""
    types = {"phone_tails": "VARCHAR[]", "other_names": "VARCHAR[]"}
    values = ", ".join(
        f"{'NULL' if name == missing else value}::{types.get(name, 'VARCHAR')} AS {name}"
        for name, value in VALUES[kind].items()
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE _right AS SELECT n::INTEGER AS n, name_tokens, {values} FROM "
        "(SELECT unnest($names::VARCHAR[][]) AS name_tokens, unnest(range(len($names::VARCHAR[][]))) AS n)",
        {"names": names},
    )
    weigh_side(con, "right")
    block_keys(con, Sides(OBJECTS[kind], kind, 1, len(names), 1000), "right")
    kinds = key_kinds(kind)
    found = con.sql("SELECT n, list(kind ORDER BY kind) FROM _right_key GROUP BY n ORDER BY n").fetchall()
    return {n: [kinds[number] for number in numbers] for n, numbers in found}


@pytest.mark.parametrize("kind", ["person", "company"])
def test_no_key_twice_and_none_of_what_is_missing(con: duckdb.DuckDBPyConnection, kind: Kind) -> None:
    names = [["acme", "acme", "works"], ["a", "b", "c", "d", "a", "e"]]
    everything = _keys(con, kind, names)
    assert set(everything[0]) | {"sound of a word"} >= set(key_kinds(kind))
    for column in VALUES[kind]:
        fewer = _keys(con, kind, names, missing=column)
        assert all(len(fewer[n]) < len(everything[n]) for n in fewer), column
        assert con.sql("SELECT h, n FROM _right_key GROUP BY ALL HAVING count(*) > 1").fetchall() == []


def test_two_words_are_a_key_whichever_comes_first(con: duckdb.DuckDBPyConnection) -> None:
    names = [["x", "y"], ["y", "x"], ["y", "x", "y"], ["a", "b", "c", "d"], ["d", "c", "b", "a", "d"], ["z", "z"]]
    found = _keys(con, "person", names)
    expected = {n: len(list(combinations(set(words), 2))) for n, words in enumerate(names)}
    assert {n: kinds.count("two words") for n, kinds in found.items()} == expected
    pairs = con.sql(
        f"SELECT n, list(h ORDER BY h) FROM _right_key WHERE kind = {key_kinds('person').index('two words')} GROUP BY n"
    ).fetchall()
    by_row = dict(pairs)
    assert by_row[0] == by_row[1] == by_row[2]
    assert by_row[3] == by_row[4]
