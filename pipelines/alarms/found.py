"""Which alarms the tables of the last runs give cause for. Nothing is written here but ``ops.fill_rate``."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from data_contracts.contracts import load_contract, quoted
from data_contracts.settings import Settings
from pipelines.alarms.alarm import Alarm
from pipelines.run import OBJECTS, RunContext
from pipelines.tables import ensure_table, scalar, table_columns, transaction

_SQL = Path(__file__).parent / "found.sql"
#: Columns of standard.* whose filling is watched, where the object has them.
MATCHING_FIELDS = (
    *("name_clean", "first_name_clean", "last_name_clean", "company_name_clean", "domain", "company_domain"),
    *("email_clean", "phone", "mobile", "street_name", "postal_code_clean", "city_clean", "country_code"),
    *("title_clean", "stored_reference_id"),
)
#: A share of fewer records says little.
FEWEST = 50


def find_alarms(con: duckdb.DuckDBPyConnection, settings: Settings, *, run_id: str, at: datetime) -> list[Alarm]:
    """Return what is wrong as of the last runs, ``run_id`` the latest; reads ``ops.*`` only."""
    alerts = settings.alerts
    watched = [name for name in OBJECTS if settings.objects[name].enabled]
    rows = con.execute(
        _SQL.read_text(encoding="utf-8"),
        {
            "link_rate_drop": alerts.link_rate_drop,
            "fill_rate_drop": alerts.fill_rate_drop,
            "removed_share": alerts.removed_share,
            "stale_after_days": alerts.stale_after_days,
            "fewest": FEWEST,
            "watched": [name for name in watched if settings.objects[name].frequency != "manual"],
            "now": at.astimezone(UTC).replace(tzinfo=None),
            "run_id": run_id,
        },
    ).fetchall()
    return [
        Alarm(code, message, name, subject, measured, limit) for code, name, subject, measured, limit, message in rows
    ]


def drift_alarms(con: duckdb.DuckDBPyConnection, run_id: str) -> list[Alarm]:
    """Return what ``run_id`` found changed in fields that something relies on: such a run may not come further."""
    if not table_columns(con, "ops.schema_change"):
        return []
    rows = con.execute(
        "SELECT lower(object_name), field_name, concat(field_name, ' was ', change, coalesce(': ' || message, '')) "
        "FROM ops.schema_change WHERE run_id = ? AND needed AND change IN ('removed', 'hidden', 'retyped', 'resized') "
        "ORDER BY ALL",
        [run_id],
    ).fetchall()
    return [Alarm("schema_drift", message, name, field) for name, field, message in rows]


def write_fill_rates(con: duckdb.DuckDBPyConnection, run: RunContext) -> int:
    """Write how well the matching fields are filled to ``ops.fill_rate``, in place of any of the run; return the rows.

    Reads ``standard.*``; an object without a table or rows is left out.
    """
    contract = load_contract("ops.fill_rate")
    ensure_table(con, contract)
    with transaction(con):
        con.execute("DELETE FROM ops.fill_rate WHERE run_id = ?", [run.run_id]).fetchall()
        for name in OBJECTS:
            columns = table_columns(con, f"standard.{name}")
            fields = [field for field in MATCHING_FIELDS if field in columns]
            if fields:
                _write_fill(con, run, name, fields)
    return scalar(con, "SELECT count(*) FROM ops.fill_rate WHERE run_id = ?", [run.run_id])


def _write_fill(con: duckdb.DuckDBPyConnection, run: RunContext, name: str, fields: list[str]) -> None:
    counted = ", ".join(f"count(nullif({quoted(field)}, '')) AS {quoted(field)}" for field in fields)
    con.execute(
        f"INSERT INTO ops.fill_rate BY NAME SELECT $run_id AS run_id, '{name}' AS object, field, "
        "$at::TIMESTAMP AS started_at, records, filled, filled / records AS fill_rate FROM "
        f"(UNPIVOT (SELECT count(*) AS records, {counted} FROM standard.{quoted(name)} HAVING count(*) > 0) "
        f"ON {', '.join(quoted(field) for field in fields)} INTO NAME field VALUE filled)",
        {"run_id": run.run_id, "at": run.started_at.replace(tzinfo=None)},
    ).fetchall()
