"""One real run over the chicago sample: every record has a reason, every candidate its keys and its whole weight."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from apps.cli.explain import _print
from data_contracts.contracts import load_contract
from data_contracts.errors import LinkChangeLimitError
from data_contracts.settings import Matching, Settings
from pipelines.publish.invariants import check_invariants
from pipelines.resolve import ResolveResult, explain
from pipelines.resolve.agreement import agreement
from pipelines.resolve.frozen import folder_of
from pipelines.resolve.waterfall import PRIOR, TOTAL, waterfall_lines, waterfall_svg
from tests.support.resolution import connect, put, read_csv, resolve_all, run_context

FOLDER = Path(__file__).parents[2] / "data" / "chicago"
#: The reasons of the contract, and how each begins in words.
WORDS = {
    "no_candidate": ("no candidate: ",),
    "below_threshold": ("below threshold: ",),
    "ambiguous": ("ambiguous: ",),
    "vetoed": ("vetoed: ",),
    "forbidden": ("forbidden by a decision: ",),
    "rung": ("rung ",),
    "model": ("probability ",),
    "no_key": ("no key to match on: ",),
}
NOBODY, REJECTED = "001X1".ljust(18, "0"), "001X2".ljust(18, "0")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("explained")


@pytest.fixture(scope="module")
def ran(folder: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, ResolveResult]]:
    blank = {"Name": "[[unknown]]", "Website": None, "Phone": None}
    rejected = {"Id": REJECTED, "Name": "Quuxomatic Zyzzyva Works", "Phone": None}
    entity = {"company_id": "only", "name": "Quuxomatic Zyzzyva Works"}
    accounts = [*read_csv(FOLDER / "Account.csv"), {"Id": NOBODY} | blank, rejected]
    with connect() as con:
        put(con, "salesforce.account", accounts)
        put(con, "reference.company", [*read_csv(FOLDER / "reference_company.csv"), entity])
        con.execute(load_contract("match.decision").ddl())
        con.execute(
            "INSERT INTO match.decision (object, salesforce_id, reference_id, judgement, decided_by, decided_at) "
            f"VALUES ('account', '{REJECTED}', 'only', 'negative', 'ann', '2026-02-01')"
        )
        yield con, resolve_all(con, "account", folder)


def test_every_record_has_one_of_the_reasons_of_its_status(
    ran: tuple[duckdb.DuckDBPyConnection, ResolveResult],
) -> None:
    con, _ = ran
    report = check_invariants(con, load_contract("crosswalk.account"))
    assert [str(failure) for failure in report.blocking_failures] == []
    found = con.sql("SELECT status, reason_code, reason FROM crosswalk.account").fetchall()
    told = {code for _, code, reason in found if reason.startswith(WORDS[code])}
    assert {code for _, code, _ in found} == told
    assert {"no_candidate", "below_threshold", "rung", "model", "no_key"} <= told
    assert {status for status, code, _ in found if code == "no_key"} == {"skipped"}
    one = "SELECT status, reason_code FROM crosswalk.account WHERE salesforce_id = ?"
    assert con.execute(one, [NOBODY]).fetchall() == [("skipped", "no_key")]
    rejected = con.execute(one, [REJECTED]).fetchall()[0]
    assert rejected[0] == "unmatched"
    assert rejected[1] in ("forbidden", "below_threshold"), "other candidates may be left, none of them good"


def test_the_weights_of_a_candidate_lead_from_the_prior_to_its_match_weight(
    ran: tuple[duckdb.DuckDBPyConnection, ResolveResult],
) -> None:
    con, result = ran
    ids = con.sql(
        "SELECT salesforce_id FROM crosswalk.account WHERE candidate_count > 1 ORDER BY 1 LIMIT 12"
    ).fetchall()
    priors = set()
    for (salesforce_id,) in ids:
        found = explain(con, "account", salesforce_id)
        for candidate in found.candidates:
            assert candidate.block_keys or candidate.keys or candidate.rule_code
            if candidate.waterfall:
                first, *_, last = candidate.waterfall
                assert (first.name, last.name) == (PRIOR, TOTAL)
                assert candidate.waterfall[-2].end == pytest.approx(candidate.match_weight)
                priors.add(round(first.bits, 6))
        weights = [c.match_weight for c in found.candidates if c.reference_id in (found.winner, found.runner_up)]
        if found.winner and found.margin is not None and None not in weights:
            assert abs(found.margin) == pytest.approx(abs((weights[0] or 0) - (weights[1] or 0)))
    assert result.model is not None
    assert len(priors) == 1, "the same prior for every pair"


def test_a_person_s_choice_is_the_winner_however_it_ranks(
    ran: tuple[duckdb.DuckDBPyConnection, ResolveResult], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    con, _ = ran
    record, first, second = con.sql(
        "SELECT a.salesforce_id, a.reference_id, b.reference_id FROM match.account_candidate a "
        "JOIN match.account_candidate b USING (salesforce_id) JOIN crosswalk.account x USING (salesforce_id) "
        "WHERE x.method = 'model' AND x.status = 'linked' AND a.rank = 1 AND b.rank = 2 ORDER BY ALL LIMIT 1"
    ).fetchall()[0]
    con.execute(
        "INSERT INTO match.decision (object, salesforce_id, reference_id, judgement, reason, decided_by, decided_at) "
        "VALUES ('account', ?, ?, 'positive', 'they merged', 'ann', '2026-03-01')",
        [record, second],
    ).fetchall()
    run = run_context("r2", "delta", 2)
    resolve_all(con, "account", folder, run=run)
    found = explain(con, "account", record)
    assert (found.winner, found.runner_up) == (second, first)
    assert found.margin is not None
    assert found.margin < 0
    assert (found.decider.by, found.decider.name) == ("person", "ann")
    assert found.latest_change is not None
    assert (found.latest_change["change"], found.latest_change["cause"]) == ("moved", "decision")
    _print(found)
    told = capsys.readouterr().out
    assert f"Decision: positive {second} by ann on 2026-03-01: they merged." in told
    assert f"{second} lies behind {first} by" in told
    assert f"link moved ({first} → {second}), cause decision." in told
    said = agreement(con, "account", Matching(), run)
    assert (said.right, said.wrong, said.missed) == (0, 1, 1), "it would have linked another entity"


def test_a_model_that_judges_otherwise_stops_the_run_and_is_the_cause(
    ran: tuple[duckdb.DuckDBPyConnection, ResolveResult], folder: Path
) -> None:
    con, result = ran
    assert result.model_path is not None
    other = folder / "models" / "account-20260303T090000-doubting.json"
    other.write_text(json.dumps(json.loads(result.model_path.read_text()) | {"prior": 1e-30}))
    shutil.copytree(folder_of(result.model_path), folder_of(other))
    linked = "SELECT count(*) FROM crosswalk.account WHERE status = 'linked' AND method = 'model'"
    before = con.sql(linked).fetchall()[0][0]
    with pytest.raises(LinkChangeLimitError, match=r"by model: [0-9,]+ lost \(such as"):
        resolve_all(con, "account", folder, run=run_context("r3", "delta", 3))
    assert con.sql(linked).fetchall()[0][0] == before
    anything = Settings(matching=Matching(max_link_changes=1))
    resolve_all(con, "account", folder, anything, run_context("r4", "delta", 4))
    found = con.sql("SELECT change, cause, count(*) FROM ops.link_change WHERE run_id = 'r4' GROUP BY ALL").fetchall()
    assert found == [("lost", "model", before)]


def test_the_drawings_have_every_bar_and_nothing_that_runs(
    ran: tuple[duckdb.DuckDBPyConnection, ResolveResult],
) -> None:
    con, _ = ran
    record = con.sql("SELECT salesforce_id FROM match.account_candidate WHERE match_weight IS NOT NULL").fetchall()[0][
        0
    ]
    bars = explain(con, "account", record).candidates[0].waterfall
    assert len(waterfall_lines(bars)) == len(bars)
    svg = waterfall_svg(bars, "a <title> & more")
    assert all(f">{bar.name}<" in svg for bar in bars if "_" not in bar.name)
    assert "<script" not in svg
    assert "<style" not in svg
    assert "<title>" not in svg
    assert waterfall_svg(()) == ""
    assert waterfall_lines(()) == []
