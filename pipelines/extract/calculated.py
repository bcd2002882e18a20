"""Formula and roll-up fields: they change without moving any stamp, so a delta by stamps cannot see it.

Those that something uses are read again for every record beside a delta, by the job that brings the Ids. Writing them
into the stored rows is ``pipelines.extract.fill``; a full run reads them anyway.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from duckdb import DuckDBPyConnection

from data_contracts.contracts import object_contract, quoted
from data_contracts.mapping import mapped_fields
from data_contracts.settings import Settings
from pipelines.extract.batch import Batch
from pipelines.extract.cells import typed
from pipelines.extract.fields import FieldSpec
from pipelines.extract.objects import table_name
from pipelines.extract.pages import check_headers, read_csv
from pipelines.extract.schema import needed_fields
from pipelines.extract.state import watermark

#: A week, less the hours by which one night's run may come earlier than the last.
WEEK = timedelta(days=6, hours=12)


@dataclass(frozen=True)
class Recalculated:
    """Records with another value of a calculated field, and how many per field."""

    records: int
    fields: dict[str, int]

    def as_json(self) -> str | None:
        """The counts per field, None where there is none."""
        return json.dumps(self.fields, sort_keys=True) if self.fields else None


def used_calculated(settings: Settings, name: str, fields: Iterable[FieldSpec]) -> tuple[str, ...]:
    """Return the calculated fields of an object that are mapped, matched on, filtered by, or promised by a contract."""
    used = {column.name for column in object_contract(table_name(name)).columns}
    used |= needed_fields(settings).get(name, frozenset())
    used |= mapped_fields(settings, name)
    return tuple(sorted(spec.name for spec in fields if spec.calculated and spec.readable and spec.name in used))


def due_fields(con: DuckDBPyConnection, settings: Settings, name: str, fields: Iterable[FieldSpec]) -> tuple[str, ...]:
    """Return the calculated fields that a delta planned now has to read again, by ``calculated_refresh``."""
    cadence = settings.objects[name].calculated_refresh
    if cadence == "never":
        return ()
    used = used_calculated(settings, name, fields)
    if not used or cadence == "nightly":
        return used
    rows = con.execute(
        "SELECT max(ended_at) FROM _state.load_result WHERE object = ? AND landing IS NOT NULL "
        "AND (kind = 'full' OR recalculated IS NOT NULL)",
        [table_name(name)],
    ).fetchall()
    last = rows[0][0] if rows else None
    now = datetime.now(UTC).replace(tzinfo=None)
    return used if last is None or now - last >= WEEK else ()


def count_recalculated(batch: Batch) -> Recalculated | None:
    """Compare the calculated fields that landed beside the Ids with what is stored, before they are written.

    None where none landed. A field that is filled for the first time is not counted.
    """
    if batch.ids is None:
        return None
    mark = watermark(batch.con, batch.manifest.object)
    known = set(mark.fields) if mark else set()
    fields = [field for field in batch.ids.manifest.fields if field.calculated and field.name in known]
    fields = [field for field in fields if field.name in batch.stored_columns]
    if not fields:
        return None
    files = check_headers(batch.ids)
    if not files:
        return Recalculated(0, {})
    values = ", ".join(f"{typed(field)} AS {quoted(field.name)}" for field in fields)
    differs = [f"o.{quoted(field.name)} IS DISTINCT FROM n.{quoted(field.name)}" for field in fields]
    counts = ", ".join(f"count(*) FILTER ({text})" for text in (" OR ".join(differs), *differs))
    rows = batch.con.execute(
        f'SELECT {counts} FROM {batch.stored} AS o JOIN (SELECT page."Id", {values} '
        f'FROM {read_csv(files, batch.ids.manifest.fields)} AS page) AS n ON n."Id" = o."Id" '
        f"WHERE NOT {batch.since_batch()}"
    ).fetchall()
    total, *each = rows[0]
    return Recalculated(total, {field.name: count for field, count in zip(fields, each, strict=True) if count})
