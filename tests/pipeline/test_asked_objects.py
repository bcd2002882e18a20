"""Whole runs over objects the settings ask for: a custom one, one that nobody may read, lists and reports."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from apps.demo_org.launch import DemoOrg
from schedules.launch import RunOutcome
from tests.support.demo_org_client import write_csv
from tests.support.installation import Installation
from tests.support.org_forge import forked_demo_org

SETTINGS = """\
objects:
  account:
    selection: {mode: lists, lists: [Big], reports: [Everyone]}
  Project__c: {}
  Secret__c: {}
  contact: {enabled: false}
  lead: {enabled: false}
  opportunity: {enabled: false}
  campaign: {enabled: false}
  campaign_member: {enabled: false}
  opportunity_contact_role: {enabled: false}
  event: {enabled: false}
"""


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoOrg]:
    data = tmp_path_factory.mktemp("asked")
    accounts = [[f"001{number:012d}AAA", f"Company {number}", str(number)] for number in range(20)]
    write_csv(data / "Account.csv", ["Id", "Name", "NumberOfEmployees"], accounts)
    write_csv(
        data / "Project__c.csv", ["Name", "Budget__c", "Due__c"], [["Dam", "12.5", "2026-02-28"], ["Mill", "", ""]]
    )
    write_csv(data / "Task.csv", ["Subject", "WhatId", "Status"], [["Call", accounts[3][0], "Completed"]])
    query = "SELECT Name, Id FROM Account WHERE NumberOfEmployees >= 15 ORDER BY Name"
    write_csv(
        data / "ListView.csv", ["Name", "DeveloperName", "SobjectType", "Query"], [["Big", "Big", "Account", query]]
    )
    with (data / "Report.csv").open("w", newline="") as out:
        about = {"reportType": "AccountList", "detailColumns": ["ACCOUNT_ID"]}
        rows = [
            ["Id", "Name", "DeveloperName", "ReportMetadata"],
            ["00O000000000001AAA", "Everyone", "Everyone", json.dumps(about)],
        ]
        csv.writer(out).writerows(rows)
    with forked_demo_org(data) as server:
        yield server


@pytest.fixture(scope="module")
def installation(org: DemoOrg, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = Installation(tmp_path_factory.mktemp("asked_home"), org.environment())
    made.settings.write_text(SETTINGS)
    made.home.prepare()
    return made


@pytest.fixture(scope="module")
def first(installation: Installation) -> RunOutcome:
    return installation.sync()


def _ask(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_a_custom_object_is_mirrored_and_published_as_the_org_describes_it(
    installation: Installation, first: RunOutcome
) -> None:
    assert first.success, first.failures
    published = installation.home.published
    rows = _ask(
        published, 'SELECT "Name", "Budget__c", "Due__c"::VARCHAR, _is_deleted FROM salesforce.project__c ORDER BY 1'
    )
    assert [(row[0], row[2], row[3]) for row in rows] == [("Dam", "2026-02-28", False), ("Mill", None, False)]
    where = "schema_name = 'salesforce' AND table_name = 'project__c'"
    comments = dict(_ask(published, f"SELECT column_name, comment FROM duckdb_columns() WHERE {where}"))
    assert comments["Budget__c"].startswith("Budget")
    assert all(comments.values())
    assert _ask(published, 'SELECT "Subject", "Status" FROM salesforce.task') == [("Call", "Completed")]


def test_what_nobody_may_read_is_skipped_and_named(installation: Installation, first: RunOutcome) -> None:
    statistics = dict(_ask(installation.home.published, "SELECT object, reason FROM ops.run_statistics"))
    assert "Secret__c" in statistics["secret__c"]
    assert "skipped" in statistics["secret__c"]
    assert statistics["project__c"] is None
    assert "campaign" not in statistics


def test_lists_and_reports_are_facets_and_with_advanced_sync_no_limit(
    installation: Installation, first: RunOutcome
) -> None:
    published = installation.home.published
    counts = _ask(
        published, "SELECT list_name, kind, count(*) FROM salesforce.list_membership GROUP BY ALL ORDER BY ALL"
    )
    assert counts == [("Big", "list_view", 5), ("Everyone", "report", 20)]
    assert _ask(published, "SELECT count(*) FROM salesforce.account") == [(20,)]
