"""Demo orgs for tests of extraction: one shared and never written to, one per module that may be changed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from apps.demo_org.launch import DemoOrg
from data_contracts.settings import Settings
from pipelines.extract import lists, submit
from tests.support.demo_org_client import Scripted, serve_scripted, write_csv
from tests.support.mirror import Mirror, settings_for
from tests.support.org_forge import forked_demo_org

ACCOUNTS = 1_200
ACCOUNT_HEADER = ["Id", "Name", "Website", "BillingStreet", "NumberOfEmployees", "Region__c", "CreatedDate"]


def account_id(number: int) -> str:
    return f"0010{number:011d}AAA"


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("org")
    rows = [
        [
            account_id(n), f"Company {n}", f"https://c{n}.example", 'Dock 1\n"West" gate, 2', str(n),
            ("NA", "None", "null", "EMEA")[n % 4], "2025-03-01T10:00:00.000Z",
        ]
        for n in range(ACCOUNTS)
    ]  # fmt: skip
    write_csv(folder / "Account.csv", ACCOUNT_HEADER, rows)
    people = [
        ["003000000000001AAA", "Ōe", "oe@example.com", "false", ""],
        ["003000000000002AAA", "Ng", "ng@example.com", "false", ""],
        ["003000000000003AAA", "Ng", "ng@example.com", "true", "003000000000002AAA"],
        ["003000000000004AAA", "Gone", "", "true", ""],
    ]
    write_csv(folder / "Contact.csv", ["Id", "LastName", "Email", "IsDeleted", "MasterRecordId"], people)
    leads = [
        ["00Q000000000001AAA", "Piaf", "Olympia", "false", "", ""],
        ["00Q000000000002AAA", "Brel", "Olympia", "true", account_id(7), "003000000000001AAA"],
    ]
    header = ["Id", "LastName", "Company", "IsConverted", "ConvertedAccountId", "ConvertedContactId"]
    write_csv(folder / "Lead.csv", header, leads)
    write_csv(
        folder / "Site__c.csv", ["Name", "Area__c", "Opened__c"], [["Dock", "12.5", "2024-02-29"], ["Yard", "", ""]]
    )
    lists_of = [
        [
            "Big ones",
            "Big_ones",
            "Account",
            "SELECT Name, Id FROM Account WHERE NumberOfEmployees > 1100 ORDER BY Name",
        ],
        ["Mine", "Mine", "Account", "SELECT Name, Id FROM Account USING SCOPE mine ORDER BY Name"],
    ]
    write_csv(folder / "ListView.csv", ["Name", "DeveloperName", "SobjectType", "Query"], lists_of)
    return folder


@pytest.fixture(scope="session")
def still_org(data: Path) -> Iterator[DemoOrg]:
    """An org no test writes to."""
    with forked_demo_org(data) as launched:
        yield launched


@pytest.fixture(scope="module")
def scripted(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    """An org that a module's tests may change, script faults for, and read the request log of."""
    with serve_scripted(data, tmp_path_factory.mktemp("scripted")) as served:
        yield served


@pytest.fixture(autouse=True)
def _no_faults_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "scripted" in request.fixturenames:
        request.getfixturevalue("scripted").script()


@pytest.fixture
def always_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send even a few records through the Bulk API."""
    for module in (submit, lists):
        monkeypatch.setattr(module, "REST_ROWS", -1)


@pytest.fixture
def mirror(scripted: Scripted, tmp_path: Path) -> Callable[..., Mirror]:
    """Make an empty mirror of the scripted org."""

    def make(*objects: str, settings: Settings | None = None, name: str = "home") -> Mirror:
        return Mirror(scripted.org, tmp_path / name, settings or settings_for(*(objects or ("account",))))

    return make
