"""Run statistics: the figures, their identities, and that writing them again changes nothing."""

from pathlib import Path

import pytest

from data_contracts.contracts import load_contract
from data_contracts.settings import Settings
from pipelines.imports import build_entity_imports, build_imports
from pipelines.publish.statistics import link_rates, write_statistics
from pipelines.tables import ensure_table
from tests.support.org_tables import fetch, put, put_crosswalk, put_salesforce, run_context, warehouse

LOAD = {
    "run_id": "run-1", "object": "account", "kind": "full", "eligible": 6, "fetched": 6, "new": 4, "changed": 1,
    "unchanged": 1, "removed": 0, "deleted": 0, "merged": 0, "converted": 0, "over_limit": 0, "rest_calls": 3,
    "bulk_jobs": 1, "bytes": 900,
}  # fmt: skip
LINKS = {"A1": "C1", "A2": "C1", "A3": "C2", "A4": None, "A5": None, "A6": None}


def _load(con, load=LOAD):
    types = {key: "VARCHAR" if isinstance(value, str) else "BIGINT" for key, value in load.items()}
    ensure_table(con, load_contract("ops.record_event"))
    put(con, "_state.load_result", [load, load | {"object": "user"}], types)
    put_salesforce(con, "account", [{"Id": key, "Name": key} for key in LINKS])
    put_crosswalk(con, "account", LINKS, A3_method="model", A2_method="person", A4="in_review", A5="skipped")
    build_imports(con, "account", Settings(), run_context())
    build_entity_imports(con, "company", Settings(), run_context())


def _violations(con):
    rules = [rule for rule in load_contract("ops.run_statistics").document.schema_[0].quality if rule.query]
    assert len(rules) == 7
    return {rule.name for rule in rules if fetch(con, rule.query)[0][0] != 0}


def test_figures_of_a_run(tmp_path: Path):
    with warehouse(tmp_path) as con:
        _load(con)
        assert write_statistics(con, run_context()).rows == 2
        row = con.sql("SELECT * FROM ops.run_statistics WHERE object = 'account'").to_arrow_table().to_pylist()[0]
        user = con.sql("SELECT * FROM ops.run_statistics WHERE object = 'user'").to_arrow_table().to_pylist()[0]
        assert _violations(con) == set()
    links = {
        "records": 6, "linked": 3, "linked_by_rule": 1, "linked_by_model": 1, "linked_by_person": 1, "in_review": 1,
        "unmatched": 1, "skipped": 1, "distinct_entities": 2, "duplicates": 1, "link_rate": 0.6,
        "imports_written": 2, "imports_unchanged": 0, "imports_failed": 0,
    }  # fmt: skip
    assert {key: row[key] for key in links} == links
    assert {key: row[key] for key in LOAD} == LOAD
    assert user["fetched"] == 6
    assert user["linked"] is None


def test_writing_again_replaces_and_a_later_run_adds(tmp_path: Path):
    with warehouse(tmp_path) as con:
        _load(con)
        write_statistics(con, run_context())
        write_statistics(con, run_context())
        assert write_statistics(con, run_context("run-2", "delta", day=2)).rows == 1
        rows = fetch(con, "SELECT run_id, object, kind, imports_unchanged FROM ops.run_statistics ORDER BY 1, 2")
        rates = link_rates(con)
    assert rows == [("run-1", "account", "full", 0), ("run-1", "user", "full", None), ("run-2", "account", "none", 2)]
    assert rates == [("2026-03-01T02:00:00Z", "account", 0.6), ("2026-03-02T02:00:00Z", "account", 0.6)]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("fetched = fetched + 1", "fetched_adds_up"),
        ("records = records + 1", "records_add_up"),
        ("linked_by_model = NULL", "linked_adds_up"),
        ("duplicates = 0", "duplicates_add_up"),
    ],
)
def test_each_identity_catches_a_wrong_figure(tmp_path: Path, change: str, rule: str):
    with warehouse(tmp_path) as con:
        _load(con)
        write_statistics(con, run_context())
        con.execute(f"UPDATE ops.run_statistics SET {change} WHERE object = 'account'")
        assert _violations(con) == {rule}


def test_an_empty_warehouse_has_no_statistics(tmp_path: Path):
    with warehouse(tmp_path) as con:
        assert write_statistics(con, run_context()).rows == 0
        assert link_rates(con) == []
