"""What the environment must hold, and that a secret never shows."""

import pickle
from pathlib import Path

import pytest

from data_contracts.errors import SettingsError
from resources.salesforce.credentials import REQUIRED, Credentials, Secret

URL = {"SALESFORCE_INSTANCE_URL": "https://acme.my.salesforce.com"}


@pytest.fixture
def complete(tmp_path: Path) -> dict[str, str]:
    key = tmp_path / "server.key"
    key.write_text("-")
    key.chmod(0o600)
    return URL | {
        "SALESFORCE_CLIENT_ID": "id",
        "SALESFORCE_CLIENT_SECRET": "very-secret",
        "SALESFORCE_USERNAME": "me@example.com",
        "SALESFORCE_REFRESH_TOKEN": "refresh-secret",
        "SALESFORCE_ACCESS_TOKEN": "token-secret",
        "SALESFORCE_PRIVATE_KEY_FILE": str(key),
    }


@pytest.mark.parametrize("grant", REQUIRED)
def test_each_missing_variable_is_named(grant: str, complete: dict[str, str]) -> None:
    complete["SALESFORCE_AUTH"] = grant
    assert Credentials.from_environment(complete).grant == grant
    for name in REQUIRED[grant]:  # type: ignore[index]
        lacking = {key: value for key, value in complete.items() if key != f"SALESFORCE_{name}"}
        with pytest.raises(SettingsError, match=f"SALESFORCE_{name}"):
            Credentials.from_environment(lacking)


@pytest.mark.parametrize("grant", REQUIRED)
def test_without_a_url_the_variable_is_named(grant: str, complete: dict[str, str]) -> None:
    del complete["SALESFORCE_INSTANCE_URL"]
    with pytest.raises(SettingsError, match="SALESFORCE_INSTANCE_URL"):
        Credentials.from_environment(complete | {"SALESFORCE_AUTH": grant})


def test_the_environment_wins_over_the_settings_file(complete: dict[str, str]) -> None:
    found = Credentials.from_environment(complete, instance_url="https://other.my.salesforce.com")
    assert found.instance_url == "https://acme.my.salesforce.com"


@pytest.mark.parametrize("url", ["http://acme.my.salesforce.com", "acme.my.salesforce.com", "https://acme.com/path"])
def test_a_url_that_is_not_https_and_host_is_refused(url: str, complete: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="SALESFORCE_INSTANCE_URL"):
        Credentials.from_environment(complete | {"SALESFORCE_INSTANCE_URL": url})


def test_an_unknown_grant_lists_the_known_ones(complete: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"'password'[\s\S]*client_credentials"):
        Credentials.from_environment(complete | {"SALESFORCE_AUTH": "password"})


def test_a_missing_key_file_is_named(complete: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="/nowhere/server.key"):
        Credentials.from_environment(complete | {"SALESFORCE_PRIVATE_KEY_FILE": "/nowhere/server.key"})


def test_no_secret_shows_in_any_text(complete: dict[str, str]) -> None:
    found = Credentials.from_environment(complete)
    for text in (repr(found), str(found), f"{found.client_secret}", f"{found.access_token!r:>9}"):
        assert not {value for value in ("very-secret", "refresh-secret", "token-secret") if value in text}
    with pytest.raises(TypeError):
        pickle.dumps(Secret("x"))
