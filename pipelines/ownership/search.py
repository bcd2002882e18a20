"""``ownership.search``: every reference entity with everybody who owns it in the CRM, and nobody for the others.

Answers "owned by me, by others, by nobody". Only objects whose ownership is visible count.
"""

from pathlib import Path

import duckdb

from data_contracts.contracts import load_contract, quoted
from data_contracts.mapping import ENTITY
from data_contracts.settings import Settings
from pipelines.ownership.result import OwnershipResult
from pipelines.ownership.visible import visible_objects
from pipelines.tables import ensure_table, replace_table, scalar, table_columns, transaction

_SQL = Path(__file__).with_suffix(".sql")
_COLUMNS = (
    *("reference_id", "salesforce_id", "is_primary", "owner_id", "owner_name", "owner_email", "owner_kind"),
    *("mapped_user", "lists", "opportunity_count", "open_amount", "won_amount", "total_amount", "currency"),
)


def build_search(con: duckdb.DuckDBPyConnection, settings: Settings) -> OwnershipResult:
    """Replace ``ownership.search`` from ``ownership.<object>`` and the reference.

    An entity that is linked although the reference no longer has it stands in it as well.
    """
    contract = load_contract("ownership.search")
    statement = _SQL.read_text(encoding="utf-8")
    with transaction(con):
        replace_table(con, contract)
        for kind in ("company", "person"):
            parts = {"kind": kind, "records": _records(con, settings, kind), "entities": _entities(con, kind)}
            con.execute(statement.format(**parts)).fetchall()
    rows = scalar(con, f"SELECT count(*) FROM {contract.relation}")
    entities = scalar(con, f"SELECT count(*) FILTER (has_primary) FROM {contract.relation}")
    return OwnershipResult(contract.name, rows, entities)


def _records(con: duckdb.DuckDBPyConnection, settings: Settings, kind: str) -> str:
    """Return the query of the visible records of a kind, contacts before leads."""
    chosen = [name for name in visible_objects(settings) if ENTITY[name] == kind]
    parts = []
    for place, name in enumerate(chosen):
        contract = load_contract(f"ownership.{name}")
        ensure_table(con, contract)
        # A table that an earlier version left, of an object that has not run since, may lack a column.
        there = table_columns(con, contract.name)
        types = contract.column_types()
        columns = [quoted(item) if item in there else f"{_MISSING.get(item, 'NULL')}::{types[item]} AS {quoted(item)}"
                   for item in _COLUMNS]  # fmt: skip
        parts.append(f"SELECT '{name}' AS object, {place} AS place, {', '.join(columns)} FROM {contract.relation}")
    if parts:
        return " UNION ALL ".join(parts)
    nothing = load_contract("ownership.account")
    ensure_table(con, nothing)
    return f"SELECT NULL::VARCHAR AS object, 0 AS place, * FROM {nothing.relation} WHERE FALSE"


_MISSING = {"owner_kind": "'unknown'"}


def _entities(con: duckdb.DuckDBPyConnection, kind: str) -> str:
    if not table_columns(con, f"reference.{kind}"):
        return "SELECT NULL::VARCHAR AS reference_id WHERE FALSE"
    return f"SELECT {kind}_id AS reference_id FROM reference.{kind}"
