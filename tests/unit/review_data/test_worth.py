"""What records are worth: one currency, several with the org's rates, several without."""

from collections.abc import Iterator

import duckdb
import pytest

from pipelines.review.worth import worth_query

#: Account, amount, currency.
OPEN = [("A", 100, "EUR"), ("B", 300, "EUR"), ("C", 20_000, "JPY"), ("D", 10_000, "JPY"), ("D", 200, "EUR")]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA salesforce; CREATE SCHEMA crosswalk")
        yield con


def _opportunities(con: duckdb.DuckDBPyConnection, rows: list[tuple[str, int, str]]) -> None:
    con.execute(
        'CREATE TABLE salesforce.opportunity ("AccountId" VARCHAR, "Amount" DECIMAL(18, 2), "CurrencyIsoCode" VARCHAR, '
        '"IsClosed" BOOLEAN, _is_deleted BOOLEAN)'
    )
    con.executemany("INSERT INTO salesforce.opportunity VALUES (?, ?, ?, false, false)", rows)
    # Neither counts.
    con.execute(
        "INSERT INTO salesforce.opportunity VALUES ('A', 9e6, 'EUR', true, false), ('A', 9e6, 'EUR', false, true)"
    )


def _rates(con: duckdb.DuckDBPyConnection, rates: dict[str, float | None]) -> None:
    con.execute(
        'CREATE TABLE salesforce.currency_type AS SELECT unnest($codes) AS "IsoCode", '
        'unnest($rates) AS "ConversionRate", '
        "unnest($codes) = 'EUR' AS \"IsCorporate\", false AS _is_deleted",
        {"codes": list(rates), "rates": list(rates.values())},
    )


def _worth(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[float, str | None, float, str]]:
    rows = con.execute(worth_query(con, "account")).fetchall()
    return {key: (amount, currency, round(comparable, 6), basis) for key, amount, currency, comparable, basis in rows}


def test_one_currency_is_added_as_it_stands(con: duckdb.DuckDBPyConnection) -> None:
    _opportunities(con, [("A", 100, "EUR"), ("A", 50, "EUR"), ("B", 300, "EUR")])
    assert _worth(con) == {"A": (150, "EUR", 150, "one currency"), "B": (300, "EUR", 300, "one currency")}


def test_several_are_compared_by_the_orgs_rates(con: duckdb.DuckDBPyConnection) -> None:
    _opportunities(con, OPEN)
    _rates(con, {"EUR": 1.0, "JPY": 100.0})
    assert _worth(con) == {
        "A": (100, "EUR", 100, "rates"),
        "B": (300, "EUR", 300, "rates"),
        "C": (20_000, "JPY", 200, "rates"),
        "D": (300, "EUR", 300, "rates"),
    }


@pytest.mark.parametrize("rates", [None, {"EUR": 1.0}, {"EUR": 1.0, "JPY": None}, {"EUR": 1.0, "JPY": 0.0}])
def test_without_every_rate_places_within_a_currency_count(
    con: duckdb.DuckDBPyConnection, rates: dict[str, float | None] | None
) -> None:
    _opportunities(con, OPEN)
    if rates is not None:
        _rates(con, rates)
    found = _worth(con)
    assert found["B"] == (300, "EUR", round(5 / 6, 6), "places")
    assert found["C"] == (20_000, "JPY", 3 / 4, "places")
    assert found["A"] == (100, "EUR", round(1 / 6, 6), "places")
    # Second of three euros, first of two yen from below: the better place is shown, and nothing is added up.
    assert found["D"] == (200, "EUR", 1 / 2, "places")


def test_a_contact_is_worth_what_its_account_is(con: duckdb.DuckDBPyConnection) -> None:
    _opportunities(con, OPEN)
    con.execute("CREATE TABLE salesforce.contact AS SELECT 'K' AS \"Id\", 'B' AS \"AccountId\"")
    assert con.execute(worth_query(con, "contact")).fetchall() == [("K", 300, "EUR", pytest.approx(5 / 6), "places")]
    assert con.execute(worth_query(con, "lead")).fetchall() == []
