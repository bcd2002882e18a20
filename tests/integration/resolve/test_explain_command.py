"""``crosswalk explain`` on a published file: for people, for machines, and what it says when there is nothing."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from apps.cli.explain import command
from data_contracts.errors import WarehouseError
from resources.home import Home
from tests.support.resolution import connect, put, resolve_all

KEY = "A1".ljust(18, "0")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("CROSSWALK_HOME", str(tmp_path / "home"))
    return Home.from_environment()


def publish(home: Home) -> None:
    with connect(home.published) as con:
        put(con, "salesforce.account", [{"Id": KEY, "Name": "Acme Widgets", "Website": "acme.com"}])
        put(con, "reference.company", [{"company_id": "c1", "name": "Acme Widgets Inc", "website": "acme.com"}])
        resolve_all(con, "account", home.models)


def test_it_says_why_in_words(home: Home) -> None:
    publish(home)
    shown = CliRunner().invoke(command, ["account", KEY], catch_exceptions=False)
    assert shown.exit_code == 0
    assert "linked. rung ACC_DOMAIN_NAME is satisfied by this entity alone." in shown.output
    assert "acme widgets" in shown.output
    assert "by rung ACC_DOMAIN_NAME: same domain and same name." in shown.output
    assert "1. c1 ACC_DOMAIN_NAME: probability" in shown.output
    assert "← this one" in shown.output
    assert "keys: " in shown.output
    assert "link made (none → c1), cause data." in shown.output


def test_it_says_why_in_json(home: Home) -> None:
    publish(home)
    shown = CliRunner().invoke(command, ["account", KEY, "--json"], catch_exceptions=False)
    document = json.loads(shown.output)
    assert document["winner"] == "c1"
    assert document["candidates"][0]["rule_code"] == "ACC_DOMAIN_NAME"
    assert document["decider"] == {"by": "rung", "name": "ACC_DOMAIN_NAME", "meaning": "same domain and same name"}
    assert (document["runner_up"], document["margin"]) == (None, None)
    assert document["latest_change"]["change"] == "made"


def test_nothing_published_is_an_error_with_the_next_command(home: Home) -> None:
    with pytest.raises(WarehouseError, match="nothing is published yet"):
        CliRunner().invoke(command, ["account", KEY], catch_exceptions=False)
