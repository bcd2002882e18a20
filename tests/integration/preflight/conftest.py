"""An org as an admin sets it up by docs/connecting.md, in which a test takes one thing away, and puts it back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from data_contracts.settings import Settings
from pipelines.preflight import Finding, HomeFacts, Report, preflight
from resources.salesforce import SalesforceOrg
from tests.support.demo_org_client import Scripted, serve_scripted, write_csv
from tests.support.mirror import QUICK, settings_for

PERMISSION_SET = "Crosswalk_Integration"
PROFILE = "Minimum Access - API Only Integrations"
OBJECTS = ("Account", "Contact", "Lead", "Opportunity", "Campaign")
ENABLED = ("account", "contact", "lead", "opportunity", "user", "campaign", "campaign_member")
CANARIES = ("Canary Person", "canary.person@secret.example", "Canary Street 9", "+1 555 010 9999")


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records with known shares of filled fields, a package, lists and a report."""
    folder = tmp_path_factory.mktemp("org")
    accounts = [
        [f"Company {n}", f"https://c{n}.example" if n % 4 else "", "", CANARIES[2], "gold" if n % 2 else "", "x"]
        for n in range(40)
    ]
    header = ["Name", "Website", "Phone", "BillingStreet", "acme__Tier__c", "Segment__c"]
    write_csv(folder / "Account.csv", header, accounts)
    write_csv(folder / "Contact.csv", ["LastName", "Email", "Phone"], [[CANARIES[0], CANARIES[1], CANARIES[3]]])
    write_csv(folder / "Lead.csv", ["LastName", "Company", "Email"], [["Ng", "Dock", "ng@dock.example"]])
    lists = [["Big ones", "Big_ones", "Account", "SELECT Name, Id FROM Account WHERE Website != null"]]
    lists += [["Mine", "Mine", "Account", "SELECT Name, Id FROM Account USING SCOPE mine"]]
    write_csv(folder / "ListView.csv", ["Name", "DeveloperName", "SobjectType", "Query"], lists)
    report = '{"reportType": "Account", "detailColumns": ["ACCOUNT_ID", "ACCOUNT.NAME"], "scope": "organization"}'
    without_id = '{"reportType": "Account", "detailColumns": ["ACCOUNT.NAME"], "scope": "organization"}'
    reports = [["All accounts", "All_accounts", report], ["No ids", "No_ids", without_id]]
    write_csv(folder / "Report.csv", ["Name", "DeveloperName", "ReportMetadata"], reports)
    package, number = "033000000000001AAA", "04t000000000001AAA"
    write_csv(folder / "SubscriberPackage.csv", ["Id", "Name", "NamespacePrefix"], [[package, "Acme Tiers", "acme"]])
    header = ["Id", "SubscriberPackageId", "MajorVersion", "MinorVersion", "PatchVersion", "BuildNumber"]
    write_csv(folder / "SubscriberPackageVersion.csv", header, [[number, package, "3", "12", "0", "7"]])
    header = ["SubscriberPackageId", "SubscriberPackageVersionId"]
    write_csv(folder / "InstalledSubscriberPackage.csv", header, [[package, number]])
    return folder


class Admin:
    """Does in the org what an admin does in Setup."""

    def __init__(self, scripted: Scripted) -> None:
        self.scripted = scripted

    def __call__(self, do: str, **more: Any) -> None:
        answer = self.scripted.client("POST", "/__demo__/execute", json={"do": do, **more})
        assert answer.status_code == 200, answer.text

    def settings(self, **body: Any) -> None:
        answer = self.scripted.client("POST", "/__demo__/settings", json=body)
        assert answer.status_code == 200, answer.text

    def grant(self, do: str, **more: Any) -> None:
        self(do, permission_set=PERMISSION_SET, **more)

    @contextmanager
    def changed(self, do: str, undo: dict[str, Any], **more: Any) -> Iterator[None]:
        """Change the permission set inside the block; ``undo`` are the arguments of the change back."""
        self.grant(do, **more)
        try:
            yield
        finally:
            self.grant(do, **(more | undo))


@pytest.fixture(scope="module")
def admin(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Admin]:
    """The org, with an integration user that has what docs/connecting.md asks for, and View All Fields."""
    with serve_scripted(data, tmp_path_factory.mktemp("scripted")) as served:
        someone = Admin(served)
        someone("create_permission_set", name=PERMISSION_SET, permissions=["ApiEnabled", "ViewSetup"])
        for name in OBJECTS:
            someone.grant("set_object_permission", object=name, read=True, view_all=True, view_all_fields=True)
        someone("assign_permission_set", permission_set=PERMISSION_SET)
        someone("set_profile", user=served.org.username, profile=PROFILE)
        yield someone


Look = Callable[..., Report]


@pytest.fixture
def look(admin: Admin) -> Look:
    """Run preflight as a fresh connection, with the settings given."""

    def run(settings: Settings | None = None, facts: HomeFacts | None = None) -> Report:
        chosen = settings or settings_for(*ENABLED)
        org = SalesforceOrg.connect(chosen.connection, admin.scripted.org.environment(), store=None, policy=QUICK)
        return preflight(org, chosen, facts)

    return run


def found(report: Report, subject: str, level: str) -> Finding:
    """The one finding of a subject and colour."""
    hits = [item for item in report.findings if (item.subject, item.level) == (subject, level)]
    assert len(hits) == 1, [(item.level, item.subject, item.message) for item in report.findings]
    return hits[0]
