"""The refresh token: private on disk, replaced whole, used once at a time however many ask."""

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
import requests

from data_contracts.errors import AuthenticationError, SettingsError
from resources.salesforce.auth import TokenSource
from resources.salesforce.credentials import Credentials
from resources.salesforce.secret import Secret, write_private
from resources.salesforce.token_store import ConnectionRecord, StoredToken, TokenStore

URL = "https://acme.my.salesforce.com"


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path)


def stored(value: str, given: str = "") -> StoredToken:
    return StoredToken(Secret(value), "id", URL, given)


def test_what_was_saved_is_read_back_and_private(store: TokenStore) -> None:
    os.umask(0o022)
    store.save_token(stored("5Aep-canary"))
    assert store.token() == stored("5Aep-canary")
    assert stat.S_IMODE(store.token_file.stat().st_mode) == 0o600
    assert [path.name for path in store.token_file.parent.iterdir()] == ["credentials.json"]
    assert "5Aep-canary" not in repr(store.token())
    store.remove_token()
    store.remove_token()
    assert store.token() is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_file_others_may_use_is_refused_with_its_mode(mode: int, store: TokenStore) -> None:
    store.save_token(stored("5Aep-canary"))
    store.token_file.chmod(mode)
    with pytest.raises(SettingsError, match=rf"{mode:04o}[\s\S]*chmod 600") as caught:
        store.token()
    assert "5Aep-canary" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"client_id": "5Aep-canary"}', "5Aep-canary"])
def test_a_file_of_another_shape_says_so_and_quotes_nothing(text: str, store: TokenStore) -> None:
    write_private(store.token_file, text)
    with pytest.raises(SettingsError, match=r"not what Crosswalk wrote[\s\S]*crosswalk connect") as caught:
        store.token()
    assert "5Aep-canary" not in str(caught.value)


def test_a_write_that_fails_leaves_the_old_file(store: TokenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save_token(stored("first"))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SettingsError, match="No space left"):
        store.save_token(stored("second"))
    monkeypatch.undo()
    assert store.token() == stored("first")
    assert [path.name for path in store.token_file.parent.iterdir()] == ["credentials.json"]


@pytest.mark.parametrize("state", ["disconnected", "disconnecting"])
def test_a_disconnected_home_connects_only_on_purpose(state: Any, store: TokenStore) -> None:
    store.require_connected()
    store.save_record(ConnectionRecord(state, "00D000000000001AAA", at="2026-01-01T00:00:00+00:00"))
    with pytest.raises(AuthenticationError, match=r"00D000000000001AAA[\s\S]*crosswalk (dis)?connect"):
        store.require_connected()
    store.save_record(ConnectionRecord("connected", "00D000000000001AAA"))
    store.require_connected()


class RotatingOrg:
    """Gives a new refresh token each time, and voids every token when an old one is used again."""

    def __init__(self, first: str) -> None:
        self.valid, self.number, self.reused = first, 0, 0
        self.lock = threading.Lock()

    def post(self, url: str, form: dict[str, str]) -> requests.Response:
        with self.lock:
            response = requests.Response()
            if form["refresh_token"] != self.valid:
                self.reused, self.valid = self.reused + 1, ""
                response.status_code = 400
                body = {"error": "invalid_grant", "error_description": "expired access/refresh token"}
            else:
                self.number += 1
                self.valid = f"refresh-{self.number}"
                response.status_code = 200
                body = {"access_token": f"00D!{self.number}", "instance_url": URL, "refresh_token": self.valid}
            response._content = json.dumps(body).encode()
            return response


def source(store: TokenStore | None, org: RotatingOrg, token: str = "first") -> TokenSource:
    return TokenSource(Credentials("refresh_token", URL, URL, "id", refresh_token=Secret(token)), org.post, store)


def test_many_processes_that_renew_at_once_never_use_a_void_token(store: TokenStore) -> None:
    org = RotatingOrg("first")
    store.save_token(stored("first"))
    sources = [source(TokenStore(store.token_file.parent), org) for _ in range(4)]
    failures: list[Exception] = []

    def work(one: TokenSource) -> None:
        try:
            for _ in range(5):
                one.replace(one.current())
        except AuthenticationError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(one,)) for one in sources for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failures, org.reused) == ([], 0)
    latest = store.token()
    assert latest is not None
    assert latest.refresh_token.reveal() == org.valid


def test_a_rotated_token_is_on_disk_before_anything_uses_the_new_access_token(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = RotatingOrg("first")
    store.save_token(stored("first"))
    one = source(store, org)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SettingsError, match="No space left"):
        one.current()
    monkeypatch.undo()
    assert store.token() == stored("first")


def test_a_refused_renewal_is_asked_for_once(store: TokenStore) -> None:
    org = RotatingOrg("first")
    store.save_token(stored("first"))
    one = source(store, org)
    stale = one.current()
    org.valid = "revoked"
    refused: list[AuthenticationError] = []

    def work() -> None:
        try:
            one.replace(stale)
        except AuthenticationError as error:
            refused.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(refused), org.reused) == (6, 1)
    assert "crosswalk connect" in str(refused[0])


def test_without_a_store_rotation_lasts_as_long_as_the_process() -> None:
    org = RotatingOrg("first")
    one = source(None, org)
    for _ in range(3):
        one.replace(one.current())
    assert (org.reused, org.number) == (0, 4)


def test_a_given_access_token_is_not_renewed_and_says_how_to_get_another() -> None:
    org = RotatingOrg("first")
    one = TokenSource(Credentials("access_token", URL, URL, access_token=Secret("00D!canary")), org.post)
    with pytest.raises(AuthenticationError, match=r"sf org auth show-access-token[\s\S]*SALESFORCE_AUTH=jwt") as caught:
        one.replace(one.current())
    assert "canary" not in str(caught.value)
    assert org.number == 0
