"""As-of history: the rows of ``crosswalk.*`` and ``ownership.*`` as intervals of time, and the macros that read them.

Only what became another is written: a year of nights in which little happens takes little room. How long intervals are
kept is ``pipelines.retention``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from data_contracts.contracts import literal, load_contract, quoted
from pipelines.run import OBJECTS, RunContext
from pipelines.tables import ensure_table, scalar, table_columns, transaction

_SQL = Path(__file__).with_suffix(".sql")
#: Columns of the history that are not taken from the table it follows.
_INTERVAL = {"valid_from", "valid_to"}
_OF_THE_INTERVAL = ("object", "salesforce_id", "valid_from", "valid_to", "run_id", "ended_run_id", "cause")
_CAUSE = """,
    CASE WHEN n.ended_id IS NULL AND NOT EXISTS (
            FROM ops.link_history AS h WHERE h.object = $object AND h.salesforce_id = n.salesforce_id
        ) THEN 'first' ELSE coalesce(c.cause, 'reassessed') END AS cause"""
_CAUSES = (
    "LEFT JOIN ops.link_change AS c ON c.object = $object AND c.run_id = $run_id AND c.salesforce_id = n.salesforce_id"
)
#: The end of a day for a day, the moment itself for a moment: what was believed when the day was over.
_MOMENT = (
    "CASE WHEN length(moment::VARCHAR) <= 10 THEN moment::TIMESTAMP + INTERVAL 1 DAY - INTERVAL 1 MICROSECOND "
    "ELSE moment::TIMESTAMP END"
)


@dataclass(frozen=True)
class _Followed:
    """A table of the history: which schema it follows, and the columns whose change begins an interval."""

    schema: str
    tracked: tuple[str, ...]
    macro: str
    description: str


FOLLOWED = {
    "link_history": _Followed(
        "crosswalk",
        ("status", "reference_id", "method", "rule_code", "reason_code", "decided_by", "company_reference_id",
         "account_id"),
        "as_of",
        "The crosswalk of all objects as it was believed at the end of a day, or at a moment (UTC).",
    ),
    "ownership_history": _Followed(
        "ownership",
        ("reference_id", "is_primary", "owner_id", "owner_name", "owner_is_active", "mapped_user", "lists"),
        "ownership_as_of",
        "Who owned what at the end of a day, or at a moment (UTC).",
    ),
}  # fmt: skip


def record_history(con: duckdb.DuckDBPyConnection, run: RunContext) -> dict[str, int]:
    """Write what this run found into ``ops.link_history`` and ``ops.ownership_history``.

    Returns how many intervals it began, per table. Objects whose tables are not there are left out; a record that is in
    a table no more has no interval in force. All or nothing; doing it again for the same run changes nothing.
    """
    begun = {}
    for name, followed in FOLLOWED.items():
        contract = load_contract(f"ops.{name}")
        ensure_table(con, contract)
        ensure_table(con, load_contract("ops.link_change"))
        with transaction(con):
            for object_name in OBJECTS:
                source = table_columns(con, f"{followed.schema}.{object_name}")
                if source:
                    _follow(con, name, followed, object_name, run, [column.name for column in contract.columns], source)
        begun[f"ops.{name}"] = scalar(con, f"SELECT count(*) FROM ops.{name} WHERE run_id = ?", [run.run_id])
    return begun


def _follow(
    con: duckdb.DuckDBPyConnection,
    history: str,
    followed: _Followed,
    object_name: str,
    run: RunContext,
    columns: Sequence[str],
    source: dict[str, str],
) -> None:
    kept = [name for name in columns if name not in _OF_THE_INTERVAL and name in source]
    told = ", ".join(["salesforce_id", *(quoted(name) for name in kept)])
    tracked = [name for name in followed.tracked if name in source]
    missing = ["n.salesforce_id IS NULL", "b.salesforce_id IS NULL"]
    differs = [f"n.{quoted(name)} IS DISTINCT FROM b.{quoted(name)}" for name in tracked]
    script = _SQL.read_text(encoding="utf-8").format(
        history=history,
        now=f"SELECT {told} FROM {followed.schema}.{quoted(object_name)}",
        differs=" OR ".join([*missing, *differs]),
        columns=", ".join(f"n.{name}" for name in told.split(", ")),
        cause=_CAUSE if history == "link_history" else "",
        causes=_CAUSES if history == "link_history" else "",
    )
    values = {"object": object_name, "run_id": run.run_id, "at": _begin(con, history, object_name, run)}
    for statement in script.split(";\n"):
        con.execute(statement, {name: value for name, value in values.items() if f"${name}" in statement}).fetchall()


def _begin(con: duckdb.DuckDBPyConnection, history: str, object_name: str, run: RunContext) -> datetime:
    """Undo what this run wrote before, and return from when its intervals hold.

    That is its begin, unless the clock was set back since: an interval never ends before it begins.
    """
    mine = [object_name, run.run_id]
    con.execute(f"DELETE FROM ops.{history} WHERE object = ? AND run_id = ?", mine).fetchall()
    reopen = f"UPDATE ops.{history} SET valid_to = NULL, ended_run_id = NULL WHERE object = ? AND ended_run_id = ?"
    con.execute(reopen, mine).fetchall()
    last = con.execute(f"SELECT max(valid_from) FROM ops.{history} WHERE object = ?", [object_name]).fetchall()[0][0]
    began = run.started_at.astimezone(UTC).replace(tzinfo=None)
    return began if last is None else max(began, last + timedelta(microseconds=1))


def add_macros(con: duckdb.DuckDBPyConnection, catalog: str, columns: dict[str, set[str]]) -> list[str]:
    """Create in an attached snapshot the table macros of the history it has; return their names.

    ``columns`` are those of the published tables, by table.
    """
    there = {name: item for name, item in FOLLOWED.items() if columns.get(f"ops.{name}", set()) >= _INTERVAL}
    main = con.sql("SELECT current_database()").fetchall()[0][0]
    # A macro is bound when it is made: to the tables of the snapshot, not to those of the warehouse.
    con.execute(f"USE {quoted(catalog)}")
    try:
        for name, item in there.items():
            con.execute(
                f"CREATE MACRO main.{item.macro}(moment) AS TABLE SELECT * FROM ops.{name} "
                f"WHERE valid_from <= {_MOMENT} AND (valid_to IS NULL OR valid_to > {_MOMENT})"
            )
            con.execute(f"COMMENT ON MACRO TABLE main.{item.macro} IS {literal(item.description)}")
    finally:
        con.execute(f"USE {quoted(main)}")
    return [item.macro for item in there.values()]
