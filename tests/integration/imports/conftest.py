"""A home of a test's own in the current folder, the command line in this process, and five accounts to import."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from apps.cli.main import cli
from resources.home import Home
from tests.support.org_tables import Row, put_crosswalk, put_reference, put_salesforce

ACCOUNTS = [
    {"Id": "A1", "Name": "Acme Inc", "Website": "https://www.acme.test/", "NumberOfEmployees": 10,
     "BillingCity": "Oslo", "ShippingStreet": "Side 2", "ShippingCity": "Bergen"},
    {"Id": "A2", "Name": "Acme", "Website": None, "Phone": "+47 22 00 00 00", "ShippingStreet": "Main 1",
     "ShippingCity": "Bergen", "NumberOfEmployees": 99},
    {"Id": "A3", "Name": "Lonely", "Website": "lonely.test", "BillingCity": None},
    {"Id": "A4", "Name": "Bare"},
    {"Id": "A5", "Name": "Gone", "_is_deleted": True},
]  # fmt: skip
COMPANIES = [
    {"company_id": "C1", "name": "ACME  inc", "website": "acme.test", "employees": 10, "city": "oslo"},
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty home beside the settings file that a test may write into the current folder, ``tmp_path``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROSSWALK_HOME", str(tmp_path / "home"))
    return Home.from_environment()


def run(*arguments: str, answer: str = "") -> Result:
    """What the command says; ``answer`` is typed where it asks."""
    return CliRunner().invoke(cli, arguments, input=answer)


def load(con: duckdb.DuckDBPyConnection, accounts: Sequence[Row] = ACCOUNTS) -> None:
    """The accounts as mirrored, two of them linked to one company, which the reference has."""
    put_salesforce(con, "account", accounts, ["BillingStreet", "Phone", "ShippingCity"])
    put_reference(con, "company", COMPANIES)
    put_crosswalk(con, "account", {"A1": "C1", "A2": "C1", "A3": None, "A4": None, "A5": "C1"}, A4="skipped")
