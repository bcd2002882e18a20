"""The shape of an object's table: promised columns of its contract, columns of the describe, bookkeeping."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from duckdb import DuckDBPyConnection

from data_contracts.contracts import Column, TableContract, contract_names, literal, load_contract, quoted
from pipelines.extract.fields import UNREADABLE
from pipelines.tables import table_columns
from resources.landing import LandedField

BOOKKEEPING = (
    Column("_is_deleted", "BOOLEAN", "whether the record is deleted or merged away in Salesforce", required=True),
    Column("_synced_at", "TIMESTAMP", "when Crosswalk wrote this row, UTC", required=True),
    Column("_run_id", "VARCHAR", "the run that wrote this row", required=True),
)
RETIRED = (
    "field that is no longer read (deleted in the org, hidden by field-level security, or left out of the settings); "
    "last known values"
)
_KEPT = re.compile(r"(.+)__(varchar|bigint|double|boolean|date|timestamp|time|decimal_\d+_\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class TableShape:
    """Columns in order; ``retired`` ones are kept from before and no longer selected from the org."""

    table: str
    description: str
    columns: tuple[Column, ...]
    retired: tuple[str, ...]

    def relation(self, suffix: str = "") -> str:
        """The quoted table name in schema ``salesforce``."""
        return f"salesforce.{quoted(self.table + suffix)}"

    def create(self, con: DuckDBPyConnection, suffix: str = "", extra: Sequence[Column] = ()) -> None:
        """Create the table anew; only key and bookkeeping columns are NOT NULL.

        A blank Name must reach the contract's check, which names the record, and not end the load.
        """
        relation = self.relation(suffix)
        lines = [
            f"{quoted(column.name)} {column.type}" + (" NOT NULL" if column.required else "")
            for column in (*self.columns, *extra)
        ]
        con.execute(f"DROP TABLE IF EXISTS {relation}").fetchall()
        con.execute(f"CREATE TABLE {relation} ({', '.join(lines)})").fetchall()

    def comment(self, con: DuckDBPyConnection) -> None:
        """Give the table and its columns their descriptions."""
        relation = self.relation()
        statements = [f"COMMENT ON TABLE {relation} IS {literal(self.description)}"]
        statements += [
            f"COMMENT ON COLUMN {relation}.{quoted(column.name)} IS {literal(column.description)}"
            for column in self.columns
        ]
        con.execute(";".join(statements)).fetchall()


def shape_of(con: DuckDBPyConnection, table: str, api: str, selected: Sequence[LandedField]) -> TableShape:
    """Return the shape of ``salesforce.<table>``: types from describe, descriptions from the contract first.

    Columns the org no longer shows keep their place, type and last values.
    """
    contract = _contract(table)
    promised: Mapping[str, Column] = {column.name.lower(): column for column in contract.columns} if contract else {}
    columns = [_column(field, promised.get(field.name.lower())) for field in selected]
    have = {column.name.lower() for column in (*columns, *BOOKKEEPING)}
    retired = _retired(con, table, {field.name.lower() for field in selected})
    idle = {name.lower() for name in retired}
    columns += [
        replace(
            column,
            required=False,
            primary_key=False,
            description=f"{column.description}; {RETIRED}" if name in idle else column.description,
        )
        for name, column in promised.items()
        if name not in have
    ]
    have |= set(promised)
    columns += [Column(name, kind, retired_comment(name)) for name, kind in retired.items() if name.lower() not in have]
    return TableShape(
        table=table,
        description=(contract.description if contract else f"one row per record of {api} seen in the org")
        + _unread(con, api),
        columns=(*columns, *BOOKKEEPING),
        retired=tuple(retired),
    )


def kept_name(field: str, kind: str) -> str:
    """Return the column in which values of an earlier type stay: ``Size__c`` as VARCHAR → ``Size__c__varchar``.

    No field of Salesforce is called so: one with two underscores ends in ``__c`` or the like.
    """
    return f"{field}__{'_'.join(re.findall(r'[a-z0-9]+', kind.lower()))}"


def retired_comment(name: str) -> str:
    """Return what the comment of a retired column says."""
    if kept := _KEPT.fullmatch(name):
        return f"values that {kept[1]} had as {kept[2].upper()}, before its type changed in the org; no longer read"
    return RETIRED


def _retired(con: DuckDBPyConnection, table: str, selected: set[str]) -> dict[str, str]:
    """Stored columns that are no longer selected and hold values: those are carried from load to load."""
    kept = selected | {column.name for column in BOOKKEEPING}
    idle = {name: kind for name, kind in table_columns(con, f"salesforce.{table}").items() if name.lower() not in kept}
    if not idle:
        return {}
    # A filter skips blocks that hold no value by their statistics, where count() reads every one.
    held = ", ".join(f"EXISTS (FROM salesforce.{quoted(table)} WHERE {quoted(name)} IS NOT NULL)" for name in idle)
    filled = con.execute(f"SELECT {held}").fetchall()[0]
    return {name: kind for (name, kind), any_value in zip(idle.items(), filled, strict=True) if any_value}


def _unread(con: DuckDBPyConnection, api: str) -> str:
    """Name the fields that are left out: compound ones, whose parts are columns, and files."""
    if not {"field_name", "type", "gone_at"} <= set(table_columns(con, "salesforce.field")):
        return ""
    kinds = ", ".join(map(literal, sorted(UNREADABLE)))
    rows = con.execute(
        f"SELECT field_name, type FROM salesforce.field WHERE object_name = ? AND type IN ({kinds}) "
        "AND gone_at IS NULL ORDER BY field_name",
        [api],
    ).fetchall()
    named = [f"{name} ({'file content' if kind == 'base64' else 'its parts are columns'})" for name, kind in rows]
    return f". Not fetched: {', '.join(named)}" if named else ""


def _contract(table: str) -> TableContract | None:
    name = f"salesforce.{table}"
    return load_contract(name) if name in contract_names() else None


def _column(field: LandedField, promised: Column | None) -> Column:
    description = promised.description if promised and promised.description else field.comment
    return Column(field.name, field.type, description, required=field.name == "Id")
