"""A change resolved through the kept index gives what a whole run with the same model gives, whatever changed."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_contracts.settings import Settings
from pipelines.resolve import ResolveResult, hopeless, resolve
from pipelines.standardize import standardize
from tests.support.resolution import connect, put, run_context

#: Few words, so that keys collide, blocks change their size and rungs find several.
WORDS = ("acme", "globex", "initech", "twin", "peaks", "coffee", "store", "north", "harbor", "lion", "river", "stone")
NAMES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True).map(" ".join)
VALUES = st.fixed_dictionaries(
    {
        "name": NAMES,
        "website": st.sampled_from([None, None, *(f"{word}.com" for word in WORDS[:6])]),
        "phone": st.sampled_from([None, *(f"310246150{digit}" for digit in range(6))]),
        "city": st.sampled_from([None, "Boston", "Denver"]),
    }
)
RECORDS = st.integers(0, 29).map(lambda i: f"A{i:02d}".ljust(18, "0"))
ENTITIES = st.integers(0, 49).map(lambda i: f"c{i:02d}")
CHANGE = st.one_of(
    st.tuples(st.just("record"), RECORDS, st.none() | VALUES),
    st.tuples(st.just("entity"), ENTITIES, st.none() | VALUES),
    st.tuples(st.just("merge"), RECORDS, RECORDS),
    st.tuples(st.just("decide"), RECORDS, ENTITIES, st.sampled_from(["positive", "negative", "unsure", "withdraw"])),
)
Rows = dict[str, dict[str, Any] | None]


@pytest.fixture(autouse=True, scope="module")
def _many_are_hopeless() -> Iterator[None]:
    """Among so few nothing is as unlikely as it takes: here most candidates count as hopeless, and are left out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hopeless, "FLOOR", -3.0)
        patch.setattr(hopeless, "SHOWN", 1)
        yield


def forget(con: duckdb.DuckDBPyConnection, *kept: str) -> None:
    """What a run finds then is found by looking at every record; without ``kept_reference`` at every entity too."""
    for table in kept:
        con.execute(f"DELETE FROM _state.{table}").fetchall()


def _made_at(con: duckdb.DuckDBPyConnection) -> int:
    """The number DuckDB gave the table of the reference's keys: another one once it is made anew."""
    found: int = con.sql(
        "SELECT table_oid FROM duckdb_tables() WHERE table_name = 'account_kept_entity_key'"
    ).fetchall()[0][0]
    return found


class World:
    """Both sides, the decisions and a warehouse that follows them."""

    def __init__(self, con: duckdb.DuckDBPyConnection, folder: Path, records: Rows, entities: Rows) -> None:
        self.con, self.folder, self.records, self.entities = con, folder, records, entities
        self.merged: dict[str, str] = {}
        self.decisions: dict[tuple[str, str], dict[str, Any]] = {}
        self.runs = 0

    def change(self, what: str, key: str, value: Any, judgement: str = "") -> None:
        if what == "record":
            self.records[key] = value
            self.merged.pop(key, None)
        elif what == "entity":
            self.entities[key] = value
        elif what == "merge" and key != value and self.records.get(key) and self.records.get(value):
            self.merged[key] = value
        elif what == "decide":
            self.decide(key, value, judgement)

    def decide(self, record: str, entity: str, judgement: str) -> None:
        self.decisions.pop((record, entity), None)
        if judgement != "withdraw":
            place = len(self.decisions)
            row = {"object": "account", "salesforce_id": record, "reference_id": entity, "judgement": judgement}
            row |= {"reason": "seen", "decided_by": "ann", "decided_at": f"2026-02-01 00:00:{place:02d}"}
            self.decisions[record, entity] = {**row, "expires_at": None, "withdrawn_at": None}

    def run(self, kind: str) -> ResolveResult:
        self.runs += 1
        names = {"name": "Name", "website": "Website", "phone": "Phone", "city": "BillingCity"}
        accounts = [
            {"Id": key, "MasterRecordId": self.merged.get(key), "_is_deleted": key in self.merged}
            | {names[name]: value for name, value in row.items()}
            for key, row in self.records.items()
            if row
        ]
        companies = [{"company_id": key} | row for key, row in self.entities.items() if row]
        put(self.con, "salesforce.account", accounts)
        put(self.con, "reference.company", companies)
        if self.decisions or self.runs > 1:
            blank = dict.fromkeys(("object", "salesforce_id", "reference_id", "judgement", "reason", "decided_by"))
            times = dict.fromkeys(("decided_at", "expires_at", "withdrawn_at"))
            put(self.con, "match.decision", [*self.decisions.values(), blank | times])
            for column in times:
                self.con.execute(f"ALTER TABLE match.decision ALTER {column} TYPE TIMESTAMP")
        run = run_context(f"r{self.runs}", kind, min(self.runs, 28))
        for table in ("account", "company", "person"):
            standardize(self.con, table, Settings(), run)
        return resolve(self.con, "account", Settings(), run, models_dir=self.folder)

    def links(self) -> list[list[tuple[Any, ...]]]:
        tables = (
            "SELECT * EXCLUDE (run_id, linked_since) FROM crosswalk.account ORDER BY ALL",
            "SELECT * EXCLUDE (teaching_value) FROM match.account_candidate ORDER BY salesforce_id, reference_id",
        )
        return [[_rounded(row) for row in self.con.sql(table).fetchall()] for table in tables]


def _rounded(row: tuple[Any, ...]) -> tuple[Any, ...]:
    # The odds of a record's candidates are summed in the order of their numbers: the last digits may differ.
    return tuple(round(value, 9) if isinstance(value, float) else value for value in row)


def _start(data: st.DataObject, con: duckdb.DuckDBPyConnection, folder: Path) -> World:
    keys = [f"A{i:02d}".ljust(18, "0") for i in range(24)], [f"c{i:02d}" for i in range(40)]
    values = [data.draw(st.lists(VALUES, min_size=len(k), max_size=len(k))) for k in keys]
    records, entities = (dict(zip(k, v, strict=True)) for k, v in zip(keys, values, strict=True))
    return World(con, folder, {**records}, {**entities})


def test_changes_one_after_another_give_what_a_whole_run_gives() -> None:
    left_out: list[int] = []

    @settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        with connect() as con, tempfile.TemporaryDirectory() as folder:
            world = _start(data, con, Path(folder))
            assert not world.run("full").model_reused
            for changes in data.draw(st.lists(st.lists(CHANGE, min_size=1, max_size=6), min_size=3, max_size=3)):
                for change in changes:
                    world.change(*change)
                told = world.run("delta")
                assert told.model_reused
                by_index = world.links()
                left_out.append(
                    con.sql("SELECT count(*) FROM _state.account_kept_pair WHERE hopeless").fetchall()[0][0]
                )
                forget(con, "kept_index", "kept_reference")
                whole = world.run("delta").looked_at
                assert whole == con.sql("SELECT count(*) FROM standard.account").fetchall()[0][0]
                assert world.links() == by_index
            forget(con, "kept_index")
            keys = _made_at(con)
            assert world.run("delta").looked_at == whole
            assert _made_at(con) == keys, "the reference's keys were read"
            assert world.links() == by_index
            world.change("entity", "c00", {"name": "quite other"})
            forget(con, "kept_index")
            world.run("delta")
            assert _made_at(con) != keys, "keys of another reference are made anew"

    check()
    assert sum(left_out) > 10, "hopeless pairs were among them"


def test_a_change_looks_at_what_it_concerns_and_nothing_else(tmp_path: Path) -> None:
    with connect() as con:
        records = {f"A{i:02d}".ljust(18, "0"): {"name": f"{word} {other}"} for i, (word, other) in enumerate(_pairs())}
        entities = {f"c{i:02d}": {"name": f"{word} {other}"} for i, (word, other) in enumerate(_pairs())}
        world = World(con, tmp_path, {**records}, {**entities})
        world.run("full")
        assert world.run("delta").looked_at == 0
        before = dict(con.sql("SELECT salesforce_id, run_id FROM crosswalk.account").fetchall())
        first = next(iter(records))
        world.change("record", first, {"name": "quite other"})
        assert world.run("delta").looked_at == 1
        after = dict(con.sql("SELECT salesforce_id, run_id FROM crosswalk.account").fetchall())
        assert {key for key in after if after[key] != before[key]} == {first}
        con.execute("DELETE FROM crosswalk.account")
        assert world.run("delta").looked_at == len(records), "a cleared table is made anew"


def _pairs() -> list[tuple[str, str]]:
    return [(a + b, b + a) for a in WORDS[:6] for b in WORDS[6:]]


@pytest.mark.parametrize("missing", ["statistics", "model"])
def test_without_the_frozen_statistics_a_model_is_not_reused(tmp_path: Path, missing: str) -> None:
    with connect() as con:
        rows = {f"A{i:02d}".ljust(18, "0"): {"name": f"{a} {b}"} for i, (a, b) in enumerate(_pairs())}
        world = World(con, tmp_path, {**rows}, {f"c{i}": row for i, row in enumerate(rows.values())})
        model = world.run("full").model_path
        assert model is not None
        if missing == "model":
            model.unlink()
        else:
            folder = model.with_suffix(".statistics")
            assert (folder / "_word.parquet").is_file()
            folder.rename(tmp_path / "elsewhere")
        assert not world.run("delta").model_reused
