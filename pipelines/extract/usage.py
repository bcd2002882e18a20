"""What a run asked of the org, written to ``ops.api_usage``."""

from typing import Protocol

from duckdb import DuckDBPyConnection

from data_contracts.contracts import load_contract
from pipelines.run import RunContext
from pipelines.tables import ensure_table
from resources.salesforce import SalesforceOrg


def record_usage(con: DuckDBPyConnection, org: SalesforceOrg, run: RunContext) -> int:
    """Write the calls counted since the last time, and return how many; call it at the end of a step."""
    taken = org.usage.take()
    for entry in taken:
        add_usage(con, run.run_id, entry.object_name, entry.endpoint, entry)
    return sum(entry.calls for entry in taken)


class Counted(Protocol):
    """Calls, bytes and rows of one endpoint."""

    @property
    def calls(self) -> int: ...  # noqa: D102
    @property
    def bytes(self) -> int: ...  # noqa: D102
    @property
    def rows(self) -> int: ...  # noqa: D102


def add_usage(con: DuckDBPyConnection, run_id: str, object_name: str, endpoint: str, count: Counted) -> None:
    """Add to the one row of ``ops.api_usage`` that a run has for an object and an endpoint."""
    ensure_table(con, load_contract("ops.api_usage"))
    key = [run_id, object_name, endpoint]
    known = con.execute(
        "UPDATE ops.api_usage SET calls = calls + ?, bytes = bytes + ?, rows = rows + ? "
        "WHERE run_id = ? AND object_name = ? AND endpoint = ?",
        [count.calls, count.bytes, count.rows, *key],
    ).fetchall()
    if not known[0][0]:
        con.execute(
            "INSERT INTO ops.api_usage BY NAME SELECT ? AS run_id, ? AS object_name, ? AS endpoint, ? AS calls, "
            "? AS bytes, ? AS rows",
            [*key, count.calls, count.bytes, count.rows],
        ).fetchall()
