"""Stored records that left without a row of their own: deleted for good, or no longer in the selection.

What the org's log of deletions says of them (``getDeleted``) was landed with the org's counts. Deleted ones are marked
and never dropped, the others go; each has one event.
"""

from pathlib import Path
from string import Template

from data_contracts.contracts import literal
from data_contracts.errors import ReconciliationError
from pipelines.extract.batch import Batch, timestamp
from pipelines.extract.org_count import MANY
from pipelines.extract.pages import LANDED_IDS, load_ids
from pipelines.extract.reconcile import FEW
from pipelines.tables import scalar

_EVENT = Template((Path(__file__).parent / "gone.sql").read_text())
#: Id (15 characters), when it was deleted, whether it was looked for and not found alive, whether it is in the bin.
LOG = "temp.deletion_log"
#: A query of stored rows ``o`` finds what the log says of each as ``g``.
WITH_LOG = f'LEFT JOIN {LOG} AS g ON g.id = o."Id"[:15]'
#: The log says so, and the record was not found alive afterwards.
SURELY = "coalesce(g.sure, false)"
EVENT = "CASE WHEN g.in_bin THEN 'deleted' ELSE 'hard_deleted' END"


def load_log(batch: Batch) -> None:
    """Create the table of what the org's log of deletions says of the records this batch lacks."""
    count, con = batch.manifest.org_count, batch.con
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {LOG.partition('.')[2]} "
        "(id VARCHAR, deleted_at TIMESTAMP, sure BOOLEAN, in_bin BOOLEAN)"
    ).fetchall()
    if count is None or not count.gone_at:
        return
    sure = {identifier[:15] for identifier in count.gone} if count.gone_for_sure else set()
    in_bin = {identifier[:15] for identifier in count.in_bin}
    moments = [timestamp(moment).partition("::")[0].strip("'") for moment in count.gone_at.values()]
    ids = [identifier[:15] for identifier in count.gone_at]
    values = [ids, moments, [key in sure for key in ids], [key in in_bin for key in ids]]
    con.execute(
        f"INSERT INTO {LOG} SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[])::TIMESTAMP, unnest(?::BOOLEAN[]), "
        "unnest(?::BOOLEAN[])",
        values,
    ).fetchall()


def refuse_unseen(batch: Batch, absent: str, share: float) -> None:
    """Raise ReconciliationError when more records went unseen than ``share`` of the live ones (and than ten).

    ``absent`` is FROM and WHERE of the stored live rows that would be marked deleted for want of a row. The org's
    count cannot tell: where access to records is withdrawn, the org counts without them too. What the org's log of
    deletions names has gone indeed; when it names more than we keep of it, the rest cannot be told apart.
    """
    count = batch.manifest.org_count
    if count is not None and len(count.gone_at) >= MANY:
        return
    unseen = scalar(batch.con, f"SELECT count(*) {absent} AND g.id IS NULL")
    live = scalar(batch.con, f"SELECT count(*) FROM {batch.stored} WHERE NOT _is_deleted")
    if unseen <= max(FEW, int(share * live)):
        return
    name = batch.manifest.object
    raise ReconciliationError(
        f"{batch.manifest.api_name}: {unseen:,} of {live:,} records are no longer shown, and the org's log of "
        "deletions does not name them",
        why="the connected user's access to records was narrowed, or they were deleted for good longer ago than the "
        f"log reaches; limits.unseen_deletions is {share:g}",
        next_step="check the user's View All with crosswalk preflight; if they are gone indeed, raise "
        f"limits.unseen_deletions and run: crosswalk sync --full --object {name}. The last good data stays until then",
    )


def note_gone(batch: Batch, which: str, event: str = EVENT) -> None:
    """Write one event per stored row; ``which`` is FROM and WHERE with ``o`` stored and ``g`` of the log."""
    batch.execute(_EVENT, which=which, event=event)


def mark_logged(batch: Batch) -> int:
    """Mark stored live records deleted that the org's log says are gone; return how many.

    In an unrestricted delta one that is in the recycle bin comes with its own row, which says more (a merge's master).
    """
    count = batch.manifest.org_count
    if count is None or not count.gone:
        return 0
    which = f"{SURELY} AND NOT {batch.since_batch()}"
    return _mark(batch, which if batch.manifest.restricted else f"{which} AND NOT g.in_bin")


def sweep(batch: Batch, share: float) -> int:
    """Mark live records deleted whose Id is not among the landed ones; return how many.

    ``share`` is that of ``refuse_unseen``. Records newer than the batch are left alone: the Ids may have been read
    before they came.
    """
    if batch.ids is None or batch.manifest.restricted:
        return 0
    load_ids(batch.con, batch.ids)
    absent = f'o."Id" NOT IN (SELECT "Id" FROM {LANDED_IDS}) AND {batch.before_batch()}'
    refuse_unseen(batch, f"FROM {batch.stored} AS o {WITH_LOG} WHERE NOT o._is_deleted AND {absent}", share)
    return _mark(batch, absent)


def _mark(batch: Batch, condition: str) -> int:
    con, relation = batch.con, f"{batch.stored} AS o {WITH_LOG} WHERE NOT o._is_deleted AND {condition}"
    found = scalar(con, f"SELECT count(*) FROM {relation}")
    if found:
        note_gone(batch, relation)
        con.execute(
            f"UPDATE {batch.stored} SET _is_deleted = true, _synced_at = {timestamp(batch.started)}, "
            f'_run_id = {literal(batch.run.run_id)} WHERE "Id" IN (SELECT o."Id" FROM {relation})'
        ).fetchall()
    return found


def drop_left(batch: Batch, left: str) -> int:
    """Remove stored live rows ``o`` for which ``left`` holds, each with an event; return how many."""
    con, relation = batch.con, f"{batch.stored} AS o {WITH_LOG} WHERE NOT o._is_deleted AND {left}"
    removed = scalar(con, f"SELECT count(*) FROM {relation}")
    if removed:
        note_gone(batch, relation, "'removed'")
        con.execute(f'DELETE FROM {batch.stored} WHERE "Id" IN (SELECT o."Id" FROM {relation})').fetchall()
    return removed
