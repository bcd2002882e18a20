"""What the environment must hold, and that a secret never shows."""

import pickle
import time
from pathlib import Path

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from data_contracts.errors import SettingsError
from resources.salesforce.auth import TokenSource
from resources.salesforce.credentials import REQUIRED, Credentials, Secret
from resources.salesforce.token_store import StoredToken, TokenStore

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
    for name in REQUIRED[grant]:
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


@pytest.mark.parametrize("name", ["CLIENT_SECRET", "REFRESH_TOKEN", "ACCESS_TOKEN"])
def test_a_secret_may_come_from_a_private_file(name: str, complete: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("  from-a-file\n")
    file.chmod(0o600)
    del complete[f"SALESFORCE_{name}"]
    complete |= {f"SALESFORCE_{name}_FILE": str(file), "SALESFORCE_AUTH": "client_credentials"}
    found = Credentials.from_environment(complete)
    assert getattr(found, name.lower()) == Secret("from-a-file")
    with pytest.raises(SettingsError, match=f"SALESFORCE_{name} and SALESFORCE_{name}_FILE are both set"):
        Credentials.from_environment(complete | {f"SALESFORCE_{name}": "twice"})
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="holds no text"):
        Credentials.from_environment(complete)


@pytest.mark.parametrize("name", ["CLIENT_SECRET_FILE", "PRIVATE_KEY_FILE"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_secret_that_others_may_read_is_refused(
    name: str, mode: int, complete: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "open"
    file.write_text("very-secret")
    file.chmod(mode)
    complete.pop("SALESFORCE_CLIENT_SECRET")
    with pytest.raises(SettingsError, match=rf"SALESFORCE_{name}[\s\S]*{mode:04o}[\s\S]*chmod 600") as caught:
        Credentials.from_environment(complete | {f"SALESFORCE_{name}": str(file)})
    assert "very-secret" not in str(caught.value)


def test_a_stored_token_signs_in_and_a_given_one_wins(complete: dict[str, str], tmp_path: Path) -> None:
    store = TokenStore(tmp_path)
    store.save_token(StoredToken(Secret("stored"), "id", URL["SALESFORCE_INSTANCE_URL"]))
    bare = URL | {"SALESFORCE_CLIENT_ID": "id"}
    found = Credentials.from_environment(bare, store=store)
    assert (found.grant, found.refresh_token) == ("refresh_token", Secret("stored"))
    given = Credentials.from_environment(complete | {"SALESFORCE_AUTH": "refresh_token"}, store=store)
    assert given.refresh_token == Secret("refresh-secret")
    # What replaced the given one is newer than it.
    store.save_token(StoredToken(Secret("rotated"), "id", URL["SALESFORCE_INSTANCE_URL"], given.refresh_origin))
    again = Credentials.from_environment(complete | {"SALESFORCE_AUTH": "refresh_token"}, store=store)
    assert again.refresh_token == Secret("rotated")


def test_a_stored_token_of_another_app_is_refused(tmp_path: Path) -> None:
    store = TokenStore(tmp_path)
    store.save_token(StoredToken(Secret("stored"), "another", URL["SALESFORCE_INSTANCE_URL"]))
    with pytest.raises(SettingsError, match=r"another app[\s\S]*crosswalk connect"):
        Credentials.from_environment(URL | {"SALESFORCE_CLIENT_ID": "id"}, store=store)


@pytest.mark.parametrize("login", ["", "https://login.salesforce.com", "https://acme--dev.sandbox.my.salesforce.com"])
def test_an_assertion_is_for_the_url_it_is_sent_to(login: str, complete: dict[str, str]) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, *form)
    Path(complete["SALESFORCE_PRIVATE_KEY_FILE"]).write_bytes(pem)
    sent: list[tuple[str, dict[str, str]]] = []

    def post(url: str, form: dict[str, str]) -> requests.Response:
        sent.append((url, form))
        response = requests.Response()
        response.status_code = 200
        response._content = b'{"access_token": "00D!x", "instance_url": "https://acme.my.salesforce.com"}'
        return response

    variables = complete | {"SALESFORCE_AUTH": "jwt"} | ({"SALESFORCE_LOGIN_URL": login + "/"} if login else {})
    source = TokenSource(Credentials.from_environment(variables), post)
    assert source.current().instance_url == "https://acme.my.salesforce.com"
    expected = login or "https://acme.my.salesforce.com"
    ((url, asked),) = sent
    assert url == f"{expected}/services/oauth2/token"
    claims = jwt.decode(asked["assertion"], key.public_key(), algorithms=["RS256"], audience=expected)
    assert (claims["iss"], claims["sub"]) == ("id", "me@example.com")
    assert 0 < claims["exp"] - time.time() <= 300
