"""The cleaning macros, value by value; the expected values are written by hand."""

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.standardize.standardize import define_macros
from pipelines.standardize.values import registrable_domain, to_ascii


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        define_macros(connection)
        yield connection


def ask(con: duckdb.DuckDBPyConnection, expression: str, *values: object) -> object:
    return con.execute(f"SELECT {expression}", list(values)).fetchall()[0][0]


@pytest.mark.parametrize(
    ("raw", "core"),
    [
        ("Siemens Aktiengesellschaft", "siemens"),
        ("Acme Widgets, Inc.", "acme widgets"),
        ("OOO Romashka", "romashka"),
        ("Müller & Söhne GmbH & Co. KG", "muller and sohne"),
        ("The Widget Company", "widget"),
        ("株式会社 東京", "DongJing"),
        ("I.B.M. Corp", "ibm"),
        ("J P Morgan", "jp morgan"),
        ("S.p.A. Rossi S.p.A.", "spa rossi"),
        ("Limited", "limited"),
    ],
)
def test_name_core_drops_legal_forms_in_any_position_and_never_everything(
    con: duckdb.DuckDBPyConnection, raw: str, core: str
) -> None:
    assert ask(con, "name_core(clean_text(?))", to_ascii(raw)) == core.lower()


@pytest.mark.parametrize("raw", ["[[unknown]]", "Not Provided", "TEST", "n/a", "xxx", "Test Account 12", "TBD", "..."])
def test_placeholders_are_nothing(con: duckdb.DuckDBPyConnection, raw: str) -> None:
    assert ask(con, "known(clean_text(?))", raw) is None


@pytest.mark.parametrize("raw", ["Testarossa", "Unknown Pleasures", "Nanette", "Nullarbor Traders"])
def test_names_that_only_begin_like_a_placeholder_stay(con: duckdb.DuckDBPyConnection, raw: str) -> None:
    assert ask(con, "known(clean_text(?))", raw) == raw.lower()


@pytest.mark.parametrize(
    ("raw", "host"),
    [
        ("https://www.acme.co.uk/en?x=1", "acme.co.uk"),
        ("ACME.COM", "acme.com"),
        ("http://user@shop.acme.de:8080", "shop.acme.de"),
        ("Yes", None),
        ("No", None),
        ("see notes", None),
    ],
)
def test_free_text_is_no_website(con: duckdb.DuckDBPyConnection, raw: str, host: str | None) -> None:
    assert ask(con, "web_host(?)", raw) == host


@pytest.mark.parametrize(
    ("raw", "mail"),
    [
        (" Ann.Lee+news@Example-Corp.com.invalid ", "ann.lee@example-corp.com"),
        ("mailto:bob@x.io", "bob@x.io"),
        ("nobody", None),
        ("a@b", None),
    ],
)
def test_email(con: duckdb.DuckDBPyConnection, raw: str, mail: str | None) -> None:
    assert ask(con, "clean_email(?)", raw) == mail


@pytest.mark.parametrize(
    ("raw", "dialling", "trunk", "phone"),
    [
        ("(310) 246-1501 x12", "1", "1", "+13102461501"),
        ("310/246-1501", None, None, "3102461501"),
        ("+44 (0)20 7946 0958", "44", "0", "+442079460958"),
        ("020 7946 0958", "44", "0", "+442079460958"),
        ("0049 30 123456", "1", "1", "+4930123456"),
        ("000-000-0000", "1", "1", None),
        ("123", None, None, None),
    ],
)
def test_phone(con: duckdb.DuckDBPyConnection, raw: str, dialling: str | None, trunk: str | None, phone: str) -> None:
    assert ask(con, "to_phone(dialled(?), ?, ?)", raw, dialling, trunk) == phone


@pytest.mark.parametrize(
    ("raw", "number", "name"),
    [
        ("435 S. La Cienega Blvd.", "435", "cienega"),
        ("156 Second Ave. at 10th St.", "156", "2"),
        ("156 2nd Avenue", "156", "2"),
        ("Hauptstraße 12", "12", "hauptstrasse"),
        ("1106-1108 W. 63rd St., Suite 4", "1106", "63"),
        ("Broadway", None, "broadway"),
    ],
)
def test_street(con: duckdb.DuckDBPyConnection, raw: str, number: str | None, name: str) -> None:
    line = ask(con, "street_line(?)", to_ascii(raw))
    assert ask(con, "street_number(?)", line) == number
    assert ask(con, "street_name(?)", line) == name


@pytest.mark.parametrize(
    ("raw", "date"),
    [("1953-04-22", "19530422"), ("19530422", "19530422"), ("04/22/1953", "19530422"), ("22/04/1953", "19530422")],
)
def test_birthdate(con: duckdb.DuckDBPyConnection, raw: str, date: str) -> None:
    assert ask(con, "clean_birthdate(?)", raw) == date


def test_registrable_domain_knows_public_suffixes() -> None:
    assert registrable_domain("shop.acme.co.uk") == "acme.co.uk"
    assert registrable_domain("co.uk") is None
    assert registrable_domain("bücher.example.de") == "example.de"


@given(st.text(max_size=60))
def test_cleaning_a_clean_name_changes_nothing(con: duckdb.DuckDBPyConnection, raw: str) -> None:
    text = to_ascii(raw)
    once = ask(con, "clean_text(?)", text)
    assert ask(con, "clean_text(?)", once) == once
    core = ask(con, "name_core(?)", once)
    assert (core is None) == (once is None)
    assert ask(con, "array_to_string(name_words(?), ' ')", core) is None or core
