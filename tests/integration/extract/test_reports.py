"""Membership by reports: read in slices until nothing is truncated, or refused; over HTTP from a demo org."""

import csv
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.demo_org.store.ids import normal_id
from data_contracts.errors import CrosswalkError, QuotaError, SettingsError
from data_contracts.settings import Settings
from pipelines.extract import land_lists, load_list_membership
from pipelines.run import RunContext
from tests.support.demo_org_client import Scripted, serve_scripted, write_csv
from tests.support.mirror import Mirror, settings_for

INDUSTRIES = ("Energy", "Retail", "Banking", "Media")
HEADER = ["Id", "Name", "Industry", "NumberOfEmployees", "Rating"]
MakeMirror = Callable[..., Mirror]


def _accounts() -> list[dict[str, str]]:
    """Ids in three clusters far apart, so that an even cut of the numbers would not be one of the records."""
    rng = random.Random(7)
    numbers = [*range(2_500), *range(5_000_000, 5_001_500), *range(9_000_000_000, 9_000_000_500)]
    return [
        {
            "Id": normal_id(f"0015g000{_base62(number):0>7}"),
            "Name": f"Company {number}",
            "Industry": rng.choice(INDUSTRIES),
            "NumberOfEmployees": str(rng.randrange(1_000)),
            "Rating": rng.choice(("Hot", "Cold")),
        }
        for number in numbers
    ]


def _base62(number: int) -> str:
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    text = ""
    while number:
        number, digit = divmod(number, 62)
        text = digits[digit] + text
    return text


def _filter(column: str, operator: str, value: str) -> dict[str, str]:
    return {"column": column, "operator": operator, "value": value}


REPORTS: dict[str, dict[str, Any]] = {
    "Everything": {},
    "Small": {"reportFilters": [_filter("EMPLOYEES", "lessThan", "100")]},
    "By_industry": {"groupingsDown": [{"name": "INDUSTRY"}]},
    "Matrix": {"groupingsDown": [{"name": "INDUSTRY"}], "groupingsAcross": [{"name": "RATING"}]},
    "Either": {
        "reportFilters": [_filter("INDUSTRY", "equals", "Energy"), _filter("EMPLOYEES", "greaterThan", "300")],
        "reportBooleanFilter": "1 OR 2",
    },
    "No_id": {"detailColumns": ["ACCOUNT.NAME"]},
    "Mine": {"scope": "user"},
    "Top_rows": {"topRows": {"rowLimit": 100, "direction": "Asc"}},
    "Cross": {"crossFilters": [{"primaryEntityField": "ACCOUNT_ID", "relatedEntity": "Contact", "operator": "with"}]},
    "Full_of_filters": {"reportFilters": [_filter("EMPLOYEES", "greaterThan", "-1")] * 19},
    "None": {"reportFilters": [_filter("ACCOUNT.NAME", "equals", "Nobody")]},
}  # fmt: skip


@pytest.fixture(scope="module")
def accounts() -> list[dict[str, str]]:
    return _accounts()


@pytest.fixture(scope="module")
def scripted(accounts: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    data = tmp_path_factory.mktemp("reports")
    write_csv(data / "Account.csv", HEADER, [[row[name] for name in HEADER] for row in accounts])
    with (data / "Report.csv").open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["Id", "Name", "DeveloperName", "ReportMetadata"])
        for number, (name, more) in enumerate(REPORTS.items()):
            about = {"reportType": "AccountList", "detailColumns": ["ACCOUNT.NAME", "ACCOUNT_ID"], **more}
            writer.writerow([f"00O5g{number:010d}EAA", name.replace("_", " "), name, json.dumps(about)])
    with serve_scripted(data, tmp_path_factory.mktemp("scripted")) as served:
        yield served


def _membership(mirror: Mirror, settings: Settings, run_id: str = "run") -> dict[str, set[str]]:
    mirror.settings = settings
    run, _ = mirror.submit("full", "user")
    land_lists(mirror.org, mirror.home, settings, run, mirror.progress.append)
    with mirror.warehouse.connect() as con:
        load_list_membership(con, mirror.org, mirror.home, run)
        rows = con.execute("SELECT list_name, salesforce_id, kind FROM salesforce.list_membership").fetchall()
    assert {kind for _, _, kind in rows} <= {"report"}
    found: dict[str, set[str]] = {}
    for name, record, _ in rows:
        assert record not in found.setdefault(name, set())
        found[name].add(record)
    return found


def _asking(*reports: str) -> Settings:
    return settings_for("user", objects={"account": {"selection": {"reports": list(reports)}}})


def _land(mirror: Mirror, *reports: str) -> None:
    run, _ = mirror.submit("full", "user")
    land_lists(mirror.org, mirror.home, _asking(*reports), run)


def _runs(scripted: Scripted, seen: int) -> int:
    log = scripted.log()[seen:]
    return len([entry for entry in log if entry["method"] == "POST" and "/analytics/reports/" in entry["path"]])


def test_every_member_of_long_reports_of_each_format(
    mirror: MakeMirror, scripted: Scripted, accounts: list[dict[str, str]]
) -> None:
    everything = {row["Id"] for row in accounts}
    expected = {
        "Everything": everything,
        "Small": {row["Id"] for row in accounts if int(row["NumberOfEmployees"]) < 100},
        "By industry": everything,
        "Matrix": everything,
        "Either": {row["Id"] for row in accounts if row["Industry"] == "Energy" or int(row["NumberOfEmployees"]) > 300},
        "None": set(),
    }
    seen = len(scripted.log())
    m = mirror("user")
    found = _membership(m, _asking(*(name.replace(" ", "_") for name in expected)))

    assert {name: len(ids) for name, ids in found.items()} == {name: len(ids) for name, ids in expected.items() if ids}
    assert found == {name: ids for name, ids in expected.items() if ids}
    # One run each for the short ones; the long ones once whole and then about a run per 1,500 rows.
    assert _runs(scripted, seen) <= 2 + 4 * 7
    assert m.one("SELECT sum(calls) FROM ops.api_usage WHERE endpoint = 'report'") >= 20


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ("No_id", ["report No id of account", "Account ID", "report builder"]),
        ("Mine", ["'user'", "connected user"]),
        ("Top_rows", ["row limit"]),
        ("Cross", ["cross filter"]),
        ("Full_of_filters", ["20"]),
        ("Nowhere", ["objects.account.selection.reports", "'Nowhere'"]),
    ],
)
def test_a_report_that_cannot_be_read_completely_is_refused(mirror: MakeMirror, report: str, words: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        _land(mirror("user"), report)
    for word in words:
        assert word in str(caught.value)


def test_a_report_is_found_by_id_of_either_length_and_by_name(mirror: MakeMirror) -> None:
    m = mirror("user")
    reports = m.org.reports
    ids = {getattr(reports.find(name), "id", None) for name in ("00O5g0000000001EAA", "00O5g0000000001", "Small")}
    assert len(ids) == 1
    assert reports.find("it's not there") is None


def test_too_few_runs_left_this_hour_is_refused_before_slicing(
    mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    m = mirror("user")
    seen = len(scripted.log())
    monkeypatch.setattr("resources.salesforce.reports.ReportsApi.runs_left", lambda _: 3)
    with pytest.raises(QuotaError) as caught:
        _land(m, "Everything")
    assert "list view" in str(caught.value)
    assert _runs(scripted, seen) == 1


def test_a_withdrawn_access_is_an_error_and_no_empty_list(mirror: MakeMirror, scripted: Scripted) -> None:
    m = mirror("user")
    run = RunContext("withdrawn", "full", m.org.server_time())
    scripted.script({"action": "status", "status": 403, "match": {"path": "/analytics/reports/"}})
    with pytest.raises(CrosswalkError):
        land_lists(m.org, m.home, _asking("Small"), run)
    assert not list(m.home.landing.glob("plan-withdrawn-lists.json"))
