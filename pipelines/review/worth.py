"""What a record is worth to those who sell: the amount of the open opportunities of its account."""

from pathlib import Path
from typing import Literal

import duckdb

from pipelines.review.published import columns_of, text

_SQL = Path(__file__).with_suffix(".sql")
#: On what the order of amounts rests.
Basis = Literal["one currency", "rates", "places"]
_NOTHING = (
    "SELECT NULL::VARCHAR AS salesforce_id, NULL::DOUBLE AS amount, NULL::VARCHAR AS currency, "
    "NULL::DOUBLE AS comparable, NULL::VARCHAR AS basis WHERE false"
)
_NO_RATES = "SELECT NULL::VARCHAR AS currency, NULL::DOUBLE AS rate, NULL::BOOLEAN AS corporate WHERE false"


def worth_query(con: duckdb.DuckDBPyConnection, name: str) -> str:
    """Return a query of (salesforce_id, amount, currency, comparable, basis) for records with open opportunities.

    A contact's are those of its account, a lead's those of the account it is matched with. ``amount`` in ``currency``
    is what is shown, ``comparable`` what puts records in order, ``basis`` what that rests on: with several currencies
    the org's own rates (``salesforce.currency_type``) or, where one is missing, the place of the amount among those of
    its currency.
    """
    columns = columns_of(con, "salesforce.opportunity")
    route = _route(con, name)
    if not {"AccountId", "Amount"} <= columns.keys() or route is None:
        return _NOTHING
    accounts = _SQL.read_text(encoding="utf-8")
    parts = {
        "closed": f"coalesce({text('IsClosed', columns, 'o', 'BOOLEAN')}, false)",
        "gone": f"coalesce({text('_is_deleted', columns, 'o', 'BOOLEAN')}, false)",
        "currency": text("CurrencyIsoCode", columns, "o"),
        "rates": _rates(con),
    }
    for placeholder, value in parts.items():
        accounts = accounts.replace("{" + placeholder + "}", value)
    if name == "account":
        return f"SELECT account_id AS salesforce_id, amount, currency, comparable, basis FROM ({accounts})"
    return (
        "SELECT w.salesforce_id, a.amount, a.currency, a.comparable, a.basis "
        f"FROM ({route}) AS w JOIN ({accounts}) AS a ON a.account_id = w.account_id"
    )


def _rates(con: duckdb.DuckDBPyConnection) -> str:
    """A query of (currency, rate, corporate): how much of a currency one unit of the corporate one buys."""
    columns = columns_of(con, "salesforce.currency_type")
    if not {"IsoCode", "ConversionRate"} <= columns.keys():
        return _NO_RATES
    gone = f"coalesce({text('_is_deleted', columns, 'c', 'BOOLEAN')}, false)"
    corporate = f"coalesce({text('IsCorporate', columns, 'c', 'BOOLEAN')}, false)"
    return (
        f'SELECT c."IsoCode" AS currency, c."ConversionRate"::DOUBLE AS rate, {corporate} AS corporate '
        f"FROM salesforce.currency_type AS c WHERE NOT {gone}"
    )


def _route(con: duckdb.DuckDBPyConnection, name: str) -> str | None:
    """A query of (salesforce_id, account_id); None where nothing leads to an account."""
    if name == "account":
        return ""
    table, key, account = {
        "contact": ("salesforce.contact", '"Id"', "AccountId"),
        "lead": ("crosswalk.lead", "salesforce_id", "account_id"),
    }[name]
    if account not in columns_of(con, table):
        return None
    return f'SELECT {key} AS salesforce_id, "{account}" AS account_id FROM {table} WHERE "{account}" IS NOT NULL'
