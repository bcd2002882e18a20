"""What the pages on settings and mapping say of runs, on a home in which a whole run has published."""

import json
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from apps.cli.main import cli
from data_contracts.settings_file import load_settings
from definitions import build_defs
from pipelines.run import OBJECTS
from resources.wiring import CrosswalkResource, SalesforceResource, SyncResource
from tests.support.installation import Installation
from tests.support.light_run import LightOutcome, Step, run_light, steps_of
from tests.support.org_tables import fetch


def run(command: str) -> Result:
    return CliRunner().invoke(cli, shlex.split(command)[1:])


def test_init_puts_the_schema_beside_the_settings(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSWALK_CONFIG", str(tmp_path / "crosswalk.yaml"))
    assert run("crosswalk init").exit_code == 0
    first = (tmp_path / "crosswalk.yaml").read_text().splitlines()[0]
    named = first.partition("$schema=")[2]
    assert json.loads((tmp_path / named).read_text()) == json.loads(run("crosswalk settings schema").output)


def test_a_stopped_import_stops_no_other(installation: Installation) -> None:
    """The asset steps of the imports, as a run takes them, with the contacts' mapping changed."""
    text = installation.settings.read_text()
    changed = "{account: {industry: {transform: upper}}, contact: {title: {transform: upper}}}"
    installation.settings.write_text(f"{text}imports: {{mapping: {changed}}}\n")
    try:
        assert run("crosswalk mapping test account").exit_code == 0
        outcome = import_steps("stopped-1")
        assert outcome.failures == []
        with CrosswalkResource().connect() as con:
            stop = fetch(con, "SELECT object, run_id, reason FROM ops.import_stop")
            industries = fetch(con, "SELECT count(*) FROM imports.account WHERE industry <> upper(industry)")
            titles = fetch(con, "SELECT count(*) FROM imports.contact WHERE title <> upper(title)")
        assert [row[:2] for row in stop] == [("contact", "stopped-1")]
        assert "has not passed its test" in stop[0][2]
        assert industries == [(0,)], "the accounts go on"
        assert titles[0][0] > 0, "the contacts stay as they were"
        assert run("crosswalk mapping test contact").exit_code == 0
        assert import_steps("stopped-2").failures == []
        with CrosswalkResource().connect() as con:
            assert fetch(con, "SELECT count(*) FROM ops.import_stop") == [(0,)]
            assert fetch(con, "SELECT count(*) FROM imports.contact WHERE title <> upper(title)") == [(0,)]
            assert fetch(con, "SELECT count(*) FROM imports.person WHERE title <> upper(title)")[0][0] < titles[0][0]
    finally:
        installation.settings.write_text(text)


def import_steps(run_id: str) -> LightOutcome:
    """Run the import assets and the checks of their contracts."""
    tables = {f"imports__{name}" for name in (*OBJECTS, "company", "person")}
    steps = [step for step in steps_of(build_defs(settings=load_settings())) if tables & _names(step)]
    assert len(steps) >= len(tables)
    return run_light(steps, CrosswalkResource(), SalesforceResource(), SyncResource(), run_id=run_id)


def _names(step: Step) -> set[str]:
    return {"__".join(key.path) for key in (*step.makes, *step.checks)}


def test_a_switched_off_run_pauses_and_says_so(installation: Installation) -> None:
    text = installation.settings.read_text()
    installation.settings.write_text("connection: {enabled: false}\n" + text)
    try:
        steps = [step for step in steps_of(build_defs(settings=load_settings())) if "salesforce__field" in _names(step)]
        run_id = f"off-{datetime.now(UTC):%H%M%S}"
        outcome = run_light(steps[:1], CrosswalkResource(), SalesforceResource(), SyncResource(), run_id=run_id)
        assert outcome.failures == []
        with CrosswalkResource().connect() as con:
            told = fetch(con, f"SELECT status, message FROM ops.sync_run WHERE run_id = '{run_id}'")
        assert told[0][0] == "paused"
        assert "connection.enabled: false" in told[0][1]
    finally:
        installation.settings.write_text(text)
