"""What a run asked of the org, written to ``ops.api_usage``, and held against the org's own count in ``ops.sync_run``.

Counting is ``resources.salesforce.usage``; what may be asked at all is ``resources.salesforce.budget``.
"""

from pathlib import Path
from typing import Protocol

from duckdb import DuckDBPyConnection

from data_contracts.contracts import load_contract
from pipelines.extract.objects import table_name
from pipelines.extract.plan import ExtractionPlan
from pipelines.run import RunContext
from pipelines.tables import ensure_table, scalar, table_columns
from resources.home import Home
from resources.landing import LandingFolder, Manifest
from resources.salesforce import SalesforceOrg
from resources.salesforce.usage import FREE_KINDS, Usage

_RECONCILE = (Path(__file__).parent / "usage.sql").read_text()
_FREE = sorted(FREE_KINDS)


class Counted(Protocol):
    """Calls, bytes and rows of one endpoint."""

    @property
    def calls(self) -> int: ...  # noqa: D102
    @property
    def bytes(self) -> int: ...  # noqa: D102
    @property
    def rows(self) -> int: ...  # noqa: D102


def record_usage(con: DuckDBPyConnection, org: SalesforceOrg, run: RunContext) -> int:
    """Write the calls counted since the last time, and return how many; call it at the end of a step."""
    taken = org.usage.take()
    ensure_table(con, load_contract("ops.api_usage"))
    for entry in taken:
        name = table_name(entry.object_name) if entry.object_name else ""
        add_usage(con, run.run_id, name, entry.endpoint, entry)
    _note_org(con, org.usage, run.run_id)
    return sum(entry.calls for entry in taken)


def add_usage(con: DuckDBPyConnection, run_id: str, object_name: str, endpoint: str, count: Counted) -> None:
    """Add to the one row of ``ops.api_usage``, which is there, that a run has for an object and an endpoint."""
    _add(con, run_id, object_name, endpoint, {"calls": count.calls, "bytes": count.bytes, "rows": count.rows})


def add_estimate(con: DuckDBPyConnection, run_id: str, name: str, to_come: dict[str, int]) -> None:
    """Add the calls expected of the rest of a run to what it has asked for an object so far."""
    ensure_table(con, load_contract("ops.api_usage"))
    con.execute(
        "UPDATE ops.api_usage SET estimated = calls WHERE run_id = ? AND object_name = ?", [run_id, name]
    ).fetchall()
    for endpoint, calls in to_come.items():
        _add(con, run_id, name, endpoint, {"estimated": calls})


def charge(con: DuckDBPyConnection, manifest: Manifest, run_id: str) -> None:
    """Write the calls of a landing folder that ``ops.api_usage`` does not have yet, each at its own run's expense."""
    ensure_table(con, load_contract("ops.api_usage"))
    for charged, counts in manifest.charged.items():
        for endpoint, count in counts.items():
            add_usage(con, charged or run_id, manifest.object, endpoint, count)
    settle(con)


def record_unloaded(con: DuckDBPyConnection, home: Home, run: RunContext) -> None:
    """Write the calls of a run's folders that are not loaded, and may not be before another run takes them up."""
    for folder in _unloaded(home, run.run_id):
        charge(con, folder.manifest, run.run_id)
        with folder.changing() as manifest:
            manifest.charged = {}


def spent_before(con: DuckDBPyConnection, home: Home, run_id: str) -> int:
    """Return the calls that Salesforce counted of an earlier try of this run; a process may have died in it."""
    waiting = [folder.manifest.charged.get(run_id, {}) for folder in _unloaded(home, run_id)]
    spent = sum(count.calls for counts in waiting for kind, count in counts.items() if kind not in FREE_KINDS)
    if not table_columns(con, "ops.api_usage"):
        return spent
    query = "SELECT sum(calls) FROM ops.api_usage WHERE run_id = ? AND NOT list_contains(?::VARCHAR[], endpoint)"
    return spent + scalar(con, query, [run_id, _FREE])


def settle(con: DuckDBPyConnection) -> None:
    """Bring what ``ops.sync_run`` says of API calls in line with ``ops.api_usage``, of every run that moved."""
    if table_columns(con, "ops.sync_run"):
        ensure_table(con, load_contract("ops.sync_run"))
        con.execute(_RECONCILE, [_FREE]).fetchall()


def _note_org(con: DuckDBPyConnection, usage: Usage, run_id: str) -> None:
    """Keep the org's own count at the run's first and last answer."""
    settle(con)
    if usage.org_used is None or not table_columns(con, "ops.sync_run"):
        return
    con.execute(
        "UPDATE ops.sync_run SET org_used_before = coalesce(org_used_before, ?), org_used_after = ?, org_allowed = ? "
        "WHERE run_id = ?",
        [usage.org_used_before, usage.org_used, usage.org_allowed, run_id],
    ).fetchall()
    settle(con)


def _unloaded(home: Home, run_id: str) -> list[LandingFolder]:
    plan = ExtractionPlan.find(home.landing, run_id)
    items = plan.objects.values() if plan else ()
    paths = [home.landing / landing for item in items for landing in (item.ids_landing, item.landing) if landing]
    folders = [LandingFolder.open(path) for path in paths if path.is_dir()]
    return [folder for folder in folders if folder.manifest.loaded_at is None]


def _add(con: DuckDBPyConnection, run_id: str, object_name: str, endpoint: str, figures: dict[str, int]) -> None:
    added = ", ".join(f'"{name}" = coalesce("{name}", 0) + ?' for name in figures)
    known = con.execute(
        f"UPDATE ops.api_usage SET {added} WHERE run_id = ? AND object_name = ? AND endpoint = ?",
        [*figures.values(), run_id, object_name, endpoint],
    ).fetchall()
    if known[0][0]:
        return
    whole = {"calls": 0, **figures}
    values = ", ".join(f'? AS "{name}"' for name in whole)
    con.execute(
        f"INSERT INTO ops.api_usage BY NAME SELECT ? AS run_id, ? AS object_name, ? AS endpoint, {values}",
        [run_id, object_name, endpoint, *whole.values()],
    ).fetchall()
