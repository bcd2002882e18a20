"""Selections over an org that changes: after every run the mirror holds what an oracle says, no more and no less."""

import csv
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from apps.cli.main import cli
from data_contracts.errors import ExtractionError, ReconciliationError
from pipelines.extract.conditions import try_selection
from tests.support.demo_org_client import Scripted, V, serve_scripted, write_csv
from tests.support.mirror import Mirror, settings_for

ACCOUNTS, CONTACTS = 160, 240
INDUSTRIES = ("Energy", "Retail", "Banking")
#: When opportunities were created, counted from the window's first midnight when the tests begin.
WINDOW_HOURS = (-1, 1, 23, 25, 49, 500)
MakeMirror = Callable[..., Mirror]
Record = dict[str, Any]


@dataclass
class World:
    """What the org holds, as the tests know it: from the CSV, and from what they did since."""

    accounts: dict[str, Record] = field(default_factory=dict)
    contacts: dict[str, Record] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        for name, records in (("Account", self.accounts), ("Contact", self.contacts)):
            header = ["Id", *(key for key in next(iter(records.values())) if key != "live")]
            rows = [[key, *(str(record[name]) for name in header[1:])] for key, record in records.items()]
            write_csv(folder / f"{name}.csv", header, rows)

    def industry(self, contact: Record) -> str:
        return str(self.accounts[contact["AccountId"]]["Industry"])


@dataclass(frozen=True)
class Choice:
    """One selection, as the settings say it and as Python says it."""

    object: str
    selection: Record
    meets: Callable[[World, Record], bool]


def _energy_or_big(_: World, record: Record) -> bool:
    return bool(record["Industry"] == "Energy" or record["NumberOfEmployees"] > 500)


CHOICES = {
    "all": Choice("account", {"mode": "all"}, lambda _, r: True),
    "condition": Choice(
        "account",
        {"mode": "condition", "condition": "NumberOfEmployees > 300 OR Industry = 'Retail'"},
        lambda _, r: r["NumberOfEmployees"] > 300 or r["Industry"] == "Retail",
    ),
    # A contact enters and leaves it when its account changes: no stamp of its own moves.
    "condition on the parent": Choice(
        "contact",
        {"mode": "condition", "condition": "Account.Industry = 'Energy' AND Title != 'C'"},
        lambda world, r: world.industry(r) == "Energy" and r["Title"] != "C",
    ),
    "lists": Choice("account", {"mode": "lists", "lists": ["Energy_list", "Big_list"]}, _energy_or_big),
    "report": Choice(
        "account", {"mode": "lists", "reports": ["Big_report"]}, lambda _, r: r["NumberOfEmployees"] > 500
    ),
    "list and reports": Choice(
        "account",
        {"mode": "lists", "lists": ["Energy_list"], "reports": ["Big_report", "Energy_report"]},
        _energy_or_big,
    ),
    "report on the parent": Choice(
        "contact", {"mode": "lists", "reports": ["Contacts_report"]}, lambda world, r: world.industry(r) == "Banking"
    ),
}


@pytest.fixture(scope="module")
def world() -> World:
    rng = random.Random(20260101)
    made = World()
    for number in range(ACCOUNTS):
        made.accounts[f"001{number:012d}AAA"] = {
            "Name": f"Company {number}", "Industry": rng.choice(INDUSTRIES),
            "NumberOfEmployees": rng.randrange(1_000), "live": True,
        }  # fmt: skip
    accounts = list(made.accounts)
    for number in range(CONTACTS):
        made.contacts[f"003{number:012d}AAA"] = {
            "LastName": f"Person {number}", "Title": rng.choice("ABC"), "AccountId": rng.choice(accounts[:100]),
            "live": True,
        }  # fmt: skip
    return made


@pytest.fixture(scope="module")
def scripted(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    data = tmp_path_factory.mktemp("selection")
    world.write(data)
    lists = [
        ["Energy", "Energy_list", "Account", "SELECT Name, Id FROM Account WHERE Industry = 'Energy' ORDER BY Name"],
        ["Big", "Big_list", "Account", "SELECT Name, Id FROM Account WHERE NumberOfEmployees > 500 ORDER BY Name"],
    ]
    write_csv(data / "ListView.csv", ["Name", "DeveloperName", "SobjectType", "Query"], lists)
    start = _a_year_before(datetime.now(UTC))
    opened = [(start + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.000Z") for hours in WINDOW_HOURS]
    deals = [[f"006{number:012d}AAA", f"Deal {number}", created] for number, created in enumerate(opened)]
    write_csv(data / "Opportunity.csv", ["Id", "Name", "CreatedDate"], deals)
    with (data / "Report.csv").open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["Id", "Name", "DeveloperName", "ReportMetadata"])
        for number, (name, kind, column, operator, value) in enumerate(
            [
                ("Big_report", "Account", "EMPLOYEES", "greaterThan", "500"),
                ("Energy_report", "Account", "INDUSTRY", "equals", "Energy"),
                ("Contacts_report", "Contact", "INDUSTRY", "equals", "Banking"),
            ]
        ):
            where = {"column": column, "operator": operator, "value": value}
            about = {"reportType": kind, "detailColumns": [f"{kind.upper()}_ID"], "reportFilters": [where]}
            writer.writerow([f"00O{number:012d}AAA", name, name, json.dumps(about)])
    with serve_scripted(data, tmp_path_factory.mktemp("scripted")) as served:
        yield served


def _a_year_before(moment: datetime) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    day = 28 if (midnight.month, midnight.day) == (2, 29) else midnight.day
    return midnight.replace(year=midnight.year - 1, day=day)


class People:
    """Those who work in the org: every change is made in it and in the world."""

    def __init__(self, scripted: Scripted, world: World, seed: int) -> None:
        self.client, self.world, self.rng = scripted.client, world, random.Random(seed)

    def work(self, times: int = 12) -> None:
        for _ in range(times):
            self.rng.choice((self._account, self._account, self._contact, self._create, self._delete, self._undelete))()
        # A delta's upper bound is a whole second of the org's clock.
        self.client("POST", "/__demo__/settings", json={"clock": {"advance_seconds": 3}})

    def _pick(self, records: dict[str, Record], live: bool = True) -> str | None:
        return self.rng.choice([None, *sorted(key for key, record in records.items() if record["live"] is live)])

    def _account(self) -> None:
        if key := self._pick(self.world.accounts):
            values = {"Industry": self.rng.choice(INDUSTRIES), "NumberOfEmployees": self.rng.randrange(1_000)}
            self._patch("Account", key, values, self.world.accounts)

    def _contact(self) -> None:
        if key := self._pick(self.world.contacts):
            values = {"Title": self.rng.choice("ABC"), "AccountId": self.rng.choice(sorted(self.world.accounts)[:100])}
            self._patch("Contact", key, values, self.world.contacts)

    def _patch(self, name: str, key: str, values: Record, records: dict[str, Record]) -> None:
        assert self.client("PATCH", f"{V}/sobjects/{name}/{key}", json=values).status_code == 204
        records[key] |= values

    def _create(self) -> None:
        values: Record = {"Name": "New", "Industry": self.rng.choice(INDUSTRIES), "NumberOfEmployees": 700}
        answer = self.client("POST", f"{V}/sobjects/Account", json=values)
        self.world.accounts[str(answer.json()["id"])] = values | {"live": True}

    def _delete(self) -> None:
        if key := self._pick(self.world.contacts):
            assert self.client("DELETE", f"{V}/sobjects/Contact/{key}").status_code == 204
            self.world.contacts[key]["live"] = False

    def _undelete(self) -> None:
        if key := self._pick(self.world.contacts, live=False):
            self.client("POST", "/__demo__/undelete", json={"object": "Contact", "id": key})
            self.world.contacts[key]["live"] = True


def _expected(world: World, choice: Choice) -> set[tuple[Any, ...]]:
    records = world.accounts if choice.object == "account" else world.contacts
    return {
        (key, *_shown(choice, record))
        for key, record in records.items()
        if record["live"] and choice.meets(world, record)
    }


def _shown(choice: Choice, record: Record) -> tuple[Any, ...]:
    names = ("Industry", "NumberOfEmployees") if choice.object == "account" else ("Title", "AccountId")
    return tuple(record[name] for name in names)


def _held(mirror: Mirror, choice: Choice) -> set[tuple[Any, ...]]:
    columns = '"Industry", "NumberOfEmployees"' if choice.object == "account" else '"Title", "AccountId"'
    return set(mirror.rows(f'SELECT "Id", {columns} FROM salesforce.{choice.object} WHERE NOT _is_deleted'))


@pytest.mark.parametrize("name", CHOICES)
def test_the_mirror_is_the_selection_after_every_run(
    mirror: MakeMirror, scripted: Scripted, world: World, name: str
) -> None:
    choice = CHOICES[name]
    m = mirror(settings=settings_for(objects={choice.object: {"selection": choice.selection, "advanced_sync": False}}))
    people = People(scripted, world, seed=sorted(CHOICES).index(name))
    people.work(0)
    for kind in ("full", "delta", "delta", "full"):
        result = m.sync(kind, choice.object)[choice.object]
        assert result.kind == kind
        assert _held(m, choice) == _expected(world, choice), (name, kind)
        assert result.live == result.eligible
        people.work()


def test_the_cap_holds_for_the_ids_of_a_report_and_the_last_good_data_stays(
    mirror: MakeMirror, scripted: Scripted, world: World
) -> None:
    chosen = {"account": {"selection": CHOICES["report"].selection, "advanced_sync": False}}
    m = mirror(settings=settings_for(objects=chosen))
    live = m.sync("full")["account"].live
    m.settings = settings_for(objects=chosen, limits={"records": {"account": 5}})
    seen = len(scripted.log())
    _, plan = m.submit("delta")
    with pytest.raises(ExtractionError, match=f"account has {live:,} records, over the limit of 5"):
        plan.require("account")
    assert not [entry for entry in scripted.log()[seen:] if "/jobs/" in entry["path"]]
    assert m.one("SELECT count(*) FROM salesforce.account") == live


def test_chosen_records_that_did_not_arrive_make_one_full_run_and_not_every_one(
    mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    m = mirror(
        settings=settings_for(objects={"account": {"selection": CHOICES["report"].selection, "advanced_sync": False}})
    )
    m.sync("full")
    with monkeypatch.context() as strict:
        strict.setattr("pipelines.extract.chosen.FEW", -1)
        strict.setattr("pipelines.extract.chosen.SHARE", -1.0)
        with pytest.raises(ReconciliationError, match="did not arrive"):
            m.sync("delta")
    results = [m.sync("delta")["account"] for _ in range(2)]
    assert [result.kind for result in results] == ["full", "delta"]
    assert all((result.difference, result.org_count) == (0, result.live) for result in results)


def test_ids_that_do_not_fit_one_condition_and_too_many_to_name(
    mirror: MakeMirror, scripted: Scripted, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = CHOICES["list and reports"]
    people = People(scripted, world, seed=99)
    settings = settings_for(objects={"account": {"selection": choice.selection, "advanced_sync": False}})
    for ids_a_job, most_jobs in ((60, 50), (10, 1)):
        for module in ("chosen", "entered"):
            monkeypatch.setattr(f"pipelines.extract.{module}.IDS_A_JOB", ids_a_job)
            monkeypatch.setattr(f"pipelines.extract.{module}.MOST_JOBS", most_jobs)
        m = mirror(settings=settings, name=f"home-{ids_a_job}")
        for kind in ("full", "delta"):
            people.work()
            m.sync(kind)
            assert _held(m, choice) == _expected(world, choice), (ids_a_job, kind)


def test_without_advanced_sync_only_what_something_uses_is_fetched(mirror: MakeMirror) -> None:
    mapping = {"mapping": {"account": {"sic": {"sources": ["Sic"]}}}}
    m = mirror(settings=settings_for(objects={"account": {"advanced_sync": False}}, imports=mapping))
    m.sync("full")
    fewer = {row[0] for row in m.rows("DESCRIBE salesforce.account")}
    m.settings = settings_for(objects={"account": {}}, imports=mapping)
    assert m.sync("delta")["account"].kind == "full"
    every = {row[0] for row in m.rows("DESCRIBE salesforce.account")}
    assert {"Id", "Name", "Website", "Sic", "SystemModstamp", "IsDeleted"} <= fewer < every
    assert {"NumberOfEmployees", "TickerSymbol"} <= every
    assert "TickerSymbol" not in fewer


def test_a_selection_is_tried_before_it_is_used(mirror: MakeMirror, scripted: Scripted, world: World) -> None:
    lists = {"account": {"selection": CHOICES["lists"].selection}}
    m = mirror(settings=settings_for(objects=lists, limits={"records": {"account": 100}}))
    live = [record for record in world.accounts.values() if record["live"]]

    good = try_selection(
        m.org, m.settings, "account", "Industry = 'Energy' AND Id NOT IN (SELECT AccountId FROM Contact)"
    )
    busy = {record["AccountId"] for record in world.contacts.values() if record["live"]}
    free = [key for key, record in world.accounts.items() if record["Industry"] == "Energy" and key not in busy]
    assert (good.matched, good.records, good.usable) == (len(free), len(live), True)
    assert any("semi-join" in warning for warning in good.warnings)

    wrong = try_selection(m.org, m.settings, "account", "Industry = 'Energy' AND Nmae = 'x'")
    assert wrong.matched is None
    assert "INVALID_FIELD" in wrong.problems[0]
    assert "Nmae" in wrong.problems[0]
    assert wrong.position is not None
    assert str(wrong.condition)[wrong.position - 1 :].startswith("Nmae")

    many = try_selection(m.org, m.settings, "account", "Name != null")
    assert not many.usable
    assert f"{len(live):,} records, over the limit of 100" in many.problems[0]

    both = try_selection(m.org, m.settings, "account")
    assert both.matched == len([record for record in live if _energy_or_big(world, record)])
    assert set(both.members) == {"list view Energy_list", "list view Big_list"}
    report = settings_for(objects={"account": {"selection": CHOICES["report"].selection}})
    counted = try_selection(m.org, report, "account")
    assert counted.matched == len([record for record in live if record["NumberOfEmployees"] > 500])


def test_the_command_says_where_the_fault_is(
    scripted: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in scripted.org.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CROSSWALK_CONFIG", str(tmp_path / "crosswalk.yaml"))
    (tmp_path / "crosswalk.yaml").write_text(
        "objects: {account: {selection: {mode: condition, condition: Nmae = 'x'}}}\n"
    )
    bad = CliRunner().invoke(cli, ["selection", "validate", "Account"])
    assert bad.exit_code == 1
    assert "\n  Nmae = 'x'\n  ^\n" in bad.output
    good = CliRunner().invoke(cli, ["selection", "validate", "account", "--condition", "Name != null", "--json"])
    assert good.exit_code == 0, good.output
    assert json.loads(good.output)["matched"] > 0


def test_the_window_of_opportunities_moves_by_the_day_at_a_delta(mirror: MakeMirror, scripted: Scripted) -> None:
    """Nothing happens to an opportunity on the day it grows too old: it leaves all the same."""
    start = _a_year_before(datetime.now(UTC))
    created = {f"Deal {number}": start + timedelta(hours=hours) for number, hours in enumerate(WINDOW_HOURS)}
    m = mirror("opportunity")
    for days in range(3):
        result = m.sync("delta" if days else "full")["opportunity"]
        begins = _a_year_before(m.org.server_time())
        left = {name for name, moment in created.items() if moment >= begins}
        assert {row[0] for row in m.rows('SELECT "Name" FROM salesforce.opportunity')} == left, days
        assert (result.kind, result.eligible) == ("delta" if days else "full", len(left))
        scripted.client("POST", "/__demo__/settings", json={"clock": {"advance_seconds": 86_400}})
    m.settings = settings_for("opportunity", objects={"account": {"enabled": False, "opportunities": "2 years"}})
    wider = m.sync("delta")["opportunity"]
    assert (wider.kind, wider.live) == ("full", len(created)), "a wider window is another selection"
