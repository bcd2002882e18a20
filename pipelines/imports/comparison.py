"""How a record is held against the entity it is linked to: which mapped values differ, and the data status of it."""

from dataclasses import dataclass

import duckdb

from data_contracts.contracts import literal, quoted
from data_contracts.mapping import ObjectMapping
from pipelines.imports.expressions import differs
from pipelines.tables import table_columns

_KEY = {"company": "company_id", "person": "person_id"}


@dataclass(frozen=True)
class Comparison:
    """Parts of the query of ``imports.<object>`` over aliases v (the record), c (its link) and r (the entity).

    ``statuses`` are branches of the CASE of the data status, ``different`` the list of targets that differ, ``marks`` a
    query of (id, mark): a hash of what is compared of every entity. ``fields`` are the targets that can be compared.
    """

    join: str = ""
    statuses: str = ""
    different: str = "NULL::VARCHAR[]"
    marks: str = "SELECT NULL::VARCHAR AS id, 0::UBIGINT AS mark WHERE FALSE"
    fields: tuple[str, ...] = ()


def compared_with(con: duckdb.DuckDBPyConnection, mapping: ObjectMapping) -> Comparison:
    """Return how records of the mapping's object are compared with ``reference.*``: not at all where there is none."""
    offered = table_columns(con, f"reference.{mapping.entity}")
    key = _KEY[mapping.entity]
    shared = [target for target in mapping.targets if target.name in offered and target.name != key]
    if key not in offered or not shared:
        return Comparison()
    some = ", ".join(f"v.{quoted(target.name)}::VARCHAR" for target in shared)
    tests = ", ".join(f"CASE WHEN {differs(target, 'v', 'r')} THEN {literal(target.name)} END" for target in shared)
    statuses = f"""WHEN r.{key} IS NULL OR coalesce({some}) IS NULL THEN 'not compared'
    WHEN len(different_fields) = 0 THEN 'in sync'
    WHEN c.method = 'person' THEN 'reviewed'
    WHEN r.{key} IS NOT NULL THEN 'different'"""
    differing = f"list_filter([{tests}], lambda x: x IS NOT NULL)"
    different = f"CASE WHEN c.status = 'linked' AND r.{key} IS NOT NULL THEN {differing} END"
    names = tuple(target.name for target in shared)
    marks = f"SELECT {key} AS id, hash({', '.join(map(quoted, names))}) AS mark FROM reference.{mapping.entity}"
    return Comparison(
        f"LEFT JOIN reference.{mapping.entity} AS r ON r.{key} = c.reference_id", statuses, different, marks, names
    )
