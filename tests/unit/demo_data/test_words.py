"""The word lists: every culture complete, every word writable in ASCII, enough of them."""

from collections import Counter
from collections.abc import Iterator

import duckdb
import pytest

from apps.demo_org.generate.words import load_words, plain


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        load_words(connection)
        yield connection


def words(con: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    row = con.execute(f"SELECT getvariable('{name}')").fetchall()[0]
    found: list[str] = row[0]
    return found


@pytest.mark.parametrize("name", ["given", "family", "street", "branch", "legal"])
def test_lists_have_a_latin_spelling_in_ascii_for_every_word(con: duckdb.DuckDBPyConnection, name: str) -> None:
    native, latin = words(con, f"{name}_native"), words(con, f"{name}_latin")
    assert len(native) == len(latin) > 100
    if name != "legal":
        assert [word for word in latin if not word.isascii()] == []


def test_there_are_hundreds_of_names_and_several_scripts(con: duckdb.DuckDBPyConnection) -> None:
    assert len(set(words(con, "given_native"))) > 900
    assert len(set(words(con, "family_native"))) > 900
    letters = "".join(words(con, "family_native"))
    for low, high in (("Α", "ω"), ("А", "я"), ("一", "鿿"), ("ء", "ي"), ("가", "힣"), ("À", "ž")):
        assert any(low <= letter <= high for letter in letters)


def test_every_country_has_places_a_culture_and_legal_forms(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        "SELECT country, count(place), min(legal_n), min(branch_n), min(street_n) FROM country"
        " LEFT JOIN place USING (country) LEFT JOIN culture USING (culture) GROUP BY country"
    ).fetchall()
    assert len(rows) > 25
    assert [row for row in rows if not all(row[1:])] == []


def test_cities_keep_leading_zeros_and_stay_in_their_stretch(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute("SELECT place, city_at, city_n, city, postal_code FROM place").fetchall()
    assert all(start <= place < start + length for place, start, length, _, _ in rows)
    boston = Counter(code[:2] for _, _, _, city, code in rows if city == "Boston")
    assert set(boston) == {"02"}


def test_plain_writes_accents_as_ascii() -> None:
    assert plain("Łódź Øster Straße İzmir") == "Lodz Oster Strasse Izmir"
