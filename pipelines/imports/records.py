"""``imports.<object>``: per live record its mapped values, and how they compare with the reference entity."""

import logging
from dataclasses import dataclass

import duckdb

from data_contracts.contracts import load_contract, quoted
from data_contracts.mapping import MappedObject, ObjectMapping, resolve_mapping
from data_contracts.settings import Settings
from pipelines.imports.expressions import choice_name, differs, missing_required, record_query
from pipelines.run import RunContext
from pipelines.tables import replace_table, table_columns, transaction

_LOG = logging.getLogger(__name__)
_KEY = {"company": "company_id", "person": "person_id"}


@dataclass(frozen=True)
class ImportResult:
    """What ``imports.<object>`` holds: live records, how many have each data status, which defaults were dropped."""

    object: str
    records: int
    statuses: dict[str, int]
    notes: tuple[str, ...] = ()


def described_fields(con: duckdb.DuckDBPyConnection, object_name: str) -> frozenset[str]:
    """Return the API names of the fields the mirror holds of an object: those the org described and let us read."""
    columns = table_columns(con, f"salesforce.{object_name}")
    return frozenset(name for name in columns if not name.startswith("_"))


def source_view(con: duckdb.DuckDBPyConnection, mapping: ObjectMapping) -> str:
    """Make the temporary view of an object's live records under its mapping, and return its name.

    Columns: salesforce_id, each target, each target's choice.
    """
    name = f"import_source_{mapping.object}"
    columns = table_columns(con, f"salesforce.{mapping.object}")
    con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {record_query(mapping, columns)}")
    return name


def object_mapping(con: duckdb.DuckDBPyConnection, object_name: MappedObject, settings: Settings) -> ObjectMapping:
    """Return the mapping of an object on the fields the mirror holds.

    Raises SettingsError for a configured field that is not there.
    """
    return resolve_mapping(settings, object_name, described_fields(con, object_name))


def build_imports(
    con: duckdb.DuckDBPyConnection, object_name: MappedObject, settings: Settings, run: RunContext
) -> ImportResult:
    """Replace ``imports.<object>`` (salesforce_id, reference_id, data_status, the mapped targets) for this run.

    Needs ``salesforce.<object>`` and ``crosswalk.<object>``; ``reference.*`` where it is configured.
    Raises SettingsError, before anything is written, when a configured field is not in the mirror.
    """
    mapping = object_mapping(con, object_name, settings)
    for note in mapping.notes:
        _LOG.info("%s: %s", run.run_id, note)
    view = source_view(con, mapping)
    contract = load_contract(f"imports.{object_name}")
    choices = [quoted(choice_name(target)) for target in mapping.targets]
    exclude = f"EXCLUDE ({', '.join(choices)})" if choices else ""
    reference, compared = _comparison(con, mapping)
    with transaction(con):
        replace_table(con, contract, mapping.columns)
        con.execute(f"""
INSERT INTO {contract.relation} BY NAME
SELECT v.* {exclude},
  CASE WHEN c.status = 'linked' THEN c.reference_id END AS reference_id,
  CASE
    WHEN c.status = 'skipped' OR {missing_required(mapping, "v")} THEN 'skipped'
    WHEN c.status = 'unmatched' THEN 'no match'
    WHEN c.status = 'in_review' THEN 'match available'
    WHEN c.status IS NULL THEN 'not compared'
    {compared}
    ELSE 'not compared'
  END AS data_status
FROM {view} AS v
LEFT JOIN crosswalk.{quoted(object_name)} AS c USING (salesforce_id)
{reference}""")
    counts = con.execute(f"SELECT data_status, count(*) FROM {contract.relation} GROUP BY ALL ORDER BY 1").fetchall()
    return ImportResult(object_name, sum(count for _, count in counts), dict(counts), mapping.notes)


def _comparison(con: duckdb.DuckDBPyConnection, mapping: ObjectMapping) -> tuple[str, str]:
    """The join to the reference and the CASE branches that need it."""
    offered = table_columns(con, f"reference.{mapping.entity}")
    key = _KEY[mapping.entity]
    shared = [target for target in mapping.targets if target.name in offered and target.name != key]
    if key not in offered or not shared:
        return "", ""
    different = " OR ".join(differs(target, "v", "r") for target in shared)
    some = ", ".join(f"v.{quoted(target.name)}::VARCHAR" for target in shared)
    join = f"LEFT JOIN reference.{mapping.entity} AS r ON r.{key} = c.reference_id"
    branches = f"""WHEN r.{key} IS NULL OR coalesce({some}) IS NULL THEN 'not compared'
    WHEN NOT ({different}) THEN 'in sync'
    WHEN c.method = 'person' THEN 'reviewed'
    WHEN r.{key} IS NOT NULL THEN 'different'"""
    return join, branches
