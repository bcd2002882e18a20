"""``imports.company`` and ``imports.person``: one surviving value per mapped field and reference entity.

The primary record speaks first, the next ones fill its blanks; an address moves as a whole. Provenance and the
change feed are ``pipelines.imports.values``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from data_contracts.contracts import literal, load_contract, quoted
from data_contracts.mapping import Entity, MappedObject, ObjectMapping, Target
from data_contracts.settings import Settings
from pipelines.imports.expressions import choice_name, missing_required
from pipelines.imports.primary import log_primary_order, primary_keys, primary_order
from pipelines.imports.records import object_mapping, source_view
from pipelines.imports.values import ValueCounts, merge_values
from pipelines.run import RunContext
from pipelines.tables import replace_table, scalar, table_columns, transaction

#: Objects that speak for an entity, the preferred one first: a contact is presented before a lead.
SPEAKERS: dict[Entity, tuple[MappedObject, ...]] = {"company": ("account",), "person": ("contact", "lead")}


@dataclass(frozen=True)
class EntityImportResult:
    """What ``imports.company`` or ``imports.person`` holds, and what this run changed in it."""

    entity: str
    entities: int
    values: ValueCounts


def build_entity_imports(
    con: duckdb.DuckDBPyConnection, kind: Entity, settings: Settings, run: RunContext
) -> EntityImportResult:
    """Replace ``imports.<kind>`` and bring ``imports.value`` and ``imports.change`` up to it, in one transaction.

    Objects whose ``crosswalk`` table is not there yet do not speak.
    """
    mappings = [object_mapping(con, name, settings) for name in SPEAKERS[kind] if _is_ready(con, name)]
    targets = _targets(mappings)
    _rank(con, mappings, settings)
    _survivors(con, mappings, targets)
    contract = load_contract(f"imports.{kind}")
    names = "".join(f", {quoted(target.name)}" for target in targets)
    with transaction(con):
        replace_table(con, contract, [target.column for target in targets])
        con.execute(
            f"INSERT INTO {contract.relation} BY NAME SELECT reference_id, source_count{names} FROM import_survivor"
        )
        counts = merge_values(con, kind, mappings, [target.name for target in targets], run)
    entities = scalar(con, f"SELECT count(*) FROM {contract.relation}")
    for table in ("import_rank", "import_survivor"):
        con.execute(f"DROP TABLE {table}")
    return EntityImportResult(kind, entities, counts)


def _is_ready(con: duckdb.DuckDBPyConnection, object_name: str) -> bool:
    return all(table_columns(con, f"{schema}.{object_name}") for schema in ("salesforce", "crosswalk"))


def _targets(mappings: Sequence[ObjectMapping]) -> list[Target]:
    """Every target once; the preferred object's definition of it counts."""
    found: dict[str, Target] = {}
    for mapping in mappings:
        for target in mapping.targets:
            found.setdefault(target.name, target)
    return list(found.values())


def _rank(con: duckdb.DuckDBPyConnection, mappings: Sequence[ObjectMapping], settings: Settings) -> None:
    """Make ``import_rank``: linked, live, complete records with their place in the order of their entity."""
    # Names of our own begin with an underscore, which no target does.
    parts = ["SELECT NULL::VARCHAR AS reference_id, NULL::VARCHAR AS _object, 0 AS turn, NULL AS salesforce_id, "
             "0::DOUBLE AS open_opportunities, 0::DOUBLE AS most_recent_activity, 0::DOUBLE AS most_recent_change, "
             "0::DOUBLE AS oldest WHERE FALSE"]  # fmt: skip
    for turn, mapping in enumerate(mappings):
        view = source_view(con, mapping)
        log_primary_order(settings, mapping.object)
        parts.append(
            f"SELECT c.reference_id, {literal(mapping.object)} AS _object, {turn} AS turn, k.*\n"
            f"FROM crosswalk.{quoted(mapping.object)} AS c JOIN ({primary_keys(con, mapping.object)}) AS k "
            f"USING (salesforce_id)\nJOIN {view} AS v USING (salesforce_id)\n"
            f"WHERE c.status = 'linked' AND NOT ({missing_required(mapping, 'v')})"
        )
    con.execute(f"""
CREATE OR REPLACE TEMP TABLE import_rank AS
SELECT reference_id, _object, salesforce_id,
  row_number() OVER (PARTITION BY reference_id ORDER BY turn, {primary_order(settings)}) AS _place,
  count(*) OVER (PARTITION BY reference_id) AS source_count
FROM ({" UNION ALL BY NAME ".join(parts)})""")


def _survivors(con: duckdb.DuckDBPyConnection, mappings: Sequence[ObjectMapping], targets: Sequence[Target]) -> None:
    """Make ``import_survivor``: per entity each target's value and, as ``<target>__from``, where it came from.

    Most entities stand on one record; only the others are aggregated.
    """
    columns = [(target, quoted(target.name), quoted(f"{target.name}__from")) for target in targets]
    one = [f"{value}, {_origin(target)} AS {origin}" for target, value, origin in columns]
    many: list[str] = []
    for target, value, origin in columns:
        pair = f"{{'v': {value}, 'f': {_origin(target)}}}"
        kept = f"(arg_min({pair}, _place) FILTER ({_speaks(target, targets)}))"
        many += [f"{kept}.v AS {value}", f"{kept}.f AS {origin}"]
    records = " UNION ALL BY NAME ".join(
        f"SELECT r.reference_id, r._object, r._place, r.source_count, v.* FROM import_rank AS r "
        f"JOIN import_source_{mapping.object} AS v USING (salesforce_id) WHERE r._object = {literal(mapping.object)}"
        for mapping in mappings
    )
    if not mappings:
        records = "SELECT * FROM import_rank"
    con.execute(f"""
CREATE OR REPLACE TEMP TABLE import_survivor AS
WITH record AS ({records})
SELECT reference_id, source_count{_listed(one)} FROM record WHERE source_count = 1
UNION ALL BY NAME
SELECT reference_id, source_count{_listed(many)} FROM record WHERE source_count > 1 GROUP BY reference_id, source_count
""")


def _listed(items: Sequence[str]) -> str:
    return "".join(f",\n  {item}" for item in items)


def _origin(target: Target) -> str:
    choice = quoted(choice_name(target))
    return f"{{'object': _object, 'salesforce_id': salesforce_id, 'choice': {choice}}}"


def _speaks(target: Target, targets: Sequence[Target]) -> str:
    """When a record has its say on a target: it has a value, or its group has any."""
    together = [item for item in targets if target.group and item.group == target.group] or [target]
    return " OR ".join(f"{quoted(item.name)} IS NOT NULL" for item in together)
