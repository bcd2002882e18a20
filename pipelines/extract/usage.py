"""What a run asked of the org, written to ``ops.api_usage``."""

from duckdb import DuckDBPyConnection

from data_contracts.contracts import load_contract
from pipelines.run import RunContext
from pipelines.tables import ensure_table
from resources.salesforce import SalesforceOrg


def record_usage(con: DuckDBPyConnection, org: SalesforceOrg, run: RunContext) -> int:
    """Write the calls counted since the last time, and return how many; call it at the end of a step."""
    ensure_table(con, load_contract("ops.api_usage"))
    taken = org.usage.take()
    for entry in taken:
        con.execute(
            "INSERT INTO ops.api_usage BY NAME SELECT ? AS run_id, ? AS object_name, ? AS endpoint, ? AS calls, "
            "? AS bytes, ? AS rows",
            [run.run_id, entry.object_name, entry.endpoint, entry.calls, entry.bytes, entry.rows],
        ).fetchall()
    return sum(entry.calls for entry in taken)
