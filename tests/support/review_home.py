"""A home for tests of the review: plain rows in, the pipeline's own steps without training, a published snapshot."""

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from data_contracts.settings import Publish, Settings
from pipelines.imports import build_creation_proposals, build_entity_imports, build_imports
from pipelines.publish.snapshot import publish_snapshot
from pipelines.resolve import resolve
from pipelines.resolve.decisions import replay_decisions
from pipelines.resolve.evidence import pin_missing
from pipelines.review import ReviewSnapshot
from pipelines.review.creations import replay_creations, replay_proposals
from pipelines.run import OBJECTS, RunContext
from pipelines.standardize import TABLES, standardize
from pipelines.tables import table_columns
from resources.decisions import DecisionStore
from resources.home import Home
from tests.support.org_tables import fetch, put_reference, put_salesforce, warehouse

Row = dict[str, Any]

#: What the mirror of a small org holds; a test hands over the fields it means.
FIELDS = {
    "account": ("Name", "Website", "Phone", "BillingStreet", "BillingCity", "BillingCountry", "OwnerId", "Match__c"),
    "contact": ("FirstName", "LastName", "Email", "Phone", "AccountId", "OwnerId"),
    "lead": ("FirstName", "LastName", "Email", "Company", "OwnerId"),
    "opportunity": ("AccountId", "Amount", "IsClosed", "CurrencyIsoCode"),
    "user": ("Name",),
}


def aid(number: int) -> str:
    """An account's Id."""
    return f"0010{number:011d}AAA"


class ReviewHome:
    """One CROSSWALK_HOME; ``run`` does what a run does between the mirror and the snapshot."""

    def __init__(self, folder: Path, url: str | None = None, **settings: Any) -> None:
        self.home = Home(folder)
        self.settings = Settings.model_validate(settings)
        self.store = DecisionStore(url or f"sqlite:///{folder / 'decisions.db'}")
        self.snapshot = ReviewSnapshot(self.home.published, memory_limit="256MB", threads=1)
        self.runs = 0

    def load(self, **tables: Sequence[Row]) -> None:
        """Put rows into ``salesforce.*`` (by object) and ``reference.*`` (``company``, ``person``)."""
        with warehouse(self.home.root) as con:
            for name, rows in tables.items():
                if name in ("company", "person"):
                    put_reference(con, name, rows)
                else:
                    put_salesforce(con, name, rows, FIELDS[name])

    def run(self, publish: Publish | None = None) -> RunContext:
        """Replay, standardize, resolve, import, publish."""
        self.runs += 1
        started = datetime.now(UTC) + timedelta(milliseconds=1)
        run = RunContext(f"run-{self.runs}", "full", started)
        with warehouse(self.home.root) as con:
            self.before_standard(con, run)
            for table in TABLES:
                standardize(con, table, self.settings, run)
            for name in OBJECTS:
                self._resolve(con, name, run)
            for kind in ("company", "person"):
                build_entity_imports(con, kind, self.settings, run)
            self.after_imports(con, run)
            publish_snapshot(con, self.home, publish or Publish(keep=0), run)
        return run

    def before_standard(self, con: duckdb.DuckDBPyConnection, run: RunContext) -> None:
        for kind in ("company", "person"):
            replay_creations(con, kind, self.store)
        replay_decisions(con, self.store, run)

    def after_imports(self, con: duckdb.DuckDBPyConnection, run: RunContext) -> None:
        for name in OBJECTS:
            if table_columns(con, f"salesforce.{name}"):
                replay_proposals(con, name, self.store, run)
                build_creation_proposals(con, name, Settings(), run)

    def _resolve(self, con: duckdb.DuckDBPyConnection, name: Any, run: RunContext) -> None:
        if table_columns(con, f"salesforce.{name}"):
            resolve(con, name, self.settings, run, models_dir=self.home.models)
            pin_missing(con, self.store, name)
            build_imports(con, name, self.settings, run)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the published snapshot."""
        with self.snapshot.connect() as con:
            return fetch(con, query)

    def close(self) -> None:
        self.snapshot.close()
        self.store.close()


@contextmanager
def review_home(folder: Path, url: str | None = None, **settings: Any) -> Iterator[ReviewHome]:
    """A home without a trained model: training takes seconds, and rungs and decisions say enough here."""
    found = ReviewHome(folder, url, **settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.import_module("pipelines.resolve.resolve"), "train", lambda *_: None)
        yield found
    found.close()


COMPANIES: list[Row] = [
    {
        "company_id": "c1",
        "name": "Acme Widgets Inc",
        "website": "acme.example",
        "phone": "+13102461501",
        "city": "Boston",
    },
    {"company_id": "c2", "name": "Globex Corporation", "website": "globex.example", "city": "Denver"},
    {"company_id": "c3", "name": "Twin Peaks Coffee", "city": "Salem"},
    {"company_id": "c4", "name": "Twin Peaks Coffee", "city": "Salem"},
    {"company_id": "c5", "name": "Hooli", "website": "hooli.example"},
    {"company_id": "c6", "name": "Hooli", "website": "hooli-labs.example"},
]
ACCOUNTS: list[Row] = [
    {"Id": aid(1), "Name": "ACME Widgets", "Website": "https://www.acme.example", "OwnerId": "005A"},
    {"Id": aid(2), "Name": "Globex", "OwnerId": "005B"},
    {"Id": aid(3), "Name": "Twin Peaks Coffee", "BillingCity": "Salem", "OwnerId": "005A"},
    {"Id": aid(4), "Name": "Hooli", "OwnerId": "005B"},
    {"Id": aid(5), "Name": "Unrelated Bakery", "Website": "bakery.example", "Phone": "+1 212 555 0100"},
    {"Id": aid(6), "Name": "Acme Widgets Inc", "Website": "acme.example"},
]
OPPORTUNITIES: list[Row] = [
    {"Id": "0061", "AccountId": aid(4), "Amount": 500, "IsClosed": False, "CurrencyIsoCode": "EUR"},
    {"Id": "0062", "AccountId": aid(4), "Amount": 250, "IsClosed": False, "CurrencyIsoCode": "EUR"},
    {"Id": "0063", "AccountId": aid(3), "Amount": 9000, "IsClosed": True, "CurrencyIsoCode": "EUR"},
]
