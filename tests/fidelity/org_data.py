"""The org the independent clients run against: a few of each standard object and jsforce's two custom objects.

Belongs here: the files for ``--data`` and the fields that a file cannot describe. The values are made up.
"""

import csv
import json
from pathlib import Path

import requests

from apps.demo_org.launch import DemoOrg

#: More than two REST pages, and more than the 5,000 at which jsforce's tests stop fetching.
BIG_TABLE_ROWS = 5_300
ACCOUNTS = 24
_REPORT = {
    "reportFormat": "SUMMARY",
    "reportType": {"type": "LeadList", "label": "Leads"},
    "detailColumns": ["OWNER", "LAST_NAME", "FIRST_NAME", "TITLE", "LEAD_SOURCE", "EMAIL"],
    "groupingsDown": [{"name": "COMPANY", "sortOrder": "Asc", "dateGranularity": "None"}],
    "reportFilters": [],
    "showDetails": True,
}


def write_org(folder: Path) -> None:
    """Write the files into ``folder``."""
    accounts = [
        [_id("001", n), f"Sample Account {n:02d}", "CA" if n % 2 else "", str(100 * n)] for n in range(1, ACCOUNTS + 1)
    ]
    _write(folder, "Account", ["Id", "Name", "BillingState", "NumberOfEmployees"], accounts)
    people = [[_id("001", 1 + n % ACCOUNTS), f"First{n}", f"Last{n}", f"p{n}@example.com"] for n in range(60)]
    _write(folder, "Contact", ["AccountId", "FirstName", "LastName", "Email"], people)
    deals = [[_id("001", 1 + n % ACCOUNTS), f"Deal {n}", "Prospecting", "2031-01-31", str(n)] for n in range(40)]
    _write(folder, "Opportunity", ["AccountId", "Name", "StageName", "CloseDate", "Amount"], deals)
    leads = [[f"First{n}", f"Lead{n}", f"Company {n % 7}, Inc.", f"l{n}@example.com"] for n in range(30)]
    _write(folder, "Lead", ["FirstName", "LastName", "Company", "Email"], leads)
    _write(folder, "BigTable__c", ["Name"], [[f"{n:08d}"] for n in range(BIG_TABLE_ROWS)])
    _write(folder, "UpsertTable__c", ["Name"], [])
    views = [["All Accounts", "AllAccounts", "Account", "SELECT Name, BillingState, Id FROM Account ORDER BY Name"]]
    _write(folder, "ListView", ["Name", "DeveloperName", "SobjectType", "Query"], views)
    report = ["Lead List Report", "Lead_List_Report", "Public Reports", json.dumps(_REPORT)]
    _write(folder, "Report", ["Name", "DeveloperName", "FolderName", "ReportMetadata"], [report])


def add_fields(org: DemoOrg) -> None:
    """Add the external id of UpsertTable__c: not unique, so that jsforce can make two records share one."""
    field = {"object": "UpsertTable__c", "name": "ExtId__c", "type": "string", "length": 50, "externalId": True}
    body = {"do": "add_field", **field, "idLookup": True}
    requests.post(f"{org.url}/__demo__/execute", json=body, verify=org.ca_file, timeout=60).raise_for_status()


def _id(prefix: str, number: int) -> str:
    return f"{prefix}5g000{number:09d}"


def _write(folder: Path, name: str, header: list[str], rows: list[list[str]]) -> None:
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([header, *rows])
