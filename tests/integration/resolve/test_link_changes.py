"""``ops.link_change``: every change has its exact cause, alone and together with others; too many stop the run."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest
from click.testing import CliRunner

from apps.cli.approve import command as approve_command
from data_contracts.contracts import load_contract
from data_contracts.errors import LinkChangeLimitError, SettingsError
from data_contracts.settings import Matching, Settings
from pipelines.resolve.approval import Stop, approve, hold_to_limit, open_stops, record_stop
from pipelines.resolve.basis import Basis, compare_basis
from pipelines.resolve.links import LinkChanges, write_link_changes
from pipelines.resolve.sides import Sides
from pipelines.tables import transaction
from resources.home import Home
from resources.warehouse import Warehouse
from tests.support.resolution import connect, links, put, resolve_all, run_context

CAUSES = ("decision", "data", "reference", "settings", "model")
RECORD, OTHER = "001A".ljust(18, "0"), "001B".ljust(18, "0")


class Steps:
    """Two runs by hand: what they found is given, only causes are worked out."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con, self.number = con, 0
        tables = ("standard.account", "standard.company", "crosswalk.account", "match.account_candidate")
        for table in (*tables, "match.decision", "ops.link_change"):
            # Only the columns that causes are made of are filled.
            con.execute(load_contract(table).ddl().replace(" NOT NULL", ""))
        con.execute("CREATE TEMP TABLE _departed (salesforce_id VARCHAR, departure VARCHAR)")
        con.execute("CREATE TEMP TABLE _left (n INTEGER, id VARCHAR)")
        con.execute("CREATE TEMP TABLE _inherited (l INTEGER, from_id VARCHAR, reference_id VARCHAR, "
                    "judgement VARCHAR, decided_at TIMESTAMP)")  # fmt: skip
        for salesforce_id in (RECORD, OTHER):
            self.record(salesforce_id, 1)
        for entity in ("e1", "e2", "e3"):
            self.entity(entity, 1)

    def record(self, salesforce_id: str, version: int) -> None:
        self._replace("standard.account", "salesforce_id", salesforce_id, version)

    def entity(self, company_id: str, version: int | None) -> None:
        self._replace("standard.company", "company_id", company_id, version)

    def decide(self, judgement: str, entity: str) -> None:
        put_row(self.con, "match.decision", object="account", salesforce_id=RECORD, reference_id=entity,
                judgement=judgement, decided_by="ann", decided_at="2026-02-01")  # fmt: skip

    def _replace(self, table: str, key: str, value: str, version: int | None) -> None:
        self.con.execute(f"DELETE FROM {table} WHERE {key} = ?", [value]).fetchall()
        if version is not None:
            row: dict[str, Any] = {
                key: value,
                "name_clean": f"name {version}",
                "domain_is_shared": False,
                "_input_hash": version,
            }
            put_row(self.con, table, **row)

    def run(self, found: dict[str, tuple[str | None, str | None]], basis: Basis) -> list[tuple[Any, ...]]:
        """Link records to (entity, method) as a run would, with every entity a candidate; return its changes."""
        self.number += 1
        con, run = self.con, run_context(f"r{self.number}", day=self.number)
        con.execute("CREATE OR REPLACE TEMP TABLE _previous AS SELECT salesforce_id, linked_since, NULL AS company_id, "
                    "CASE WHEN status = 'linked' THEN reference_id END AS reference_id, "
                    "CASE WHEN status = 'linked' THEN method END AS method FROM crosswalk.account")  # fmt: skip
        con.execute("DELETE FROM crosswalk.account").fetchall()
        for salesforce_id, (entity, method) in found.items():
            put_row(con, "crosswalk.account", salesforce_id=salesforce_id, status="linked" if entity else "unmatched",
                    reference_id=entity, method=method, candidate_count=3, reason="", run_id=run.run_id,
                    reason_code="rung")  # fmt: skip
        con.execute("CREATE OR REPLACE TEMP TABLE _candidate AS SELECT salesforce_id, company_id AS reference_id "
                    f"FROM standard.account, standard.company WHERE salesforce_id = '{RECORD}'")  # fmt: skip
        sides = Sides("account", "company", 2, 3, 3)
        write_link_changes(con, sides, run, compare_basis(con, sides, run, basis))
        con.execute("DELETE FROM match.account_candidate").fetchall()
        con.execute("INSERT INTO match.account_candidate BY NAME SELECT *, 1 AS rank FROM _candidate").fetchall()
        return con.execute(
            "SELECT salesforce_id, change, cause, causes FROM ops.link_change WHERE run_id = ? ORDER BY ALL",
            [run.run_id],
        ).fetchall()


def put_row(con: duckdb.DuckDBPyConnection, table: str, **row: Any) -> None:
    names, marks = ", ".join(row), ", ".join("?" for _ in row)
    con.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values())).fetchall()


@pytest.fixture
def steps() -> Iterator[Steps]:
    with connect() as con:
        yield Steps(con)


BASIS = Basis("m1", "s1", "v1")


@pytest.mark.parametrize("size", [0, 1, 2, 5])
def test_every_combination_of_what_changed_is_told_and_its_cause_comes_first(size: int) -> None:
    """Nothing, each, each two and all of what can change, against the order that the contract states."""
    for changed in itertools.combinations(CAUSES, size):
        with connect() as con:
            steps = Steps(con)
            first = steps.run({RECORD: ("e1", "model"), OTHER: ("e3", "rule")}, BASIS)
            assert [row[1:3] for row in first] == [("made", "data")] * 2
            if "data" in changed:
                steps.record(RECORD, 2)
            if "reference" in changed:
                steps.entity("e3", 2)
            if "decision" in changed:
                steps.decide("negative", "e1")
            basis = Basis("m2" if "model" in changed else "m1", "s2" if "settings" in changed else "s1", "v1")
            found = steps.run({RECORD: ("e2", "model"), OTHER: ("e3", "rule")}, basis)
            assert [row[:2] for row in found] == [(RECORD, "moved")]
            cause, causes = found[0][2:]
            assert set(causes) == (set(changed) or {"data"}), changed
            assert cause == causes[0] == (changed[0] if changed else "data")


def test_an_entity_that_is_gone_or_was_not_there_is_the_cause_whatever_else_changed(steps: Steps) -> None:
    steps.run({RECORD: ("e1", "rule"), OTHER: (None, None)}, BASIS)
    steps.record(RECORD, 2)
    steps.entity("e1", None)
    steps.entity("e9", 1)
    found = steps.run({RECORD: (None, None), OTHER: ("e9", "rule")}, BASIS)
    assert [row[1:3] for row in found] == [("lost", "reference"), ("made", "reference")]
    assert found[0][3] == ["reference", "data"]


def test_a_person_who_links_is_the_cause_even_where_the_entity_before_is_gone(steps: Steps) -> None:
    steps.run({RECORD: ("e1", "rule")}, BASIS)
    steps.entity("e1", None)
    steps.decide("positive", "e2")
    found = steps.run({RECORD: ("e2", "person")}, BASIS)
    assert found[0][2:] == ("decision", ["decision", "reference"])


def test_an_expired_decision_is_a_decision_and_an_older_one_is_not(steps: Steps) -> None:
    steps.decide("positive", "e1")
    steps.con.execute("UPDATE match.decision SET expires_at = TIMESTAMP '2026-03-02'").fetchall()
    steps.run({RECORD: ("e1", "person"), OTHER: ("e3", "rule")}, BASIS)
    found = steps.run({RECORD: (None, None), OTHER: ("e3", "rule")}, BASIS)
    assert [row[1:] for row in found] == [("lost", "decision", ["decision"])]
    steps.record(RECORD, 2)
    assert steps.run({RECORD: ("e1", "rule"), OTHER: ("e3", "rule")}, BASIS)[0][2:] == ("data", ["data"])


def test_a_rung_does_not_change_its_mind_with_the_model_and_a_departed_record_is_no_more(steps: Steps) -> None:
    steps.run({RECORD: ("e1", "rule"), OTHER: ("e3", "model")}, BASIS)
    put_row(steps.con, "_departed", salesforce_id=OTHER, departure="merged")
    steps.entity("e2", 2)
    found = steps.run({RECORD: ("e2", "rule"), OTHER: (None, None)}, Basis("m2", "s1", "v1"))
    assert [row[2] for row in found] == ["reference", "merged"]
    assert found[0][3] == ["reference"]


def test_another_version_is_told_as_settings_and_values_that_stay_the_same_are_no_change(steps: Steps) -> None:
    steps.run({RECORD: ("e1", "model"), OTHER: ("e3", "rule")}, BASIS)
    # Cleaned anew with the same outcome.
    steps.con.execute("UPDATE standard.account SET _input_hash = 77").fetchall()
    found = steps.run({RECORD: (None, None), OTHER: ("e3", "rule")}, Basis("m1", "s1", "v2"))
    assert found[0][1:] == ("lost", "settings", ["settings"])
    steps.con.execute("UPDATE standard.account SET _input_hash = 78").fetchall()
    steps.entity("e8", 1)
    found = steps.run({RECORD: ("e2", "model"), OTHER: ("e3", "rule")}, Basis("m1", "s1", "v2"))
    assert found[0][1:3] == ("made", "reference"), "nothing of the record changed, but a company came"


# The limit -------------------------------------------------------------------------------------------------------


def would(change: str, records: int, cause: str = "model", *, known: bool = True) -> LinkChanges:
    return LinkChanges(cause, change, known, records, [RECORD])


def held(
    con: duckdb.DuckDBPyConnection,
    *changes: LinkChanges,
    run: str = "r2",
    day: int = 2,
    links: int = 100,
    name: Any = "account",
    share: float = 0.2,
) -> bool:
    """Hold changes to the limit as a run does; return whether it stopped."""
    gained = {"made": 1, "lost": -1, "moved": 0}
    after = links + sum(gained[item.change] * item.records for item in changes)
    con.execute(f"CREATE OR REPLACE TABLE crosswalk.{name} AS SELECT 'linked' AS status FROM range({after})")
    con.execute(load_contract("ops.link_approval").ddl())
    try:
        with transaction(con):
            hold_to_limit(con, name, Matching(max_link_changes=share), run_context(run, day=day), changes)
    except LinkChangeLimitError as error:
        record_stop(con, cast("Stop", error.stop))
        return True
    return False


@pytest.fixture(name="con")
def empty_warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as made:
        yield made


def test_what_counts_and_how_much_is_too_much(con: duckdb.DuckDBPyConnection) -> None:
    assert not held(con, would("moved", 50)), "fewer than 50 never stop a run"
    assert held(con, would("moved", 30), would("lost", 20, "data"), would("made", 1, "reference"))
    assert not held(con, would("lost", 200), links=1000)
    assert held(con, would("lost", 201), links=1000)
    assert not held(con, would("lost", 500), links=1000, share=0.5)
    assert held(con, would("lost", 100))
    assert not held(con, would("moved", 900), share=1.0), "1 switches it off"
    assert not held(con, would("made", 900), links=0), "there is no link yet to change"
    assert not held(con, would("made", 900, "data", known=False)), "new records"
    settled = [would("lost", 25, cause) for cause in ("decision", "deleted", "merged", "converted")]
    assert not held(con, *settled), "decided by people, or no more there"


def test_an_approval_lets_one_run_through_with_about_what_was_shown(con: duckdb.DuckDBPyConnection) -> None:
    assert held(con, would("lost", 90), run="r2", day=2)
    assert held(con, would("lost", 91), run="r3", day=3), "asked again, nothing was approved"
    with pytest.raises(SettingsError, match="runs that do: r3"):
        approve(con, "r2", by="Ann")
    with pytest.raises(SettingsError):
        approve(con, "", by="Ann")
    assert approve(con, "r3", by="Ann").changes == 91
    assert held(con, would("lost", 200), run="r4", day=4, links=300), "more than was shown"
    approve(con, "r4", by="Ann")
    assert not held(con, would("lost", 210), run="r5", day=5, links=300)
    assert not held(con, would("lost", 210), run="r5", day=5, links=300), "the same run, resumed"
    assert held(con, would("lost", 90), run="r6", day=6), "once"


def test_an_approval_holds_for_the_objects_that_follow_in_that_run_and_no_other(
    con: duckdb.DuckDBPyConnection,
) -> None:
    assert held(con, would("moved", 90))
    approve(con, "r2", by="Ann")
    assert held(con, would("moved", 90), name="contact", run="r3", day=3), "accounts have not passed yet"
    assert not held(con, would("moved", 90), run="r4", day=4)
    assert not held(con, would("moved", 90), name="lead", run="r4", day=4)
    assert held(con, would("moved", 90), name="lead", run="r5", day=5)


def test_a_run_that_needs_no_approval_closes_what_was_open(con: duckdb.DuckDBPyConnection) -> None:
    assert held(con, would("lost", 90))
    assert [stop.run_id for stop in open_stops(con)] == ["r2"]
    assert not held(con, would("lost", 1), run="r3", day=3)
    assert open_stops(con) == ()
    with pytest.raises(SettingsError, match="runs that do: none"):
        approve(con, "r2", by="Ann")


# Through real runs -----------------------------------------------------------------------------------------------

NAMES = ("Amber", "Birch", "Cedar", "Delta", "Ember", "Fjord", "Grove", "Haven")
KINDS = ("Brewing", "Castings", "Dairy", "Energy", "Foundry", "Glassworks", "Hotels")
MADE = [f"{name}{kind.lower()} {kind}" for name in NAMES for kind in KINDS]


def accounts() -> list[dict[str, Any]]:
    return [{"Id": f"001{number:04d}".ljust(18, "A"), "Name": name, "Website": f"site{number}.com", "Phone": None}
            for number, name in enumerate(MADE)]  # fmt: skip


def companies(turn: int = 0) -> list[dict[str, Any]]:
    """The same companies, each with the id that another had before."""
    return [{"company_id": f"c{(number + turn) % len(MADE):03d}", "name": name, "website": f"site{number}.com",
             "phone": None} for number, name in enumerate(MADE)]  # fmt: skip


def test_a_run_that_changes_too_many_links_leaves_everything_until_it_is_approved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSWALK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CROSSWALK_CONFIG", str(tmp_path / "crosswalk.yaml"))
    (tmp_path / "crosswalk.yaml").write_text("matching: {max_link_changes: 0.3}\n")
    home = Home.from_environment()
    settings = Settings(matching=Matching(max_link_changes=0.3))

    def sync(run_id: str, day: int, turn: int) -> None:
        with Warehouse(home.warehouse).connect() as con:
            put(con, "salesforce.account", accounts())
            put(con, "reference.company", companies(turn))
            kind = "full" if day == 1 else "delta"
            resolve_all(con, "account", tmp_path, settings, run_context(run_id, kind, day))

    def tables() -> list[Any]:
        with Warehouse(home.warehouse).connect() as con:
            return [con.sql(f"FROM {name} ORDER BY ALL").fetchall()
                    for name in ("crosswalk.account", "match.account_candidate", "ops.link_change")]  # fmt: skip

    sync("r1", 1, 0)
    before = tables()
    assert len(before[2]) == len(MADE), "a first run never stops"
    with pytest.raises(LinkChangeLimitError) as stopped:
        sync("r2-stopped", 2, 1)
    told = str(stopped.value)
    assert f"{len(MADE)} of {len(MADE)} links would change, more than 50" in told
    assert f"{len(MADE)} by reference: {len(MADE)} moved (such as 0010000" in told
    assert "crosswalk approve r2-stopped" in told
    assert tables() == before

    listed = CliRunner().invoke(approve_command, [], catch_exceptions=False).output
    assert "run r2-stopped" in listed
    arguments = ["r2-st", "--by", "Ann", "--note", "ids were renumbered", "--json"]
    shown = json.loads(CliRunner().invoke(approve_command, arguments, catch_exceptions=False).output)
    assert shown[0]["changes"] == len(MADE)
    assert tables() == before, "approving changes no link"

    sync("r3", 3, 1)
    with Warehouse(home.warehouse).connect() as con:
        found = con.sql("SELECT change, cause, count(*) FROM ops.link_change WHERE run_id = 'r3' GROUP BY ALL")
        assert found.fetchall() == [("moved", "reference", len(MADE))]
        kept = con.sql("SELECT run_id, approved_by, note, closed_by_run FROM ops.link_approval").fetchall()
        assert kept == [("r2-stopped", "Ann", "ids were renumbered", "r3")]


def test_each_cause_through_real_runs(tmp_path: Path) -> None:
    rows, entities = accounts()[:9], companies()[:9]
    ids = [row["Id"] for row in rows]
    rejected = {"object": "account", "judgement": "negative", "decided_by": "ann", "reason": None,
                "decided_at": "2026-03-01 00:00:00", "expires_at": None, "withdrawn_at": None}  # fmt: skip

    def sync(day: int, kind: str = "delta", settings: Settings | None = None) -> list[tuple[str, str, str]]:
        put(con, "salesforce.account", rows)
        put(con, "reference.company", entities)
        run = run_context(f"r{day}", kind, day)
        resolve_all(con, "account", tmp_path, settings, run)
        found = "SELECT salesforce_id, change, cause FROM ops.link_change WHERE run_id = ? ORDER BY ALL"
        changes: list[tuple[str, str, str]] = con.execute(found, [run.run_id]).fetchall()
        return changes

    with connect() as con:
        assert {row[1:] for row in sync(1, "full")} == {("made", "data")}
        linked = links(con, "account")
        rows[0].update(Name="Something Else", Website="elsewhere.org")
        assert sync(2) == [(ids[0], "lost", "data")]
        entities[1].update(name="Renamed Altogether", website="renamed.org")
        assert sync(3) == [(ids[1], "lost", "reference")]
        put(con, "match.decision", [rejected | {"salesforce_id": ids[2], "reference_id": linked[ids[2]][1]}])
        for column in ("decided_at", "expires_at", "withdrawn_at"):
            con.execute(f"ALTER TABLE match.decision ALTER {column} TYPE TIMESTAMP")
        assert sync(4) == [(ids[2], "lost", "decision")]
        nothing = Settings(matching=Matching(auto_link="none"))
        assert {row[1:] for row in sync(5, settings=nothing)} == {("lost", "settings")}
