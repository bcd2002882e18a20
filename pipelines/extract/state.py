"""Private bookkeeping of extraction in schema ``_state``: the pinned org, watermarks, what each load did."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from duckdb import DuckDBPyConnection

from data_contracts.errors import OrgMismatchError
from resources.salesforce import Identity

_DDL = (Path(__file__).parent / "state.sql").read_text()


@dataclass(frozen=True)
class Watermark:
    """Up to where an object is covered (exclusive, UTC) and under which selection and fields."""

    covered_until: datetime
    selection_key: str
    fields: tuple[str, ...] = ()


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
        "SELECT covered_until, selection_key, fields FROM _state.watermark WHERE object = ?", [name]
    ).fetchall()
    return Watermark(rows[0][0].replace(tzinfo=UTC), rows[0][1], tuple(rows[0][2])) if rows else None


def set_watermark(con: DuckDBPyConnection, name: str, mark: Watermark, run_id: str) -> None:
    """Move the watermark; call it in the transaction that loads the rows."""
    con.execute("DELETE FROM _state.watermark WHERE object = ?", [name]).fetchall()
    until = mark.covered_until.astimezone(UTC).replace(tzinfo=None)
    values = [name, until, mark.selection_key, list(mark.fields), run_id]
    con.execute("INSERT INTO _state.watermark VALUES (?, ?, ?, ?::VARCHAR[], ?)", values).fetchall()


def record_refusal(con: DuckDBPyConnection, run_id: str, name: str, kind: str, eligible: int, over: int) -> None:
    """Write the statistics of an object that was refused because it is ``over`` records above its cap."""
    con.execute(
        "INSERT INTO _state.load_result BY NAME SELECT ? AS run_id, ? AS object, ? AS kind, ? AS eligible, "
        '? AS over_limit, 0 AS fetched, 0 AS "new", 0 AS changed, 0 AS unchanged, '
        "now()::TIMESTAMP AS started_at, now()::TIMESTAMP AS ended_at",
        [run_id, name, kind, eligible, over],
    ).fetchall()
