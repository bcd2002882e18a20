"""What a judgement was made on: the standard and raw values of both sides, kept with it and compared at every run.

Which judgements hold is ``decisions.py``, what they do to a link ``judgements.py``. Evidence has changed where a
standard value is another one *and* a raw value is: neither a new way of cleaning nor a new spelling of the same value
asks a person twice. Only values known to both versions are compared.
"""

from pathlib import Path

import duckdb

from data_contracts.contracts import literal, quoted
from data_contracts.mapping import MappedObject
from pipelines.resolve.decisions import EVIDENCE_DDL
from pipelines.resolve.sides import Kind, kind_of
from pipelines.run import RunContext
from pipelines.standardize.sources import INPUTS, read_sql
from pipelines.tables import table_columns
from resources.decisions import DecisionStore, Evidence
from resources.decisions_acts import pin_evidence

_FOLDER = Path(__file__).parent
#: Standard values that follow from others, come from lists we ship, or tell nobody who somebody is.
DERIVED = frozenset(
    {
        *("name_raw", "name_core", "name_key", "name_tokens", "name_numbers", "acronym", "domain_is_shared"),
        *("first_name_canonical", "email_domain", "email_is_free", "company_name_core", "company_name_key"),
        *("company_name_tokens", "employees", "other_names", "is_person"),
    }
)
_RAW = tuple(name for name in INPUTS if name not in ("key", "size", "stored_reference_id"))


def evidence_columns(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Return the columns of ``standard.<table>`` that are evidence."""
    names = list(table_columns(con, f"standard.{table}"))
    return [name for name in names[1:] if name not in DERIVED and not name.startswith("_")]


def evidence_query(con: duckdb.DuckDBPyConnection, name: MappedObject, pairs: str) -> str:
    """Return a query of (salesforce_id, reference_id, evidence, record, entity) for the pairs of relation ``pairs``.

    ``record`` and ``entity`` are JSON texts with the keys ``standard`` and ``raw``; ``evidence`` is the hash of what is
    standard in them. A pair of which one side is not there has no row.
    """
    wanted = (f"SELECT salesforce_id FROM {pairs}", f"SELECT reference_id FROM {pairs}")
    return _both(con, name, f"{pairs} AS p", wanted)


def evidence_of_pair(
    con: duckdb.DuckDBPyConnection, name: MappedObject, salesforce_id: str, reference_id: str
) -> Evidence | None:
    """Return what speaks for one pair as it stands, None where one side is not there."""
    ids = literal(salesforce_id), literal(reference_id)
    pair = f"(SELECT {ids[0]} AS salesforce_id, {ids[1]} AS reference_id) AS p"
    rows = con.execute(f"SELECT evidence, record, entity FROM ({_both(con, name, pair, ids)})").fetchall()
    return Evidence(*rows[0]) if rows else None


def _both(con: duckdb.DuckDBPyConnection, name: MappedObject, pairs: str, wanted: tuple[str, str]) -> str:
    left = _side(con, name, "salesforce_id", wanted[0])
    right = _side(con, kind_of(name), f"{kind_of(name)}_id", wanted[1])
    return (
        "SELECT p.salesforce_id, p.reference_id, sha256(l.standard || r.standard) AS evidence, "
        "json_object('standard', l.standard::JSON, 'raw', l.raw::JSON)::VARCHAR AS record, "
        "json_object('standard', r.standard::JSON, 'raw', r.raw::JSON)::VARCHAR AS entity "
        f"FROM {pairs} JOIN ({left}) AS l ON l.key = p.salesforce_id JOIN ({right}) AS r ON r.key = p.reference_id"
    )


def _side(con: duckdb.DuckDBPyConnection, table: MappedObject | Kind, key: str, wanted: str) -> str:
    standard = ", ".join(f"{literal(c)}, s.{quoted(c)}" for c in evidence_columns(con, table))
    raw = read_sql(con, table, None)
    inputs = ", ".join(f"{literal(c)}, i.{quoted(c)}" for c in _RAW)
    told = f"CASE WHEN i.key IS NOT NULL THEN json_object({inputs})::VARCHAR END" if raw else "NULL::VARCHAR"
    join = f"LEFT JOIN (SELECT * FROM ({raw}) WHERE key IN ({wanted})) AS i ON i.key = s.{key}" if raw else ""
    return (
        f"SELECT s.{key} AS key, json_object({standard})::VARCHAR AS standard, {told} AS raw "
        f"FROM standard.{table} AS s {join} WHERE s.{key} IN ({wanted})"
    )


def mark_changed(con: duckdb.DuckDBPyConnection, name: MappedObject, run: RunContext) -> int:
    """Create ``_changed_decision`` (salesforce_id, reference_id, changed) and return how many judgements it holds.

    ``changed`` names the standard values that are others than when the judgement in force on the pair was made.
    """
    con.execute("CREATE SCHEMA IF NOT EXISTS _state")
    con.execute(EVIDENCE_DDL.format(or_replace="", if_not_exists="IF NOT EXISTS"))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _changed_decision (salesforce_id VARCHAR, reference_id VARCHAR, changed VARCHAR)"
    )
    if "decision_id" not in table_columns(con, "match.decision"):
        return 0
    script = (_FOLDER / "evidence_kept.sql").read_text(encoding="utf-8")
    con.execute(script, {"object": name, "at": run.started_at.replace(tzinfo=None)})
    if con.sql("SELECT count(*) FROM _evidence_kept").fetchall()[0][0]:
        sides = ((name, "record"), (kind_of(name), "entity"))
        told = [_differences(side, column, evidence_columns(con, side)) for side, column in sides]
        con.execute(
            "INSERT INTO _changed_decision SELECT salesforce_id, reference_id, concat_ws('; ', record, entity) FROM ("
            f"SELECT k.salesforce_id, k.reference_id, {told[0]} AS record, {told[1]} AS entity "
            f"FROM _evidence_kept AS k JOIN ({evidence_query(con, name, '_evidence_kept')}) AS n "
            "USING (salesforce_id, reference_id) WHERE n.evidence <> k.evidence"
            ") WHERE coalesce(record, entity) IS NOT NULL"
        )
    con.execute("DROP TABLE _evidence_kept")
    count: int = con.sql("SELECT count(*) FROM _changed_decision").fetchall()[0][0]
    return count


def _differences(table: str, side: str, columns: list[str]) -> str:
    """SQL of the changed standard values of one side (``name_clean, phone``), NULL where nothing or nothing raw is."""
    told = ", ".join(f"CASE WHEN {_differs(side, 'standard', c)} THEN {literal(c)} END" for c in columns)
    raw = " OR ".join(_differs(side, "raw", c) for c in _RAW)
    unknown = f"json_type(k.{side}, '$.raw') = 'NULL' OR json_type(n.{side}, '$.raw') = 'NULL'"
    listed = f"nullif(concat_ws(', ', {told}), '')"
    return f"CASE WHEN {unknown} OR {raw} THEN {literal(table + ': ')} || {listed} END"


def _differs(side: str, part: str, name: str) -> str:
    path = literal(f"$.{part}.{name}")
    return (
        f"(json_exists(k.{side}, {path}) AND "
        f"json_extract_string(k.{side}, {path}) IS DISTINCT FROM json_extract_string(n.{side}, {path}))"
    )


def pin_missing(con: duckdb.DuckDBPyConnection, store: DecisionStore, name: MappedObject) -> int:
    """Keep the evidence of today with replayed judgements that came without (imported ones); return how many.

    From then on a change of the evidence is noticed for them too.
    """
    if "decision_id" not in table_columns(con, "match.decision"):
        return 0
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _unpinned AS SELECT DISTINCT decision_id, salesforce_id, reference_id "
        "FROM match.decision WHERE object = $object AND evidence IS NULL AND withdrawn_at IS NULL "
        "AND decision_id IS NOT NULL",
        {"object": name},
    )
    if not con.sql("SELECT count(*) FROM _unpinned").fetchall()[0][0]:
        return 0
    pairs = "(SELECT DISTINCT salesforce_id, reference_id FROM _unpinned)"
    rows = con.execute(
        f"SELECT u.decision_id, e.evidence, e.record, e.entity FROM _unpinned AS u "
        f"JOIN ({evidence_query(con, name, pairs)}) AS e USING (salesforce_id, reference_id)"
    ).fetchall()
    pinned = pin_evidence(store, ((int(row[0]), Evidence(*row[1:])) for row in rows))
    con.execute("DROP TABLE _unpinned")
    return pinned
