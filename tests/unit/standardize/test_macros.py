"""The cleaning macros, value by value; the expected values are written by hand."""

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from data_contracts.settings import Settings
from pipelines.standardize import standardize
from pipelines.standardize.standardize import clean_company_name, define_macros
from pipelines.standardize.values import registrable_domain, to_ascii
from tests.support.resolution import connect, put, run_context


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as connection:
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
        ("Müller & Söhne GmbH & Co. KG", "muller and sons"),
        ("The Widget Company", "widget"),
        ("株式会社 東京", "tokyo"),
        ("I.B.M. Corp", "ibm"),
        ("J P Morgan", "jp morgan"),
        ("S.p.A. Rossi S.p.A.", "spa rossi"),
        ("Mendez, Denmark A/S", "mendez denmark"),
        ("Faberlic Europe Sp. z o.o.", "faberlic europe"),
        ("Coca Cola Co., The", "coca cola"),
        ("(주)삼성전자", "samsung electronics"),
        ("First Bank Int’l", "1st bank international"),
        ("Brigade Forty-Four", "brigade 44"),
        ("Apollo Fund VIII", "apollo fund 8"),
        ("AT&T Inc.", "att"),
        ("Amazon.com, Inc.", "amazon"),
        ("Acme Mfg. Co. - DO NOT USE", "acme manufacturing"),
        ("[TEST] Acme", "acme"),
        ("Müller d/b/a Joe's Pizza", "muller joes pizza"),
        ("Limited", "limited"),
    ],
)
def test_name_core_drops_legal_forms_in_any_position_and_never_everything(
    con: duckdb.DuckDBPyConnection, raw: str, core: str
) -> None:
    assert clean_company_name(con, to_ascii(raw))[1] == core.lower()


@pytest.mark.parametrize(
    "raw",
    [
        "[[unknown]]",
        "Not Provided",
        "TEST",
        "n/a",
        "xxx",
        "Test Account 12",
        "TBD",
        "...",
        "Unknown Company",
        "Nicht bekannt",
        "Sans nom",
    ],
)
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
        ("011 44 20 7946 0958", "1", "1", "+442079460958"),
        ("212 555 0100 / 212 555 0101", "1", "1", "+12125550100"),
        ("123", None, None, None),
    ],
)
def test_phone(con: duckdb.DuckDBPyConnection, raw: str, dialling: str | None, trunk: str | None, phone: str) -> None:
    assert ask(con, "to_phone(dialled(?), ?, ?)", raw, dialling, trunk) == phone


STREETS = [
    ("435 S. La Cienega Blvd.", "435", "cienega"),
    ("156 Second Ave. at 10th St.", "156", "2"),
    ("156 2nd Avenue", "156", "2"),
    ("Hauptstraße 12", "12", "haupt"),
    ("Hauptstr. 12 a", "12", "haupt"),
    ("12, rue de la Paix", "12", "de paix"),
    ("Calle Mayor, 5, 2º A", "5", "mayor"),
    ("Flat 2, 10 Downing St.", "10", "downing"),
    ("P.O. Box 123, 44 Elm St", "44", "elm"),
    ("20 Bridge St", "20", "bridge"),
    ("1 Infinite Loop\nCupertino, CA 95014", "1", "infinite loop"),
    ("Av. Paulista, 1578 - Bela Vista", "1578", "paulista"),
    ("n/a", None, None),
    ("1106-1108 W. 63rd St., Suite 4", "1106", "63"),
    ("Broadway", None, "broadway"),
]


def test_street(con: duckdb.DuckDBPyConnection) -> None:
    put(
        con,
        "reference.company",
        [{"company_id": f"{i:02}", "name": "x", "street": row[0]} for i, row in enumerate(STREETS)],
    )
    standardize(con, "company", Settings(), run_context())
    found = con.sql("SELECT street_number, street_name FROM standard.company ORDER BY company_id").fetchall()
    assert dict(zip([row[0] for row in STREETS], found, strict=True)) == {row[0]: row[1:] for row in STREETS}


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


@effort(max_examples=15, deadline=None)
@given(st.text(alphabet="abc AB.&/-'1I", max_size=30))
def test_the_core_of_a_name_is_never_empty_and_its_own_core(con: duckdb.DuckDBPyConnection, raw: str) -> None:
    clean, core = clean_company_name(con, raw)
    assert (core is None) == (clean is None)
    assert core is None or core.strip() == core != ""
