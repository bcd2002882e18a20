"""README's walk from nothing, as it stands there, and after it every command that README and docs show.

Runs of the walk are the sync without Dagster's bookkeeping; those that other pages ask for are noted, and not run.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from click.testing import CliRunner
from dagster._cli import create_dagster_cli

from apps.cli.main import cli
from apps.demo_org.launch import DemoOrg
from data_contracts.errors import CrosswalkError
from data_contracts.settings_file import load_settings
from pipelines.run import OBJECTS
from resources.home import Home
from schedules.launch import RunOutcome, dagster_instance
from schedules.watch import build_watch
from tests.support.doc_commands import FOREIGN, NOT_RUN, RUN, Case
from tests.support.documented import ROOT, is_whole, shown
from tests.support.light_sync import run_now_light
from tests.support.walk import PAIRS, README, Walk, commands_of_the_walk, put_reference


@pytest.fixture(scope="module")
def walk(org: DemoOrg, org_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """Everything that README says is to be typed, done."""
    folder = tmp_path_factory.mktemp("acme")
    put_reference(org_files / "reference", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in org.environment().items():
            patch.setenv(name, value)
        # Where the org is, the settings say.
        patch.delenv("SALESFORCE_INSTANCE_URL")
        patch.setenv("CROSSWALK_HOME", str(folder / "home"))
        patch.setenv("CROSSWALK_CONFIG", str(folder / "crosswalk.yaml"))
        patch.setattr("apps.cli.sync.run_now", run_now_light)
        made = Walk(folder, org)
        for item in commands_of_the_walk():
            made.take(item)
        yield made


def test_the_way_is_the_one_of_the_readme(walk: Walk) -> None:
    steps = [words.split(" ")[0] for words in walk.told]
    assert steps == ["init", "settings", "preflight", "settings", "sync", "sync", "explain"]
    assert len(set(walk.decided)) == PAIRS


def test_ten_decisions_are_links_from_the_next_run_on(walk: Walk) -> None:
    with duckdb.connect(str(Home.from_environment().published), read_only=True) as con:
        query = "SELECT salesforce_id FROM crosswalk.{} WHERE method = 'person'"
        by_person = [(name, record) for name in OBJECTS for (record,) in con.sql(query.format(name)).fetchall()]
        runs = con.sql("SELECT kind FROM ops.sync_run ORDER BY started_at").fetchall()
    assert set(by_person) == set(walk.decided)
    assert runs == [("full",), ("delta",)]
    assert "positive" in walk.told["explain account ID"]


def test_every_query_of_the_readme_finds_something(walk: Walk) -> None:
    queries = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)
    assert len(queries) == 3
    # The day that README names lies before the first run of this home.
    inline = {
        "FROM as_of('2026-03-01')": "FROM as_of(current_date)",
        "SELECT column_name, comment FROM duckdb_columns()": "",
    }
    assert all(f"`{query}`" in README for query in inline)
    with duckdb.connect(str(Home.from_environment().published), read_only=True) as con:
        found = [len(con.sql(query).fetchall()) for query in queries]
        waiting = con.sql("SELECT count(*) FROM crosswalk.account WHERE status = 'in_review'").fetchall()[0][0]
        rest = [con.sql(instead or query).fetchall() for query, instead in inline.items()]
    # Of the accounts of so small an org none may be left to decide.
    assert (found[0] > 0, found[1] > 0, found[2]) == (True, True, waiting)
    assert all(rest)


def test_schedules_are_on_and_the_next_runs_are_shown(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home.from_environment()
    assert "runs start by hand only" in walk.crosswalk(["status"])
    monkeypatch.setenv("DAGSTER_HOME", str(home.dagster))
    for item in shown():
        if item.page == "docs/schedules.md" and item.words[:2] == ["dagster", "schedule"]:
            words = [str(ROOT / word) if word == "workspace.yaml" else word for word in item.words[1:]]
            done = CliRunner().invoke(create_dagster_cli(), words)
            assert done.exit_code == 0, (done.output, done.exception)
    with dagster_instance(home) as instance:
        # The daemon's look, every five minutes.
        build_watch(load_settings()).evaluate_tick(dg.build_sensor_context(instance=instance))
    told = walk.crosswalk(["status"])
    assert "Schedules: on (daily_sync, weekly_full_sync)" in told
    assert len(re.findall(r"│ \w{3} \d{4}-\d\d-\d\d 20:00 │", told)) == 14


def test_every_command_of_the_pages_is_run_or_says_why_not() -> None:
    ways = {case.text for case in RUN} | set(NOT_RUN) | {item.text for item in commands_of_the_walk()}
    whole = [item for item in shown() if item.program == "crosswalk" and (item.typed or is_whole(item))]
    assert len(whole) > 100
    assert [str(item) for item in whole if item.text not in ways] == [], "add it to tests/support/doc_commands.py"
    others = [item for item in shown() if item.typed and item.program not in ("", "crosswalk")]
    assert [str(item) for item in others if item.program not in FOREIGN] == []
    texts = {item.text for item in shown()}
    assert [text for text in (*(case.text for case in RUN), *NOT_RUN) if text not in texts] == [], "no page shows it"


@pytest.fixture(scope="module")
def facts(walk: Walk) -> dict[str, str]:
    """What placeholders stand for in this home."""
    queries = {
        "contact": "SELECT min(salesforce_id) FROM crosswalk.contact WHERE status = 'linked'",
        "person": "SELECT min(reference_id) FROM crosswalk.contact WHERE status = 'linked'",
        "run": "SELECT run_id FROM _meta",
        "user": "SELECT min(salesforce_id) FROM ownership.user WHERE kind = 'user' AND record_count > 0",
    }
    with duckdb.connect(str(Home.from_environment().published), read_only=True) as con:
        found = {name: str(con.sql(query).fetchall()[0][0]) for name, query in queries.items()}
    account = next(record for name, record in walk.decided if name == "account")
    return found | {"account": account, "account name": "account", "own": "una", "file": str(walk.folder / "a-file")}


@pytest.mark.parametrize("case", RUN, ids=lambda case: case.text)
def test_a_command_of_the_pages_runs(
    case: Case, walk: Walk, facts: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def noted(defs: dg.Definitions, home: Home, *, kind: str, objects: tuple[str, ...] = ()) -> RunOutcome:
        asked.append((kind, tuple(objects)))
        return RunOutcome(facts["run"], True, (), ())

    monkeypatch.setattr("apps.cli.sync.run_now", noted)
    if case.fresh:
        monkeypatch.setenv("CROSSWALK_CONFIG", str(tmp_path / "crosswalk.yaml"))
    words = [facts[case.given[word]] if word in case.given else word for word in shlex.split(case.text)[1:]]
    done = CliRunner().invoke(cli, words, input=case.answer or None)
    told = f"{done.output}\n{done.exception or ''}"
    failed = isinstance(done.exception, CrosswalkError)
    assert (1 if failed else done.exit_code) == case.code, told
    assert case.says in told
    assert asked == ([case.starts] if case.starts else [])
