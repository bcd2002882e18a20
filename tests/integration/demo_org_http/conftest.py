"""One demo org for the read-only tests of this folder, and one per module for those that write or script."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.demo_org.launch import DemoOrg
from tests.support.demo_org_client import ACCOUNTS, Client, Scripted, serve_scripted, write_csv
from tests.support.org_forge import forked_demo_org


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    rows = [
        [f"Company {n:05d}", 'multi\nline, "quoted"' if n % 7 == 0 else f"{n} Main St", str(n % 50), f"X{n}"]
        for n in range(ACCOUNTS)
    ]
    write_csv(folder / "Account.csv", ["Name", "BillingStreet", "NumberOfEmployees", "Legacy__c"], rows)
    people = [["Édith", "Piaf", "edith@example.com"], ["Ōe", "Kenzaburō", "oe@example.com"]]
    write_csv(folder / "Contact.csv", ["FirstName", "LastName", "Email"], people)
    users = [["ada@demo.example.com", "Lovelace", "true"], ["gone@demo.example.com", "Gone", "false"]]
    write_csv(folder / "User.csv", ["Username", "LastName", "IsActive"], users)
    lists = [
        ["Big ones", "Big_ones", "Account", "SELECT Name, Id FROM Account WHERE NumberOfEmployees > 48 ORDER BY Name"],
        ["Mine", "Mine", "Account", "SELECT Name, Id FROM Account USING SCOPE mine ORDER BY Name"],
    ]
    write_csv(folder / "ListView.csv", ["Name", "DeveloperName", "SobjectType", "Query"], lists)
    return folder


@pytest.fixture(scope="session")
def org(demo_data: Path) -> Iterator[DemoOrg]:
    """An org no test writes to."""
    with forked_demo_org(demo_data, http=True) as launched:
        yield launched


@pytest.fixture(scope="session")
def client(org: DemoOrg) -> Client:
    return Client(org)


@pytest.fixture(scope="module")
def scripted(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    with serve_scripted(demo_data, tmp_path_factory.mktemp("scripted")) as served:
        yield served


@pytest.fixture(autouse=True)
def _no_faults_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "scripted" in request.fixturenames:
        request.getfixturevalue("scripted").script()
