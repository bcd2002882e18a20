"""Opportunities of linked records inside the configured window: per record, and by stage and currency.

What still names an account or contact that was merged away belongs to the record that survived.

An account's are those of its AccountId. A contact's are those it has a role in (``opportunity_contact_role``) where
roles are synced, else those of its account. A lead has none: once it is converted it has left.
"""

from datetime import timedelta
from typing import Literal

import duckdb

from data_contracts.contracts import load_contract, quoted
from data_contracts.settings import Settings
from pipelines.ownership.result import OwnershipResult
from pipelines.run import RunContext
from pipelines.succession import merged_records
from pipelines.tables import replace_table, scalar, table_columns, transaction

_MONTHS = {"6 months": 6, "1 year": 12, "2 years": 24}
#: Where a contact's opportunities come from.
ContactRoute = Literal["role", "account"]


def opportunity_links(
    con: duckdb.DuckDBPyConnection, object_name: str, settings: Settings, run: RunContext
) -> str | None:
    """Return a query of (salesforce_id, one opportunity's figures), or None where opportunities are not included.

    A window reaches back by calendar months from the day of the run (UTC), as extraction's does; what is created after
    the run began is left out.
    """
    window = settings.objects["account"].opportunities
    available = table_columns(con, "salesforce.opportunity")
    route = _route(con, object_name, available)
    if window is None or route is None:
        return None
    started = run.started_at.replace(tzinfo=None)
    within = "TRUE"
    if "CreatedDate" in available:
        # Minutes of grace: the clocks of the org and of this machine differ.
        until = started + timedelta(minutes=5)
        within = (
            f"o.CreatedDate >= date_trunc('day', TIMESTAMP '{started}') - INTERVAL {_MONTHS[window]} MONTH "
            f"AND o.CreatedDate <= TIMESTAMP '{until}'"
        )
    fields = {
        "stage": ("StageName", "VARCHAR", "o.StageName"),
        "is_closed": ("IsClosed", "BOOLEAN", "coalesce(o.IsClosed, FALSE)"),
        "is_won": ("IsWon", "BOOLEAN", "coalesce(o.IsWon, FALSE)"),
        "currency": ("CurrencyIsoCode", "VARCHAR", "o.CurrencyIsoCode"),
        "amount": ("Amount", "DECIMAL(38,2)", "o.Amount::DECIMAL(38,2)"),
        "created_at": ("CreatedDate", "TIMESTAMP", "o.CreatedDate"),
    }
    unknown = {"BOOLEAN": "FALSE"}
    columns = [
        f"{there if field in available else unknown.get(kind, f'NULL::{kind}')} AS {name}"
        for name, (field, kind, there) in fields.items()
    ]
    return f"SELECT {route[0]} AS salesforce_id, {', '.join(columns)} {route[1]} AND NOT o._is_deleted AND {within}"


def _route(con: duckdb.DuckDBPyConnection, object_name: str, available: dict[str, str]) -> tuple[str, str] | None:
    """The record's id and the FROM … WHERE that reaches its opportunities."""
    if "AccountId" not in available:
        return None
    if object_name == "account":
        return "coalesce(m.merged_into, o.AccountId)", (
            f"FROM salesforce.opportunity AS o LEFT JOIN ({merged_records(con, 'account')}) AS m ON m.id = o.AccountId "
            "WHERE o.AccountId IS NOT NULL"
        )
    if object_name != "contact":
        return None
    roles = table_columns(con, "salesforce.opportunity_contact_role")
    if {"ContactId", "OpportunityId"} <= roles.keys():
        # A contact may have several roles in one opportunity, which counts once.
        pairs = (
            "(SELECT DISTINCT coalesce(m.merged_into, ContactId) AS ContactId, OpportunityId "
            "FROM salesforce.opportunity_contact_role "
            f"LEFT JOIN ({merged_records(con, 'contact')}) AS m ON m.id = ContactId WHERE NOT _is_deleted)"
        )
        return "r.ContactId", f"FROM {pairs} AS r JOIN salesforce.opportunity AS o ON o.Id = r.OpportunityId WHERE TRUE"
    if "AccountId" in table_columns(con, "salesforce.contact"):
        merged = merged_records(con, "account")
        return "k.Id", (
            f"FROM salesforce.contact AS k LEFT JOIN ({merged}) AS mk ON mk.id = k.AccountId "
            "JOIN (SELECT o.* REPLACE (coalesce(m.merged_into, o.AccountId) AS AccountId) "
            f"FROM salesforce.opportunity AS o LEFT JOIN ({merged}) AS m ON m.id = o.AccountId) "
            "AS o ON o.AccountId = coalesce(mk.merged_into, k.AccountId) WHERE NOT k._is_deleted"
        )
    return None


def build_opportunity_ownership(con: duckdb.DuckDBPyConnection, settings: Settings, run: RunContext) -> OwnershipResult:
    """Replace ``ownership.opportunity``: figures by stage and currency of the records in ``ownership.*``."""
    contract = load_contract("ownership.opportunity")
    with transaction(con):
        replace_table(con, contract)
        for name in ("account", "contact"):
            links = opportunity_links(con, name, settings, run)
            if links is None or not table_columns(con, f"ownership.{name}"):
                continue
            con.execute(
                f"INSERT INTO {contract.relation} BY NAME "
                f"SELECT '{name}' AS object, w.reference_id, w.salesforce_id, o.stage, o.is_won, o.is_closed, "
                f"o.currency, count(*) AS opportunity_count, coalesce(sum(o.amount), 0) AS amount "
                f"FROM ownership.{quoted(name)} AS w JOIN ({links}) AS o USING (salesforce_id) "
                "GROUP BY ALL"
            )
    rows = scalar(con, f"SELECT count(*) FROM {contract.relation}")
    entities = scalar(con, f"SELECT count(DISTINCT reference_id) FROM {contract.relation}")
    return OwnershipResult(contract.name, rows, entities)
