"""The command as a person runs it: colours in words, remedies, exit codes, JSON; and the bundle for a helper."""

import json
import stat
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from apps.cli.preflight import command
from data_contracts.contracts import load_contract
from pipelines.extract.state import pin_org
from pipelines.tables import ensure_table
from resources.home import Home
from resources.salesforce import ConnectionRecord, Identity, TokenStore
from resources.warehouse import Warehouse
from tests.integration.preflight.conftest import CANARIES, Admin
from tests.support.mirror import Mirror, settings_for

SETTINGS = """\
objects:
  account:
    selection: {mode: condition, condition: "Name != 'Canary Person' AND Website LIKE '%canary.example%'"}
imports:
  mapping:
    account:
      source: {static: Canary Static}
reference:
  company: {url: "postgresql://canary_user:${CANARY_PASSWORD}@db.example/ref", table: company}
users: {by_hand: {005000000000001AAA: canary.owner@secret.example}}
alerts: {webhook_url: "https://hooks.example/canary-hook-token"}
"""
SECRETS = {
    "SALESFORCE_REFRESH_TOKEN": "canary-refresh-token-value",
    "CROSSWALK_DATABASE_URL": "postgresql://canary:canary-db-password@db.example/decisions",
}
Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


@pytest.fixture
def run(admin: Admin, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``crosswalk preflight`` in a home of its own."""
    settings = tmp_path / "crosswalk.yaml"
    settings.write_text("{}")
    monkeypatch.chdir(tmp_path)
    for name, value in admin.scripted.org.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CROSSWALK_HOME", str(home.root))
    monkeypatch.setenv("CROSSWALK_CONFIG", str(settings))

    def invoke(*arguments: str, text: str = "{}", **environment: str) -> Result:
        settings.write_text(text)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(command, list(arguments))

    return invoke


def test_green_is_exit_0_and_red_is_exit_1_with_the_clicks(run: Run, admin: Admin) -> None:
    good = run()
    assert good.exit_code == 0, good.output
    assert "Preflight: 0 red" in good.output
    assert "75.0%" in good.output or "100%" in good.output
    back = {"read": True, "view_all": True, "view_all_fields": True}
    with admin.changed("set_object_permission", back, object="Lead", read=False):
        bad = run()
    assert bad.exit_code == 1
    assert "✘ red" in bad.output
    assert "Object Settings > Leads > Edit: Read" in " ".join(bad.output.replace("│", " ").split())
    assert max(len(line) for line in bad.output.splitlines()) <= 120
    assert "\x1b" not in bad.output


def test_a_review_lists_what_is_asked_for(run: Run) -> None:
    told = " ".join(run("--review").output.replace("│", " ").split())
    for words in ("Asked for", "View Setup and Configuration", "refresh_token", "OpportunityContactRole: read"):
        assert words in told


def test_the_json_document_keeps_its_keys(run: Run) -> None:
    body = json.loads(run("--json").stdout)
    assert list(body) == [
        "schema", "ok", "level", "checked_at", "connection", "allocations", "findings", "objects", "fields", "packages",
        "asked_for", "api_calls",
    ]  # fmt: skip
    assert (body["schema"], body["ok"]) == (1, True)
    assert set(body["findings"][0]) == {"level", "subject", "message", "remedy", "area"}
    assert set(body["fields"][0]) == {"object", "field", "used_for", "state", "editable", "records", "filled", "share"}
    assert set(body["objects"][0]) == {
        "object", "readable", "editable", "edit_needed", "view_all", "fields", "hidden", "records",
    }  # fmt: skip


def test_a_refused_sign_in_is_a_red_report(run: Run) -> None:
    answer = run("--json", SALESFORCE_CLIENT_SECRET="wrong")
    body = json.loads(answer.stdout)
    assert answer.exit_code == 1
    assert (body["ok"], body["level"]) == (False, "red")
    assert [item["subject"] for item in body["findings"]] == ["connection"]
    assert "Consumer Key and Secret" in body["findings"][0]["remedy"]


def test_another_org_s_home_is_red_with_both_ids(run: Run, admin: Admin, home: Home) -> None:
    with Warehouse(home.warehouse, "512MB").connect() as con:
        pin_org(con, Identity("00D000000000009EAA", "005", "", ""))
    answer = run("--json")
    finding = next(item for item in json.loads(answer.stdout)["findings"] if item["subject"] == "home")
    assert answer.exit_code == 1
    assert finding["level"] == "red"
    assert "00D000000000009EAA" in finding["message"]
    assert admin.scripted.org.org_id in finding["message"]


def test_while_a_run_holds_the_home_the_rest_is_still_told(run: Run, home: Home, tmp_path: Path) -> None:
    with home.lock("run 42"):
        body = json.loads(run("--json", "--support-bundle", str(tmp_path / "b.zip")).stdout)
    finding = next(item for item in body["findings"] if item["subject"] == "home")
    assert (finding["level"], body["ok"]) == ("grey", True)
    assert "run 42" in finding["message"]


def bundle_of(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as bundle:
        return {name: bundle.read(name).decode() for name in bundle.namelist()}


def test_the_bundle_has_what_a_helper_needs_and_no_canary(
    run: Run, admin: Admin, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The org's records, the settings, the environment, the home's files and its runs all hold canaries."""
    mirror = Mirror(admin.scripted.org, home.root, settings_for("account", "contact"))
    context, plan = mirror.submit("full")
    for name in plan.objects:
        mirror.finish(context, plan, name)
    store = TokenStore(home.root)
    store.save_record(
        ConnectionRecord("connected", admin.scripted.org.org_id, username="canary.boss", at="2026-11-01T00:00:00+00:00")
    )
    token = "5Aep861canaryCanaryCanaryStoredToken"
    store.token_file.write_text(json.dumps({"refresh_token": token, "client_id": "canary-client", "login_url": "x"}))
    store.token_file.chmod(0o600)
    message = (
        f"refused {token} of canary.someone@secret.example at {home.root}/x: LastName = 'Canary Person' "
        "00D5g0000000001!AQ.canary_session"
    )
    with mirror.warehouse.connect() as con:
        ensure_table(con, load_contract("ops.sync_run"))
        con.execute(
            "INSERT INTO ops.sync_run BY NAME SELECT ? AS run_id, 'full' AS kind, 'manual' AS trigger, 'failed' "
            "AS status, ? AS started_at, 'canary-host' AS host, ? AS message, '0' AS crosswalk_version, "
            "'h' AS settings_hash",
            [context.run_id, datetime.now(UTC).replace(tzinfo=None), message],
        ).fetchall()
    mirror.warehouse.close()
    path = tmp_path / "bundle.zip"
    answer = run("--json", "--support-bundle", str(path), text=SETTINGS, CANARY_PASSWORD="canary-pass", **SECRETS)
    files = bundle_of(path)
    assert json.loads(answer.stdout)["files"] == list(files)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    whole = "\n".join(files.values())
    for canary in (*CANARIES, *SECRETS.values(), token, admin.scripted.org.username, str(tmp_path)):
        assert canary not in whole, canary
    assert "canary" not in whole.lower()
    assert admin.scripted.org.client_secret not in whole
    assert admin.scripted.org.access_token not in whole
    described: list[dict[str, Any]] = json.loads(files["describe.json"])
    assert {"object": "Account", "field": "Website", "type": "url", "length": 255, "gone": False} in described
    assert json.loads(files["ops/sync_run.json"])[0]["status"] == "failed"
    assert json.loads(files["ops/api_usage.json"])
    assert json.loads(files["preflight.json"])["connection"]["org_id"] == admin.scripted.org.org_id
    assert json.loads(files["settings.json"])["imports"]["mapping"]["account"]["source"]["static"] == "(removed)"
    assert json.loads(files["home.json"])["bytes"]["warehouse.duckdb"] > 0
    assert json.loads(files["environment.json"])["SALESFORCE_CLIENT_SECRET"] == "(set)"
    assert "duckdb" in json.loads(files["versions.json"])["packages"]


def test_a_bundle_is_written_without_a_connection(run: Run, tmp_path: Path) -> None:
    answer = run("--support-bundle", SALESFORCE_CLIENT_SECRET="wrong-canary-secret")
    assert answer.exit_code == 1
    (path,) = tmp_path.glob("crosswalk-support-*.zip")
    files = bundle_of(path)
    assert json.loads(files["preflight.json"])["findings"][0]["level"] == "red"
    assert "canary" not in "".join(files.values())
    assert "no sync" in files["ops/none.txt"]


def test_a_bundle_that_cannot_be_written_says_so(run: Run, tmp_path: Path) -> None:
    answer = run("--support-bundle", str(tmp_path / "none" / "b.zip"))
    assert answer.exit_code == 1
    assert "cannot write the support bundle" in str(answer.exception)
