"""Private bookkeeping of extraction in schema ``_state``: the pinned org, watermarks, what each load did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from duckdb import DuckDBPyConnection

from data_contracts.errors import OrgMismatchError
from pipelines.run import RunContext
from pipelines.tables import table_columns
from resources.salesforce import Identity

_DDL = (Path(__file__).parent / "state.sql").read_text()
_UNFINISHED = (Path(__file__).parent / "unfinished.sql").read_text()


@dataclass(frozen=True)
class Watermark:
    """Up to where an object is covered (exclusive, UTC) and under which selection and fields.

    ``clock_offset`` is by how many seconds the org's clock was ahead of ours then.
    """

    covered_until: datetime
    selection_key: str
    fields: tuple[str, ...] = ()
    clock_offset: float = 0.0


def prepare_state(con: DuckDBPyConnection) -> None:
    """Create the bookkeeping tables where they are missing."""
    con.execute(_DDL).fetchall()


def pin_org(con: DuckDBPyConnection, identity: Identity) -> None:
    """Remember the org at the first sync and refuse every other one afterwards.

    Raises OrgMismatchError naming both ids.
    """
    prepare_state(con)
    rows = con.execute("SELECT org_id FROM _state.org").fetchall()
    if not rows:
        now = datetime.now(UTC).replace(tzinfo=None)
        con.execute("INSERT INTO _state.org VALUES (?, ?, ?)", [identity.org_id, identity.username, now]).fetchall()
    elif rows[0][0] != identity.org_id:
        raise OrgMismatchError(
            f"the credentials lead to org {identity.org_id}, and this home holds data of org {rows[0][0]}",
            why="records of two orgs are never mixed",
            next_step="correct SALESFORCE_INSTANCE_URL, or use another CROSSWALK_HOME for the other org",
        )


def watermark(con: DuckDBPyConnection, name: str) -> Watermark | None:
    """Return the watermark of object ``name``, or None before its first load."""
    rows = con.execute(
        "SELECT covered_until, selection_key, fields, clock_offset FROM _state.watermark WHERE object = ?", [name]
    ).fetchall()
    if not rows:
        return None
    covered, key, fields, offset = rows[0]
    return Watermark(covered.replace(tzinfo=UTC), key, tuple(fields), offset)


def set_watermark(con: DuckDBPyConnection, name: str, mark: Watermark, run_id: str) -> None:
    """Move the watermark; call it in the transaction that loads the rows."""
    con.execute("DELETE FROM _state.watermark WHERE object = ?", [name]).fetchall()
    until = mark.covered_until.astimezone(UTC).replace(tzinfo=None)
    values = [name, until, mark.selection_key, list(mark.fields), run_id, mark.clock_offset]
    con.execute("INSERT INTO _state.watermark VALUES (?, ?, ?, ?::VARCHAR[], ?, ?)", values).fetchall()


def doubt_fields(con: DuckDBPyConnection, name: str, fields: Sequence[str]) -> None:
    """Take fields out of the watermark of object ``name``: the next load has to fill them for every record."""
    con.execute(
        "UPDATE _state.watermark SET fields = list_filter(fields, lambda x: NOT list_contains($fields::VARCHAR[], "
        "lower(x))) WHERE object = $object",
        {"object": name, "fields": [field.lower() for field in fields]},
    ).fetchall()


#: What the next run of an object does about a doubt: read everything again, or compare every Id.
Remedy = Literal["full", "sweep"]


def doubt(con: DuckDBPyConnection, name: str) -> tuple[Remedy, str] | None:
    """Return what the next run of object ``name`` must settle, and why."""
    rows = con.execute("SELECT remedy, reason FROM _state.doubt WHERE object = ?", [name]).fetchall()
    return (rows[0][0], rows[0][1]) if rows else None


def set_doubt(con: DuckDBPyConnection, name: str, remedy: Remedy | None, reason: str, run_id: str) -> None:
    """Replace what is to be settled of object ``name``; None for nothing."""
    con.execute("DELETE FROM _state.doubt WHERE object = ?", [name]).fetchall()
    if remedy:
        con.execute("INSERT INTO _state.doubt VALUES (?, ?, ?, ?)", [name, remedy, reason, run_id]).fetchall()


def record_refusal(con: DuckDBPyConnection, run_id: str, name: str, kind: str, eligible: int, over: int) -> None:
    """Write the statistics of an object that was refused because it is ``over`` records above its cap."""
    con.execute(
        "INSERT INTO _state.load_result BY NAME SELECT ? AS run_id, ? AS object, ? AS kind, ? AS eligible, "
        '? AS over_limit, 0 AS fetched, 0 AS "new", 0 AS changed, 0 AS unchanged, '
        "now()::TIMESTAMP AS started_at, now()::TIMESTAMP AS ended_at",
        [run_id, name, kind, eligible, over],
    ).fetchall()


def was_loaded(con: DuckDBPyConnection, landing: str) -> bool:
    """Whether what landed in a folder is in the warehouse."""
    return bool(con.execute("SELECT 1 FROM _state.load_result WHERE landing = ?", [landing]).fetchall())


#: A full load of an interrupted run is this long good enough for the next one.
FRESH = timedelta(hours=24)


def loaded_by_unfinished(con: DuckDBPyConnection, name: str, run: RunContext) -> bool:
    """Whether the latest load of ``name`` in full belongs to a run that was interrupted, and none succeeded since."""
    if not table_columns(con, "ops.sync_run"):
        return False
    rows = con.execute(_UNFINISHED, {"object": name, "run": run.run_id, "oldest": _stored(run.started_at - FRESH)})
    return bool(rows.fetchall())


def _stored(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
