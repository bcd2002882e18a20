"""The merge against a model of the org: batches loaded late, twice and in any order lose and resurrect nothing."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import Literal

import pytest
from duckdb import DuckDBPyConnection
from hypothesis import example, given, settings
from hypothesis import strategies as st

from resources.landing import LandedField
from tests.support.landed_pages import START, LandedPages, csv_page

FIELDS = [
    LandedField(name="Id", type="VARCHAR"),
    LandedField(name="IsDeleted", type="BOOLEAN"),
    LandedField(name="Value__c", type="BIGINT"),
    LandedField(name="SystemModstamp", type="TIMESTAMP"),
]


@dataclass(frozen=True)
class Record:
    """A record of the model org; ``stamp`` is in seconds of its clock."""

    key: str
    value: int
    stamp: int
    deleted: bool = False


class ModelOrg:
    """What an org does to records, one step a second, and the batches it would answer with."""

    def __init__(self) -> None:
        self.now, self.records = 10, {}  # type: int, dict[str, Record]
        self.changes = 0

    def put(self, key: str, deleted: bool = False) -> None:
        """Create, change, delete or undelete a record; several within a second have the same stamp."""
        self.changes += 1
        self.records[key] = Record(key, self.changes, self.now, deleted)

    def purge(self, key: str) -> None:
        """Delete a record for good: nothing of it is in any answer."""
        self.records.pop(key, None)

    def batch(self, kind: Literal["full", "delta"], since: int) -> list[Record]:
        """Answer a query for all records, or those stamped since; there is no row of the running second twice."""
        return [r for r in self.records.values() if kind == "full" or r.stamp >= since]


class Loader(LandedPages):
    """Lands batches of model records as pages and loads them."""

    def land_records(self, records: list[Record], kind: Literal["full", "delta"], until: int) -> str:
        """Write a landing folder asked for now; return where it is."""
        rows = [
            (r.key, str(r.deleted).lower(), r.value, f"{START + timedelta(seconds=r.stamp):%Y-%m-%dT%H:%M:%S}.000Z")
            for r in records
        ]
        page = csv_page([field.name for field in FIELDS], rows)
        return self.land([(page, len(rows))], kind=kind, until=START + timedelta(seconds=until))


def table(con: DuckDBPyConnection) -> dict[str, Record]:
    rows = con.execute(
        'SELECT "Id", "Value__c", "SystemModstamp", _is_deleted FROM salesforce.thing__c ORDER BY "Id"'
    ).fetchall()
    return {
        key: Record(key, value, int((stamp.replace(tzinfo=UTC) - START).total_seconds()), deleted)
        for key, value, stamp, deleted in rows
    }


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loader]:
    made = Loader(tmp_path_factory.mktemp("model"), FIELDS)
    yield made
    shutil.rmtree(made.home.root, ignore_errors=True)


class Check:
    """A model org, the batches it was asked for, and what is known of it after each load."""

    def __init__(self, loader: Loader, con: DuckDBPyConnection) -> None:
        self.loader, self.con, self.org = loader, con, ModelOrg()
        self.asked: list[tuple[str, list[Record]]] = []
        self.newest: dict[str, Record] = {}
        con.execute("DROP TABLE IF EXISTS salesforce.thing__c").fetchall()

    def step(self, what: str, key: str, number: int) -> None:
        """Do one thing."""
        if what == "put":
            self.org.put(key)
        elif what == "delete" and key in self.org.records:
            self.org.put(key, deleted=True)
        elif what == "purge":
            self.org.purge(key)
        elif what == "tick":
            self.org.now += 1
        elif what in ("full", "delta"):
            self.ask("full" if what == "full" else "delta")
        elif what == "load" and self.asked:
            self.load(number % len(self.asked))

    def ask(self, kind: Literal["full", "delta"]) -> None:
        """Land a batch of now."""
        records = self.org.batch(kind, self.org.now - 3)
        self.asked.append((self.loader.land_records(records, kind, self.org.now), records))

    def load(self, number: int) -> None:
        """Load a batch and hold the table to what is known."""
        landing, records = self.asked[number]
        self.loader.load(self.con, landing)
        for r in records:
            known = self.newest.setdefault(r.key, r)
            self.newest[r.key] = max(known, r, key=lambda version: version.value)
        for r in table(self.con).values():
            known, still = self.newest[r.key], self.org.records.get(r.key)
            if still is not None or not r.deleted:
                assert (r.value, r.stamp) == (known.value, known.stamp), "the newest version loaded so far"
            if still == known and not known.deleted:
                assert not r.deleted, "what is live in the org, and known as such, stays live"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "delete", "purge", "tick", "full", "delta", "load", "load"]),
        st.sampled_from("abc"),
        st.integers(0, 5),
    ),
    min_size=6,
    max_size=30,
)


@settings(max_examples=20, deadline=None)
@given(steps=STEPS)
# The first batch is loaded after the second was asked for, and both versions have one stamp.
@example(steps=[(w, "a", n) for w, n in [("put", 0), ("full", 0), ("put", 0), ("full", 0), ("load", 0), ("load", 1)]])
# A record that a later batch showed to be gone is not brought back by an earlier one.
@example(
    steps=[
        (w, "a", n)
        for w, n in [
            ("put", 0),
            ("full", 0),
            ("load", 0),
            ("purge", 0),
            ("tick", 0),
            ("full", 0),
            ("load", 1),
            ("load", 0),
        ]
    ]
)
def test_any_order_of_batches(steps: list[tuple[str, str, int]], loader: Loader) -> None:
    with loader.warehouse.connect() as con:
        check = Check(loader, con)
        for step in steps:
            check.step(*step)
        check.org.now += 1
        check.ask("full")
        check.load(-1)
        before = table(con)
        live = {key: r for key, r in before.items() if not r.deleted}
        assert live == {key: r for key, r in check.org.records.items() if not r.deleted}, "a full run settles all"
        check.load(-1)
        assert table(con) == before, "the same batch again changes nothing"


def test_a_stamp_that_goes_backward_neither_replaces_nor_removes(loader: Loader) -> None:
    with loader.warehouse.connect() as con:
        con.execute("DROP TABLE IF EXISTS salesforce.thing__c").fetchall()
        late, early = Record("a", 2, 20), Record("a", 1, 15)
        loader.load(con, loader.land_records([late], "full", 21))
        loader.load(con, loader.land_records([early], "full", 30))
        assert table(con) == {"a": late}
        loader.load(con, loader.land_records([early], "delta", 31))
        assert table(con) == {"a": late}


def test_a_record_that_came_after_the_upper_bound_survives_a_full_load(loader: Loader) -> None:
    with loader.warehouse.connect() as con:
        con.execute("DROP TABLE IF EXISTS salesforce.thing__c").fetchall()
        old = Record("a", 1, 10)
        loader.load(con, loader.land_records([old], "full", 11))
        slow = loader.land_records([old], "full", 20)
        # Committed late, its stamp lies before the bound of the slow job that did not see it.
        created = Record("b", 2, 19)
        loader.load(con, loader.land_records([created, replace(old, value=3, stamp=22)], "delta", 25))
        loader.load(con, slow)
        assert table(con) == {"a": replace(old, value=3, stamp=22), "b": created}
        assert con.execute(f"SELECT event FROM ops.record_event WHERE run_id = 'run-{loader.count}'").fetchall() == []


def test_two_changes_within_one_second_arrive(loader: Loader) -> None:
    with loader.warehouse.connect() as con:
        con.execute("DROP TABLE IF EXISTS salesforce.thing__c").fetchall()
        first, second = Record("a", 1, 10), Record("a", 2, 10)
        loader.load(con, loader.land_records([first], "full", 11))
        result = loader.load(con, loader.land_records([second], "delta", 12))
        assert table(con) == {"a": second}
        assert result.changed == 1


def test_a_delta_after_a_load_that_found_nothing_brings_its_rows(loader: Loader) -> None:
    with loader.warehouse.connect() as con:
        con.execute("DROP TABLE IF EXISTS salesforce.thing__c").fetchall()
        loader.load(con, loader.land_records([], "full", 11))
        result = loader.load(con, loader.land_records([Record("a", 1, 12)], "delta", 13))
        assert (result.new, table(con)) == (1, {"a": Record("a", 1, 12)})
