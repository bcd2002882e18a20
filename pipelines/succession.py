"""What became of records that are no longer there: the record each was merged into, the contact of a converted lead.

Everything is read from ``salesforce.*`` as it stands, so an undeleted record is a record of its own again.
"""

import duckdb

from data_contracts.contracts import quoted
from pipelines.tables import table_columns

#: Merges of merges that are followed; more can only be a circle.
LONGEST = 100


def merged_records(con: duckdb.DuckDBPyConnection, name: str) -> str:
    """Return a query of (id, merged_into): every merged record of an object and the record that survived in the end.

    A master that was itself merged away passes on to its own master. The survivor need not be in the mirror.
    """
    if not {"MasterRecordId", "_is_deleted"} <= table_columns(con, f"salesforce.{name}").keys():
        return "SELECT NULL::VARCHAR AS id, NULL::VARCHAR AS merged_into WHERE false"
    return f"""
WITH RECURSIVE step AS (
  SELECT "Id" AS id, "MasterRecordId" AS into_id FROM salesforce.{quoted(name)}
  WHERE _is_deleted AND "MasterRecordId" IS NOT NULL
), chain AS (
  SELECT id, into_id, 1 AS depth FROM step
  UNION ALL
  SELECT chain.id, step.into_id, depth + 1 FROM chain JOIN step ON step.id = chain.into_id WHERE depth < {LONGEST}
)
SELECT id, arg_max(into_id, depth) AS merged_into FROM chain GROUP BY id"""


def converted_leads(con: duckdb.DuckDBPyConnection) -> str:
    """Return a query of (id, contact_id, account_id, opportunity_id): what each converted lead is today.

    A lead that was merged into one that was converted later went the same way. Contacts and accounts that were merged
    since are followed to the record that survived.
    """
    columns = table_columns(con, "salesforce.lead")
    if "IsConverted" not in columns:
        return (
            "SELECT NULL::VARCHAR AS id, NULL::VARCHAR AS contact_id, NULL::VARCHAR AS account_id, "
            "NULL::VARCHAR AS opportunity_id WHERE false"
        )

    def field(name: str) -> str:
        return f"l.{quoted(name)}" if name in columns else "NULL::VARCHAR"

    return f"""
SELECT whose.id, coalesce(c.merged_into, {field("ConvertedContactId")}) AS contact_id,
  coalesce(a.merged_into, {field("ConvertedAccountId")}) AS account_id,
  {field("ConvertedOpportunityId")} AS opportunity_id
FROM salesforce.lead AS l
JOIN (SELECT "Id" AS id, "Id" AS went_with FROM salesforce.lead WHERE "IsConverted"
  UNION ALL SELECT id, merged_into FROM ({merged_records(con, "lead")})) AS whose ON whose.went_with = l."Id"
LEFT JOIN ({merged_records(con, "contact")}) AS c ON c.id = {field("ConvertedContactId")}
LEFT JOIN ({merged_records(con, "account")}) AS a ON a.id = {field("ConvertedAccountId")}
WHERE coalesce(l."IsConverted", false)"""


def departed_records(con: duckdb.DuckDBPyConnection, name: str) -> str:
    """Return a query of the records of an object that are deleted, merged away or converted, and what to say of them.

    Columns: salesforce_id, departure (deleted, merged, converted), reason, merged_into, contact_id, account_id,
    opportunity_id.
    """
    columns = table_columns(con, f"salesforce.{name}")
    leads = converted_leads(con) if name == "lead" else _NO_LEADS
    deleted = "s._is_deleted" if "_is_deleted" in columns else "false"
    return f"""
SELECT s."Id" AS salesforce_id, m.merged_into, k.contact_id, k.account_id, k.opportunity_id,
  CASE WHEN m.id IS NOT NULL THEN 'merged' WHEN {deleted} THEN 'deleted' ELSE 'converted' END AS departure,
  concat_ws('; ',
    CASE WHEN m.id IS NOT NULL THEN 'merged into ' || m.merged_into
      || CASE WHEN survivor._is_deleted THEN ', which was deleted' ELSE '' END
      WHEN {deleted} THEN {_deleted_on(columns)} END,
    CASE WHEN k.id IS NOT NULL THEN 'converted to ' || coalesce(nullif(concat_ws(', ', 'contact ' || k.contact_id,
      'account ' || k.account_id, 'opportunity ' || k.opportunity_id), ''), 'records that are not told') END) AS reason
FROM salesforce.{quoted(name)} AS s
LEFT JOIN ({merged_records(con, name)}) AS m ON m.id = s."Id"
LEFT JOIN ({leads}) AS k ON k.id = s."Id"
LEFT JOIN (SELECT "Id", {deleted} AS _is_deleted FROM salesforce.{quoted(name)} AS s) AS survivor
  ON survivor."Id" = m.merged_into
WHERE {deleted} OR k.id IS NOT NULL"""


_NO_LEADS = (
    "SELECT NULL::VARCHAR AS id, NULL::VARCHAR AS contact_id, NULL::VARCHAR AS account_id, "
    "NULL::VARCHAR AS opportunity_id WHERE false"
)


def _deleted_on(columns: dict[str, str]) -> str:
    """Say when a record was deleted: its own stamp where the org showed it in the bin, else when we noticed."""
    binned = "'deleted in Salesforce'"
    if "SystemModstamp" in columns:
        binned += """ || coalesce(' on ' || strftime(s."SystemModstamp", '%Y-%m-%d'), '')"""
    gone = "'deleted for good in Salesforce'"
    if "_synced_at" in columns:
        gone += " || coalesce(', noticed on ' || strftime(s._synced_at, '%Y-%m-%d'), '')"
    return f'CASE WHEN s."IsDeleted" THEN {binned} ELSE {gone} END' if "IsDeleted" in columns else binned


def passed_on(con: duckdb.DuckDBPyConnection, name: str) -> str:
    """Return a query of (object, id, to_id): departed records whose decisions concern a record of object ``name``."""
    merged = f"SELECT '{name}' AS object, id, merged_into AS to_id FROM ({merged_records(con, name)})"
    if name != "contact":
        return merged
    leads = f"SELECT 'lead' AS object, id, contact_id AS to_id FROM ({converted_leads(con)})"
    return f"{merged} UNION ALL {leads}"
