"""The official Salesforce CLI against the demo org: sign-in, data, metadata, Bulk import and export.

Belongs here: the commands and what they must answer. The CLI keeps its state in a home of its own.
"""

import csv
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from apps.demo_org.launch import DemoOrg
from tests.fidelity.org_data import ACCOUNTS, BIG_TABLE_ROWS
from tests.fidelity.report import Report

_CLIENT = "sf"
_TIMEOUT = 180


class SalesforceCli:
    """The CLI signed in to one demo org."""

    def __init__(self, installed: Path, org: DemoOrg, folder: Path) -> None:
        self._org, self.folder = org, folder
        binaries = installed / "node_modules" / ".bin"
        self._program = str(binaries / "sf")
        self._environment = {
            **os.environ,
            "HOME": str(folder),
            "SF_DISABLE_TELEMETRY": "true",
            "SF_AUTOUPDATE_DISABLE": "true",
            "SF_SKIP_NEW_VERSION_CHECK": "true",
            "SF_ACCESS_TOKEN": org.access_token,
            "NODE_EXTRA_CA_CERTS": org.ca_file,
            "NODE_NO_WARNINGS": "1",
        }

    def __call__(self, command: str, *arguments: str) -> Any:
        """Run ``sf command arguments --json`` and return its result; AssertionError where it failed."""
        full = [self._program, *command.split(), *arguments, "--json"]
        done = subprocess.run(
            full, cwd=self.folder, env=self._environment, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
        assert done.stdout.strip(), done.stderr[-500:]
        answer = json.loads(done.stdout)
        assert done.returncode == 0, answer.get("message") or done.stdout[-500:]
        return answer["result"]

    def plain(self, command: str, *arguments: str) -> str:
        """Run a command that has no ``--json`` and return what it prints."""
        full = [self._program, *command.split(), *arguments]
        done = subprocess.run(
            full, cwd=self.folder, env=self._environment, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
        assert done.returncode == 0, done.stderr[-500:]
        return done.stdout

    def write(self, name: str, header: list[str], rows: list[list[str]]) -> str:
        """Write a CSV file for an import and return its path."""
        path = self.folder / name
        with path.open("w", newline="", encoding="utf-8") as out:
            csv.writer(out, lineterminator="\n").writerows([header, *rows])
        return str(path)


def run_salesforce_cli(installed: Path, org: DemoOrg, folder: Path, report: Report) -> None:
    """Run every check; the first signs in, and nothing else is tried where it fails."""
    sf = SalesforceCli(installed, org, folder)
    _sign_in(sf, org, report)
    if not report.checks[-1].passed:
        return
    for part in (_query, _describe, _records, _tree, _bulk_export, _bulk_import):
        part(sf, report)


def _sign_in(sf: SalesforceCli, org: DemoOrg, report: Report) -> None:
    with report.check(_CLIENT, "sign in", "org login jwt"):
        key = ["--jwt-key-file", org.private_key_file, "--client-id", org.client_id]
        found = sf("org login jwt", *key, "--username", org.username, "--instance-url", org.url, "--alias", "jwt")
        assert found["orgId"] == org.org_id
    with report.check(_CLIENT, "sign in", "org login access-token"):
        url = ["--instance-url", org.url]
        found = sf("org login access-token", *url, "--no-prompt", "--alias", "demo", "--set-default")
        assert found["username"] == org.username


def _query(sf: SalesforceCli, report: Report) -> None:
    with report.check(_CLIENT, "query", "data query"):
        found = sf("data query", "-q", "SELECT Id, Name, Owner.Name FROM Account ORDER BY Name LIMIT 3")
        assert [record["Owner"]["Name"] != "" for record in found["records"]] == [True] * 3
    with report.check(_CLIENT, "query", "data query as CSV, with column metadata"):
        text = sf.plain("data query", "-q", "SELECT Name, Owner.Name FROM Account LIMIT 2", "-r", "csv")
        assert text.splitlines()[0] == "Name,Owner.Name", text[:200]
    with report.check(_CLIENT, "query", "data query over several pages"):
        assert len(sf("data query", "-q", "SELECT Id FROM BigTable__c")["records"]) == BIG_TABLE_ROWS
    with report.check(_CLIENT, "query", "data query with a sub-query and an aggregate"):
        soql = "SELECT Name, (SELECT LastName FROM Contacts) FROM Account WHERE Name LIKE 'Sample%' LIMIT 5"
        assert sf("data query", "-q", soql)["records"][0]["Contacts"]["totalSize"] > 0
        soql = "SELECT COUNT(Id) n, AccountId FROM Contact GROUP BY AccountId"
        assert sum(row["n"] for row in sf("data query", "-q", soql)["records"]) == 60
    with report.check(_CLIENT, "limits", "org list limits"):
        assert "DailyApiRequests" in [each["name"] for each in sf("org list limits")]
    with report.check(_CLIENT, "limits", "api request rest"):
        assert '"DailyApiRequests"' in sf.plain("api request rest", "/services/data/v60.0/limits")


def _describe(sf: SalesforceCli, report: Report) -> None:
    with report.check(_CLIENT, "describe", "sobject describe"):
        names = [field["name"] for field in sf("sobject describe", "-s", "UpsertTable__c")["fields"]]
        assert {"Id", "Name", "ExtId__c"} <= set(names)
    with report.check(_CLIENT, "describe", "sobject list"):
        assert "BigTable__c" in sf("sobject list", "-s", "custom")
    with report.check(_CLIENT, "describe", "org display"):
        assert sf("org display")["connectedStatus"] == "Connected"


def _records(sf: SalesforceCli, report: Report) -> None:
    made = ""
    with report.check(_CLIENT, "records", "data create record"):
        made = sf("data create record", "-s", "Account", "-v", "Name='By sf' Phone=123")["id"]
    with report.check(_CLIENT, "records", "data get record"):
        assert sf("data get record", "-s", "Account", "-i", made)["Phone"] == "123"
    with report.check(_CLIENT, "records", "data update record"):
        sf("data update record", "-s", "Account", "-i", made, "-v", "Phone=456")
        assert sf("data get record", "-s", "Account", "-w", "Name='By sf'")["Phone"] == "456"
    with report.check(_CLIENT, "records", "data delete record"):
        sf("data delete record", "-s", "Account", "-i", made)
        assert sf("data query", "-q", f"SELECT Id FROM Account WHERE Id = '{made}'")["totalSize"] == 0


def _tree(sf: SalesforceCli, report: Report) -> None:
    with report.check(_CLIENT, "tree", "data export tree"):
        soql = "SELECT Name, (SELECT LastName FROM Contacts) FROM Account WHERE Name = 'Sample Account 01'"
        sf("data export tree", "-q", soql, "-d", str(sf.folder / "tree"))
        files = list((sf.folder / "tree").glob("*.json"))
        assert files, "no file was exported"
    with report.check(_CLIENT, "tree", "data import tree"):
        tree = {
            "records": [
                {
                    "attributes": {"type": "Account", "referenceId": "one"},
                    "Name": "Planted",
                    "Contacts": {
                        "records": [{"attributes": {"type": "Contact", "referenceId": "two"}, "LastName": "Leaf"}]
                    },
                }
            ]
        }
        path = sf.folder / "planted.json"
        path.write_text(json.dumps(tree), "utf-8")
        assert len(sf("data import tree", "-f", str(path))) == 2
        assert sf("data query", "-q", "SELECT Account.Name FROM Contact WHERE LastName = 'Leaf'")["totalSize"] == 1


def _bulk_export(sf: SalesforceCli, report: Report) -> None:
    with report.check(_CLIENT, "Bulk export", "data export bulk"):
        path = sf.folder / "export.csv"
        soql = "SELECT Id, Name FROM BigTable__c"
        sf("data export bulk", "-q", soql, "--output-file", str(path), "-r", "csv", "--wait", "2")
        with path.open(encoding="utf-8", newline="") as exported:
            rows = list(csv.DictReader(exported))
        assert len({row["Id"] for row in rows}) == len(rows) == BIG_TABLE_ROWS


def _bulk_import(sf: SalesforceCli, report: Report) -> None:
    wait = ("--wait", "2", "--line-ending", "LF")
    mine = "SELECT Id, Name FROM Account WHERE Name LIKE 'Imported%'"
    job = ""
    with report.check(_CLIENT, "Bulk import", "data import bulk"):
        path = sf.write("insert.csv", ["Name", "Phone"], [[f"Imported {n}", str(n)] for n in range(ACCOUNTS)])
        found = sf("data import bulk", "-f", path, "-s", "Account", *wait)
        job = found["jobId"]
        assert (found["processedRecords"], found["failedRecords"]) == (ACCOUNTS, 0)
    with report.check(_CLIENT, "Bulk import", "data bulk results"):
        assert sf("data bulk results", "--job-id", job)["successfulRecords"] == ACCOUNTS
    with report.check(_CLIENT, "Bulk import", "data update bulk"):
        records = sf("data query", "-q", mine)["records"]
        path = sf.write("update.csv", ["Id", "Phone"], [[record["Id"], "999"] for record in records])
        sf("data update bulk", "-f", path, "-s", "Account", *wait)
        assert sf("data query", "-q", f"{mine} AND Phone = '999'")["totalSize"] == ACCOUNTS
    with report.check(_CLIENT, "Bulk import", "data upsert bulk"):
        path = sf.write("upsert.csv", ["ExtId__c", "Name"], [["A1", "one"], ["A2", "two"]])
        sf("data upsert bulk", "-f", path, "-s", "UpsertTable__c", "-i", "ExtId__c", *wait)
        sf("data upsert bulk", "-f", path, "-s", "UpsertTable__c", "-i", "ExtId__c", *wait)
        assert sf("data query", "-q", "SELECT Id FROM UpsertTable__c WHERE ExtId__c LIKE 'A%'")["totalSize"] == 2
    with report.check(_CLIENT, "Bulk import", "data delete bulk"):
        records = sf("data query", "-q", mine)["records"]
        path = sf.write("delete.csv", ["Id"], [[record["Id"]] for record in records])
        sf("data delete bulk", "-f", path, "-s", "Account", *wait)
        assert sf("data query", "-q", mine)["totalSize"] == 0
