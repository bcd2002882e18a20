"""``crosswalk connect`` against the demo org's own sign-in pages: what is asked, kept, refused."""

import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from data_contracts.errors import AuthenticationError, HomeBusyError, OrgMismatchError, SettingsError
from data_contracts.settings import Settings
from pipelines.connect import pinned_org
from pipelines.extract.state import pin_org
from resources.salesforce import Identity
from resources.warehouse import Warehouse
from tests.integration.connection.conftest import Person, Place, query_of
from tests.support.demo_org_client import Scripted

MakePlace = Callable[..., Place]
Admin = Callable[..., None]


def files_with(root: Path, text: str) -> list[str]:
    return [path.name for path in root.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_a_person_signs_in_once_and_syncs_go_on_without_them(place: MakePlace, scripted: Scripted) -> None:
    here = place()
    record = here.connect()
    assert (record.org_id, record.username) == (scripted.org.org_id, scripted.org.username)
    assert (record.grant, record.instance_url) == ("refresh_token", scripted.org.url)
    assert set(record.scopes.split()) == {"api", "id", "refresh_token"}
    stored = here.store.token()
    assert stored is not None
    for file in (here.store.token_file, here.store.record_file):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert files_with(here.home.root, stored.refresh_token.reveal()) == ["credentials.json"]
    assert here.org().identity().org_id == scripted.org.org_id

    asked = query_of(here.person.addresses[0])
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["redirect_uri"].startswith("http://localhost:")
    assert "prompt" not in asked
    here.connect()
    assert len(here.person.addresses) == 1


def test_again_asks_for_the_password_anew(place: MakePlace, scripted: Scripted) -> None:
    here = place()
    here.connect()
    first = here.store.token()
    here.connect(again=True)
    assert here.store.token() != first
    assert query_of(here.person.addresses[1])["prompt"] == "login"


@pytest.mark.parametrize("grant", ["jwt", "client_credentials", "access_token"])
def test_other_ways_are_tried_and_remembered_without_a_browser(
    grant: str, place: MakePlace, scripted: Scripted
) -> None:
    here = place(grant)
    record = here.connect()
    assert (record.grant, record.username, record.state) == (grant, scripted.org.username, "connected")
    assert here.person.addresses == []
    assert here.store.record() == record
    for secret in (scripted.org.access_token, scripted.org.client_secret):
        assert files_with(here.home.root, secret) == []


def test_deny_is_said_and_nothing_is_kept(place: MakePlace, person: Person) -> None:
    person.decision = "deny"
    here = place()
    with pytest.raises(AuthenticationError, match=r"access_denied[\s\S]*pressed Deny[\s\S]*press Allow"):
        here.connect()
    person.done()
    assert "Not connected" in person.pages[-1]
    assert (here.store.token(), here.store.record()) == (None, None)


@pytest.mark.parametrize(
    ("policy", "shown"),
    [
        ({"state": "blocked"}, "OAUTH_APP_BLOCKED"),
        ({"state": "missing"}, "OAUTH_EC_APP_NOT_FOUND"),
        ({"state": "not_installed"}, "invalid_client"),
        ({"pre_authorised": ["somebody@else.example"]}, "OAUTH_APP_ACCESS_DENIED"),
        ({"scopes": ["api", "id"]}, "invalid_scope"),
    ],
)
def test_what_an_admin_forbids_ends_the_sign_in(
    policy: dict[str, Any], shown: str, place: MakePlace, admin: Admin
) -> None:
    admin(policy)
    here = place()
    with pytest.raises(AuthenticationError, match=shown) as caught:
        here.connect()
    assert "Setup > " in str(caught.value)
    assert here.store.token() is None


def test_an_error_that_salesforce_keeps_to_its_page_is_told_as_silence(place: MakePlace, admin: Admin) -> None:
    admin({"loopback_callbacks": False})
    here = place()
    with pytest.raises(AuthenticationError, match=r"nobody signed in within 1 seconds[\s\S]*docs/connecting.md"):
        here.connect(seconds=1.0)
    here.person.done()
    assert "redirect_uri_mismatch" in here.person.pages[-1]


def test_another_org_is_refused_and_its_token_given_back(place: MakePlace, scripted: Scripted) -> None:
    here = place()
    other = "00D000000000001EAA"
    with Warehouse(here.home.warehouse, "1GB").connect() as con:
        pin_org(con, Identity(other, "005", "a@b.example", "A"))
    assert pinned_org(here.home, Settings()) == other
    before = len(scripted.log())
    with pytest.raises(OrgMismatchError) as caught:
        here.connect()
    assert other in str(caught.value)
    assert scripted.org.org_id in str(caught.value)
    assert (here.store.token(), here.store.record()) == (None, None)
    assert [entry["path"] for entry in scripted.log()[before:]][-1] == "/services/oauth2/revoke"


def test_without_a_sign_in_a_sync_says_what_to_run(place: MakePlace) -> None:
    with pytest.raises(SettingsError, match=r"SALESFORCE_REFRESH_TOKEN is not set[\s\S]*crosswalk connect"):
        place().org()


def test_a_revoked_token_leads_back_to_the_browser(place: MakePlace) -> None:
    here = place()
    here.connect()
    here.org().session.tokens.revoke()
    with pytest.raises(AuthenticationError, match=r"expired access/refresh token[\s\S]*crosswalk connect"):
        here.org()
    here.connect()
    assert len(here.person.addresses) == 2
    assert here.org().identity().username


def test_rotation_survives_restarts_and_other_processes(place: MakePlace, admin: Admin) -> None:
    admin(refresh_token_rotation=True)
    here = place()
    here.connect()
    first = here.store.token()
    one, two = here.org(), here.org()
    assert here.store.token() != first
    for org in (one, two, one):
        stale = org.session.tokens.current()
        assert org.session.tokens.replace(stale) is not stale
    assert here.org().identity().username


def test_a_rotated_variable_is_replaced_by_the_store(place: MakePlace, admin: Admin, tmp_path: Path) -> None:
    admin(refresh_token_rotation=True)
    here = place()
    here.connect()
    stored = here.store.token()
    assert stored is not None
    here.store.remove_token()
    file = tmp_path / "refresh"
    file.write_text(stored.refresh_token.reveal() + "\n")
    file.chmod(0o600)
    here.environment["SALESFORCE_REFRESH_TOKEN_FILE"] = str(file)
    for _ in range(3):
        assert here.org().identity().username
    assert here.store.token() not in (None, stored)


def test_nobody_connects_while_something_works_in_the_home(place: MakePlace) -> None:
    here = place("jwt")
    with here.home.lock("a long run"), pytest.raises(HomeBusyError, match="a long run"):
        here.connect()


def test_the_answer_of_another_sign_in_is_not_taken(place: MakePlace, person: Person) -> None:
    here = place()
    shown = person.show

    def forge(address: str, callback: str) -> None:
        forged = requests.get(callback, params={"code": "stolen", "state": "guessed"}, timeout=10)
        person.pages.append(str(forged.status_code))

    def forged_then_real(address: str, callback: str) -> None:
        def both() -> None:
            forge(address, callback)
            shown(address, callback)

        threading.Thread(target=both).start()

    person.show = forged_then_real  # type: ignore[method-assign]
    assert here.connect().state == "connected"
    assert "400" in person.pages
