"""Who owns which entity, if anybody: the search over hand-made ownership, against a plain count in Python."""

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from data_contracts.contracts import load_contract
from data_contracts.settings import Settings
from pipelines.ownership import (
    build_opportunity_ownership,
    build_ownership,
    build_search,
    build_users,
    shown_rows,
)
from pipelines.publish.invariants import check_invariants
from pipelines.publish.published_tables import published_tables
from resources.decisions import DecisionStore
from tests.support.org_tables import fetch, put_crosswalk, put_reference, put_salesforce, run_context, warehouse

ME, OTHER, LEFT = (f"005{number:012d}AAA" for number in (1, 2, 3))
QUEUE = "00G000000000001AAA"
OWNERS = {"A1": ME, "A2": OTHER, "A3": ME, "A4": LEFT, "A5": ME}
ACCOUNT_OF = {"A1": "c1", "A2": "c1", "A3": "c1", "A4": "c2", "A5": None}
USERS = {"by_hand": {ME: "una", OTHER: "bo"}}


def _settings(**objects: Any) -> Settings:
    return Settings.model_validate({"users": USERS, "objects": objects})


def build(con: duckdb.DuckDBPyConnection, folder: Path, settings: Settings) -> None:
    """What a run does after the crosswalk."""
    with closing(DecisionStore(f"sqlite:///{folder / 'decisions.db'}")) as store:
        build_users(con, store, settings, run_context())
    for name in ("account", "contact", "lead"):
        build_ownership(con, name, settings, run_context())
    build_opportunity_ownership(con, settings, run_context())
    build_search(con, settings)
    for table in ("account", "contact", "lead", "opportunity", "search", "user"):
        check_invariants(con, load_contract(f"ownership.{table}")).raise_if_blocked()


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Three companies and three persons; five accounts, a contact and two leads."""
    folder = tmp_path_factory.mktemp("search")
    with warehouse(folder) as con:
        people = [{"Id": key, "Name": key, "IsActive": key != LEFT} for key in (ME, OTHER, LEFT)]
        put_salesforce(con, "user", people)
        put_salesforce(con, "account", [{"Id": key, "OwnerId": owner} for key, owner in OWNERS.items()])
        put_salesforce(con, "contact", [{"Id": "K1", "AccountId": "A2", "OwnerId": OTHER}])
        leads = [{"Id": "L1", "OwnerId": ME}, {"Id": "L2", "OwnerId": QUEUE}, {"Id": "L3", "OwnerId": QUEUE}]
        put_salesforce(con, "lead", leads)
        deals = [("O1", "A1", 10, False), ("O2", "A2", 5, True), ("O3", "A3", 7, False)]
        fields = ("AccountId", "Amount", "IsClosed", "IsWon", "CreatedDate", "StageName")
        rows = [
            (key, of, amount, done, done, "2026-02-01", "Won" if done else "New") for key, of, amount, done in deals
        ]
        put_salesforce(con, "opportunity", [{"Id": row[0], **dict(zip(fields, row[1:], strict=True))} for row in rows])
        put_reference(con, "company", [{"company_id": key, "name": key} for key in ("c1", "c2", "c3")])
        put_reference(con, "person", [{"person_id": key, "last_name": key} for key in ("p1", "p2", "p3")])
        put_crosswalk(con, "account", ACCOUNT_OF)
        put_crosswalk(con, "contact", {"K1": "p1"})
        # The last of them is linked to a person whom the reference no longer has.
        put_crosswalk(con, "lead", {"L1": "p1", "L2": "p2", "L3": "p9"})
        build(con, folder, _settings())
        yield con


def ask(con: duckdb.DuckDBPyConnection, condition: str) -> set[str]:
    query = f"SELECT reference_id FROM ownership.search GROUP BY kind, reference_id HAVING {condition}"
    return {row[0] for row in fetch(con, query)}


def test_owned_by_me_by_others_by_nobody(con: duckdb.DuckDBPyConnection):
    assert ask(con, "bool_or(mapped_user = 'una')") == {"c1", "p1"}
    assert ask(con, "bool_or(in_crm) AND NOT coalesce(bool_or(mapped_user = 'una'), FALSE)") == {"c2", "p2", "p9"}
    assert ask(con, "NOT bool_or(in_crm)") == {"c3", "p3"}
    held = "SELECT reference_id, held_by, owner_id FROM ownership.search WHERE held_by NOT IN ('user', 'nobody')"
    assert sorted(fetch(con, held)) == [("c2", "inactive_user", LEFT), ("p2", "queue", QUEUE), ("p9", "queue", QUEUE)]


def test_one_primary_record_the_others_are_duplicates(con: duckdb.DuckDBPyConnection):
    query = (
        "SELECT owner_id, has_primary, primary_object, primary_salesforce_id, salesforce_ids, record_count "
        "FROM ownership.search WHERE reference_id = '{}' ORDER BY 1"
    )
    rows = fetch(con, query.format("c1"))
    # A1 and A3 have an open opportunity each; the lowest Id decides.
    assert rows == [
        (ME, True, "account", "A1", ["A1", "A3"], 2),
        (OTHER, False, "account", "A1", ["A2"], 1),
    ]
    # A person who is both contact and lead is presented by the contact.
    assert fetch(con, query.format("p1")) == [
        (ME, False, "contact", "K1", ["L1"], 1),
        (OTHER, True, "contact", "K1", ["K1"], 1),
    ]


def test_figures_add_up_over_the_owners_of_an_entity(con: duckdb.DuckDBPyConnection):
    query = "SELECT opportunity_count, open_amount, won_amount, total_amount FROM ownership.search WHERE "
    assert fetch(con, query + f"reference_id = 'c1' AND owner_id = '{ME}'") == [
        (2, Decimal(17), Decimal(0), Decimal(17))
    ]
    assert fetch(con, query + f"reference_id = 'c1' AND owner_id = '{OTHER}'") == [
        (1, Decimal(0), Decimal(5), Decimal(5))
    ]
    assert fetch(con, query + "reference_id = 'c3'") == [(None, None, None, None)]
    total = "SELECT sum(total_amount)::INTEGER FROM ownership.{} WHERE {}"
    assert fetch(con, total.format("search", "kind = 'company'")) == fetch(con, total.format("account", "TRUE"))


def test_what_is_not_visible_is_kept_and_shown_nowhere(con: duckdb.DuckDBPyConnection, tmp_path: Path):
    """The first of three acts: ``visible: false`` hides, and touches neither matches nor records."""
    hidden = _settings(account={"visible": False}, lead={"visible": False})
    rows = "SELECT count(*) FROM {}"
    before = {table: fetch(con, rows.format(table)) for table in ("ownership.account", "crosswalk.account")}
    build(con, tmp_path, hidden)
    assert {table: fetch(con, rows.format(table)) for table in before} == before
    assert ask(con, "bool_or(in_crm)") == {"p1"}
    shown = {table.name: table.condition for table in published_tables(con, hidden.publish, shown_rows(hidden))}
    published = {
        name: fetch(con, f"SELECT count(*) FROM {name} WHERE {shown[name]}")[0][0]
        for name in ("ownership.account", "ownership.contact", "ownership.lead", "crosswalk.account")
    }
    assert published == {"ownership.account": 0, "ownership.contact": 1, "ownership.lead": 0, "crosswalk.account": 5}
    objects = f"SELECT DISTINCT object FROM ownership.opportunity WHERE {shown['ownership.opportunity']}"
    assert fetch(con, objects) == [("contact",)]
    build(con, tmp_path, _settings())
    assert ask(con, "NOT bool_or(in_crm)") == {"c3", "p3"}
    assert shown_rows(_settings()) == {}


def test_mixed_currencies_and_unknown_figures_are_not_added_up(tmp_path: Path):
    with warehouse(tmp_path) as con:
        put_salesforce(con, "account", [{"Id": key, "OwnerId": ME} for key in ("A1", "A2", "A3")])
        deals = [("O1", "A1", "EUR"), ("O2", "A2", "NOK")]
        put_salesforce(
            con, "opportunity",
            [{"Id": key, "AccountId": of, "Amount": 1, "CurrencyIsoCode": code, "IsClosed": False}
             for key, of, code in deals],
        )  # fmt: skip
        put_crosswalk(con, "account", {"A1": "c1", "A2": "c1", "A3": "c2"})
        put_crosswalk(con, "contact", {})
        put_crosswalk(con, "lead", {})
        for name in ("contact", "lead"):
            put_salesforce(con, name, [], ("OwnerId",))
        build(con, tmp_path, _settings())
        query = "SELECT reference_id, opportunity_count, total_amount, currency FROM ownership.search ORDER BY 1"
        assert fetch(con, query) == [("c1", 2, None, None), ("c2", 0, Decimal(0), None)]
        build(con, tmp_path, _settings(account={"opportunities": None}))
        assert fetch(con, query) == [("c1", None, None, None), ("c2", None, None, None)]
