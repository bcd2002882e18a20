"""What a proven batch does to the stored table: changes noted as events, then a swap or a replacement by Id."""

from dataclasses import dataclass
from pathlib import Path
from string import Template

from data_contracts.contracts import load_contract, quoted
from pipelines.extract.batch import Batch, timestamp
from pipelines.extract.gone import SURELY, WITH_LOG, drop_left, load_log, mark_logged, note_gone, refuse_unseen, sweep
from pipelines.extract.pages import LANDED_IDS, arrived_empty, load_ids
from pipelines.tables import ensure_table, scalar

_HERE = Path(__file__).parent
_CHANGES = Template((_HERE / "changes.sql").read_text())
_EVENTS = Template((_HERE / "events.sql").read_text())
_COUNTS = (_HERE / "counts.sql").read_text()


@dataclass(frozen=True)
class Changes:
    """Records of a batch that are new, changed, newly deleted, merged away, converted or undeleted."""

    new: int
    changed: int
    deleted: int
    merged: int
    converted: int
    undeleted: int


def note_changes(batch: Batch, fetched: int) -> Changes:
    """Compare the batch with what is stored, write ``ops.record_event`` and return the counts."""
    con = batch.con
    ensure_table(con, load_contract("ops.record_event"))
    # A delta inserts what is listed as a change: it lists everything, even where the first load found nothing.
    first = batch.manifest.kind == "full" and scalar(con, f"SELECT count(*) FROM {batch.stored}") == 0
    batch.execute(_CHANGES, **_comparison(batch, first), first=str(first).lower())
    batch.execute(_EVENTS, first=str(first).lower())
    counts = [int(value) for value in con.execute(_COUNTS).fetchall()[0]]
    return Changes(fetched, 0, *counts[2:]) if first else Changes(*counts)


def _comparison(batch: Batch, first: bool) -> dict[str, str]:
    stamp = quoted(batch.stamp) if batch.stamp else ""
    calculated = [field.name for field in batch.manifest.fields if field.calculated]
    compared = [name for name in (batch.stamp, *calculated) if name and name in batch.stored_columns]
    differs = [f"n.{quoted(name)} IS DISTINCT FROM o.{quoted(name)}" for name in compared]
    if stamp and not first and _tied_differences(batch):
        differs.append('n."Id" IN (SELECT "Id" FROM tied_difference)')

    def new(name: str) -> str:
        return f"n.{quoted(name)}" if batch.selects(name) else "NULL"

    def old(name: str) -> str:
        return f"o.{quoted(name)}" if name in batch.stored_columns else "NULL"

    return {
        "not_older": f"NOT {batch.outdated()}",
        # Without a stamp nothing tells an unchanged record from a changed one.
        "differs": " OR ".join(differs) if stamp else "true",
        "new_stamp": f"n.{stamp}" if stamp else "NULL",
        "new_master": new("MasterRecordId"),
        "old_master": old("MasterRecordId"),
        "new_converted": new("IsConverted"),
        "old_converted": old("IsConverted"),
        "converted_account": new("ConvertedAccountId"),
        "converted_contact": new("ConvertedContactId"),
        "converted_opportunity": new("ConvertedOpportunityId"),
    }


def _tied_differences(batch: Batch) -> int:
    """Find records of a delta that changed twice within a second: the stamp is the same, another value is not.

    A full batch replaces every row anyway; there the comparison would only cost.
    """
    if batch.manifest.kind == "full" or not batch.stamp:
        return 0
    both = f'FROM {batch.incoming} AS n JOIN {batch.stored} AS o ON o."Id" = n."Id"'
    stamp = quoted(batch.stamp)
    tied = f"SELECT o.rowid AS place {both} WHERE o.{stamp} = n.{stamp} AND NOT {batch.since_batch()}"
    batch.con.execute(f"CREATE OR REPLACE TEMP TABLE tied AS {tied}").fetchall()
    if not scalar(batch.con, "SELECT count(*) FROM tied"):
        return 0
    names = [quoted(field.name) for field in batch.manifest.fields if field.name in batch.stored_columns]
    differs = " OR ".join(f"n.{name} IS DISTINCT FROM o.{name}" for name in names)
    found = f'SELECT n."Id" {both} WHERE o.rowid IN (SELECT place FROM tied) AND ({differs})'
    batch.con.execute(f"CREATE OR REPLACE TEMP TABLE tied_difference AS {found}").fetchall()
    return scalar(batch.con, "SELECT count(*) FROM tied_difference")


def refuse_empty(batch: Batch, fetched: int) -> None:
    """Raise ExtractionError when a full batch has no live record although the org counts some."""
    eligible = batch.manifest.eligible
    if batch.manifest.kind != "full" or not eligible:
        return
    if not fetched or not scalar(batch.con, f"SELECT count(*) FROM {batch.incoming} WHERE NOT _is_deleted"):
        raise arrived_empty(batch.manifest)


def swap(batch: Batch, unseen: float) -> tuple[int, int]:
    """Put the incoming table in place of the stored one; return records gone for good and rows removed.

    Stored rows the batch lacks stay: deleted ones as they are, live ones marked deleted. Where the batch is a
    selection, or a row fell out of the window, they are removed instead, unless the org says they were deleted. A
    stored version that is later than the batch's stays as it is. Raises ReconciliationError when more than the share
    ``unseen`` of the records went without the org's log naming them.
    """
    con = batch.con
    load_log(batch)
    absent = f'{batch.stored} AS o ANTI JOIN {batch.incoming} AS n ON o."Id" = n."Id" {WITH_LOG}'
    missing = f"NOT o._is_deleted AND {batch.before_batch()}"
    outside = "true" if batch.manifest.restricted else _outside_window(batch, "o")
    left = f"({missing} AND {outside} AND NOT {SURELY})"
    removed = scalar(con, f"SELECT count(*) FROM {absent} WHERE {left}")
    gone = scalar(con, f"SELECT count(*) FROM {absent} WHERE {missing} AND NOT {left}")
    if gone:
        refuse_unseen(batch, f"FROM {absent} WHERE {missing} AND NOT {left}", unseen)
        note_gone(batch, f"{absent} WHERE {missing} AND NOT {left}")
    if removed:
        note_gone(batch, f"{absent} WHERE {left}", "'removed'")
    con.execute(
        f"INSERT INTO {batch.incoming} BY NAME SELECT {_carried(batch, missing)} FROM {absent} WHERE NOT {left}"
    ).fetchall()
    _keep_later(batch)
    con.execute(f"DROP TABLE {batch.stored}").fetchall()
    con.execute(f"ALTER TABLE {batch.incoming} RENAME TO {quoted(batch.shape.table)}").fetchall()
    batch.shape.comment(con)
    return gone, removed


def _keep_later(batch: Batch) -> None:
    """Put stored versions in place of earlier ones of the batch: a load since it was asked for brought them."""
    con = batch.con
    found = f'FROM {batch.incoming} AS n JOIN {batch.stored} AS o ON o."Id" = n."Id" WHERE {batch.outdated()}'
    con.execute(f'CREATE OR REPLACE TEMP TABLE later AS SELECT n."Id" {found}').fetchall()
    if not scalar(con, "SELECT count(*) FROM later"):
        return
    con.execute(f'DELETE FROM {batch.incoming} WHERE "Id" IN (SELECT "Id" FROM later)').fetchall()
    con.execute(
        f"INSERT INTO {batch.incoming} BY NAME SELECT {_carried(batch, 'false')} FROM {batch.stored} AS o "
        'WHERE o."Id" IN (SELECT "Id" FROM later)'
    ).fetchall()


def _carried(batch: Batch, missing: str) -> str:
    """The select list that carries a stored row into the new table, marked deleted where it now is."""
    now, run = timestamp(batch.started), "'" + batch.run.run_id.replace("'", "''") + "'"
    marks = {
        "_is_deleted": f"(o._is_deleted OR ({missing}))",
        "_synced_at": f"CASE WHEN {missing} THEN {now} ELSE o._synced_at END",
        "_run_id": f"CASE WHEN {missing} THEN {run} ELSE o._run_id END",
    }
    return ", ".join(
        f"{marks.get(column.name, f'TRY_CAST(o.{quoted(column.name)} AS {column.type})')} AS {quoted(column.name)}"
        for column in batch.shape.columns
        if column.name in batch.stored_columns
    )


def replace_by_id(batch: Batch, changes: Changes) -> None:
    """Replace the rows of a delta that differ."""
    con = batch.con
    if changes.new or changes.changed:
        differing = '"Id" IN (SELECT salesforce_id FROM incoming_change)'
        # By place, not by Id: the comparison has looked for every Id in the whole table already.
        places = "SELECT place FROM incoming_change WHERE NOT is_new"
        con.execute(f"DELETE FROM {batch.stored} WHERE rowid IN ({places})").fetchall()
        con.execute(f"INSERT INTO {batch.stored} BY NAME SELECT * FROM {batch.incoming} WHERE {differing}").fetchall()
    con.execute(f"DROP TABLE {batch.incoming}").fetchall()


def let_go(batch: Batch, unseen: float) -> tuple[int, int]:
    """After a delta's rows: mark what is gone for good, drop what left the selection; return both counts."""
    load_log(batch)
    gone = mark_logged(batch) + sweep(batch, unseen)
    return gone, drop_left(batch, f"({_outside_selection(batch)} OR {_outside_window(batch, 'o')})")


def _outside_selection(batch: Batch) -> str:
    if batch.ids is None or not batch.manifest.restricted:
        return "false"
    load_ids(batch.con, batch.ids)
    return f'(o."Id" NOT IN (SELECT "Id" FROM {LANDED_IDS}) AND {batch.before_batch()})'


def _outside_window(batch: Batch, alias: str) -> str:
    since = batch.manifest.created_since
    if since is None or "CreatedDate" not in batch.stored_columns:
        return "false"
    return f'coalesce({alias}."CreatedDate" < {timestamp(since)}, false)'
