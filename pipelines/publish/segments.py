"""``ops.link_segment``: the link rate of each run by country, record type and owner; the total is in the statistics.

A segment is only counted where its column was mirrored. Values are codes and Salesforce ids, never names of people.
"""

from pathlib import Path

import duckdb

from data_contracts.contracts import load_contract
from pipelines.run import OBJECTS, RunContext
from pipelines.tables import ensure_table, scalar, table_columns, transaction

TABLE = "ops.link_segment"
_SQL = Path(__file__).parent / "segments.sql"
#: Values of one segment that are told apart, the largest first; the rest is one value.
MOST_VALUES = 20
#: Segment → the table of an object and the column of it that says which value a record has.
_COLUMNS = {
    "country": ("standard", "salesforce_id", "country_code"),
    "record_type": ("salesforce", "Id", "RecordTypeId"),
    "owner": ("salesforce", "Id", "OwnerId"),
}

SEGMENTS = tuple(_COLUMNS)
"""The segments there are."""


def write_segments(con: duckdb.DuckDBPyConnection, run: RunContext) -> int:
    """Write the run's link rate by segment to ``ops.link_segment``, in place of any it has there; return the rows.

    Reads ``crosswalk.*``, ``standard.*`` and ``salesforce.*``; a table or column that is not there is left out.
    """
    ensure_table(con, load_contract(TABLE))
    with transaction(con):
        con.execute(f"DELETE FROM {TABLE} WHERE run_id = ?", [run.run_id]).fetchall()
        for name in OBJECTS:
            if not table_columns(con, f"crosswalk.{name}"):
                continue
            for segment, (schema, key, column) in _COLUMNS.items():
                if column in table_columns(con, f"{schema}.{name}"):
                    _write(con, run, name, segment, (f"{schema}.{name}", key, column))
    return scalar(con, f"SELECT count(*) FROM {TABLE} WHERE run_id = ?", [run.run_id])


def segment_rates(
    con: duckdb.DuckDBPyConnection, segment: str, runs: int = 30, values: int = 6
) -> list[tuple[str, str, str, int, float]]:
    """Return (start of the run as ISO text, object, value, records, link rate) of the latest runs, oldest first.

    Only the ``values`` largest values of each object in its latest run.
    """
    if not table_columns(con, TABLE):
        return []
    return con.execute(
        f"""
WITH latest AS (
  SELECT run_id FROM {TABLE} GROUP BY run_id ORDER BY max(started_at) DESC LIMIT $runs
), large AS (
  SELECT object, value FROM {TABLE} WHERE segment = $segment
  QUALIFY started_at = max(started_at) OVER (PARTITION BY object)
    AND row_number() OVER (PARTITION BY object, started_at ORDER BY records DESC, value) <= $values
)
SELECT strftime(started_at, '%Y-%m-%dT%H:%M:%SZ'), object, value, records, link_rate
FROM {TABLE} SEMI JOIN latest USING (run_id) SEMI JOIN large USING (object, value)
WHERE segment = $segment ORDER BY started_at, object, records DESC, value""",
        {"segment": segment, "runs": runs, "values": values},
    ).fetchall()


def _write(
    con: duckdb.DuckDBPyConnection, run: RunContext, name: str, segment: str, source: tuple[str, str, str]
) -> None:
    table, key, column = source
    sql = _SQL.read_text(encoding="utf-8").format(object=name, table=table, key=key, column=column)
    at = run.started_at.replace(tzinfo=None)
    given = {"run_id": run.run_id, "object": name, "segment": segment, "at": at, "most": MOST_VALUES}
    con.execute(sql, given).fetchall()
