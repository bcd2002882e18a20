"""Fields filled for every record by a job of the Id and these fields, beside a delta of all the others.

That a field is to be filled is decided in ``pipelines.extract.plan``. A new field of two million records costs a job of
two columns then, and not the whole object.
"""

from collections.abc import Sequence

from data_contracts.contracts import literal, load_contract, quoted
from pipelines.extract.batch import Batch, timestamp
from pipelines.extract.cells import reasons, typed
from pipelines.extract.pages import check_headers, load_ids, read_csv
from pipelines.tables import ensure_table
from resources.landing import LandedField


def fill(batch: Batch) -> int:
    """Write the fields that landed beside the Ids into the stored rows; return the cells rejected.

    Call it when the rows of the delta are in. Records that are deleted, or gone and about to be marked so, keep the
    last known values. Raises ExtractionError when Ids are missing or repeated.
    """
    if batch.ids is None or len(batch.ids.manifest.fields) < 2:
        return 0
    load_ids(batch.con, batch.ids)
    fields = [field for field in batch.ids.manifest.fields if field.name != "Id"]
    files = check_headers(batch.ids)
    if not files:
        return 0
    source = read_csv(files, batch.ids.manifest.fields)
    values = ", ".join(f"{typed(field)} AS {quoted(field.name)}" for field in fields)
    differs = " OR ".join(f"o.{quoted(field.name)} IS DISTINCT FROM n.{quoted(field.name)}" for field in fields)
    setting = ", ".join(f"{quoted(field.name)} = n.{quoted(field.name)}" for field in fields)
    batch.con.execute(
        f"UPDATE {batch.stored} AS o SET {setting}, _synced_at = {timestamp(batch.started)}, "
        f'_run_id = {literal(batch.run.run_id)} FROM (SELECT page."Id", {values} FROM {source} AS page) AS n '
        f'WHERE n."Id" = o."Id" AND ({differs}) AND NOT {batch.since_batch()}'
    ).fetchall()
    return _reject(batch, fields, source)


def _reject(batch: Batch, fields: Sequence[LandedField], source: str) -> int:
    """Write cells that did not convert to ``ops.reject``, unless the delta has."""
    cells = [f"{{'field': {literal(field.name)}, 'reason': {text}}}" for field in fields if (text := reasons(field))]
    if not cells:
        return 0
    ensure_table(batch.con, load_contract("ops.reject"))
    found = f'SELECT page."Id" AS salesforce_id, unnest([{", ".join(cells)}]) AS cell FROM {source} AS page'
    run, object_name = literal(batch.run.run_id), literal(batch.manifest.object)
    inserted = batch.con.execute(
        f"INSERT INTO ops.reject BY NAME SELECT {run} AS run_id, {object_name} AS object_name, salesforce_id, "
        f"cell.field AS field_name, cell.reason AS reason, {timestamp(batch.started)} AS rejected_at FROM ({found}) "
        f"WHERE cell.reason IS NOT NULL AND (salesforce_id, cell.field) NOT IN (SELECT (salesforce_id, field_name) "
        f"FROM ops.reject WHERE run_id = {run} AND object_name = {object_name})"
    ).fetchall()
    return int(inserted[0][0])
