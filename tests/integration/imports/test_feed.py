"""Imports again and again: what is written anew, and what the feed of changes says of it."""

import re
from pathlib import Path

from data_contracts.settings import Settings
from data_contracts.settings_file import load_settings
from pipelines.clear import clear_matches
from pipelines.imports import build_creation_proposals, build_entity_imports, build_imports
from pipelines.imports.feed import note_first
from tests.integration.imports.conftest import ACCOUNTS, load
from tests.support.org_tables import fetch, put_crosswalk, put_reference, put_salesforce, run_context, warehouse

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


def test_the_same_data_twice_writes_nothing_and_a_change_is_fed_once(tmp_path: Path):
    with warehouse(tmp_path) as con:
        load(con)
        first = build_entity_imports(con, "company", Settings(), run_context())
        standing = fetch(con, "SELECT * FROM imports.value ORDER BY ALL")
        again = build_entity_imports(con, "company", Settings(), run_context("run-2", day=2))
        assert (first.values.written, first.values.changes) == (5, 0)
        assert (again.values.written, again.values.removed, again.values.changes) == (0, 0, 0)
        assert fetch(con, "SELECT * FROM imports.value ORDER BY ALL") == standing

        changed = [ACCOUNTS[0] | {"Name": "Acme Group"}, ACCOUNTS[1] | {"Phone": None}, *ACCOUNTS[2:]]
        load(con, changed)
        third = build_entity_imports(con, "company", Settings(), run_context("run-3", day=3))
        feed = fetch(con, "SELECT sequence, field, old_value, new_value, run_id FROM imports.change ORDER BY 1")
    assert (third.values.written, third.values.removed, third.values.changes) == (1, 1, 2)
    assert feed == [
        (1, "name", "Acme Inc", "Acme Group", "run-3"),
        (2, "phone", "+47 22 00 00 00", None, "run-3"),
    ]


def test_importing_the_same_data_again_touches_no_row_of_any_table(tmp_path: Path):
    with warehouse(tmp_path) as con:
        load(con)
        assert _whole_import(con, Settings(), 1) == (4, 1)
        before = _places(con)
        load(con)
        assert _whole_import(con, Settings(), 2) == (0, 0)
        assert _places(con) == before
        # Asked for by name, an object is looked at as a whole, and is still the same.
        assert _whole_import(con, Settings(), 3, again=("A1",)) == (0, 0)
        assert _places(con)[:-1] == before[:-1]
        assert _whole_import(con, Settings(), 4, again=None) == (0, 0)
        assert _places(con)[:-1] == before[:-1]


def test_only_what_changed_is_written(tmp_path: Path):
    with warehouse(tmp_path) as con:
        load(con)
        _whole_import(con, Settings(), 1)
        before = dict(fetch(con, "SELECT salesforce_id, rowid FROM imports.account"))
        load(con, [ACCOUNTS[0] | {"Name": "Acme Group"}, *ACCOUNTS[1:]])
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


def test_the_feed_is_resumed_from_a_cursor_and_a_cleared_object_begins_another(tmp_path: Path):
    with warehouse(tmp_path) as con:
        load(con)
        _whole_import(con, Settings(), 1)
        (first, sequence) = fetch(con, "SELECT feed_id, last_sequence FROM imports.feed")[0]
        assert sequence == 0
        load(con, [ACCOUNTS[0] | {"Name": "Acme Group"}, *ACCOUNTS[1:]])
        _whole_import(con, Settings(), 2)
        assert fetch(con, "SELECT feed_id, first_sequence, last_sequence FROM imports.feed") == [(first, 1, 1)]
        # Old rows may go: a sequence is never given twice.
        con.execute("DELETE FROM imports.change")
        load(con)
        _whole_import(con, Settings(), 3)
        assert fetch(con, "SELECT sequence, old_value, new_value FROM imports.change") == [
            (2, "Acme Group", "Acme Inc")
        ]
        assert fetch(con, "SELECT feed_id, first_sequence, last_sequence FROM imports.feed") == [(first, 2, 2)]

        clear_matches(con, "account", Settings())
        load(con)
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
        load(con)
        _whole_import(con, Settings(), 1)
        feed_id, sequence = fetch(con, take)[0]
        for day, name in enumerate(("Acme Group", "Acme Inc"), start=2):
            load(con, [ACCOUNTS[0] | {"Name": name}, *ACCOUNTS[1:]])
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
        load(con)
        _whole_import(con, Settings(), 1)
        put_crosswalk(con, "account", dict.fromkeys(("A1", "A2", "A3", "A4")))
        _whole_import(con, Settings(), 2)
        assert fetch(con, "SELECT count(*) FROM imports.value") == [(0,)]
        load(con)
        _whole_import(con, Settings(), 3)
        feed = fetch(con, "SELECT run_id, count(*), count(new_value) FROM imports.change GROUP BY ALL ORDER BY 1")
    assert feed == [("run-2", 5, 0), ("run-3", 5, 5)]


def test_a_target_taken_out_leaves_the_values_and_says_so_in_the_feed(tmp_path: Path):
    narrower = Settings.model_validate({"imports": {"mapping": {"account": {"website": None}}}})
    with warehouse(tmp_path) as con:
        load(con)
        build_entity_imports(con, "company", Settings(), run_context())
        build_entity_imports(con, "company", narrower, run_context("run-2", day=2))
        feed = fetch(con, "SELECT field, new_value FROM imports.change")
        columns = [name for (name, *_) in fetch(con, "DESCRIBE imports.company")]
    assert feed == [("website", None)]
    assert "website" not in columns
