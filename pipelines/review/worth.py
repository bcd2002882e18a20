"""What a record is worth to those who sell: the amount of the open opportunities of its account."""

import duckdb

from pipelines.review.published import columns_of, text

_NOTHING = "SELECT NULL::VARCHAR AS salesforce_id, NULL::DOUBLE AS amount, NULL::VARCHAR AS currency WHERE false"


def worth_query(con: duckdb.DuckDBPyConnection, name: str) -> str:
    """Return a query of (salesforce_id, amount, currency) for records of an object that have open opportunities.

    A contact's are those of its account, a lead's those of the account it is matched with. Amounts of several
    currencies are added as they stand, for the order alone: ``currency`` is NULL then.
    """
    columns = columns_of(con, "salesforce.opportunity")
    route = _route(con, name)
    if not {"AccountId", "Amount"} <= columns.keys() or route is None:
        return _NOTHING
    closed = f"coalesce({text('IsClosed', columns, 'o', 'BOOLEAN')}, false)"
    gone = f"coalesce({text('_is_deleted', columns, 'o', 'BOOLEAN')}, false)"
    currency = text("CurrencyIsoCode", columns, "o")
    accounts = (
        f'SELECT o."AccountId" AS account_id, sum(o."Amount")::DOUBLE AS amount, '
        f"CASE WHEN count(DISTINCT {currency}) = 1 THEN min({currency}) END AS currency "
        f'FROM salesforce.opportunity AS o WHERE NOT {closed} AND NOT {gone} AND o."AccountId" IS NOT NULL GROUP BY ALL'
    )
    if name == "account":
        return f"SELECT account_id AS salesforce_id, amount, currency FROM ({accounts})"
    return (
        f"SELECT w.salesforce_id, a.amount, a.currency FROM ({route}) AS w JOIN ({accounts}) AS a "
        "ON a.account_id = w.account_id"
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
