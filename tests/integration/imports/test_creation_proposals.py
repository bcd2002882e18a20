"""Which records that match nobody are proposed as new entities, and what keeps a decision on one."""

from pathlib import Path

import pytest

from data_contracts.errors import SettingsError
from data_contracts.settings import Settings
from pipelines.imports import build_creation_proposals, build_imports
from tests.support.org_tables import fetch, put_crosswalk, put_salesforce, run_context, warehouse


def _proposed(con, accounts, **creation):
    settings = Settings.model_validate({"imports": {"creation": {"account": creation}}})
    put_salesforce(con, "account", accounts)
    put_crosswalk(con, "account", {row["Id"]: None for row in accounts})
    build_imports(con, "account", settings, run_context())
    build_creation_proposals(con, "account", settings, run_context(day=10))
    return [record for (record,) in fetch(con, "SELECT salesforce_id FROM imports.creation_proposal ORDER BY 1")]


def test_proposals_need_a_name_and_a_way_to_reach_them_and_keep_decisions(tmp_path: Path):
    accounts = [
        {"Id": "A1", "Name": "Site", "Website": "a.test", "BillingStreet": None, "BillingCity": None},
        {"Id": "A2", "Name": "City only", "BillingCity": "Oslo"},
        {"Id": "A3", "Name": "Address", "BillingCity": "Oslo", "BillingStreet": "Main 1"},
        {"Id": "A4", "Website": "nameless.test"},
        {"Id": "A5", "Name": "Linked", "Website": "l.test"},
    ]
    with warehouse(tmp_path) as con:
        put_salesforce(con, "account", accounts)
        put_crosswalk(con, "account", {"A1": None, "A2": None, "A3": None, "A4": None, "A5": "C1"})
        build_imports(con, "account", Settings(), run_context())
        assert build_creation_proposals(con, "account", Settings(), run_context()) == 2
        con.execute("UPDATE imports.creation_proposal SET status = 'rejected' WHERE salesforce_id = 'A1'")
        put_crosswalk(con, "account", {"A1": None, "A2": None, "A3": "C2", "A4": None, "A5": "C1"})
        build_imports(con, "account", Settings(), run_context("run-2", day=2))
        assert build_creation_proposals(con, "account", Settings(), run_context("run-2", day=2)) == 0
        kept = fetch(con, "SELECT salesforce_id, status, run_id FROM imports.creation_proposal")
    assert kept == [("A1", "rejected", "run-1")]


def test_what_is_worth_creating_is_configured(tmp_path: Path):
    accounts = [
        {"Id": "A1", "Name": "Bare", "SystemModstamp": "2026-03-08"},
        {"Id": "A2", "Name": "Site", "Website": "a.test", "SystemModstamp": "2026-03-09"},
        {"Id": "A3", "Name": "Whole", "Website": "b.test", "BillingStreet": "1", "BillingCity": "Oslo",
         "SystemModstamp": "2026-01-01"},
    ]  # fmt: skip
    with warehouse(tmp_path) as con:
        put_salesforce(con, "opportunity", [{"Id": "O", "AccountId": "A2", "IsClosed": False}])
        assert _proposed(con, accounts) == ["A2", "A3"]
        assert _proposed(con, accounts, any_of=[]) == ["A1", "A2", "A3"]
        assert _proposed(con, accounts, require=["website", "address"]) == ["A3"]
        assert _proposed(con, accounts, any_of=[], changed_within_days=7) == ["A1", "A2"]
        assert _proposed(con, accounts, any_of=[], open_opportunity=True) == ["A2"]
        assert _proposed(con, accounts, enabled=False) == []
        with pytest.raises(SettingsError, match="no target column of account; did you mean website"):
            _proposed(con, accounts, require=["webiste"])
