"""The table behind the queue: every record that waits, with its best candidate and what a decision is worth.

Built once per snapshot; pages are read from it in ``queue.py``. What was decided since is in ``pending.py``.
"""

from pathlib import Path

import duckdb

from pipelines.resolve.sides import kind_of
from pipelines.review.published import columns_of, text
from pipelines.review.worth import worth_query
from pipelines.run import OBJECTS

_SQL = Path(__file__).parent / "queue_table.sql"
#: Where ``ReviewSnapshot`` keeps the table, for every connection; and where a single connection keeps its own.
SHARED, OWN = "memory.main.review_queue", "temp.main.review_queue"

_IN_FORCE = """
SELECT salesforce_id, reference_id, judgement, decided_at FROM match.decision
WHERE object = '{object}' AND withdrawn_at IS NULL AND (expires_at IS NULL OR expires_at > now()::TIMESTAMP)
QUALIFY row_number() OVER (PARTITION BY salesforce_id, reference_id ORDER BY decided_at DESC, judgement) = 1"""


def queue_table(con: duckdb.DuckDBPyConnection) -> str:
    """Return the relation of the queue: the shared one, else this connection's own, built when first asked for."""
    for relation in (SHARED, OWN):
        if columns_of(con, relation):
            return relation
    build_queue(con, OWN)
    return OWN


def build_queue(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    """Create ``relation`` from the snapshot that ``con`` uses; return how many records wait."""
    parts = [_select(con, name) for name in OBJECTS if columns_of(con, f"crosswalk.{name}")]
    nobody = _EMPTY if not parts else " UNION ALL BY NAME ".join(f"({part})" for part in parts)
    con.execute(f"CREATE OR REPLACE TABLE {relation} AS {nobody}").fetchall()
    rows: int = con.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0]
    return rows


def _select(con: duckdb.DuckDBPyConnection, name: str) -> str:
    """Return the query of one object's waiting records."""
    candidates = columns_of(con, f"match.{name}_candidate")
    parts = {
        "object": name,
        "kind": kind_of(name),  # type: ignore[arg-type]
        "teaching": text("teaching_value", candidates, "k", "DOUBLE"),
        "veto": text("veto", candidates, "k"),
        "owner": text("OwnerId", columns_of(con, f"salesforce.{name}"), "o"),
        "in_force": _IN_FORCE.format(object=name),
        "worth": worth_query(con, name),
    }
    sql = _SQL.read_text(encoding="utf-8")
    for placeholder, value in parts.items():
        sql = sql.replace("{" + placeholder + "}", value)
    return sql


_COLUMNS = {
    **dict.fromkeys(("object", "salesforce_id", "name", "reference_id", "candidate_name", "rule_code"), "VARCHAR"),
    **dict.fromkeys(("reason", "currency", "waiting", "country", "owner_id", "veto", "status", "basis"), "VARCHAR"),
    **dict.fromkeys(
        ("match_probability", "match_weight", "teaching_value", "worth", "comparable", "rank_value"), "DOUBLE"
    ),
    "candidate_count": "INTEGER",
}
_EMPTY = "SELECT " + ", ".join(f"NULL::{kind} AS {name}" for name, kind in _COLUMNS.items()) + " WHERE false"
