"""Mapped imports on hand-made tables: what a record and an entity get, and what the feed says."""

import re
from pathlib import Path

import pytest

from data_contracts.errors import SettingsError
from data_contracts.settings import Settings
from data_contracts.settings_file import load_settings
from pipelines.clear import clear_matches
from pipelines.imports import build_creation_proposals, build_entity_imports, build_imports
from pipelines.imports.feed import note_first
from tests.support.org_tables import (
    fetch,
    put_crosswalk,
    put_reference,
    put_salesforce,
    run_context,
    warehouse,
)

ACCOUNTS = [
    {"Id": "A1", "Name": "Acme Inc", "Website": "https://www.acme.test/", "NumberOfEmployees": 10,
     "BillingCity": "Oslo", "ShippingStreet": "Side 2", "ShippingCity": "Bergen"},
    {"Id": "A2", "Name": "Acme", "Website": None, "Phone": "+47 22 00 00 00", "ShippingStreet": "Main 1",
     "ShippingCity": "Bergen", "NumberOfEmployees": 99},
    {"Id": "A3", "Name": "Lonely", "Website": "lonely.test", "BillingCity": None},
    {"Id": "A4", "Name": "Bare"},
    {"Id": "A5", "Name": "Gone", "_is_deleted": True},
]  # fmt: skip
COMPANIES = [
    {"company_id": "C1", "name": "ACME  inc", "website": "acme.test", "employees": 10, "city": "oslo"},
]


def _load(con, accounts=ACCOUNTS):
    put_salesforce(con, "account", accounts, ["BillingStreet", "Phone", "ShippingCity"])
    put_reference(con, "company", COMPANIES)
    put_crosswalk(con, "account", {"A1": "C1", "A2": "C1", "A3": None, "A4": None, "A5": "C1"}, A4="skipped")


def test_every_live_record_has_a_row_and_a_status(tmp_path: Path):
    with warehouse(tmp_path) as con:
        _load(con)
        result = build_imports(con, "account", Settings(), run_context())
        rows = fetch(con, "SELECT salesforce_id, reference_id, data_status FROM imports.account ORDER BY 1")
    assert rows == [
        ("A1", "C1", "in sync"),
        ("A2", "C1", "different"),
        ("A3", None, "no match"),
        ("A4", None, "skipped"),
    ]
    assert result.statuses == {"in sync": 1, "different": 1, "no match": 1, "skipped": 1}
    assert any("Industry" in note for note in result.notes)


def test_an_address_moves_as_a_whole(tmp_path: Path):
    with warehouse(tmp_path) as con:
        _load(con)
        build_imports(con, "account", Settings(), run_context())
        build_entity_imports(con, "company", Settings(), run_context())
        records = fetch(con, "SELECT street, city FROM imports.account WHERE salesforce_id IN ('A1', 'A2') ORDER BY 2")
        entity = fetch(con, "SELECT street, city FROM imports.company")
    assert records == [("Main 1", "Bergen"), (None, "Oslo")]
    assert entity == [(None, "Oslo")], "the street of another record's address must not fill the gap"


def test_the_primary_record_speaks_first_and_the_next_fills_its_blanks(tmp_path: Path):
    with warehouse(tmp_path) as con:
        _load(con)
        build_entity_imports(con, "company", Settings(), run_context())
        row = fetch(con, "SELECT reference_id, source_count, name, website, phone, employees FROM imports.company")
        origin = fetch(con, "SELECT field, salesforce_id, source_field FROM imports.value ORDER BY 1")
    assert row == [("C1", 2, "Acme Inc", "https://www.acme.test/", "+47 22 00 00 00", 10)]
    assert origin == [
        ("city", "A1", "BillingCity"),
        ("employees", "A1", "NumberOfEmployees"),
        ("name", "A1", "Name"),
        ("phone", "A2", "Phone"),
        ("website", "A1", "Website"),
    ]


def test_the_same_data_twice_writes_nothing_and_a_change_is_fed_once(tmp_path: Path):
    with warehouse(tmp_path) as con:
        _load(con)
        first = build_entity_imports(con, "company", Settings(), run_context())
        standing = fetch(con, "SELECT * FROM imports.value ORDER BY ALL")
        again = build_entity_imports(con, "company", Settings(), run_context("run-2", day=2))
        assert (first.values.written, first.values.changes) == (5, 0)
        assert (again.values.written, again.values.removed, again.values.changes) == (0, 0, 0)
        assert fetch(con, "SELECT * FROM imports.value ORDER BY ALL") == standing

        changed = [ACCOUNTS[0] | {"Name": "Acme Group"}, ACCOUNTS[1] | {"Phone": None}, *ACCOUNTS[2:]]
        _load(con, changed)
        third = build_entity_imports(con, "company", Settings(), run_context("run-3", day=3))
        feed = fetch(con, "SELECT sequence, field, old_value, new_value, run_id FROM imports.change ORDER BY 1")
    assert (third.values.written, third.values.removed, third.values.changes) == (1, 1, 2)
    assert feed == [
        (1, "name", "Acme Inc", "Acme Group", "run-3"),
        (2, "phone", "+47 22 00 00 00", None, "run-3"),
    ]


WRITTEN = ("imports.account", "imports.company", "imports.value", "imports.change", "imports.feed",
           "imports.creation_proposal", "_state.import_mark_account")  # fmt: skip


def _whole_import(con, settings: Settings, day: int, **more):
    """One run's imports of accounts; returns how many rows it wrote of records and of entities."""
    run = run_context(f"run-{day}", day=day)
    records = build_imports(con, "account", settings, run, **more)
    entities = build_entity_imports(con, "company", settings, run)
    build_creation_proposals(con, "account", settings, run)
    return records.written, entities.written


def _places(con):
    """Every row with its place in the file: a row that was written again, the same or not, stands elsewhere."""
    return [fetch(con, f"SELECT rowid, * FROM {table} ORDER BY rowid") for table in WRITTEN]


def test_importing_the_same_data_again_touches_no_row_of_any_table(tmp_path: Path):
    with warehouse(tmp_path) as con:
        _load(con)
        assert _whole_import(con, Settings(), 1) == (4, 1)
        before = _places(con)
        _load(con)
        assert _whole_import(con, Settings(), 2) == (0, 0)
        assert _places(con) == before
        # Asked for by name, an object is looked at as a whole, and is still the same.
        assert _whole_import(con, Settings(), 3, again=("A1",)) == (0, 0)
        assert _places(con)[:-1] == before[:-1]
        assert _whole_import(con, Settings(), 4, again=None) == (0, 0)
        assert _places(con)[:-1] == before[:-1]


def test_only_what_changed_is_written(tmp_path: Path):
    with warehouse(tmp_path) as con:
        _load(con)
        _whole_import(con, Settings(), 1)
        before = dict(fetch(con, "SELECT salesforce_id, rowid FROM imports.account"))
        _load(con, [ACCOUNTS[0] | {"Name": "Acme Group"}, *ACCOUNTS[1:]])
        assert _whole_import(con, Settings(), 2) == (1, 1)
        after = dict(fetch(con, "SELECT salesforce_id, rowid FROM imports.account"))
    assert {record for record, place in after.items() if before[record] != place} == {"A1"}


def test_what_changes_beside_a_record_is_followed(tmp_path: Path):
    """The entity it is held against, the opportunities that make it primary: nothing of the record itself."""
    accounts = [{"Id": "A1", "Name": "one"}, {"Id": "A2", "Name": "two"}, {"Id": "A3", "Name": "three"}]
    with warehouse(tmp_path) as con:
        put_salesforce(con, "account", accounts)
        put_salesforce(con, "opportunity", [{"Id": "O", "AccountId": "A1", "IsClosed": False}])
        put_reference(con, "company", [{"company_id": "C1", "name": "one"}, {"company_id": "C2", "name": "three"}])
        put_crosswalk(con, "account", {"A1": "C1", "A2": "C1", "A3": "C2"})
        _whole_import(con, Settings(), 1)
        put_reference(con, "company", [{"company_id": "C1", "name": "two"}, {"company_id": "C2", "name": "three"}])
        assert build_imports(con, "account", Settings(), run_context("run-2", day=2)).looked_at == 2
        statuses = "SELECT data_status FROM imports.account ORDER BY salesforce_id"
        assert fetch(con, statuses) == [("different",), ("in sync",), ("in sync",)]

        put_salesforce(con, "opportunity", [{"Id": "O", "AccountId": "A2", "IsClosed": False}])
        assert build_imports(con, "account", Settings(), run_context("run-3", day=3)).looked_at == 2
        result = build_entity_imports(con, "company", Settings(), run_context("run-3", day=3))
        assert (result.built, result.written) == (1, 1)
        assert fetch(con, "SELECT name FROM imports.company ORDER BY 1") == [("three",), ("two",)]
        assert fetch(con, "SELECT cause FROM imports.change") == [("primary",)]


def test_a_person_is_followed_through_contacts_and_leads(tmp_path: Path):
    def people(day, contacts, leads):
        put_salesforce(con, "contact", [{"Id": "K1", "LastName": "Ng", "Email": None}])
        put_salesforce(con, "lead", [{"Id": "L1", "LastName": "Old", "Email": "ng@x.test", "IsConverted": False}])
        put_crosswalk(con, "contact", contacts)
        put_crosswalk(con, "lead", leads)
        run = run_context(f"run-{day}", day=day)
        for name in ("contact", "lead"):
            build_imports(con, name, Settings(), run)
        built = build_entity_imports(con, "person", Settings(), run).built
        found = fetch(con, "SELECT reference_id, last_name, email, source_count FROM imports.person ORDER BY 1")
        return built, found

    with warehouse(tmp_path) as con:
        assert people(1, {"K1": "P1"}, {"L1": "P1"}) == (None, [("P1", "Ng", "ng@x.test", 2)])
        moved = [("P1", "Ng", None, 1), ("P2", "Old", "ng@x.test", 1)]
        assert people(2, {"K1": "P1"}, {"L1": "P2"}) == (2, moved)
        assert people(3, {"K1": None}, {"L1": "P2"}) == (1, moved[1:])
        assert people(4, {"K1": None}, {"L1": "P2"}) == (0, moved[1:])
        assert people(5, {"K1": "P2"}, {"L1": "P2"}) == (1, [("P2", "Ng", "ng@x.test", 2)])


def test_a_record_says_which_of_its_values_differ(tmp_path: Path):
    with warehouse(tmp_path) as con:
        _load(con)
        build_imports(con, "account", Settings(), run_context())
        rows = fetch(con, "SELECT salesforce_id, different_fields FROM imports.account ORDER BY 1")
    assert rows == [("A1", []), ("A2", ["name", "phone", "street", "city", "employees"]), ("A3", None), ("A4", None)]


def test_the_feed_is_resumed_from_a_cursor_and_a_cleared_object_begins_another(tmp_path: Path):
    with warehouse(tmp_path) as con:
        _load(con)
        _whole_import(con, Settings(), 1)
        (first, sequence) = fetch(con, "SELECT feed_id, last_sequence FROM imports.feed")[0]
        assert sequence == 0
        _load(con, [ACCOUNTS[0] | {"Name": "Acme Group"}, *ACCOUNTS[1:]])
        _whole_import(con, Settings(), 2)
        assert fetch(con, "SELECT feed_id, first_sequence, last_sequence FROM imports.feed") == [(first, 1, 1)]
        # Old rows may go: a sequence is never given twice.
        con.execute("DELETE FROM imports.change")
        _load(con)
        _whole_import(con, Settings(), 3)
        assert fetch(con, "SELECT sequence, old_value, new_value FROM imports.change") == [
            (2, "Acme Group", "Acme Inc")
        ]
        assert fetch(con, "SELECT feed_id, first_sequence, last_sequence FROM imports.feed") == [(first, 2, 2)]

        clear_matches(con, "account", Settings())
        _load(con)
        _whole_import(con, Settings(), 4)
        (second, sequence) = fetch(con, "SELECT feed_id, last_sequence FROM imports.feed")[0]
        assert (second != first, sequence) == (True, 2)
        assert fetch(con, "SELECT count(*) FROM imports.value") == [(5,)]


def test_the_feeds_page_says_what_a_consumer_can_do(tmp_path: Path):
    page = (Path(__file__).parents[3] / "docs" / "imports.md").read_text()
    take, resume, may_resume = re.findall(r"```sql\n(.*?)```", page, flags=re.DOTALL)
    for block in re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL):
        (tmp_path / "crosswalk.yaml").write_text(block)
        load_settings(tmp_path / "crosswalk.yaml")
    with warehouse(tmp_path) as con:
        _load(con)
        _whole_import(con, Settings(), 1)
        feed_id, sequence = fetch(con, take)[0]
        for day, name in enumerate(("Acme Group", "Acme Inc"), start=2):
            _load(con, [ACCOUNTS[0] | {"Name": name}, *ACCOUNTS[1:]])
            _whole_import(con, Settings(), day)
        rows = con.execute(resume, {"last_sequence": sequence}).fetchall()
        assert [(row[0], row[4], row[5]) for row in rows] == [
            (1, "Acme Inc", "Acme Group"),
            (2, "Acme Group", "Acme Inc"),
        ]
        cursor = {"feed_id": feed_id, "last_sequence": sequence}
        assert con.execute(may_resume, cursor).fetchall() == [(True,)]
        con.execute("DELETE FROM imports.change WHERE sequence = 1")
        note_first(con)
        assert con.execute(may_resume, cursor).fetchall() == [(False,)]
        assert con.execute(may_resume, cursor | {"last_sequence": 1}).fetchall() == [(True,)]
        assert con.execute(may_resume, {"feed_id": "x", "last_sequence": 2}).fetchall() == [(False,)]


def test_values_that_came_back_after_all_were_gone_are_fed(tmp_path: Path):
    with warehouse(tmp_path) as con:
        _load(con)
        _whole_import(con, Settings(), 1)
        put_crosswalk(con, "account", dict.fromkeys(("A1", "A2", "A3", "A4")))
        _whole_import(con, Settings(), 2)
        assert fetch(con, "SELECT count(*) FROM imports.value") == [(0,)]
        _load(con)
        _whole_import(con, Settings(), 3)
        feed = fetch(con, "SELECT run_id, count(*), count(new_value) FROM imports.change GROUP BY ALL ORDER BY 1")
    assert feed == [("run-2", 5, 0), ("run-3", 5, 5)]


def test_an_order_of_survivors_for_half_an_address_or_for_nothing_is_refused(tmp_path: Path):
    for name, told in (("street", "moves with its group.*write address instead"), ("emial", "write email instead")):
        survivorship = {"targets": {name: ["most_recent"]}}
        settings = Settings.model_validate({"imports": {"survivorship": survivorship}})
        with warehouse(tmp_path) as con:
            _load(con)
            with pytest.raises(SettingsError, match=f"(?s){told}"):
                build_entity_imports(con, "company", settings, run_context())


def test_a_target_taken_out_leaves_the_values_and_says_so_in_the_feed(tmp_path: Path):
    narrower = Settings.model_validate({"imports": {"mapping": {"account": {"website": None}}}})
    with warehouse(tmp_path) as con:
        _load(con)
        build_entity_imports(con, "company", Settings(), run_context())
        build_entity_imports(con, "company", narrower, run_context("run-2", day=2))
        feed = fetch(con, "SELECT field, new_value FROM imports.change")
        columns = [name for (name, *_) in fetch(con, "DESCRIBE imports.company")]
    assert feed == [("website", None)]
    assert "website" not in columns


def test_a_contact_speaks_before_a_lead_of_the_same_person(tmp_path: Path):
    with warehouse(tmp_path) as con:
        put_salesforce(con, "contact", [{"Id": "K1", "LastName": "Ng", "Email": None, "MobilePhone": "1"}])
        put_salesforce(con, "lead", [{"Id": "L1", "LastName": "Old", "Email": "ng@x.test", "IsConverted": False}])
        put_crosswalk(con, "contact", {"K1": "P1"})
        put_crosswalk(con, "lead", {"L1": "P1"})
        build_entity_imports(con, "person", Settings(), run_context())
        person = fetch(con, "SELECT last_name, email, mobile, source_count FROM imports.person")
        origin = fetch(con, "SELECT object FROM imports.value WHERE field = 'email'")
    assert person == [("Ng", "ng@x.test", "1", 2)]
    assert origin == [("lead",)]


def test_the_configured_order_decides_who_is_primary(tmp_path: Path):
    accounts = [
        {"Id": "A1", "Name": "old", "CreatedDate": "2020-01-01", "SystemModstamp": "2020-01-01"},
        {"Id": "A2", "Name": "recent", "CreatedDate": "2022-01-01", "SystemModstamp": "2026-01-01"},
        {"Id": "A3", "Name": "selling", "CreatedDate": "2023-01-01", "SystemModstamp": "2024-01-01"},
    ]
    orders = {"selling": ["open_opportunities"], "recent": ["most_recent"], "old": ["oldest"]}
    for expected, order in orders.items():
        settings = Settings.model_validate({"imports": {"primary": order}})
        (folder := tmp_path / expected).mkdir()
        with warehouse(folder) as con:
            put_salesforce(con, "account", accounts)
            put_salesforce(con, "opportunity", [{"Id": "O", "AccountId": "A3", "IsClosed": False}])
            put_crosswalk(con, "account", {"A1": "C", "A2": "C", "A3": "C"})
            build_entity_imports(con, "company", settings, run_context())
            assert fetch(con, "SELECT name FROM imports.company") == [(expected,)]


def test_a_record_without_a_required_value_is_left_out(tmp_path: Path):
    settings = Settings.model_validate(
        {"imports": {"mapping": {"account": {"website": {"sources": ["Website"], "required": True}}}}}
    )
    with warehouse(tmp_path) as con:
        _load(con)
        build_imports(con, "account", settings, run_context())
        build_entity_imports(con, "company", settings, run_context())
        statuses = fetch(con, "SELECT salesforce_id FROM imports.account WHERE data_status = 'skipped' ORDER BY 1")
        entity = fetch(con, "SELECT source_count, phone FROM imports.company")
    assert statuses == [("A2",), ("A4",)]
    assert entity == [(1, None)]


def test_a_configured_field_the_org_lacks_stops_before_anything_is_written(tmp_path: Path):
    settings = Settings.model_validate({"imports": {"mapping": {"account": {"name": {"sources": ["Nane"]}}}}})
    with warehouse(tmp_path) as con:
        _load(con)
        build_imports(con, "account", Settings(), run_context())
        before = fetch(con, "SELECT * FROM imports.account ORDER BY ALL")
        with pytest.raises(SettingsError, match=r"Nane.*did you mean Name"):
            build_imports(con, "account", settings, run_context("run-2"))
        assert fetch(con, "SELECT * FROM imports.account ORDER BY ALL") == before


def test_static_values_and_transforms(tmp_path: Path):
    mapping = {
        "source_system": {"static": "it's ours"},
        "object": {"static": "a name the feed uses too"},
        "domain": {"sources": ["Website"], "transform": "domain"},
        "phone": {"sources": ["Phone"], "transform": "phone"},
        "name": {"sources": ["Name"], "transform": "upper"},
    }
    settings = Settings.model_validate({"imports": {"mapping": {"account": mapping}}})
    with warehouse(tmp_path) as con:
        _load(con)
        build_imports(con, "account", settings, run_context())
        build_entity_imports(con, "company", settings, run_context())
        rows = fetch(con, "SELECT name, domain, phone, source_system FROM imports.account ORDER BY salesforce_id")
        comment = fetch(con, "SELECT comment FROM duckdb_columns() WHERE table_name = 'account' "
                             "AND schema_name = 'imports' AND column_name = 'domain'")  # fmt: skip
    assert rows[:2] == [("ACME INC", "acme.test", None, "it's ours"), ("ACME", None, "+4722000000", "it's ours")]
    assert comment == [("mapped value, from Website",)]


def test_blank_text_is_no_value(tmp_path: Path):
    with warehouse(tmp_path) as con:
        put_salesforce(con, "account", [{"Id": "A1", "Name": "  ", "Phone": " ", "Website": "a.test"}])
        put_crosswalk(con, "account", {"A1": "C1"})
        build_entity_imports(con, "company", Settings(), run_context())
        assert fetch(con, "SELECT field FROM imports.value") == [("website",)]


def test_proposals_need_a_name_and_a_way_to_reach_them_and_keep_decisions(tmp_path: Path):
    accounts = [
        {"Id": "A1", "Name": "Site", "Website": "a.test", "BillingStreet": None, "BillingCity": None},
        {"Id": "A2", "Name": "City only", "BillingCity": "Oslo"},
        {"Id": "A3", "Name": "Address", "BillingCity": "Oslo", "BillingStreet": "Main 1"},
        {"Id": "A4", "Website": "nameless.test"},
        {"Id": "A5", "Name": "Linked", "Website": "l.test"},
    ]
    with warehouse(tmp_path) as con:
        put_salesforce(con, "account", accounts)
        put_crosswalk(con, "account", {"A1": None, "A2": None, "A3": None, "A4": None, "A5": "C1"})
        build_imports(con, "account", Settings(), run_context())
        assert build_creation_proposals(con, "account", Settings(), run_context()) == 2
        con.execute("UPDATE imports.creation_proposal SET status = 'rejected' WHERE salesforce_id = 'A1'")
        put_crosswalk(con, "account", {"A1": None, "A2": None, "A3": "C2", "A4": None, "A5": "C1"})
        build_imports(con, "account", Settings(), run_context("run-2", day=2))
        assert build_creation_proposals(con, "account", Settings(), run_context("run-2", day=2)) == 0
        kept = fetch(con, "SELECT salesforce_id, status, run_id FROM imports.creation_proposal")
    assert kept == [("A1", "rejected", "run-1")]


def _proposed(con, accounts, **creation):
    settings = Settings.model_validate({"imports": {"creation": {"account": creation}}})
    put_salesforce(con, "account", accounts)
    put_crosswalk(con, "account", {row["Id"]: None for row in accounts})
    build_imports(con, "account", settings, run_context())
    build_creation_proposals(con, "account", settings, run_context(day=10))
    return [record for (record,) in fetch(con, "SELECT salesforce_id FROM imports.creation_proposal ORDER BY 1")]


def test_what_is_worth_creating_is_configured(tmp_path: Path):
    accounts = [
        {"Id": "A1", "Name": "Bare", "SystemModstamp": "2026-03-08"},
        {"Id": "A2", "Name": "Site", "Website": "a.test", "SystemModstamp": "2026-03-09"},
        {"Id": "A3", "Name": "Whole", "Website": "b.test", "BillingStreet": "1", "BillingCity": "Oslo",
         "SystemModstamp": "2026-01-01"},
    ]  # fmt: skip
    with warehouse(tmp_path) as con:
        put_salesforce(con, "opportunity", [{"Id": "O", "AccountId": "A2", "IsClosed": False}])
        assert _proposed(con, accounts) == ["A2", "A3"]
        assert _proposed(con, accounts, any_of=[]) == ["A1", "A2", "A3"]
        assert _proposed(con, accounts, require=["website", "address"]) == ["A3"]
        assert _proposed(con, accounts, any_of=[], changed_within_days=7) == ["A1", "A2"]
        assert _proposed(con, accounts, any_of=[], open_opportunity=True) == ["A2"]
        assert _proposed(con, accounts, enabled=False) == []
        with pytest.raises(SettingsError, match="no target column of account; did you mean website"):
            _proposed(con, accounts, require=["webiste"])


def test_no_reference_and_no_link_leaves_empty_entities(tmp_path: Path):
    with warehouse(tmp_path) as con:
        put_salesforce(con, "account", [{"Id": "A1", "Name": "x"}])
        put_crosswalk(con, "account", {"A1": None})
        assert build_imports(con, "account", Settings(), run_context()).statuses == {"no match": 1}
        result = build_entity_imports(con, "company", Settings(), run_context())
        people = build_entity_imports(con, "person", Settings(), run_context())
    assert (result.entities, result.values.standing, people.entities) == (0, 0, 0)


@pytest.mark.parametrize(
    ("mine", "theirs", "status"),
    [
        ("+47 22 33 44 55", "22334455", "in sync"),
        ("(0) 22-33-44-55", "+4722334455", "in sync"),
        ("22334455", "22334456", "different"),
        ("4455", "22334455", "different"),
        ("22334455", None, "different"),
    ],
)
def test_a_phone_number_is_compared_by_its_digits(tmp_path: Path, mine: str, theirs: str | None, status: str):
    with warehouse(tmp_path) as con:
        put_salesforce(con, "account", [{"Id": "A1", "Phone": mine}])
        put_reference(con, "company", [{"company_id": "C1", "phone": theirs}])
        put_crosswalk(con, "account", {"A1": "C1"})
        assert build_imports(con, "account", Settings(), run_context()).statuses == {status: 1}
