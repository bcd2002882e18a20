"""Learning from decisions on a small real set: what is learnt, kept, shown, and what is asked next."""

import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from apps.cli.settings import command
from data_contracts.contracts import load_contract
from data_contracts.settings import Matching, Settings, Thresholds
from pipelines.resolve.active import questions
from pipelines.resolve.learning import FEWEST_DECISIONS
from pipelines.resolve.preview import preview, suggested, sweep
from resources.home import Home
from tests.support.resolution import connect, links, put, read_csv, resolve_all, run_context

DATA = Path(__file__).parents[2] / "data" / "chicago"


def loaded(path: Path | None = None) -> duckdb.DuckDBPyConnection:
    con = connect(path)
    put(con, "salesforce.account", read_csv(DATA / "Account.csv"))
    put(con, "reference.company", read_csv(DATA / "reference_company.csv"))
    con.execute(load_contract("match.decision").ddl())
    return con


def truth() -> dict[str, str]:
    return {str(row["salesforce_id"]): str(row["reference_id"]) for row in read_csv(DATA / "truth.csv")}


def decide(con: duckdb.DuckDBPyConnection, pairs: list[tuple[str, str]], *, wrongly: bool = False) -> None:
    true = truth()
    moment = datetime(2026, 2, 1, tzinfo=UTC).replace(tzinfo=None)
    for record, entity in pairs:
        judgement = "positive" if (true.get(record) == entity) != wrongly else "negative"
        con.execute(
            "INSERT INTO match.decision (object, salesforce_id, reference_id, judgement, decided_by, decided_at) "
            "VALUES ('account', ?, ?, ?, 'steward', ?)",
            [record, entity, judgement, moment],
        ).fetchall()


def asked(con: duckdb.DuckDBPyConnection, most: int) -> list[tuple[str, str]]:
    return [(item.salesforce_id, item.reference_id) for item in questions(con, "account", most)]


def table(con: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    # What a decision would teach depends on the whole queue, of which a delta weighs what changed only.
    return con.sql(
        "SELECT * EXCLUDE (teaching_value) FROM match.account_candidate ORDER BY salesforce_id, reference_id"
    ).fetchall()


def test_below_thirty_decisions_nothing_but_the_decided_pairs_changes(tmp_path: Path) -> None:
    with loaded() as con:
        resolve_all(con, "account", tmp_path)
        before = links(con, "account")
        pairs = asked(con, FEWEST_DECISIONS - 1)
        decide(con, pairs)
        result = resolve_all(con, "account", tmp_path, run=run_context("r2", day=2))
        after = links(con, "account")
        learnt = con.sql("SELECT DISTINCT weight_learned FROM match.account_candidate").fetchall()
    assert result.model is not None
    assert result.model.learned == {}
    assert learnt == [(0.0,)]
    decided = {record for record, _ in pairs}
    # Certain links teach the model, decided ones do not: nobody else moves.
    assert {k: v for k, v in before.items() if k not in decided} == {k: v for k, v in after.items() if k not in decided}


def test_questions_are_about_open_pairs_and_are_not_asked_twice(tmp_path: Path) -> None:
    with loaded() as con:
        resolve_all(con, "account", tmp_path)
        first = questions(con, "account", 10)
        decide(con, [(item.salesforce_id, item.reference_id) for item in first])
        resolve_all(con, "account", tmp_path, run=run_context("r2", day=2))
        second = questions(con, "account", 1000)
        rules = con.sql("SELECT salesforce_id FROM crosswalk.account WHERE method = 'rule'").fetchall()
    assert [item.teaching_value for item in first] == sorted((i.teaching_value for i in first), reverse=True)
    assert len({item.salesforce_id for item in second}) == len(second)
    assert not {(i.salesforce_id, i.reference_id) for i in first} & {(i.salesforce_id, i.reference_id) for i in second}
    assert not {row[0] for row in rules} & {item.salesforce_id for item in first}


def test_what_is_learnt_is_kept_in_the_model_and_adopted_only_if_better(tmp_path: Path) -> None:
    with loaded() as con:
        resolve_all(con, "account", tmp_path)
        pairs = con.sql(
            "SELECT salesforce_id, reference_id FROM match.account_candidate WHERE rank <= 2 AND NOT "
            "coalesce(rule_code, '') LIKE 'ACC%' ORDER BY hash(salesforce_id || reference_id) LIMIT 120"
        ).fetchall()
        decide(con, pairs, wrongly=True)
        free = Settings(matching=Matching(max_link_changes=1))
        full = resolve_all(con, "account", tmp_path, free, run_context("r2", day=2))
        rows = table(con)
        delta = resolve_all(con, "account", tmp_path, free, run_context("r3", "delta", day=3))
        again = table(con)
    assert full.model is not None
    learned = full.model.learned
    assert learned["decisions"] == 120
    # Everything this teacher says is the contrary of what the first stage holds: there is a lot to learn.
    assert learned["adopted"]
    assert learned["cost_after"] < learned["cost_before"]
    assert delta.model_reused
    assert delta.model is not None
    assert delta.model.learned == learned
    assert rows == again


def test_a_preview_is_what_a_run_with_other_thresholds_does(tmp_path: Path) -> None:
    with loaded() as con:
        resolve_all(con, "account", tmp_path)
        before = links(con, "account")
        now, then = Thresholds(), Thresholds(link=0.999, review=0.2, ambiguity_margin=3)
        told = preview(con, "account", now, then)
        swept = sweep(con, "account", now)
        con.execute("UPDATE match.account_candidate SET match_probability = 0.97 WHERE rank = 1").fetchall()
        lower = sweep(con, "account", now)
    with loaded() as con:
        resolve_all(con, "account", tmp_path, settings=Settings(matching=Matching(thresholds=then)))
        after = links(con, "account")
    lost = sum(before[k][0] == "linked" != after[k][0] for k in before)
    made = sum(after[k][0] == "linked" != before[k][0] for k in before)
    assert lost > 0
    assert (told.unlinked, told.linked) == (lost, made)
    assert 0 <= told.unlinked_wrong <= told.unlinked
    assert [t.records for t in swept] == sorted((t.records for t in swept), reverse=True)
    assert suggested(swept) is not None
    assert suggested(lower) is None


def test_the_command_says_what_a_threshold_would_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSWALK_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    home = Home.from_environment()
    with loaded(home.published) as con:
        resolve_all(con, "account", tmp_path / "models")
    run = CliRunner().invoke(command, ["thresholds", "--object", "account", "--link", "0.999"])
    assert run.exit_code == 0, run.output
    assert "account: link 0.8 → 0.999 unlinks " in run.output
    table_of_all = CliRunner().invoke(command, ["thresholds", "--object", "account", "--json"])
    found = json.loads(table_of_all.output)["account"]["thresholds"]
    assert {row["link"] for row in found} >= {0.5, 0.9, 0.99}
    refused = CliRunner().invoke(command, ["thresholds", "--link", "0.3"])
    assert refused.exit_code != 0
    assert "review 0.5 is above link 0.3" in str(refused.exception)
