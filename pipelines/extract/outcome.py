"""What planning says of an object beside its figures: refused, skipped, or made a full run, and why.

The reasons become ``ops.run_statistics.reason``; the figures are in ``_state.load_result``.
"""

from duckdb import DuckDBPyConnection

from pipelines.extract.objects import table_name
from pipelines.extract.plan import ExtractionPlan, ObjectPlan
from pipelines.tables import transaction

_DDL = (
    "CREATE TABLE IF NOT EXISTS _state.object_outcome "
    "(run_id VARCHAR NOT NULL, object VARCHAR NOT NULL, reason VARCHAR NOT NULL)"
)


def record_outcomes(con: DuckDBPyConnection, plan: ExtractionPlan) -> dict[str, str]:
    """Keep why objects of the plan were refused, skipped or made full; return object → reason for those."""
    con.execute(_DDL).fetchall()
    told = {name: text for name, item in plan.objects.items() if (text := outcome(item))}
    with transaction(con):
        con.execute("DELETE FROM _state.object_outcome WHERE run_id = ?", [plan.run_id]).fetchall()
        for name, text in told.items():
            values = [plan.run_id, table_name(name), text]
            con.execute("INSERT INTO _state.object_outcome VALUES (?, ?, ?)", values).fetchall()
    return told


def outcome(plan: ObjectPlan) -> str:
    """Return one line: what happened to the object and why; empty where it was fetched as asked."""
    if plan.refused:
        return "refused: " + "; ".join(plan.refused.split("\n"))
    if plan.skipped:
        return f"skipped: {plan.skipped}"
    asked = "delta" if plan.kind == "full" else "full run"
    return f"{plan.kind} instead of a {asked}: {plan.reason}" if plan.reason else ""
