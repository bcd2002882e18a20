"""What the org offers of an object, as last described: the fields a mapping may read and write."""

import duckdb

from data_contracts.mapping_rules import OrgField
from pipelines.tables import table_columns

#: Columns of salesforce.field and what stands for them where an older home lacks them.
_COLUMNS = {"label": "field_name", "createable": "TRUE", "updateable": "TRUE", "calculated": "FALSE"}


def org_fields(con: duckdb.DuckDBPyConnection, object_name: str) -> dict[str, OrgField]:
    """Return API name → field of everything the org offered when it was last described; empty when it never was.

    Fields that are gone are left out; compound ones, which cannot be mapped, are there.
    """
    have = table_columns(con, "salesforce.field")
    if not have:
        return {}
    told = ", ".join(f"coalesce({name}, {other})" if name in have else other for name, other in _COLUMNS.items())
    rows = con.execute(
        f"SELECT field_name, type, {told} FROM salesforce.field "
        "WHERE lower(replace(object_name, '_', '')) = ? AND gone_at IS NULL ORDER BY field_name",
        [object_name.lower().replace("_", "")],
    ).fetchall()
    return {row[0]: OrgField(*row) for row in rows}


def mirrored_types(con: duckdb.DuckDBPyConnection, object_name: str) -> dict[str, str]:
    """Return API name → Salesforce type of the fields the mirror holds and the org still offers.

    The type is empty where the object was never described. A column whose field is gone keeps its last values in the
    mirror; a mapping does not read them.
    """
    columns = [name for name in table_columns(con, f"salesforce.{object_name}") if not name.startswith("_")]
    described = org_fields(con, object_name)
    if not described:
        return dict.fromkeys(columns, "")
    return {name: described[name].type for name in columns if name in described}
