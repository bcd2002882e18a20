"""What one load did, kept in ``_state.load_result`` until the run's statistics are made of it."""

from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime

from duckdb import DuckDBPyConnection

from data_contracts.contracts import quoted
from pipelines.extract.objects import api_name, table_name
from pipelines.extract.plan import ObjectPlan
from pipelines.extract.state import watermark
from pipelines.run import RunContext
from pipelines.tables import scalar, table_columns, transaction


@dataclass(frozen=True)
class LoadResult:
    """What one load did. ``fetched`` = ``new`` + ``changed`` + ``unchanged``.

    ``rows`` are in the table now, ``live`` of them not deleted. ``deleted``, ``merged`` and ``converted`` are seen
    by this load for the first time, as are ``undeleted`` ones; ``removed`` rows left the selection; ``rejected`` are
    cells that did not convert. ``recalculated`` rows had another value of a calculated field, counted per field as JSON
    in ``recalculated_fields``; None where those were not asked for by themselves. ``rest_calls`` are API calls of any
    kind but job creations, which ``bulk_jobs`` counts. ``org_count`` is the org's own count of live records
    afterwards, ``warehouse_count`` ours, ``difference`` ours minus the org's, with its ``explanation``.
    ``stale_since`` is set for an object that was not read: its rows are as of then.
    """

    object: str
    kind: str
    eligible: int | None = 0
    fetched: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    deleted: int = 0
    merged: int = 0
    converted: int = 0
    undeleted: int = 0
    recalculated: int | None = None
    recalculated_fields: str | None = None
    over_limit: int = 0
    rest_calls: int = 0
    bulk_jobs: int = 0
    bytes: int = 0
    rows: int = 0
    live: int = 0
    rejected: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    org_count: int | None = None
    warehouse_count: int | None = None
    difference: int | None = None
    explanation: str | None = None
    stale_since: datetime | None = None


_FETCHED = (
    *("fetched", "new", "changed", "unchanged", "removed", "deleted", "merged", "converted", "over_limit"),
    *("undeleted", "recalculated"),
    *("rest_calls", "bulk_jobs", "bytes", "rejected"),
)


def write_result(con: DuckDBPyConnection, run_id: str, result: LoadResult, landing: str | None) -> None:
    """Keep what a load did; ``landing`` is the folder it was read from. Without one nothing was fetched: no figures."""
    values = {**asdict(result), "run_id": run_id, "landing": landing}
    if landing is None:
        values |= dict.fromkeys(_FETCHED)
    names = ", ".join(quoted(name) for name in values)
    marks = ", ".join("?" for _ in values)
    con.execute(f"INSERT INTO _state.load_result ({names}) VALUES ({marks})", [*values.values()]).fetchall()


def committed(con: DuckDBPyConnection, plan: ObjectPlan) -> LoadResult | None:
    """Return the result of a load that was committed just before its process died."""
    names = [field.name for field in fields(LoadResult)]
    columns = ", ".join(quoted(name) for name in names)
    found = con.execute(f"SELECT {columns} FROM _state.load_result WHERE landing = ?", [plan.landing]).fetchall()
    return LoadResult(**dict(zip(names, found[0], strict=True))) if found else None


def record_stale(con: DuckDBPyConnection, plan: ObjectPlan, run: RunContext) -> LoadResult:
    """Record that an object could not be read: its rows stay as they were, and everybody is told as of when."""
    table = table_name(plan.name)
    known = "_is_deleted" in table_columns(con, f"salesforce.{table}")
    relation = f"salesforce.{quoted(table)}"
    mark = watermark(con, table)
    rows = scalar(con, f"SELECT count(*) FROM {relation}") if known else 0
    live = scalar(con, f"SELECT count(*) FROM {relation} WHERE NOT _is_deleted") if known else 0
    now = datetime.now(UTC).replace(tzinfo=None)
    since = mark.covered_until.astimezone(UTC).replace(tzinfo=None) if mark and rows else None
    explanation = f"{api_name(plan.name)} is hidden from the user, or gone from the org"
    if since:
        explanation += f"; its rows are as of {since:%Y-%m-%d %H:%M:%S} UTC"
    result = LoadResult(
        object=table,
        kind="none",
        eligible=None,
        rows=rows,
        live=live,
        started_at=now,
        ended_at=now,
        warehouse_count=live if known else None,
        explanation=explanation,
        stale_since=since,
    )
    with transaction(con):
        con.execute("DELETE FROM _state.load_result WHERE run_id = ? AND object = ?", [run.run_id, table]).fetchall()
        write_result(con, run.run_id, result, None)
    return result
