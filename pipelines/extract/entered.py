"""Records that enter a selection without a change of their own: a delta by stamps cannot see them.

A condition begins to hold when a day passes or a parent changes. So the Ids of the selection are compared with those
stored, and what is in neither is fetched by Id, in conditions of at most 100,000 characters, one Bulk job each.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from data_contracts.contracts import literal, quoted
from pipelines.extract.bulk_pages import BulkLanding
from pipelines.extract.fields import cursor_field
from pipelines.extract.objects import table_name
from pipelines.extract.pages import check_headers, read_csv
from pipelines.extract.progress import Progress, quiet
from pipelines.extract.selection import soql_time
from pipelines.tables import table_columns
from resources.landing import JobPart, LandingFolder, Manifest
from resources.salesforce import SalesforceOrg

#: Ids in one condition: 21 characters each, in a query of at most 100,000 with its fields.
IDS_A_JOB = 4_000
#: Above so many jobs the whole selection is fetched in one, and what is not wanted is left out when it is loaded.
MOST_JOBS = 50
STORED = "stored.csv"


def note_stored(con: DuckDBPyConnection, name: str, ids: LandingFolder) -> None:
    """Write the Ids of the stored live records beside the Ids of a selection, for ``land_entered``."""
    target = literal(str(ids.path / STORED))
    con.execute(f"COPY ({stored(con, name)}) TO {target} (HEADER, FORCE_QUOTE *)").fetchall()


def land_entered(org: SalesforceOrg, folder: LandingFolder, ids: LandingFolder, progress: Progress = quiet) -> None:
    """Fetch the records of a selection that are not stored and did not arrive: they entered it without a change.

    Call it when both folders are landed. It needs no warehouse: ``note_stored`` has said what is there.
    """
    manifest, file = folder.manifest, ids.path / STORED
    cursor = cursor_field(field.name for field in manifest.fields)
    if manifest.chosen or manifest.since is None or cursor is None or not file.is_file():
        return
    if any(part.where is not None for part in manifest.parts):
        return
    entered = _entered(ids, file, folder)
    if not entered:
        return
    progress(f"{manifest.object}: {len(entered):,} records entered the selection without a change of their own")
    wheres = in_conditions(entered)
    if len(wheres) > MOST_JOBS:
        rest = outside(cursor, manifest.since, manifest.until)
        wheres = [f"({manifest.condition}) AND {rest}" if manifest.condition else rest]
    with folder.changing():
        _as_parts(manifest)
        manifest.parts += [JobPart(where=where) for where in wheres]
    BulkLanding(org, folder, progress, lambda _: None).land()


def _as_parts(manifest: Manifest) -> None:
    """What has landed so far becomes the first part."""
    if not manifest.parts:
        manifest.parts = [JobPart(job_id=manifest.job_id, records=manifest.records)]


def _entered(ids: LandingFolder, noted: Path, folder: LandingFolder) -> list[str]:
    """Ids of the selection that are neither stored nor among the rows that landed."""
    selected, landed = check_headers(ids), check_headers(folder)
    if not selected:
        return []
    arrived = f'EXCEPT SELECT "Id" FROM {read_csv(landed, folder.manifest.fields)}' if landed else ""
    columns = "columns={'Id': 'VARCHAR'}, header=true, auto_detect=false, delim=',', quote='\"'"
    with duckdb.connect() as con:
        return listed(
            con,
            f'SELECT "Id" FROM {read_csv(selected, ids.manifest.fields)} '
            f'EXCEPT SELECT "Id" FROM read_csv({literal(str(noted))}, {columns}) {arrived}',
        )


def in_conditions(ids: Sequence[str]) -> list[str]:
    """Return the conditions that name these Ids."""
    steps = range(0, len(ids), IDS_A_JOB)
    return [f"Id IN ({','.join(literal(text) for text in ids[at : at + IDS_A_JOB])})" for at in steps]


def outside(cursor: str, since: datetime, until: datetime) -> str:
    """Return the condition for everything a delta of these bounds leaves out."""
    return f"({cursor} < {soql_time(since)} OR {cursor} >= {soql_time(until)})"


def stored(con: DuckDBPyConnection, name: str) -> str:
    """Return the query of the Ids of the stored live records, none where there is no table."""
    table = f"salesforce.{table_name(name)}"
    if "_is_deleted" not in table_columns(con, table):
        return 'SELECT NULL::VARCHAR AS "Id" WHERE false'
    return f'SELECT "Id" FROM salesforce.{quoted(table_name(name))} WHERE NOT _is_deleted'


def listed(con: DuckDBPyConnection, query: str) -> list[str]:
    """Return the Ids a query gives, sorted."""
    return [str(row[0]) for row in con.execute(f'SELECT "Id" FROM ({query}) ORDER BY "Id"').fetchall()]
