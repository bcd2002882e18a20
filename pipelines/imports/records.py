"""``imports.<object>``: per live record its mapped values, and how they compare with the reference entity."""

import logging
from collections.abc import Collection
from dataclasses import dataclass

import duckdb

from data_contracts.contracts import literal, load_contract, quoted
from data_contracts.mapping import MappedObject, ObjectMapping
from data_contracts.mapping_rules import resolve_mapping
from data_contracts.settings import Settings
from pipelines.imports.comparison import Comparison, compared_with
from pipelines.imports.expressions import choice_name, missing_required, record_query
from pipelines.imports.kept import (
    basis_of,
    described,
    forget_marks,
    is_kept,
    keep,
    keep_marks,
    mark_records,
    prepare_state,
    start_anew,
    touched_records,
)
from pipelines.imports.mapping_fields import mirrored_types
from pipelines.imports.written import has_shape, write_rows
from pipelines.run import RunContext
from pipelines.tables import table_columns, transaction

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ImportResult:
    """What ``imports.<object>`` holds: live records, how many have each data status, which defaults were dropped.

    ``looked_at`` are the records that changed (None: all were), ``written`` the rows this run wrote or removed.
    """

    object: str
    records: int
    statuses: dict[str, int]
    notes: tuple[str, ...] = ()
    looked_at: int | None = None
    written: int = 0


def described_fields(con: duckdb.DuckDBPyConnection, object_name: str) -> frozenset[str]:
    """Return the API names of the fields the mirror holds of an object and the org still describes and lets us read."""
    return frozenset(mirrored_types(con, object_name))


def source_view(con: duckdb.DuckDBPyConnection, mapping: ObjectMapping, scope: str | None = None) -> str:
    """Make the temporary view of an object's live records under its mapping, and return its name.

    Columns: salesforce_id, each target, each target's choice. ``scope`` is a temporary table of the records that are
    asked for (salesforce_id), None for all.
    """
    name = f"import_source_{mapping.object}"
    columns = table_columns(con, f"salesforce.{mapping.object}")
    con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {record_query(mapping, columns, scope)}")
    return name


def object_mapping(con: duckdb.DuckDBPyConnection, object_name: MappedObject, settings: Settings) -> ObjectMapping:
    """Return the mapping of an object on the fields the mirror holds.

    Raises SettingsError for a configured field that is not there.
    """
    return resolve_mapping(settings, object_name, mirrored_types(con, object_name))


def build_imports(
    con: duckdb.DuckDBPyConnection,
    object_name: MappedObject,
    settings: Settings,
    run: RunContext,
    *,
    again: Collection[str] | None = (),
) -> ImportResult:
    """Bring ``imports.<object>`` (salesforce_id, reference_id, data_status, the mapped targets) up to this run.

    Only records whose fields, link or entity changed are looked at; ``again`` names more of them, None means all. The
    same data writes nothing. Needs ``salesforce.<object>`` and ``crosswalk.<object>``; ``reference.*`` where it is
    configured. Raises SettingsError, before anything is written, when a configured field is not in the mirror.
    """
    mapping = object_mapping(con, object_name, settings)
    for note in mapping.notes:
        _LOG.info("%s: %s", run.run_id, note)
    contract = load_contract(f"imports.{object_name}")
    comparison = compared_with(con, mapping)
    shaped = has_shape(con, contract, mapping.columns)
    with transaction(con):
        prepare_state(con)
        basis = basis_of(*described(con, mapping), comparison.fields)
        forget_marks(con, object_name, again or ())
        mark_records(con, mapping, comparison.marks)
        partial = again is not None and shaped and is_kept(con, object_name, basis)
        touched = touched_records(con, object_name) if partial else None
        if touched != 0:
            _stage(con, mapping, comparison, "import_record" if partial else None)
            _touch_entities(con, mapping, everything=not partial)
        written = 0
        if touched != 0:
            scope = "import_record" if partial else None
            written = write_rows(con, contract, mapping.columns, "import_staged", scope, shaped=shaped)
            keep_marks(con, object_name, all_of_them=not partial)
            keep(con, object_name, basis)
        for table in ("import_mark", "import_record", "import_staged"):
            con.execute(f"DROP TABLE IF EXISTS {table}")
    counts = con.execute(f"SELECT data_status, count(*) FROM {contract.relation} GROUP BY ALL ORDER BY 1").fetchall()
    records = sum(count for _, count in counts)
    return ImportResult(object_name, records, dict(counts), mapping.notes, touched, written)


def _stage(con: duckdb.DuckDBPyConnection, mapping: ObjectMapping, comparison: Comparison, scope: str | None) -> None:
    """Make ``import_staged``: the rows of the table, of the records of ``scope`` or of all."""
    view = source_view(con, mapping, scope)
    choices = [quoted(choice_name(target)) for target in mapping.targets]
    exclude = f"EXCLUDE ({', '.join(choices)})" if choices else ""
    con.execute(f"""
CREATE OR REPLACE TEMP TABLE import_staged AS
SELECT v.* {exclude},
  CASE WHEN c.status = 'linked' THEN c.reference_id END AS reference_id,
  {comparison.different} AS different_fields,
  CASE
    WHEN c.status = 'skipped' OR {missing_required(mapping, "v")} THEN 'skipped'
    WHEN c.status = 'unmatched' THEN 'no match'
    WHEN c.status = 'in_review' THEN 'match available'
    WHEN c.status IS NULL THEN 'not compared'
    {comparison.statuses}
    ELSE 'not compared'
  END AS data_status
FROM {view} AS v
LEFT JOIN crosswalk.{quoted(mapping.object)} AS c USING (salesforce_id)
{comparison.join}""")


def _touch_entities(con: duckdb.DuckDBPyConnection, mapping: ObjectMapping, *, everything: bool) -> None:
    """Note the entities that the touched records stood for or stand for; they are built anew by ``entities``."""
    if everything:
        start_anew(con, mapping.entity)
        return
    con.execute(f"""
INSERT INTO _state.import_touched
SELECT {literal(mapping.entity)}, reference_id FROM (
  SELECT reference_id FROM imports.{quoted(mapping.object)} SEMI JOIN import_record USING (salesforce_id)
  UNION SELECT reference_id FROM import_staged
) WHERE reference_id IS NOT NULL""")
