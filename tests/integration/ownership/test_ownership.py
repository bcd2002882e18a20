"""Ownership on hand-made tables: who is in, who is primary, whose opportunities count."""

from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from data_contracts.contracts import load_contract
from data_contracts.errors import SettingsError
from data_contracts.settings import Settings
from pipelines.ownership import build_opportunity_ownership, build_ownership, build_users
from resources.decisions import DecisionStore
from tests.support.org_tables import fetch, put, put_crosswalk, put_salesforce, run_context, warehouse

USER = "005000000000001AAA"
QUEUE = "00G000000000001AAA"
USERS = [{"Id": USER, "Name": "Una Eide", "Email": "una@x.test", "IsActive": False}]
ACCOUNTS = [
    {"Id": "A1", "OwnerId": USER, "CreatedDate": "2020-01-01", "Segment__c": "Gold", "Partner__c": USER},
    {"Id": "A2", "OwnerId": QUEUE, "CreatedDate": "2019-01-01"},
    {"Id": "A3", "OwnerId": USER, "_is_deleted": True},
    {"Id": "A4", "OwnerId": "005000000000009AAA"},
    {"Id": "A5", "OwnerId": USER},
]
LINKS = {"A1": "C1", "A2": "C1", "A3": "C1", "A4": "C2", "A5": None}


def _opportunity(key, account="A1", amount="10", created="2026-01-01", stage="Prospecting", **more):
    return {"Id": key, "AccountId": account, "Amount": amount, "CreatedDate": created, "StageName": stage,
            "IsClosed": False, "IsWon": False} | more  # fmt: skip


def _load(con, opportunities=()):
    put_salesforce(con, "user", USERS)
    put_salesforce(con, "account", ACCOUNTS)
    fields = ["AccountId", "Amount", "CreatedDate", "StageName", "IsClosed", "IsWon"]
    put_salesforce(con, "opportunity", list(opportunities), fields)
    put_crosswalk(con, "account", LINKS)


def test_linked_live_records_with_their_owner(tmp_path: Path):
    settings = Settings.model_validate({"users": {"by_hand": {USER[:15]: "una"}}})
    with warehouse(tmp_path) as con, closing(DecisionStore(f"sqlite:///{tmp_path / 'decisions.db'}")) as store:
        _load(con)
        build_users(con, store, settings, run_context())
        result = build_ownership(con, "account", settings, run_context())
        rows = fetch(con, "SELECT salesforce_id, reference_id, is_primary, owner_name, owner_email, owner_is_active, "
                          "owner_kind, mapped_user, lists FROM ownership.account ORDER BY 1")  # fmt: skip
    assert rows == [
        ("A1", "C1", False, "Una Eide", "una@x.test", False, "inactive_user", "una", []),
        ("A2", "C1", True, f"Queue {QUEUE}", None, None, "queue", None, []),
        ("A4", "C2", True, None, None, None, "unknown", None, []),
    ]
    assert (result.rows, result.entities) == (3, 2)


def test_opportunities_inside_the_window_only(tmp_path: Path):
    opportunities = [
        _opportunity("O1", created="2025-03-01 00:00:00"),
        _opportunity("O2", created="2025-02-28 23:59:59"),
        _opportunity("O3", amount="5", IsClosed=True, IsWon=True, stage="Closed Won", created="2026-02-01"),
        _opportunity("O4", amount="7", IsClosed=True, stage="Closed Lost"),
        _opportunity("O5", amount=None),
        _opportunity("O6", _is_deleted=True),
        _opportunity("O7", created="2026-04-01"),
    ]
    with warehouse(tmp_path) as con:
        _load(con, opportunities)
        build_ownership(con, "account", Settings(), run_context())
        row = fetch(con, "SELECT opportunity_count, open_amount, won_amount, total_amount, last_opportunity_at "
                         "FROM ownership.account WHERE salesforce_id = 'A1'")  # fmt: skip
        build_opportunity_ownership(con, Settings(), run_context())
        stages = fetch(con, "SELECT stage, is_won, opportunity_count, amount FROM ownership.opportunity ORDER BY 1")
    assert row == [(4, Decimal(10), Decimal(5), Decimal(22), datetime(2026, 2, 1))]  # noqa: DTZ001
    assert stages == [
        ("Closed Lost", False, 1, Decimal(7)),
        ("Closed Won", True, 1, Decimal(5)),
        ("Prospecting", False, 2, Decimal(10)),
    ]


def test_mixed_currencies_are_not_added_up(tmp_path: Path):
    opportunities = [
        _opportunity("O1", CurrencyIsoCode="EUR"),
        _opportunity("O2", CurrencyIsoCode="NOK"),
        _opportunity("O3", account="A2", CurrencyIsoCode="EUR"),
        _opportunity("O4", account="A4", CurrencyIsoCode="EUR"),
        _opportunity("O5", account="A4", CurrencyIsoCode=None),
    ]
    with warehouse(tmp_path) as con:
        _load(con, opportunities)
        build_ownership(con, "account", Settings(), run_context())
        build_opportunity_ownership(con, Settings(), run_context())
        rows = fetch(con, "SELECT salesforce_id, opportunity_count, open_amount, currency FROM ownership.account "
                          "ORDER BY 1")  # fmt: skip
        each = fetch(con, "SELECT currency, amount FROM ownership.opportunity WHERE salesforce_id = 'A1' ORDER BY 1")
    assert rows == [("A1", 2, None, None), ("A2", 1, Decimal(10), "EUR"), ("A4", 2, None, None)]
    assert each == [("EUR", Decimal(10)), ("NOK", Decimal(10))]


def test_without_opportunities_figures_are_unknown_not_zero(tmp_path: Path):
    settings = Settings.model_validate({"objects": {"account": {"opportunities": None}}})
    with warehouse(tmp_path) as con:
        _load(con, [_opportunity("O1")])
        build_ownership(con, "account", settings, run_context())
        figures = fetch(con, "SELECT DISTINCT opportunity_count, open_amount FROM ownership.account")
        assert build_opportunity_ownership(con, settings, run_context()).rows == 0
    assert figures == [(None, None)]


def test_contacts_by_role_else_by_account(tmp_path: Path):
    with warehouse(tmp_path) as con:
        _load(con, [_opportunity("O1"), _opportunity("O2", account="A2")])
        put_salesforce(con, "contact", [{"Id": "K1", "AccountId": "A1"}, {"Id": "K2", "AccountId": "A1"}])
        put_crosswalk(con, "contact", {"K1": "P1", "K2": "P2"})
        count = "SELECT salesforce_id, opportunity_count FROM ownership.contact ORDER BY 1"
        build_ownership(con, "contact", Settings(), run_context())
        assert fetch(con, count) == [("K1", 1), ("K2", 1)]
        roles = [
            {"Id": "R1", "ContactId": "K2", "OpportunityId": "O2"},
            {"Id": "R2", "ContactId": "K2", "OpportunityId": "O2"},
        ]
        put_salesforce(con, "opportunity_contact_role", roles)
        build_ownership(con, "contact", Settings(), run_context())
        assert fetch(con, count) == [("K1", 0), ("K2", 1)]


def test_converted_leads_have_left(tmp_path: Path):
    leads = [{"Id": "L1", "IsConverted": True}, {"Id": "L2", "IsConverted": False}]
    with warehouse(tmp_path) as con:
        put_salesforce(con, "lead", leads)
        put_crosswalk(con, "lead", {"L1": "P1", "L2": "P1"})
        build_ownership(con, "lead", Settings(), run_context())
        rows = fetch(con, "SELECT salesforce_id, is_primary, opportunity_count FROM ownership.lead")
    assert rows == [("L2", True, 0)]


def test_lists_are_facets_or_the_criteria(tmp_path: Path):
    membership = [
        {"object_name": "account", "salesforce_id": "A1", "list_id": "1", "list_name": "West", "kind": "list_view"},
        {"object_name": "account", "salesforce_id": "A1", "list_id": "2", "list_name": "East", "kind": "report"},
        {"object_name": "lead", "salesforce_id": "A2", "list_id": "3", "list_name": "Other", "kind": "report"},
    ]
    narrowed = Settings.model_validate({"objects": {"account": {"selection": {"mode": "lists", "lists": ["1"]}}}})
    with warehouse(tmp_path) as con:
        _load(con)
        put(con, "salesforce.list_membership", membership, dict.fromkeys(membership[0], "VARCHAR"))
        query = "SELECT salesforce_id, lists FROM ownership.account ORDER BY 1"
        build_ownership(con, "account", Settings(), run_context())
        assert fetch(con, query) == [("A1", ["East", "West"]), ("A2", []), ("A4", [])]
        build_ownership(con, "account", narrowed, run_context())
        assert fetch(con, query) == [("A1", ["East", "West"])]


def _describe(con, *rows):
    """``salesforce.field`` of the account: field, label, type, and what else describe says of it."""
    types = load_contract("salesforce.field").column_types()
    described = [
        {"object_name": "Account", "field_name": name, "label": label, "type": kind} | more
        for name, label, kind, more in rows
    ]
    put(con, "salesforce.field", described, types)


def test_custom_filters_are_named_after_their_label_and_show_what_people_see(tmp_path: Path):
    """A picklist's label and the name a lookup points at, not the value or Id that is stored."""
    filters = [{"field": "Segment__c"}, {"field": "Partner__c", "name": "Partner lead"}, {"field": "Uses__c"}]
    settings = Settings.model_validate({"objects": {"account": {"custom_filters": filters}}})
    labels = {"picklist_values": ["Gold", "silver"], "picklist_labels": ["Gold customer", "Silver"]}
    with warehouse(tmp_path) as con:
        _load(con)
        con.execute("ALTER TABLE salesforce.account ADD COLUMN Uses__c VARCHAR DEFAULT 'silver;Gold;old'").fetchall()
        _describe(
            con,
            ("Segment__c", "Market Segment", "picklist", labels),
            ("Partner__c", "Partner", "reference", {"reference_to": ["Group", "User"]}),
            ("Uses__c", "Uses", "multipicklist", labels),
        )
        build_ownership(con, "account", settings, run_context())
        query = "SELECT market_segment, partner_lead, uses FROM ownership.account WHERE salesforce_id = '{}'"
        assert fetch(con, query.format("A1")) == [("Gold customer", "Una Eide", "Silver;Gold customer;old")]
        assert fetch(con, query.format("A2")) == [(None, None, "Silver;Gold customer;old")]


def test_a_lookup_shows_names_of_any_mirrored_object_and_the_id_of_others(tmp_path: Path, caplog):
    filters = [{"field": "Project__c"}, {"field": "Region__c"}, {"field": "RecordTypeId"}]
    settings = Settings.model_validate({"objects": {"account": {"custom_filters": filters}, "record_type": {}}})
    with warehouse(tmp_path) as con:
        account = {"Id": "A1", "Project__c": "a0P1", "Region__c": "a0R1", "RecordTypeId": "0121"}
        put_salesforce(con, "account", [account])
        put_salesforce(con, "project__c", [{"Id": "a0P1", "Name": "Dam"}])
        put_salesforce(con, "record_type", [{"Id": "0121", "Name": "Partner"}])
        put_crosswalk(con, "account", {"A1": "C1"})
        _describe(
            con,
            ("Project__c", "Project", "reference", {"reference_to": ["Project__c"]}),
            ("Region__c", "Region", "reference", {"reference_to": ["Region__c"]}),
            ("RecordTypeId", "Record Type", "reference", {"reference_to": ["RecordType"]}),
        )
        build_ownership(con, "account", settings, run_context())
        assert fetch(con, "SELECT project, region, record_type FROM ownership.account") == [("Dam", "a0R1", "Partner")]
    assert "account.Region__c: Region__c is not mirrored" in caplog.text


def test_a_fourth_filter_and_one_of_free_text_are_refused(tmp_path: Path):
    many = [{"field": f"F{number}__c"} for number in range(4)]
    with pytest.raises(ValidationError, match="at most 3"):
        Settings.model_validate({"objects": {"account": {"custom_filters": many}}})
    settings = Settings.model_validate({"objects": {"account": {"custom_filters": [{"field": "Segment__c"}]}}})
    with warehouse(tmp_path) as con:
        _load(con)
        _describe(con, ("Segment__c", "Segment", "textarea", {}))
        with pytest.raises(SettingsError, match="Segment__c of account is a textarea field"):
            build_ownership(con, "account", settings, run_context())


@pytest.mark.parametrize(
    ("filters", "message"),
    [([{"field": "Segmnt__c"}], "did you mean Segment__c"), ([{"field": "Segment__c", "name": "Lists"}], "lists")],
)
def test_a_filter_that_cannot_be_is_refused_and_the_table_stays(tmp_path: Path, filters, message):
    settings = Settings.model_validate({"objects": {"account": {"custom_filters": filters}}})
    with warehouse(tmp_path) as con:
        _load(con)
        build_ownership(con, "account", Settings(), run_context())
        with pytest.raises(SettingsError, match=message):
            build_ownership(con, "account", settings, run_context())
        assert fetch(con, "SELECT count(*) FROM ownership.account") == [(3,)]


def test_a_bare_org_is_enough(tmp_path: Path):
    with warehouse(tmp_path) as con:
        put_salesforce(con, "account", [{"Id": "A1"}])
        put_crosswalk(con, "account", {"A1": "C1"})
        build_ownership(con, "account", Settings(), run_context())
        rows = fetch(con, "SELECT reference_id, is_primary, owner_id, owner_name FROM ownership.account")
    assert rows == [("C1", True, None, None)]
