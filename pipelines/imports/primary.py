"""Which of several records of one reference entity is its primary one: deterministic, configured, logged.

The same order serves the mapped imports (whose values survive) and ownership (``is_primary``).
"""

import logging

import duckdb

from data_contracts.contracts import quoted
from data_contracts.settings import PrimaryRule, Settings
from pipelines.tables import table_columns

_LOG = logging.getLogger(__name__)
#: Sort columns of each rule; the smallest comes first.
_KEYS: dict[PrimaryRule, tuple[str, ...]] = {
    "open_opportunities": ("open_opportunities",),
    "most_recent": ("most_recent_activity", "most_recent_change"),
    "oldest": ("oldest",),
}


def primary_order(settings: Settings, alias: str = "") -> str:
    """Return the ORDER BY list over the columns of ``primary_keys``; the lowest Id decides what is left."""
    prefix = f"{alias}." if alias else ""
    keys = [key for rule in settings.imports.primary for key in _KEYS[rule]]
    return ", ".join(f"{prefix}{key}" for key in (*keys, "salesforce_id"))


def log_primary_order(settings: Settings, object_name: str) -> None:
    """Say once per step by what the primary record of an entity is chosen."""
    _LOG.info("%s: primary record by %s, then lowest Id", object_name, ", ".join(settings.imports.primary))


def primary_keys(con: duckdb.DuckDBPyConnection, object_name: str) -> str:
    """Return a query giving per live record its sort columns; what the org does not show sorts last."""
    columns = table_columns(con, f"salesforce.{object_name}")

    def moment(field: str, sign: str) -> str:
        return f"coalesce({sign}epoch(s.{quoted(field)}), 'infinity'::DOUBLE)" if field in columns else "0::DOUBLE"

    found = open_opportunities(con, object_name)
    join = f"LEFT JOIN ({found[1]}) AS o ON o.account_id = s.{quoted(found[0])}" if found else ""
    return f"""
SELECT s.Id AS salesforce_id,
  {"-coalesce(o.open_count, 0)::DOUBLE" if found else "0::DOUBLE"} AS open_opportunities,
  {moment("LastActivityDate", "-")} AS most_recent_activity,
  {moment("SystemModstamp", "-")} AS most_recent_change,
  {moment("CreatedDate", "")} AS oldest
FROM salesforce.{quoted(object_name)} AS s {join}
WHERE NOT s._is_deleted"""


def open_opportunities(con: duckdb.DuckDBPyConnection, object_name: str) -> tuple[str, str] | None:
    """Return the field by which an object's records have open opportunities and a query of (account_id, open_count).

    None where they have none, or the org does not show them.
    """
    link = {"account": "Id", "contact": "AccountId"}.get(object_name)
    shown = {"AccountId", "IsClosed"} <= table_columns(con, "salesforce.opportunity").keys()
    return (link, _OPEN) if link and shown and link in table_columns(con, f"salesforce.{object_name}") else None


_OPEN = (
    "SELECT AccountId AS account_id, count(*) AS open_count FROM salesforce.opportunity "
    "WHERE NOT _is_deleted AND NOT IsClosed GROUP BY AccountId"
)
