"""``ownership.<object>``: linked, live records that meet the criteria, with owner, lists, filters and figures."""

import duckdb

from data_contracts.contracts import load_contract, quoted
from data_contracts.settings import Settings
from pipelines.imports.primary import log_primary_order, primary_keys, primary_order
from pipelines.ownership.filters import Filter, custom_filters
from pipelines.ownership.opportunities import opportunity_links
from pipelines.ownership.result import OwnershipResult
from pipelines.run import RunContext
from pipelines.tables import ensure_table, replace_table, scalar, table_columns, transaction


def build_ownership(
    con: duckdb.DuckDBPyConnection, object_name: str, settings: Settings, run: RunContext
) -> OwnershipResult:
    """Replace ``ownership.<object>`` for this run.

    Needs ``salesforce.<object>`` and ``crosswalk.<object>``; owners (``ownership.user``), lists and opportunities where
    there are any. Raises SettingsError for a custom filter the mirror cannot give.
    """
    contract = load_contract(f"ownership.{object_name}")
    filters = custom_filters(con, object_name, settings)
    log_primary_order(settings, object_name)
    query = _query(con, object_name, settings, run, filters)
    with transaction(con):
        replace_table(con, contract, [item.column for item in filters])
        con.execute(f"INSERT INTO {contract.relation} BY NAME {query}")
    rows = scalar(con, f"SELECT count(*) FROM {contract.relation}")
    entities = scalar(con, f"SELECT count(DISTINCT reference_id) FROM {contract.relation}")
    return OwnershipResult(contract.name, rows, entities)


def _query(
    con: duckdb.DuckDBPyConnection, object_name: str, settings: Settings, run: RunContext, filters: tuple[Filter, ...]
) -> str:
    custom = "".join(f",\n  {item.expression} AS {quoted(item.column.name)}" for item in filters)
    columns = table_columns(con, f"salesforce.{object_name}")
    owner = "s.OwnerId" if "OwnerId" in columns else "NULL::VARCHAR"
    ensure_table(con, load_contract("ownership.user"))
    links = opportunity_links(con, object_name, settings, run)
    figures = _FIGURES.format(links=links) if links else _NO_FIGURES
    count = "coalesce(f.opportunity_count, 0)" if _included(object_name, settings, links) else "NULL"
    amount = "CASE WHEN f.currencies > 1 THEN NULL ELSE coalesce(f.{0}, 0) END" if count != "NULL" else "NULL"
    return f"""
SELECT c.reference_id, c.salesforce_id,
  row_number() OVER (PARTITION BY c.reference_id ORDER BY {primary_order(settings, "k")}) = 1 AS is_primary,
  {owner} AS owner_id, u.name AS owner_name, u.email AS owner_email, u.is_active AS owner_is_active,
  CASE WHEN u.kind = 'queue' THEN 'queue' WHEN u.is_active THEN 'user' WHEN NOT u.is_active THEN 'inactive_user'
    ELSE 'unknown' END AS owner_kind,
  u.mapped_user,
  coalesce(m.lists, []) AS lists,
  {count} AS opportunity_count,
  {amount.format("open_amount")} AS open_amount,
  {amount.format("won_amount")} AS won_amount,
  {amount.format("total_amount")} AS total_amount,
  CASE WHEN f.currencies = 1 THEN f.currency END AS currency,
  f.last_opportunity_at{custom}
FROM crosswalk.{quoted(object_name)} AS c
JOIN salesforce.{quoted(object_name)} AS s ON s.Id = c.salesforce_id
JOIN ({primary_keys(con, object_name)}) AS k ON k.salesforce_id = c.salesforce_id
LEFT JOIN ({_lists(con, object_name)}) AS m ON m.salesforce_id = c.salesforce_id
LEFT JOIN ({figures}) AS f ON f.salesforce_id = c.salesforce_id
LEFT JOIN ownership.user AS u ON u.salesforce_id = {owner}
WHERE c.status = 'linked' AND c.reference_id IS NOT NULL AND {_criteria(object_name, settings, columns)}"""


_FIGURES = """
SELECT salesforce_id, count(*) AS opportunity_count,
  sum(amount) FILTER (NOT is_closed) AS open_amount, sum(amount) FILTER (is_won) AS won_amount,
  sum(amount) AS total_amount,
  count(DISTINCT coalesce(currency, '')) AS currencies, any_value(currency) AS currency,
  max(created_at) AS last_opportunity_at
FROM ({links}) GROUP BY salesforce_id"""

_NO_FIGURES = """
SELECT NULL::VARCHAR AS salesforce_id, 0 AS opportunity_count, 0 AS open_amount, 0 AS won_amount, 0 AS total_amount,
  0 AS currencies, NULL::VARCHAR AS currency, NULL::TIMESTAMP AS last_opportunity_at WHERE FALSE"""


def _included(object_name: str, settings: Settings, links: str | None) -> bool:
    """A lead has no opportunities (0); elsewhere, what is not included is unknown (null)."""
    return links is not None or (object_name == "lead" and settings.objects["account"].opportunities is not None)


def _criteria(object_name: str, settings: Settings, columns: dict[str, str]) -> str:
    """What a linked, live record must meet to be shown."""
    tests = ["NOT s._is_deleted"]
    if object_name == "lead" and "IsConverted" in columns:
        tests.append("NOT coalesce(s.IsConverted, FALSE)")
    if settings.objects[object_name].selection.mode == "lists":
        tests.append("m.lists IS NOT NULL")
    return " AND ".join(tests)


def _lists(con: duckdb.DuckDBPyConnection, object_name: str) -> str:
    """Membership of the lists and reports extraction was asked for."""
    if not table_columns(con, "salesforce.list_membership"):
        return "SELECT NULL::VARCHAR AS salesforce_id, NULL::VARCHAR[] AS lists WHERE FALSE"
    return (
        "SELECT salesforce_id, list_sort(list(DISTINCT coalesce(list_name, list_id))) AS lists "
        f"FROM salesforce.list_membership WHERE object_name = '{object_name}' GROUP BY salesforce_id"
    )
