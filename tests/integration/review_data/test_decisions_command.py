"""``crosswalk decisions import|export`` as a user runs it."""

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from apps.cli.decisions import command
from pipelines.review.decision_csv import DecisionFileError
from resources.decisions import DecisionStore
from resources.decisions_acts import audit_rows
from tests.support.review_scale import waiting_snapshot

A, B = "001000000000001AAA", "001000000000002AAA"
TEXT = f"object,salesforce_id,reference_id,judgement,reason\naccount,{A},c1,positive,same\naccount,{B},c77,negative,\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CROSSWALK_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CROSSWALK_DATABASE_URL", raising=False)
    (tmp_path / "home" / "published").mkdir(parents=True)
    (tmp_path / "in.csv").write_text(TEXT)
    return tmp_path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(command, list(arguments), catch_exceptions=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_in_out_and_in_again(home: Path) -> None:
    file, out = str(home / "in.csv"), home / "out.csv"
    with pytest.raises(DecisionFileError, match="line 2, column decided_by: empty"):
        run("import", file)
    assert "none imported" in run("import", file, "--decided-by", "ann", "--check")
    assert "2 decisions added" in run("import", file, "--decided-by", "ann")
    assert "2 decisions in" in run("export", str(out))
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert run("export", "--object", "account") == out.read_text()
    again = json.loads(run("import", str(out), "--json"))
    assert (again["added"], again["known"], again["withdrawn"]) == (0, 2, 0)
    store = DecisionStore(f"sqlite:///{home / 'home' / 'decisions.db'}")
    assert [(one.decided_by, one.judgement, one.reason) for one in store.decisions()] == [
        ("ann", "positive", "same"),
        ("ann", "negative", None),
    ]
    assert {row.action for row in audit_rows(store)} == {"import decisions", "export decisions"}
    store.close()


def test_what_the_snapshot_does_not_have_is_told_and_kept(home: Path) -> None:
    waiting_snapshot(home / "home" / "published" / "analytics.duckdb", 2, records=2, entities=5)
    told = json.loads(run("import", str(home / "in.csv"), "--decided-by", "ann", "--json"))
    assert told["added"] == 2
    assert told["warnings"] == [
        f"1 account records are not in the last snapshot: {B}",
        "1 company entities are not in the last snapshot: c77",
    ]
