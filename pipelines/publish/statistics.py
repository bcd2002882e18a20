"""``ops.run_statistics``: every figure of a run, per object. What each means is its contract's column description."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from data_contracts.contracts import load_contract, quoted
from pipelines.run import OBJECTS, RunContext
from pipelines.tables import ensure_table, scalar, table_columns, transaction

_FOLDER = Path(__file__).parent
_LINK_FIGURES = (
    *("records", "linked", "linked_by_rule", "linked_by_model", "linked_by_person", "in_review"),
    *("unmatched", "skipped", "gone", "distinct_entities"),
)
_FETCH_FIGURES = (
    *("eligible", "fetched", "new", "changed", "unchanged", "removed", "deleted", "merged", "converted"),
    *("undeleted", "recalculated"),
    *("over_limit", "rest_calls", "bulk_jobs", "bytes"),
    *("org_count", "warehouse_count", "difference"),
)


_LATEST_RUNS = "SELECT run_id, started_at FROM ops.sync_run ORDER BY started_at DESC LIMIT ?"


@dataclass(frozen=True)
class StatisticsResult:
    """Rows written for this run: one per object fetched or matched."""

    run_id: str
    rows: int


def write_statistics(con: duckdb.DuckDBPyConnection, run: RunContext) -> StatisticsResult:
    """Write the run's row per object to ``ops.run_statistics``, in place of any it has there.

    Reads ``_state.load_result`` and ``_state.object_outcome`` of this run (an object the run did not fetch has none of
    the former), ``crosswalk.*`` and ``imports.*``.
    """
    ensure_table(con, load_contract("ops.run_statistics"))
    query = (
        (_FOLDER / "statistics.sql")
        .read_text(encoding="utf-8")
        .format(fetches=_fetches(con), links=_links(con), imports=_imports(con), outcomes=_outcomes(con))
    )
    with transaction(con):
        con.execute("DELETE FROM ops.run_statistics WHERE run_id = ?", [run.run_id])
        con.execute(
            query,
            {
                "run_id": run.run_id,
                "trigger": run.trigger,
                "settings_hash": run.settings_hash,
                "at": run.started_at.replace(tzinfo=None),
                "ended_at": datetime.now(UTC).replace(tzinfo=None),
                "window": run.window,
            },
        )
        if table_columns(con, "_state.watermark"):
            con.execute(
                "UPDATE ops.run_statistics AS s SET covered_until = w.covered_until FROM _state.watermark AS w "
                "WHERE w.object = s.object AND s.run_id = ?",
                [run.run_id],
            ).fetchall()
        if table_columns(con, "_state.link_run"):
            con.execute(
                "UPDATE ops.run_statistics AS s SET model = m.model_version FROM _state.link_run AS m "
                "WHERE m.object = s.object AND m.run_id = s.run_id AND s.run_id = ?",
                [run.run_id],
            ).fetchall()
    rows = scalar(con, "SELECT count(*) FROM ops.run_statistics WHERE run_id = ?", [run.run_id])
    return StatisticsResult(run.run_id, rows)


def fetched_objects(con: duckdb.DuckDBPyConnection, run_id: str) -> set[str]:
    """Return the objects a run has fetched, or has tried to, by table name."""
    rows = con.execute(
        "SELECT object FROM ops.run_statistics WHERE run_id = ? AND fetch_started_at IS NOT NULL", [run_id]
    ).fetchall()
    return {row[0] for row in rows}


def link_rates(con: duckdb.DuckDBPyConnection, runs: int = 30) -> list[tuple[str, str, float]]:
    """Return (start of the run as ISO text, object, link rate) of the latest runs, oldest first."""
    return con.execute(
        "SELECT strftime(started_at, '%Y-%m-%dT%H:%M:%SZ'), object, link_rate FROM ops.run_statistics "
        "WHERE link_rate IS NOT NULL AND run_id IN "
        "(SELECT run_id FROM ops.run_statistics GROUP BY run_id ORDER BY max(started_at) DESC LIMIT ?) "
        "ORDER BY started_at, object",
        [runs],
    ).fetchall()


def mirror_sizes(con: duckdb.DuckDBPyConnection, runs: int = 30) -> list[tuple[str, str, int]]:
    """Return (start of the run as ISO text, object, live rows in the mirror) of the latest runs, oldest first."""
    if not table_columns(con, "_state.load_result"):
        return []
    return con.execute(
        "SELECT strftime(r.started_at, '%Y-%m-%dT%H:%M:%SZ'), l.object, max(l.live) FROM _state.load_result AS l "
        f"JOIN ({_LATEST_RUNS}) AS r USING (run_id) WHERE l.live IS NOT NULL GROUP BY ALL ORDER BY 1, 2",
        [runs],
    ).fetchall()


def api_calls(con: duckdb.DuckDBPyConnection, runs: int = 30) -> list[tuple[str, str, int]]:
    """Return (start of the run as ISO text, object, API calls) of the latest runs, oldest first."""
    return con.execute(
        "SELECT strftime(r.started_at, '%Y-%m-%dT%H:%M:%SZ'), coalesce(nullif(u.object_name, ''), '-'), "
        f"sum(u.calls)::BIGINT FROM ops.api_usage AS u JOIN ({_LATEST_RUNS}) AS r USING (run_id) "
        "GROUP BY ALL ORDER BY 1, 2",
        [runs],
    ).fetchall()


def api_estimates(con: duckdb.DuckDBPyConnection, runs: int = 30) -> list[tuple[str, int, int | None, int | None]]:
    """Return (start of the run as ISO text, API calls estimated, org's count after it, org's allowance), oldest first.

    Runs that ended before they had planned have no estimate and are left out.
    """
    return con.execute(
        "SELECT strftime(started_at, '%Y-%m-%dT%H:%M:%SZ'), api_estimated, org_used_after, org_allowed "
        f"FROM ops.sync_run JOIN ({_LATEST_RUNS}) AS r USING (run_id, started_at) "
        "WHERE api_estimated IS NOT NULL ORDER BY 1",
        [runs],
    ).fetchall()


def happenings(con: duckdb.DuckDBPyConnection, run_id: str) -> dict[str, list[tuple[str, ...]]]:
    """Return what a run noticed, per ``ops`` table, as rows of text for people; no ids and no values.

    ``ops.schema_change``: object, field, change, message; ``ops.record_event`` and ``ops.reject``: object, event or
    field, records; ``ops.api_usage``: object, endpoint, calls, calls estimated.
    """
    queries = {
        "ops.schema_change": "SELECT object_name, field_name, change, message FROM ops.schema_change",
        "ops.record_event": "SELECT object_name, event, format('{:,}', count(*)) FROM ops.record_event",
        "ops.reject": "SELECT object_name, field_name, format('{:,}', count(*)) FROM ops.reject",
        "ops.api_usage": "SELECT coalesce(nullif(object_name, ''), '–'), endpoint, format('{:,}', sum(calls)::BIGINT), "
        "coalesce(format('{:,}', sum(estimated)::BIGINT), '–') FROM ops.api_usage",
    }
    return {
        table: con.execute(f"{query} WHERE run_id = ? GROUP BY ALL ORDER BY ALL LIMIT 200", [run_id]).fetchall()
        for table, query in queries.items()
    }


def _fetches(con: duckdb.DuckDBPyConnection) -> str:
    """What extraction wrote of this run; a figure it does not have is null."""
    available = table_columns(con, "_state.load_result")
    wanted = {"kind": "VARCHAR", "explanation": "VARCHAR", "recalculated_fields": "VARCHAR"}
    wanted |= dict.fromkeys(("started_at", "ended_at", "stale_since"), "TIMESTAMP")
    wanted |= dict.fromkeys(_FETCH_FIGURES, "BIGINT")
    columns = ", ".join(
        f"{quoted(name)}::{kind} AS {quoted(name)}" if name in available else f"NULL::{kind} AS {quoted(name)}"
        for name, kind in wanted.items()
    )
    if "run_id" not in available:
        return f"SELECT NULL::VARCHAR AS object, {columns} WHERE FALSE"
    # An object that was tried again within the run has its last try counted.
    order = "ended_at DESC NULLS LAST" if "ended_at" in available else "object"
    return (
        f"SELECT object, {columns} FROM _state.load_result WHERE run_id = $run_id "
        f"QUALIFY row_number() OVER (PARTITION BY object ORDER BY {order}) = 1"
    )


def _outcomes(con: duckdb.DuckDBPyConnection) -> str:
    """What planning says of objects that were refused, skipped or made full."""
    if table_columns(con, "_state.object_outcome"):
        return "SELECT object, reason FROM _state.object_outcome WHERE run_id = $run_id"
    return "SELECT NULL::VARCHAR AS object, NULL::VARCHAR AS reason WHERE FALSE"


def _links(con: duckdb.DuckDBPyConnection) -> str:
    tables = {name: table_columns(con, f"crosswalk.{name}") for name in OBJECTS}
    parts = [
        f"""
SELECT '{name}' AS object, count(*) AS records,
  count(*) FILTER (status = 'linked') AS linked,
  count(*) FILTER (status = 'linked' AND method = 'rule') AS linked_by_rule,
  count(*) FILTER (status = 'linked' AND method = 'model') AS linked_by_model,
  count(*) FILTER (status = 'linked' AND method = 'person') AS linked_by_person,
  count(*) FILTER (status = 'in_review') AS in_review,
  count(*) FILTER (status = 'unmatched') AS unmatched,
  count(*) FILTER (status = 'skipped') AS skipped,
  {"count(*) FILTER (reason_code IN ('deleted', 'merged'))" if "reason_code" in columns else "NULL::BIGINT"} AS gone,
  count(DISTINCT reference_id) FILTER (status = 'linked') AS distinct_entities
FROM crosswalk.{quoted(name)}"""
        for name, columns in tables.items()
        if columns
    ]
    empty = ", ".join(f"NULL::BIGINT AS {name}" for name in _LINK_FIGURES)
    return " UNION ALL BY NAME ".join(parts) or f"SELECT NULL::VARCHAR AS object, {empty} WHERE FALSE"


def _imports(con: duckdb.DuckDBPyConnection) -> str:
    """Values this run brought or left standing, and records left out for a required value, per object."""
    parts = [
        f"SELECT '{name}' AS object, count(*) FILTER (i.data_status = 'skipped' AND c.status <> 'skipped') AS failed "
        f"FROM imports.{name} AS i JOIN crosswalk.{name} AS c USING (salesforce_id)"
        for name in OBJECTS
        if table_columns(con, f"imports.{name}") and table_columns(con, f"crosswalk.{name}")
    ]
    failed = " UNION ALL ".join(parts) or "SELECT NULL::VARCHAR AS object, 0 AS failed WHERE FALSE"
    values = "SELECT NULL::VARCHAR AS object, 0 AS written, 0 AS unchanged WHERE FALSE"
    if table_columns(con, "imports.value"):
        values = (
            "SELECT object, count(*) FILTER (run_id = $run_id) AS written, "
            "count(*) FILTER (run_id <> $run_id) AS unchanged FROM imports.value GROUP BY object"
        )
    return (
        "SELECT f.object, coalesce(v.written, 0) AS written, coalesce(v.unchanged, 0) AS unchanged, f.failed "
        f"FROM ({failed}) AS f LEFT JOIN ({values}) AS v USING (object)"
    )
