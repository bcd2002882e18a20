"""Mapped imports of generated accounts, step by step: ``python -m benchmarks.imports --rows 2000000``.

First import, nothing changed, 1 % changed, half changed; each as records and as entities with values and feed. One
JSON line per step: seconds, CPU seconds of this process, its peak memory so far (10^6 bytes), what was looked at and
what was written.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from data_contracts.contracts import load_contract
from data_contracts.settings import Settings
from pipelines.imports import build_entity_imports, build_imports
from pipelines.run import RunContext
from resources.warehouse import Warehouse

_TABLES = """
CREATE TABLE salesforce.account AS
SELECT '001' || lpad(i::VARCHAR, 15, '0') AS "Id", 'Company name ' || i AS "Name",
  'www.company' || i || '.com' AS "Website",
  '+47' || (10000000 + i) AS "Phone", 'Main street ' || i AS "BillingStreet", 'City ' || i % 5000 AS "BillingCity",
  'State ' || i % 50 AS "BillingState", lpad((i % 90000)::VARCHAR, 5, '0') AS "BillingPostalCode",
  'Norway' AS "BillingCountry", 'Industry ' || i % 30 AS "Industry", (i % 1000)::BIGINT AS "NumberOfEmployees",
  (i * 10)::DECIMAL(18, 0) AS "AnnualRevenue", '005' || lpad((i % 200)::VARCHAR, 15, '0') AS "OwnerId",
  TIMESTAMP '2020-01-01' + to_seconds(i) AS "SystemModstamp", TIMESTAMP '2020-01-01' + to_seconds(i) AS "CreatedDate",
  DATE '2021-01-01' + (i % 300)::INTEGER AS "LastActivityDate",
  false AS _is_deleted, TIMESTAMP '2026-01-01' AS _synced_at, 'run-1' AS _run_id
FROM range({rows}) AS t(i);
CREATE TABLE salesforce.opportunity AS
SELECT '006' || lpad(i::VARCHAR, 15, '0') AS "Id", '001' || lpad((i * 3 % {rows})::VARCHAR, 15, '0') AS "AccountId",
  i % 2 = 0 AS "IsClosed", false AS _is_deleted
FROM range({rows} // 4) AS t(i);
INSERT INTO reference.company BY NAME
SELECT 'C' || i AS company_id, 'Company name ' || i AS name, 'company' || i || '.com' AS website,
  '+47' || (10000000 + i) AS phone, 'Main street ' || i AS street, 'City ' || i % 5000 AS city, 'Norway' AS country,
  'source' AS origin
FROM range({rows}) AS t(i);
CREATE TABLE crosswalk.account AS
SELECT '001' || lpad(i::VARCHAR, 15, '0') AS salesforce_id,
  CASE WHEN i % 10 < 8 THEN 'linked' ELSE 'unmatched' END AS status,
  CASE WHEN i % 10 < 8 THEN 'C' || (i - (i % 10 = 7)::INTEGER) END AS reference_id,
  CASE WHEN i % 10 < 8 THEN 'rule' END AS method
FROM range({rows}) AS t(i);
"""
_Work = Callable[[duckdb.DuckDBPyConnection, Settings, RunContext], dict[str, Any]]
#: What changes before each pair of steps.
_DAYS = {
    "first import": "",
    "nothing changed": "",
    "1 % changed": 'UPDATE salesforce.account SET "Phone" = \'1\' || "Phone" WHERE substr("Id", 17) = \'07\'',
    "half changed": 'UPDATE salesforce.account SET "Name" = "Name" || \'x\' WHERE substr("Id", 18) < \'5\'',
}


def main() -> None:
    """Run every step on a warehouse of its own, with the memory limit that is shipped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    arguments = parser.parse_args()
    settings = Settings()
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder) / "warehouse.duckdb", settings.limits.memory)
        with warehouse.connect() as con:
            con.execute(load_contract("reference.company").ddl())
            for statement in filter(str.strip, _TABLES.format(rows=arguments.rows).split(";")):
                con.execute(statement)
        for day, (what, change) in enumerate(_DAYS.items(), start=1):
            run = RunContext(f"run-{day}", "full", datetime(2026, 3, day, tzinfo=UTC))
            if change:
                with warehouse.connect() as con:
                    con.execute(change)
            _step(warehouse, f"records, {what}", _records, settings, run)
            _step(warehouse, f"entities, {what}", _entities, settings, run)


def _records(con: duckdb.DuckDBPyConnection, settings: Settings, run: RunContext) -> dict[str, Any]:
    result = build_imports(con, "account", settings, run)
    return {"rows": result.records, "looked_at": result.looked_at, "written": result.written}


def _entities(con: duckdb.DuckDBPyConnection, settings: Settings, run: RunContext) -> dict[str, Any]:
    result = build_entity_imports(con, "company", settings, run)
    told = {"rows": result.entities, "looked_at": result.built, "written": result.written}
    return told | {"values": result.values.standing, "changes": result.values.changes}


def _step(warehouse: Warehouse, name: str, work: _Work, settings: Settings, run: RunContext) -> None:
    began, used = time.monotonic(), _cpu()
    with warehouse.connect() as con:
        told = work(con, settings, run)
    seconds, cpu = time.monotonic() - began, _cpu() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps({"step": name, "seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1),
                      "peak_mb": round(peak), **told}), flush=True)  # fmt: skip


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
