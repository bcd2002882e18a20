"""Deletions, merges and conversions in a demo org, followed into the crosswalk, the imports and the ownership."""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from apps.cli.explain import _print
from data_contracts.contracts import load_contract
from data_contracts.settings import Settings
from pipelines.imports.entities import build_entity_imports
from pipelines.imports.records import build_imports
from pipelines.ownership.opportunities import build_opportunity_ownership
from pipelines.ownership.records import build_ownership
from pipelines.publish.invariants import check_invariants
from pipelines.resolve import explain, resolve
from pipelines.run import RunContext
from pipelines.standardize import TABLES, standardize
from tests.support.demo_org_client import Scripted, serve_scripted, write_csv
from tests.support.mirror import Mirror, settings_for
from tests.support.resolution import put

OBJECTS = ("account", "contact", "lead", "opportunity", "campaign_member")
RESOLVED = ("account", "contact", "lead")
TRUTH = ("crosswalk.account", "crosswalk.contact", "crosswalk.lead")
DOWNSTREAM = ("ownership.account", "ownership.contact", "ownership.lead", "ownership.opportunity")


def aid(number: int) -> str:
    return f"0010{number:011d}AAA"


def cid(number: int) -> str:
    return f"0030{number:011d}AAA"


def lid(number: int) -> str:
    return f"00Q0{number:011d}AAA"


#: Columns that say which run wrote a row and when.
OF_A_RUN = {"run_id", "linked_since"}
WORDS = ("Alpha", "Bravo", "Cedar", "Delta", "Ember", "Fjord", "Grove", "Heron", "Islet", "Jetty")


@pytest.fixture(scope="module", autouse=True)
def by_rungs_alone() -> Iterator[None]:
    """Training a model takes seconds and has nothing to say about who is who here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.import_module("pipelines.resolve.resolve"), "train", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("org")
    accounts = [[aid(n), f"{word} Works", f"https://{word.lower()}.example"] for n, word in enumerate(WORDS)]
    accounts.append([aid(10), "Alpha Works", "https://alpha.example"])
    write_csv(folder / "Account.csv", ["Id", "Name", "Website"], accounts)
    contacts = [
        [cid(n), aid(n), "Pat", f"{word}son", f"pat@{word.lower()}.example", f"+1 202 555 01{n:02d}"]
        for n, word in enumerate(WORDS)
    ]
    write_csv(folder / "Contact.csv", ["Id", "AccountId", "FirstName", "LastName", "Email", "Phone"], contacts)
    leads = [
        [lid(n), "Lou", f"{word}man", f"{word} Works", f"lou@{word.lower()}.example"] for n, word in enumerate(WORDS)
    ]
    write_csv(folder / "Lead.csv", ["Id", "FirstName", "LastName", "Company", "Email"], leads)
    created = f"{datetime.now(UTC) - timedelta(days=40):%Y-%m-%dT10:00:00.000Z}"
    deals = [
        [f"0060{n:011d}AAA", aid(n), f"Deal {n}", "Prospecting", "2026-12-31", str(100 * (n + 1)), created]
        for n, _ in enumerate(WORDS)
    ]
    header = ["Id", "AccountId", "Name", "StageName", "CloseDate", "Amount", "CreatedDate"]
    write_csv(folder / "Opportunity.csv", header, deals)
    write_csv(folder / "Campaign.csv", ["Id", "Name"], [["701000000000001AAA", "Fair"]])
    members = [[f"00v0{n:011d}AAA", "701000000000001AAA", cid(n)] for n in range(3)]
    write_csv(folder / "CampaignMember.csv", ["Id", "CampaignId", "ContactId"], members)
    return folder


@pytest.fixture(scope="module")
def scripted(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    with serve_scripted(data, tmp_path_factory.mktemp("scripted")) as served:
        yield served


@pytest.fixture(scope="module")
def execute(scripted: Scripted) -> Callable[..., Any]:
    def run(do: str, **arguments: Any) -> Any:
        answer = scripted.client("POST", "/__demo__/execute", json={"do": do, **arguments})
        assert answer.status_code == 200, answer.text
        return answer.json()

    return run


def later(scripted: Scripted, seconds: int = 180) -> None:
    """What happened is well before the next run's upper bound, and in whole minutes of the org's log."""
    answer = scripted.client("POST", "/__demo__/settings", json={"clock": {"advance_seconds": seconds}})
    assert answer.status_code == 200


class House:
    """A mirror and everything made of it, by the pipelines' own steps in their order."""

    def __init__(self, scripted: Scripted, root: Path) -> None:
        self.settings: Settings = settings_for(*OBJECTS)
        self.mirror, self.root = Mirror(scripted.org, root, self.settings), root
        self.last: RunContext | None = None

    def sync(self, kind: Any, decisions: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        run, plan = self.mirror.submit(kind)
        self.last = run
        results = {name: self.mirror.finish(run, plan, name) for name in plan.objects}
        with self.mirror.warehouse.connect() as con:
            put(con, "reference.company", [
                {"company_id": f"c{n}", "name": f"{word} Works", "website": f"{word.lower()}.example"}
                for n, word in enumerate(WORDS)
            ])  # fmt: skip
            people = [
                {"person_id": f"p{n}", "company_id": f"c{n}", "first_name": "Pat", "last_name": f"{word}son",
                 "email": f"pat@{word.lower()}.example"} for n, word in enumerate(WORDS)
            ] + [
                {"person_id": f"q{n}", "company_id": f"c{n}", "first_name": "Lou", "last_name": f"{word}man",
                 "email": f"lou@{word.lower()}.example"} for n, word in enumerate(WORDS)
            ]  # fmt: skip
            put(con, "reference.person", people)
            self._decide(con, decisions)
            for table in TABLES:
                standardize(con, table, self.settings, run)
            for name in RESOLVED:
                resolve(con, name, self.settings, run, models_dir=self.root / "models")  # type: ignore[arg-type]
            for name in RESOLVED:
                build_imports(con, name, self.settings, run)  # type: ignore[arg-type]
                build_ownership(con, name, self.settings, run)
            for kind_of in ("company", "person"):
                build_entity_imports(con, kind_of, self.settings, run)  # type: ignore[arg-type]
            build_opportunity_ownership(con, self.settings, run)
            for table in (*TRUTH, *DOWNSTREAM, "ops.record_event", "ops.link_change"):
                report = check_invariants(con, load_contract(table))
                assert report.passed, (table, report)
        return results

    @staticmethod
    def _decide(con: Any, decisions: Sequence[Mapping[str, Any]]) -> None:
        con.execute(load_contract("match.decision").ddl(replace=True))
        for number, (name, record, entity, judgement) in enumerate(d.values() for d in decisions):
            con.execute(
                "INSERT INTO match.decision BY NAME SELECT ? AS object, ? AS salesforce_id, ? AS reference_id, "
                "? AS judgement, 'ann' AS decided_by, TIMESTAMP '2026-01-01' + to_days(?) AS decided_at",
                [name, record, entity, judgement, number],
            ).fetchall()

    def row(self, name: str, record: str) -> dict[str, Any]:
        with self.mirror.warehouse.connect() as con:
            found = con.sql(f"FROM crosswalk.{name} WHERE salesforce_id = '{record}'").to_arrow_table().to_pylist()
        return dict(found[0])

    def events(self, *records: str) -> list[tuple[Any, ...]]:
        marks = ", ".join("?" for _ in records)
        return self.mirror.rows(
            "SELECT salesforce_id, event, related_id FROM ops.record_event "
            f"WHERE salesforce_id IN ({marks}) ORDER BY ALL",
            *records,
        )

    def table(self, name: str) -> list[tuple[Any, ...]]:
        """Everything but which run wrote a row, and when."""
        with self.mirror.warehouse.connect() as con:
            names = [row[0] for row in con.execute(f"DESCRIBE {name}").fetchall()]
        left = [name for name in names if name not in OF_A_RUN]
        # What is gone for good is dated by the run that noticed.
        columns = [f"regexp_replace({n}, 'noticed on .*', '')" if n == "reason" else f'"{n}"' for n in left]
        return self.mirror.rows(f"SELECT {', '.join(columns)} FROM {name} ORDER BY ALL")


@pytest.fixture(scope="module")
def house(scripted: Scripted, tmp_path_factory: pytest.TempPathFactory) -> House:
    later(scripted)
    made = House(scripted, tmp_path_factory.mktemp("house"))
    made.sync("full")
    assert made.row("account", aid(3))["status"] == "linked"
    return made


def equal_to_full(house: House, scripted: Scripted, root: Path, decisions: Sequence[Mapping[str, Any]] = ()) -> None:
    """A full run in a home of its own ends where the deltas did."""
    fresh = House(scripted, root)
    fresh.sync("full", decisions)
    for name in (*TRUTH, *DOWNSTREAM):
        known = {row[0] for row in fresh.table(name)}
        # A home that never saw a record that is gone for good has no row for it.
        assert [row for row in house.table(name) if row[0] in known] == fresh.table(name), name


def test_a_merge_of_a_merge_leads_to_the_record_that_survived(
    house: House, scripted: Scripted, execute: Callable[..., Any]
) -> None:
    execute("merge", object="Account", master=aid(0), losers=[aid(10)])
    later(scripted)
    results = house.sync("delta")
    assert (results["account"].merged, results["account"].deleted) == (1, 0)
    execute("merge", object="Account", master=aid(1), losers=[aid(0)])
    later(scripted)
    house.sync("delta")

    for loser in (aid(10), aid(0)):
        row = house.row("account", loser)
        assert (row["status"], row["reference_id"], row["merged_into"]) == ("skipped", None, aid(1))
        assert row["successor_reference_id"] == "c1"
        assert row["reason"] == f"merged into {aid(1)}"
    assert house.events(aid(10), aid(0)) == [(aid(0), "merged", aid(1)), (aid(10), "merged", aid(0))]
    lost = (
        "SELECT change, cause FROM ops.link_change WHERE object = 'account' AND salesforce_id = ? AND change = 'lost'"
    )
    assert house.mirror.rows(lost, aid(0)) == [("lost", "merged")]
    owned = house.mirror.rows("SELECT salesforce_id, opportunity_count, open_amount::INT FROM ownership.account "
                              "WHERE salesforce_id IN (?, ?, ?)", aid(0), aid(1), aid(10))  # fmt: skip
    assert owned == [(aid(1), 2, 300)], "what the losers owned follows the master"
    company = house.mirror.rows("SELECT company_reference_id FROM crosswalk.contact WHERE salesforce_id = ?", cid(0))
    assert company == [("c1",)], "their contacts too"
    change = "SELECT DISTINCT cause, new_value FROM imports.change WHERE reference_id = 'c0' AND field = 'name'"
    assert house.mirror.rows(change) == [("merged", None)], "the entity has no record left"
    with house.mirror.warehouse.connect() as con:
        told = explain(con, "account", aid(1))
        assert sorted(part["salesforce_id"] for part in told.parts) == [aid(0), aid(10)]
        assert explain(con, "account", aid(10)).events[0]["event"] == "merged"


def test_explain_says_what_became_of_a_loser(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    with house.mirror.warehouse.connect() as con:
        _print(explain(con, "account", aid(10)))
    said = capsys.readouterr().out
    assert f"skipped. merged into {aid(1)}." in said
    assert "is linked to entity c1" in said
    assert f"merged ({aid(0)}) in Salesforce" in said


def test_opportunities_that_still_name_the_loser_count_for_the_master(house: House) -> None:
    with house.mirror.warehouse.connect() as con:
        con.execute(
            'UPDATE salesforce.opportunity SET "AccountId" = ? WHERE "AccountId" = ?', [aid(10), aid(1)]
        ).fetchall()
        assert house.last is not None
        build_ownership(con, "account", house.settings, house.last)
        con.execute(
            'UPDATE salesforce.opportunity SET "AccountId" = ? WHERE "AccountId" = ?', [aid(1), aid(10)]
        ).fetchall()
    count = "SELECT opportunity_count FROM ownership.account WHERE salesforce_id = ?"
    assert house.mirror.rows(count, aid(1)) == [(2,)]


def test_a_converted_lead_becomes_its_contact(house: House, scripted: Scripted, execute: Callable[..., Any]) -> None:
    made = execute("convert_lead", lead=lid(4), account=aid(4), contact=cid(4), create_opportunity=True)
    # The contact is merged away afterwards: the lead leads to the contact that survived.
    execute("merge", object="Contact", master=cid(5), losers=[cid(4)])
    later(scripted)
    results = house.sync("delta")
    assert (results["lead"].converted, results["contact"].merged) == (1, 1)
    row = house.row("lead", lid(4))
    deal = row["converted_opportunity_id"]
    assert deal in str(made)
    assert (row["status"], row["converted_contact_id"], row["converted_account_id"]) == ("skipped", cid(5), aid(4))
    assert row["reason"] == f"converted to contact {cid(5)}, account {aid(4)}, opportunity {deal}"
    assert row["successor_reference_id"] == "p5"
    related = house.mirror.rows("SELECT related_ids FROM ops.record_event WHERE salesforce_id = ?", lid(4))
    assert related == [([cid(5), aid(4), deal],)], "the org itself had moved the reference to the surviving contact"
    assert house.mirror.rows("FROM ownership.lead WHERE salesforce_id = ?", lid(4)) == []


def test_deleted_with_its_children_and_brought_back(
    house: House, scripted: Scripted, execute: Callable[..., Any]
) -> None:
    execute("delete", object="Account", id=aid(6))
    execute("hard_delete", object="Account", id=aid(7))
    member = house.mirror.rows('SELECT "Id" FROM salesforce.campaign_member ORDER BY ALL')[0][0]
    execute("delete", object="CampaignMember", id=member)
    later(scripted)
    results = house.sync("delta")
    assert [results[name].deleted for name in ("account", "campaign_member")] == [2, 1]
    row = house.row("contact", cid(6))
    assert (row["status"], row["merged_into"], row["successor_reference_id"]) == ("skipped", None, None)
    assert row["reason"].startswith("deleted in Salesforce on 20")
    cause = "SELECT DISTINCT cause FROM imports.change WHERE reference_id = 'p6'"
    assert house.mirror.rows(cause) == [("deleted",)]
    # What never was in the bin is told by the org's log, in the same night.
    assert house.events(aid(7), member) == [(aid(7), "hard_deleted", None), (member, "hard_deleted", None)]
    assert house.row("account", aid(7))["reason"].startswith("deleted for good in Salesforce, noticed on 20")
    dated = "SELECT count(*) FROM ops.record_event WHERE event = 'hard_deleted' AND occurred_at IS NULL"
    assert house.mirror.one(dated) == 0

    execute("undelete", object="Account", id=aid(6))
    later(scripted)
    results = house.sync("delta")
    assert (results["account"].undeleted, results["campaign_member"].deleted) == (1, 0)
    assert house.row("account", aid(6))["status"] == "linked"
    assert house.events(aid(6)) == [(aid(6), "deleted", None), (aid(6), "undeleted", None)]


def decided(name: str, record: str, entity: str, judgement: str) -> dict[str, str]:
    return {"object": name, "salesforce_id": record, "reference_id": entity, "judgement": judgement}


def test_decisions_on_what_became_part_of_another_record_come_back_to_review(
    house: House, scripted: Scripted, execute: Callable[..., Any], tmp_path: Path
) -> None:
    twin = execute("create", object="Account", values={"Name": "Cedar Works"})["result"]
    twin = twin if isinstance(twin, str) else twin["id"]
    decisions = [
        decided("account", aid(8), "c3", "positive"),
        decided("lead", lid(9), "q1", "positive"),
        decided("account", twin, "c2", "negative"),
    ]
    execute("merge", object="Account", master=aid(9), losers=[aid(8)])
    execute("merge", object="Account", master=aid(2), losers=[twin])
    execute("convert_lead", lead=lid(9), account=aid(9), contact=cid(9))
    later(scripted)
    house.sync("delta", decisions)

    row = house.row("account", aid(9))
    assert (row["status"], row["reference_id"], row["method"]) == ("in_review", "c3", "person")
    assert row["reason"] == f"ann accepted c3 for {aid(8)}, which became part of this record: accept or reject it here"
    lost = (
        "SELECT salesforce_id, change, cause FROM ops.link_change WHERE run_id = ? AND object = 'account' ORDER BY ALL"
    )
    assert house.last is not None
    assert house.mirror.rows(lost, house.last.run_id) == [
        (aid(2), "lost", "decision"), (aid(8), "lost", "merged"), (aid(9), "lost", "decision")
    ]  # fmt: skip
    row = house.row("account", aid(2))
    assert (row["status"], row["reference_id"]) == ("in_review", "c2"), "rejected for a part: not linked unasked"
    assert row["reason"].startswith(f"ann rejected this entity for {twin}")
    contact = house.row("contact", cid(9))
    assert (contact["status"], contact["reference_id"]) == ("in_review", "q1"), (
        "a lead's decision passes to its contact"
    )
    equal_to_full(house, scripted, tmp_path, decisions)

    # The record's own decision settles it; what was accepted for the other is still said.
    own = [*decisions, decided("account", aid(9), "c9", "positive"), decided("contact", cid(9), "q1", "negative")]
    house.sync("delta", own)
    row = house.row("account", aid(9))
    assert (row["status"], row["reference_id"]) == ("linked", "c9")
    assert f"c3 was accepted for {aid(8)}" in row["reason"]
    assert house.row("contact", cid(9))["reference_id"] == "p9", "rejected here too: its own link again"


def test_every_event_is_there_once(house: House) -> None:
    """The overlap of deltas brought most of these records several times."""
    twice = "SELECT object_name, salesforce_id, event FROM ops.record_event GROUP BY ALL HAVING count(*) > 1"
    assert house.mirror.rows(twice) == []
    assert house.mirror.one("SELECT count(DISTINCT event) FROM ops.record_event") == 6, "all but removed"
