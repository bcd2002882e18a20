"""A snapshot file with as many waiting pairs as asked for, made by SQL alone: for pages and their speed."""

from pathlib import Path

import duckdb

from data_contracts.contracts import load_contract
from resources.warehouse import SCHEMAS

_TABLES = ("crosswalk.account", "standard.account", "standard.company", "match.account_candidate", "match.decision")


def waiting_snapshot(path: Path, waiting: int, *, records: int | None = None, entities: int | None = None) -> Path:
    """Write a snapshot in which the first ``waiting`` of ``records`` accounts are in review, three candidates each."""
    records, entities = records or waiting, entities or waiting
    with duckdb.connect(str(path)) as con:
        for schema in SCHEMAS:
            con.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        for table in (*_TABLES, "reference.company"):
            columns = ", ".join(f'"{c.name}" {c.type}' for c in load_contract(table).columns)
            con.execute(f"CREATE TABLE {table} ({columns})")
        con.execute("CREATE TABLE main._meta AS SELECT 'scale' AS run_id, TIMESTAMP '2026-01-01' AS published_at")
        con.execute(_ACCOUNTS, {"records": records})
        con.execute(_OPPORTUNITIES, {"records": records})
        con.execute(
            "INSERT INTO reference.company BY NAME SELECT 'c' || i AS company_id, 'source' AS origin, "
            "'Firm ' || (i % 50000) || ' Number ' || i AS name, 'Town ' || (i % 999) AS city "
            "FROM range($entities) t(i)",
            {"entities": entities},
        )
        con.execute(
            "INSERT INTO standard.company BY NAME SELECT company_id, name AS name_raw, lower(name) AS name_clean, "
            "lower(name) AS name_core, 'DE' AS country_code FROM reference.company"
        )
        con.execute(
            'INSERT INTO standard.account BY NAME SELECT "Id" AS salesforce_id, "Name" AS name_raw, lower("Name") AS '
            "name_clean, 'DE' AS country_code FROM salesforce.account"
        )
        con.execute(_CANDIDATES, {"waiting": waiting, "entities": entities})
        con.execute(_CROSSWALK, {"waiting": waiting, "entities": entities})
    return path


_ACCOUNTS = """
CREATE TABLE salesforce.account AS SELECT '001' || lpad(i::VARCHAR, 12, '0') || 'AAA' AS "Id",
    'Account ' || i AS "Name", '005' || (i % 7) AS "OwnerId", false AS _is_deleted FROM range($records) t(i)"""
_OPPORTUNITIES = """
CREATE TABLE salesforce.opportunity AS SELECT '006' || i AS "Id", '001' || lpad((i * 5)::VARCHAR, 12, '0') || 'AAA' AS
    "AccountId", (i % 13) * 100.0 AS "Amount", false AS "IsClosed", false AS _is_deleted
FROM range($records // 5) t(i)"""
_CANDIDATES = """
INSERT INTO match.account_candidate BY NAME
SELECT '001' || lpad(i::VARCHAR, 12, '0') || 'AAA' AS salesforce_id, 'c' || ((i + r * 17) % $entities) AS reference_id,
    ['word'] AS block_keys, 3.0 - r AS match_weight, ((i * 37) % 997) / 997 / (r + 1) AS match_probability,
    r + 1 AS rank,
    2.0 - r AS weight_name, CASE WHEN i % 3 = 0 THEN NULL ELSE ((i * 31) % 101) / 50 END AS teaching_value
FROM range($waiting) t(i), range(3) u(r)"""
_CROSSWALK = """
INSERT INTO crosswalk.account BY NAME
SELECT s."Id" AS salesforce_id, CASE WHEN i < $waiting THEN 'in_review' ELSE 'linked' END AS status,
    'c' || (i % $entities) AS reference_id, 'model' AS method, ((i * 37) % 997) / 997 AS match_probability,
    3.0 AS match_weight, 3 AS candidate_count, 'probability is between the thresholds' AS reason, 'scale' AS run_id,
    CASE WHEN i < $waiting THEN 'likely' ELSE 'model' END AS reason_code
FROM (SELECT *, substr("Id", 4, 12)::BIGINT AS i FROM salesforce.account) s"""
