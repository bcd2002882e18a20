"""The steps of the resolution benchmark, each run in a process of its own by ``resolution``; JSON in, JSON out."""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

SQL = Path(__file__).with_name("resolution_data.sql")
TABLES = {"account": "salesforce.account", "company": "reference.company"}
#: What Splink compares, of our standard columns: nobody should be measured by how they clean.
COLUMNS = "name_core, domain, phone, street_number, street_name, city_clean, postal_code_clean, country_code"
#: One row in a hundred, and what is done to it.
CHANGES = {
    # With the stamps a load leaves.
    "account": """UPDATE salesforce.account SET "Phone" = '+12125550' || right("Id", 3), _run_id = 'changed',
        _synced_at = TIMESTAMP '2026-03-02' WHERE right("Id", 2) = '07'""",
    "company": "UPDATE reference.company SET phone = '+12125551' || right(company_id, 3) "
    "WHERE right(company_id, 2) = '07'",
}


def _fetch(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return con.execute(query).fetchall()


def generate(order: dict[str, Any]) -> dict[str, Any]:
    """Write the rows of both sides and the truth as Parquet."""
    con = duckdb.connect()
    for statement in SQL.read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            con.execute(statement, {"rows": order["rows"]} if "$rows" in statement else None).fetchall()
    for name in ("account", "company", "truth"):
        _fetch(con, f"COPY {name} TO '{order['folder']}/{name}.parquet' (FORMAT parquet)")
    return {}


def _warehouse(order: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    from resources.warehouse import SCHEMAS

    con = duckdb.connect(f"{order['folder']}/warehouse.duckdb")
    _fetch(con, f"SET memory_limit = '{order['memory']}'")
    _fetch(con, "SET TimeZone = 'UTC'")
    for schema in SCHEMAS:
        _fetch(con, f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
    return con


def load(order: dict[str, Any]) -> dict[str, Any]:
    """Put the raw rows into a warehouse, as extraction leaves them."""
    con = _warehouse(order)
    for name, table in TABLES.items():
        _fetch(con, f"CREATE OR REPLACE TABLE {table} AS FROM '{order['folder']}/{name}.parquet'")
    return {}


def ours(order: dict[str, Any]) -> dict[str, Any]:
    """Standardise what is not yet, block, score, decide; ``kind`` full trains a model, delta reuses the kept one."""
    from data_contracts.settings import Settings
    from pipelines.resolve import resolve
    from pipelines.run import RunContext
    from pipelines.standardize import standardize

    con, settings, told = _warehouse(order), Settings(), list[tuple[str, float]]()
    run = RunContext(order["run"], order["kind"], datetime(2026, 3, order["day"], tzinfo=UTC))
    if change := order.get("change"):
        _fetch(con, CHANGES[change])
    if order.get("forget_index"):
        _fetch(con, "DELETE FROM _state.kept_index")
    began, cpu = time.perf_counter(), time.process_time()
    for table in ("account", "company", "person"):
        standardize(con, table, settings, run)
    clean, clean_cpu = time.perf_counter() - began, time.process_time() - cpu

    def say(text: str) -> None:
        told.append((text, round(time.process_time() - cpu, 2)))

    result = resolve(con, "account", settings, run, models_dir=Path(order["folder"]) / "models", progress=say)
    whole, whole_cpu = time.perf_counter() - began, time.process_time() - cpu
    links = "(SELECT salesforce_id, reference_id FROM crosswalk.account WHERE status = 'linked')"
    if order.get("export"):
        for table, key in (("account", "salesforce_id"), ("company", "company_id")):
            _fetch(
                con,
                f"COPY (SELECT {key} AS unique_id, {COLUMNS} FROM standard.{table}) "
                f"TO '{order['folder']}/standard_{table}.parquet' (FORMAT parquet)",
            )
    return {
        "standardise": {"seconds": round(clean, 2), "cpu_seconds": round(clean_cpu, 2)},
        "link": {"seconds": round(whole - clean, 2), "cpu_seconds": round(whole_cpu - clean_cpu, 2)},
        "candidates": result.candidates,
        "progress": told if order.get("verbose") else None,
        **_quality(con, links, order),
    }


def splink(order: dict[str, Any]) -> dict[str, Any]:
    """Stock Splink 5, well configured, on the same standard columns: train, block, predict, one-to-one."""
    import logging

    from splink import DuckDBAPI, Linker, SettingsCreator, block_on
    from splink import comparison_library as cl

    logging.getLogger("splink").setLevel(logging.ERROR)
    con, marks = duckdb.connect(), list[tuple[str, float]]()
    began, cpu = time.perf_counter(), time.process_time()
    for name in ("account", "company"):
        _fetch(con, f"CREATE TABLE {name} AS FROM '{order['folder']}/standard_{name}.parquet'")
    rules = [
        *(block_on(column) for column in ("domain", "phone", "name_core")),
        block_on("postal_code_clean", "left(name_core, 3)"),
        block_on("city_clean", "left(name_core, 5)"),
        block_on("street_name", "street_number", "city_clean"),
    ]
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[
            cl.JaroWinklerAtThresholds("name_core", [0.95, 0.88, 0.8]),
            cl.ExactMatch("domain").configure(term_frequency_adjustments=True),
            cl.ExactMatch("phone").configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("street_name", [0.9]),
            cl.ExactMatch("street_number"),
            cl.LevenshteinAtThresholds("postal_code_clean", [1]),
            cl.LevenshteinAtThresholds("city_clean", [2]),
        ],
        blocking_rules_to_generate_predictions=rules,
    )
    api = DuckDBAPI(connection=con)
    tables = [api.register(name, dataset_display_name=name) for name in ("account", "company")]
    linker = Linker(tables, settings, log_level=logging.ERROR)
    certain = [block_on("domain", "name_core"), block_on("phone", "name_core")]
    linker.training.estimate_probability_two_random_records_match(certain, recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e7)
    for rule in (block_on("domain"), block_on("postal_code_clean", "left(name_core, 3)")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule, max_pairs=1e6)
    marks.append(("train", round(time.process_time() - cpu, 2)))
    scored = linker.inference.predict(threshold_match_probability=0.01)
    marks.append(("block and predict", round(time.process_time() - cpu, 2)))
    linker.clustering.cluster_using_single_best_links(
        scored, duplicate_free_datasets=["company"], threshold_match_probability=0.5, ties_method="lowest_id"
    )
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    marks.append(("one-to-one", round(used, 2)))
    links = (
        "(SELECT unique_id_l AS salesforce_id, arg_max(unique_id_r, match_weight) AS reference_id "
        f"FROM {scored.physical_name} WHERE match_probability >= 0.5 GROUP BY 1)"
    )
    told = {"link": {"seconds": round(seconds, 2), "cpu_seconds": round(used, 2)}, "progress": marks}
    return {**told, **_quality(con, links, order)}


def _quality(con: duckdb.DuckDBPyConnection, links: str, order: dict[str, Any]) -> dict[str, Any]:
    right, linked, there = _fetch(
        con,
        f"SELECT count(*) FILTER (l.reference_id = t.reference_id), count(l.reference_id), count(t.reference_id) "
        f"FROM '{order['folder']}/truth.parquet' t LEFT JOIN {links} l USING (salesforce_id)",
    )[0]
    precision, recall = right / max(linked, 1), right / max(there, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    return {"linked": linked, "precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}


STEPS = {"generate": generate, "load": load, "ours": ours, "splink": splink}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(STEPS[sys.argv[1]](json.loads(sys.argv[2]))) + "\n")
