"""``imports.company`` and ``imports.person``: one surviving value per mapped field and reference entity.

One record speaks first, the next ones fill its blanks; an address moves as a whole. Only entities that records came to,
left or changed in are built; which those are is kept by ``records``. Provenance and the change feed are
``pipelines.imports.values``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from data_contracts.contracts import literal, load_contract, quoted
from data_contracts.mapping import Entity, MappedObject, ObjectMapping, Target
from data_contracts.settings import Settings
from pipelines.imports.feed import prepare_feed
from pipelines.imports.kept import are_kept, basis_of, described, is_first, is_kept, keep, prepare_state
from pipelines.imports.records import object_mapping
from pipelines.imports.survivors import rank_records, stage_survivors
from pipelines.imports.survivorship import orders, trusted_owner_ids
from pipelines.imports.values import ValueCounts, merge_values
from pipelines.imports.write_modes import apply_modes
from pipelines.imports.written import ANEW, has_shape, write_rows
from pipelines.run import RunContext
from pipelines.tables import scalar, table_columns, transaction

#: Objects that speak for an entity, the preferred one first: a contact is presented before a lead.
SPEAKERS: dict[Entity, tuple[MappedObject, ...]] = {"company": ("account",), "person": ("contact", "lead")}


@dataclass(frozen=True)
class EntityImportResult:
    """What ``imports.company`` or ``imports.person`` holds, and what this run changed in it.

    ``built`` are the entities whose records changed (None: all were built), ``written`` the rows written or removed.
    """

    entity: str
    entities: int
    values: ValueCounts
    built: int | None = None
    written: int = 0


def build_entity_imports(
    con: duckdb.DuckDBPyConnection, kind: Entity, settings: Settings, run: RunContext
) -> EntityImportResult:
    """Bring ``imports.<kind>``, ``imports.value`` and ``imports.change`` up to the records, in one transaction.

    Objects whose ``imports`` or ``crosswalk`` table is not there yet do not speak.
    """
    mappings = [object_mapping(con, name, settings) for name in SPEAKERS[kind] if _is_ready(con, name)]
    targets = _targets(mappings)
    contract, extra = load_contract(f"imports.{kind}"), [target.column for target in targets]
    shaped = has_shape(con, contract, extra)
    rules, trusted = orders(settings, targets), trusted_owner_ids(con, settings)
    basis = basis_of([described(con, mapping) for mapping in mappings], rules, trusted, settings.imports.primary)
    with transaction(con):
        prepare_state(con)
        prepare_feed(con, run)
        first = is_first(con, kind)
        followed = is_kept(con, kind, basis) and are_kept(con, [mapping.object for mapping in mappings])
        built = _touched(con, kind) if shaped and not first and followed else None
        scope = None if built is None else "import_entity"
        written, counts = 0, ValueCounts(_standing(con, kind), 0, 0, 0)
        if built != 0:
            rank_records(con, mappings, settings, rules, trusted, scope)
            stage_survivors(con, mappings, targets, rules)
            apply_modes(con, kind, mappings, targets)
            written = write_rows(con, contract, extra, "import_staged", scope, shaped=shaped)
            counts = merge_values(con, kind, mappings, [target.name for target in targets], run, scope, first=first)
        if built is None:
            keep(con, kind, basis)
        con.execute("DELETE FROM _state.import_touched WHERE entity = ?", [kind])
        for table in ("import_entity", "import_rank", "import_survivor", "import_held"):
            con.execute(f"DROP TABLE IF EXISTS {table}")
        con.execute("DROP VIEW IF EXISTS import_staged")
    entities = scalar(con, f"SELECT count(*) FROM {contract.relation}")
    return EntityImportResult(kind, entities, counts, built, written)


def _is_ready(con: duckdb.DuckDBPyConnection, object_name: str) -> bool:
    return all(table_columns(con, f"{schema}.{object_name}") for schema in ("salesforce", "crosswalk"))


def _targets(mappings: Sequence[ObjectMapping]) -> list[Target]:
    """Every target once; the preferred object's definition of it counts."""
    found: dict[str, Target] = {}
    for mapping in mappings:
        for target in mapping.targets:
            found.setdefault(target.name, target)
    return list(found.values())


def _standing(con: duckdb.DuckDBPyConnection, kind: Entity) -> int:
    return scalar(con, "SELECT count(*) FROM imports.value WHERE entity = ?", [kind])


def _touched(con: duckdb.DuckDBPyConnection, kind: Entity) -> int | None:
    """Make ``import_entity``, the entities to build, and return how many; None where it is less work to build all."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE import_entity AS "
        f"SELECT DISTINCT reference_id FROM _state.import_touched WHERE entity = {literal(kind)}"
    )
    touched = scalar(con, "SELECT count(*) FROM import_entity")
    standing = scalar(con, f"SELECT count(*) FROM imports.{quoted(kind)}")
    return touched if touched <= max(ANEW * standing, 1000) else None
