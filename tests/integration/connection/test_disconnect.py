"""``crosswalk disconnect``: revoked at Salesforce, archived here, unpinned; a kill at any step is gone on with."""

import json
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from apps.cli.main import cli
from data_contracts.errors import AuthenticationError, HomeBusyError, WarehouseError
from data_contracts.settings import Settings
from pipelines.connect import pinned_org
from pipelines.disconnect import Disconnected, NotRevokedError, disconnect
from pipelines.extract.state import pin_org
from resources.salesforce.auth import Identity
from resources.warehouse import Warehouse
from tests.integration.connection.conftest import Place, query_of
from tests.support.demo_org_client import Scripted
from tests.support.mirror import QUICK

MakePlace = Callable[..., Place]


def leave(here: Place, **more: Any) -> Disconnected:
    return disconnect(here.home, Settings(), here.environment, policy=QUICK, **more)


def fill(here: Place, org_id: str) -> None:
    """Put into the home what a sync and its readers leave there."""
    with Warehouse(here.home.warehouse, "1GB").connect() as con:
        pin_org(con, Identity(org_id, "005", "a@b.example", "A"))
    for path in ("landing/account/full-1/page.csv", "models/model.json", "published/earlier/analytics.1.duckdb"):
        (here.home.root / path).parent.mkdir(parents=True, exist_ok=True)
        (here.home.root / path).write_text("from the org")
    here.home.published.write_text("from the org")
    (here.home.root / "masking.key").write_text("ours")


EXPECTED = {
    "landing/account/full-1/page.csv", "models/model.json", "published/analytics.duckdb",
    "published/earlier/analytics.1.duckdb", "warehouse.duckdb",
}  # fmt: skip


@pytest.fixture
def connected(place: MakePlace, scripted: Scripted) -> Place:
    here = place()
    here.connect()
    fill(here, scripted.org.org_id)
    return here


def test_the_token_is_revoked_the_data_archived_and_the_pin_off(connected: Place, scripted: Scripted) -> None:
    still_open = connected.org()
    done = leave(connected)
    assert (done.org_id, done.revoked) == (scripted.org.org_id, "revoked")
    assert set(done.moved) == EXPECTED
    folder = Path(done.archive)
    assert folder.name.startswith(scripted.org.org_id)
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert json.loads((folder / "archive.json").read_text())["org_id"] == scripted.org.org_id
    root = connected.home.root
    left = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and folder not in path.parents}
    assert left == {"masking.key", "connection.json", "credentials.lock", "crosswalk.lock"}
    assert pinned_org(connected.home, Settings()) == ""
    # With the refresh token went the access tokens made from it.
    with pytest.raises(AuthenticationError, match="expired access/refresh token"):
        still_open.session.read_json("/services/oauth2/userinfo", "say who we are")


def test_nothing_reconnects_by_itself_and_connect_asks_for_the_password(connected: Place) -> None:
    leave(connected)
    for grant in ("refresh_token", "jwt", "client_credentials", "access_token"):
        connected.environment["SALESFORCE_AUTH"] = grant
        with pytest.raises(AuthenticationError, match=r"was disconnected from org[\s\S]*crosswalk connect"):
            connected.org()
    connected.environment["SALESFORCE_AUTH"] = "refresh_token"
    connected.connect()
    assert query_of(connected.person.addresses[-1])["prompt"] == "login"
    assert connected.org().identity().org_id
    leave(connected)
    # A sync that was refused leaves a warehouse of its own, without a pin.
    with Warehouse(connected.home.warehouse, "1GB").connect():
        assert connected.home.warehouse.is_file()
    with pytest.raises(WarehouseError, match=r"nothing to disconnect[\s\S]*crosswalk connect"):
        leave(connected)


class KilledError(BaseException):
    """Stands for kill -9: nothing of ours catches it."""


@pytest.mark.parametrize("step", range(1, 13))
def test_a_kill_at_any_step_is_gone_on_with(step: int, connected: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    (connected.home.root / "decisions.db").touch()
    count = 0

    def dies(method: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count == step:
                raise KilledError
            return method(*args, **kwargs)

        return wrapped

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", dies(Path.rename))
        patch.setattr(Path, "replace", dies(Path.replace))
        patch.setattr(Path, "unlink", dies(Path.unlink))
        with pytest.raises(KilledError):
            leave(connected)
    record = connected.store.record()
    assert record is not None
    if record.state == "disconnecting":
        with pytest.raises(AuthenticationError, match=r"did not end[\s\S]*crosswalk disconnect"):
            connected.org()
        with pytest.raises(AuthenticationError, match="did not end"):
            connected.connect()
    done = leave(connected)
    assert done.revoked in ("revoked", "was not valid any more")
    assert set(done.moved) == EXPECTED | {"decisions.db"}
    assert connected.store.token() is None
    assert len(list((connected.home.root / "archive").iterdir())) == 1
    assert (connected.home.root / "decisions.db").is_file()


def offline() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"https://localhost:{taken.getsockname()[1]}"


def test_offline_nothing_is_changed_unless_forced(connected: Place) -> None:
    connected.environment["SALESFORCE_INSTANCE_URL"] = offline()
    stored = connected.store.token()
    with pytest.raises(NotRevokedError, match=r"was not revoked[\s\S]*--force[\s\S]*Nothing was changed"):
        leave(connected)
    assert connected.store.token() == stored
    assert connected.home.published.is_file()
    done = leave(connected, force=True)
    assert "NOT revoked" in done.revoked
    assert "Setup > " in done.revoked
    assert connected.store.token() is None
    assert set(done.moved) == EXPECTED


def test_a_token_salesforce_forgot_is_no_obstacle(connected: Place) -> None:
    connected.org().session.tokens.revoke()
    assert leave(connected).revoked == "was not valid any more"


@pytest.mark.parametrize("grant", ["jwt", "client_credentials"])
def test_without_a_refresh_token_the_access_token_is_revoked(grant: str, place: MakePlace, scripted: Scripted) -> None:
    here = place(grant)
    here.connect()
    before = len(scripted.log())
    done = leave(here)
    assert (done.revoked, done.archive, done.moved) == ("revoked", "", ())
    assert [entry["path"] for entry in scripted.log()[before:]] == ["/services/oauth2/token", "/services/oauth2/revoke"]


def test_not_while_a_run_is_on(connected: Place) -> None:
    with connected.home.lock("run 7"), pytest.raises(HomeBusyError, match="run 7"):
        leave(connected)


def test_the_commands(place: MakePlace, scripted: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, runner = place(), CliRunner()
    settings = tmp_path / "crosswalk.yaml"
    settings.write_text("objects:\n  account: {}\n")
    for name, value in here.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CROSSWALK_HOME", str(here.home.root))
    monkeypatch.setenv("CROSSWALK_CONFIG", str(settings))
    opened: list[str] = []

    def browser(address: str) -> bool:
        opened.append(address)
        here.person.show(address, "")
        return True

    monkeypatch.setattr("webbrowser.open", browser)
    monkeypatch.setenv("DISPLAY", ":0")
    answer = runner.invoke(cli, ["connect", "--port", "0", "--json"], catch_exceptions=False)
    assert answer.exit_code == 0
    told = json.loads(answer.stdout)
    assert (told["org_id"], told["username"]) == (scripted.org.org_id, scripted.org.username)
    assert opened[0] in answer.stderr
    assert scripted.org.client_secret not in answer.output

    text = runner.invoke(cli, ["connect"], catch_exceptions=False)
    assert scripted.org.org_id in text.stdout
    assert "Scopes: api id refresh_token" in text.stdout
    assert runner.invoke(cli, ["disconnect", "--json"]).exit_code == 2
    assert "Nothing was changed" in runner.invoke(cli, ["disconnect"], input="n\n").output
    assert here.store.token() is not None
    gone = runner.invoke(cli, ["disconnect", "--yes"], catch_exceptions=False)
    assert "Token: revoked." in gone.stdout
