"""A demo org that tests may set up as an admin does, a home for each test, and a person at a browser."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from apps.demo_org.launch import DemoOrg
from data_contracts.settings import Settings
from pipelines.connect import Browser, connect
from resources.home import Home
from resources.salesforce import ConnectionRecord, SalesforceOrg, TokenStore
from tests.support.demo_org_client import Scripted, serve_scripted, write_csv
from tests.support.mirror import QUICK
from tests.support.web_sign_in import press


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    """An org with one user and one account."""
    data = tmp_path_factory.mktemp("org")
    write_csv(data / "Account.csv", ["Name"], [["Dock"]])
    with serve_scripted(data, tmp_path_factory.mktemp("scripted")) as served:
        yield served


@pytest.fixture
def admin(scripted: Scripted) -> Iterator[Callable[..., None]]:
    """Change the app's policy and the org's security; both are as before afterwards."""

    def settings(body: dict[str, Any]) -> dict[str, Any]:
        answer = scripted.client("POST", "/__demo__/settings", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    before = settings({"app": {}, "security": {}})

    def change(app: dict[str, Any] | None = None, **security: Any) -> None:
        settings({"app": app or {}, "security": security})

    yield change
    settings({key: before[key] for key in ("app", "security")})


class Person:
    """Somebody at a browser: opens the address, gives a username, presses a button, is sent back."""

    def __init__(self, org: DemoOrg) -> None:
        self.org, self.session, self.decision = org, requests.Session(), "allow"
        self.addresses: list[str] = []
        self.pages: list[str] = []
        self._threads: list[threading.Thread] = []

    def show(self, address: str, callback: str) -> None:
        """Open the address beside the command, which waits for the answer."""
        self.addresses.append(address)
        thread = threading.Thread(target=self.visit, args=(address,))
        self._threads.append(thread)
        thread.start()

    def visit(self, address: str) -> None:
        """Go through Salesforce's pages to the callback."""
        self.pages.append(press(self.org, self.session, address, decision=self.decision).text)

    def done(self) -> None:
        """Wait until every page was answered."""
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture
def person(scripted: Scripted) -> Iterator[Person]:
    someone = Person(scripted.org)
    yield someone
    someone.done()


class Place:
    """One CROSSWALK_HOME, and the environment of whoever works in it."""

    def __init__(self, root: Path, environment: dict[str, str], person: Person) -> None:
        self.home, self.environment, self.person = Home(root), environment, person
        self.home.prepare()

    @property
    def store(self) -> TokenStore:
        return TokenStore(self.home.root)

    def connect(self, **more: Any) -> ConnectionRecord:
        """Run ``crosswalk connect`` without the command line."""
        browser = Browser(self.person.show, port=0, seconds=more.pop("seconds", 20.0))
        return connect(self.home, Settings(), self.environment, browser, policy=QUICK, **more)

    def org(self) -> SalesforceOrg:
        """Sign in as a sync does."""
        return SalesforceOrg.connect(Settings().connection, self.environment, policy=QUICK, store=self.store)


def environment_of(org: DemoOrg, grant: str) -> dict[str, str]:
    """The variables of one way to sign in."""
    return org.environment() | {
        "SALESFORCE_AUTH": grant,
        "SALESFORCE_USERNAME": org.username,
        "SALESFORCE_PRIVATE_KEY_FILE": org.private_key_file,
        "SALESFORCE_ACCESS_TOKEN": org.access_token,
    }


@pytest.fixture
def place(scripted: Scripted, person: Person, tmp_path: Path) -> Callable[..., Place]:
    """Make a home in which somebody signs in with ``grant``."""

    def make(grant: str = "refresh_token", **more: str) -> Place:
        variables = environment_of(scripted.org, grant) | {f"SALESFORCE_{name}": value for name, value in more.items()}
        return Place(tmp_path / "home", variables, person)

    return make


def query_of(address: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
