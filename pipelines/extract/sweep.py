"""Records that are gone for good, found by comparing every Id: marked deleted, with an event, never dropped."""

from pathlib import Path
from string import Template

from pipelines.extract.batch import Batch, timestamp
from pipelines.extract.pages import LANDED_IDS, load_ids
from pipelines.tables import scalar

_SWEEP = Template((Path(__file__).parent / "sweep.sql").read_text())


def sweep(batch: Batch) -> int:
    """Mark live records deleted whose Id is not among the landed ones; return how many.

    Records newer than the batch are left alone: the Ids may have been read before they came.
    """
    if batch.ids is None or batch.manifest.restricted:
        return 0
    load_ids(batch.con, batch.ids)
    absent = f'NOT o._is_deleted AND o."Id" NOT IN (SELECT "Id" FROM {LANDED_IDS}) AND {batch.before_batch()}'
    found = scalar(batch.con, f"SELECT count(*) FROM {batch.stored} AS o WHERE {absent}")
    if found:
        batch.execute(_SWEEP, absent=absent)
        run = batch.run.run_id.replace("'", "''")
        batch.con.execute(
            f"UPDATE {batch.stored} AS o SET _is_deleted = true, _synced_at = {timestamp(batch.started)}, "
            f"_run_id = '{run}' WHERE {absent}"
        ).fetchall()
    return found
