"""A published snapshot for the review page, made by the pipelines: restaurants, and names that attack the page."""

import shutil
from pathlib import Path
from typing import Any

import duckdb

from data_contracts.settings import Publish, Settings
from pipelines.imports import build_creation_proposals, build_entity_imports, build_imports
from pipelines.publish.snapshot import publish_snapshot
from pipelines.resolve import resolve
from pipelines.resolve.decisions import replay_decisions
from pipelines.standardize import TABLES, standardize
from resources.decisions import DecisionStore
from resources.home import Home
from tests.support.org_tables import put_salesforce
from tests.support.resolution import connect, put, read_csv, run_context

DATA = Path(__file__).resolve().parents[1] / "data" / "restaurants"
HOSTILE = '<script>document.title="owned"</script>'
HOSTILE_ENTITY = '"><img src=x onerror=alert(1)> Diner'
#: Who decided before the snapshot was published.
EARLIER = "zoe"
TWINS = {3: "Asahi Ramen", 4: "Asahi Ramen Bar West"}
#: Nothing links without a person, so that everything that could link waits in the queue.
PROPOSED = Settings.model_validate({"matching": {"auto_link": "none"}})


def salesforce_id(number: int) -> str:
    """An Id like those of the restaurants."""
    return f"001{number:015d}"


def records(rows: int) -> list[dict[str, Any]]:
    """Accounts: the first restaurants, one with a hostile name, one that nothing is like."""
    found = [dict(row) | {"OrgMatch__c": None} for row in read_csv(DATA / "Account.csv")[:rows]]
    truth = {row["salesforce_id"]: row["reference_id"] for row in read_csv(DATA / "truth.csv")}
    for number, row in enumerate(found):
        # The org's own field agrees with the truth, except every fifth time.
        row["OrgMatch__c"] = truth.get(row["Id"] or "") if number % 5 else "z1"
    street = {"BillingStreet": "1 Quarrel Lane", "BillingCity": "los angeles", "Phone": "213/555-0199"}
    found.append({"Id": salesforce_id(1), "Name": HOSTILE, **street})
    # Two records that a person has said are one entity.
    found += [{"Id": salesforce_id(number), "Name": name, "Phone": None} for number, name in TWINS.items()]
    found.append({"Id": salesforce_id(2), "Name": "Zebra Upholstery Guild", "Phone": "602/555-0142"})
    return found


def entities() -> list[dict[str, Any]]:
    """Companies: all restaurants of the reference, and one with a hostile name at the hostile record's address."""
    hostile = {"name": HOSTILE_ENTITY, "street": "1 Quarrel Lane", "city": "los angeles", "phone": "213-555-0199"}
    return [dict(row) for row in read_csv(DATA / "reference_company.csv")] + [{"company_id": "h1", **hostile}]


def publish_restaurants(folder: Path, rows: int = 80, settings: Settings = PROPOSED, run: str = "r1") -> Home:
    """Publish a snapshot in the home of ``folder``; every third account has an open opportunity."""
    home = Home(folder)
    home.prepare()
    with connect() as con:
        accounts = records(rows)
        put_salesforce(con, "account", accounts)
        owed = [
            {"Id": f"006{number:015d}", "AccountId": row["Id"], "Amount": 1000 * (number % 40 + 1), "IsClosed": False}
            for number, row in enumerate(accounts)
            if number % 3 == 0
        ]
        put_salesforce(con, "opportunity", owed, ("CurrencyIsoCode",))
        put(con, "reference.company", entities())
        _derive(con, folder, settings, run)
        publish_snapshot(con, home, Publish(), run_context(run))
    return home


def copy_home(home: Home, folder: Path) -> None:
    """Give ``folder`` a home of its own with the same snapshot and decisions."""
    copy = Home(folder)
    copy.prepare()
    shutil.copy(home.published, copy.published)
    shutil.copy(home.root / "decisions.db", copy.root)


def _derive(con: duckdb.DuckDBPyConnection, folder: Path, settings: Settings, run: str) -> None:
    context = run_context(run)
    store = DecisionStore(Home(folder).decisions_url)
    for number in TWINS:
        store.record("account", salesforce_id(number), "z2", "positive", decided_by=EARLIER, reason="same sign")
    replay_decisions(con, store, context)
    store.close()
    for table in TABLES:
        standardize(con, table, settings, context)
    resolve(con, "account", settings, context, models_dir=folder / "models")
    build_imports(con, "account", settings, context)
    build_entity_imports(con, "company", settings, context)
    build_creation_proposals(con, "account", settings, context)


def publish_many(folder: Path, rows: int) -> Home:
    """Publish a generated snapshot in which ``rows`` accounts wait, each with two candidates."""
    home = Home(folder)
    home.prepare()
    with connect() as con:
        con.execute(_MANY.read_text(encoding="utf-8").replace("{rows}", str(rows))).fetchall()
        publish_snapshot(con, home, Publish(), run_context())
    return home


_MANY = Path(__file__).with_suffix(".sql")
