"""Surviving values against an oracle in plain Python, and the feed against the states it leads between."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_contracts.contracts import load_contract
from data_contracts.settings import Settings
from pipelines.imports import build_creation_proposals, build_entity_imports, build_imports
from pipelines.ownership import build_opportunity_ownership, build_ownership
from tests.support.org_tables import fetch, put_crosswalk, put_reference, put_salesforce, run_context, warehouse

ADDRESS = ("Street", "City", "State", "PostalCode", "Country")
FIELDS = ("Name", "Website", "Phone", *(f"{kind}{part}" for kind in ("Billing", "Shipping") for part in ADDRESS))
TARGETS = {"name": "Name", "website": "Website", "phone": "Phone"}
COLUMNS = ("name", "website", "phone", "street", "city", "state", "postal_code", "country")

value = st.none() | st.sampled_from(["x", "y", " ", ""])
record = st.fixed_dictionaries(
    dict.fromkeys(FIELDS, value)
    | {"CreatedDate": st.sampled_from(["2020-01-01", "2021-01-01", None]), "_is_deleted": st.booleans()}
    | {"LastModifiedDate": st.sampled_from(["2022-01-01", "2023-01-01"]), "OwnerId": st.sampled_from(["U1", "U2"])}
    | {"entity": st.sampled_from(["C1", "C2", None])}
)
RECORDS = 5
#: What happens in a run: records come, change, move to another entity or go; most stay as they were.
change = st.dictionaries(st.integers(0, RECORDS - 1), record | st.none(), max_size=3)
rule = st.sampled_from(["primary", "most_recent", "most_complete", "trusted_owner"])


def _filled(text):
    return text if text is not None and text.strip() else None


def _address(row):
    """The record's address: the first of its two with anything in it, whole."""
    for kind in ("Billing", "Shipping"):
        parts = [_filled(row[f"{kind}{part}"]) for part in ADDRESS]
        if any(parts):
            return parts
    return None


def _place(row, rules):
    """Where a record stands among those of its entity: by the rules, then oldest, then lowest Id."""
    filled = sum(_filled(row[field]) is not None for field in TARGETS.values())
    filled += sum(part is not None for part in _address(row) or ())
    keys = {
        "most_recent": [-int(row["LastModifiedDate"][:4])],
        "most_complete": [-filled],
        "trusted_owner": [row["OwnerId"] != "U2"],
    }
    before = rules[: rules.index("primary")] if "primary" in rules else rules
    return [*(keys[rule] for rule in before), row["CreatedDate"] or "9999", row["Id"]]


def _survivors(rows, order, address_order):
    """What each entity should hold."""
    expected = {}
    for entity in ("C1", "C2"):
        mine = [row for row in rows if row["entity"] == entity and not row["_is_deleted"]]
        if mine:
            by_order = sorted(mine, key=lambda row: _place(row, order))
            plain = [next((x for row in by_order if (x := _filled(row[field]))), None) for field in TARGETS.values()]
            whole = sorted(mine, key=lambda row: _place(row, address_order))
            address = next((x for row in whole if (x := _address(row))), [None] * 5)
            expected[entity] = (len(mine), *plain, *address)
    return expected


def _load(con, rows):
    fields = [*FIELDS, "CreatedDate", "LastModifiedDate", "OwnerId"]
    put_salesforce(con, "account", [{k: v for k, v in row.items() if k != "entity"} for row in rows], fields)
    put_crosswalk(con, "account", {row["Id"]: row["entity"] for row in rows})


def _values(con):
    return {(entity, field): text for entity, field, text in
            fetch(con, "SELECT reference_id, field, value FROM imports.value")}  # fmt: skip


def _settings(order, address_order):
    survivorship = {"order": order, "targets": {"address": address_order}, "trusted_owners": ["ann@x.test"]}
    dropped = dict.fromkeys(("industry", "employees", "revenue"))
    return Settings.model_validate(
        {"imports": {"primary": ["oldest"], "survivorship": survivorship, "mapping": {"account": dropped}}}
    )


STANDING = (
    "SELECT * FROM imports.account ORDER BY ALL",
    "SELECT * FROM imports.company ORDER BY ALL",
    "SELECT entity, reference_id, field, value, object, salesforce_id, source_field FROM imports.value ORDER BY ALL",
)


def _whole(folder: Path, rows, settings_of_run):
    """What a warehouse that never saw another state holds of the same records."""
    (folder / "whole").mkdir(exist_ok=True)
    (folder / "whole" / "warehouse.duckdb").unlink(missing_ok=True)
    with warehouse(folder / "whole") as con:
        put_salesforce(con, "user", [{"Id": "U2", "Email": "Ann@x.test"}])
        _load(con, rows)
        build_imports(con, "account", settings_of_run, run_context())
        build_entity_imports(con, "company", settings_of_run, run_context())
        return [fetch(con, query) for query in STANDING]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(change, min_size=2, max_size=5),
    order=st.lists(rule, min_size=1, max_size=3, unique=True),
    address_order=st.lists(rule, min_size=1, max_size=2, unique=True),
)
def test_after_any_sequence_of_changes_the_imports_are_those_of_a_whole_run_and_the_feed_leads_there(
    tmp_path: Path, changes, order, address_order
):
    """An oracle says what survives, a fresh warehouse what the tables hold, the feed replayed what the values are."""
    chosen = _settings(order, address_order)
    (tmp_path / "warehouse.duckdb").unlink(missing_ok=True)
    org: dict[int, dict] = {}
    with warehouse(tmp_path) as con:
        put_salesforce(con, "user", [{"Id": "U2", "Email": "Ann@x.test"}])
        replayed, fed = {}, 0
        for day, changed in enumerate(changes, start=1):
            org |= {number: row | {"Id": f"A{number}"} for number, row in changed.items() if row}
            org = {number: row for number, row in org.items() if changed.get(number, row) is not None}
            _load(con, list(org.values()))
            run = run_context(f"run-{day}", day=day)
            looked_at = build_imports(con, "account", chosen, run).looked_at
            assert looked_at is None if day == 1 else looked_at <= len(changed)
            assert (build_entity_imports(con, "company", chosen, run).built is None) == (day == 1)
            found = fetch(con, f"SELECT reference_id, source_count, {', '.join(COLUMNS)} FROM imports.company")
            assert {row[0]: row[1:] for row in found} == _survivors(list(org.values()), order, address_order)
            feed = fetch(con, "SELECT sequence, reference_id, field, old_value, new_value FROM imports.change "
                              f"WHERE sequence > {fed} ORDER BY sequence")  # fmt: skip
            assert [row[0] for row in feed] == list(range(fed + 1, fed + len(feed) + 1))
            fed += len(feed)
            for _, entity, field, old, new in feed:
                assert replayed.pop((entity, field), None) == old
                if new is not None:
                    replayed[entity, field] = new
            replayed = _values(con) if day == 1 else replayed
            assert replayed == _values(con)
            assert fetch(con, "SELECT last_sequence FROM imports.feed") == [(fed,)]
        standing = [fetch(con, query) for query in STANDING]
    assert standing == _whole(tmp_path, list(org.values()), chosen)


def _broken_rules(con, tables):
    rules = [(name, rule) for name in tables for rule in load_contract(name).document.schema_[0].quality or ()]
    assert rules
    return {f"{name}: {rule.name}" for name, rule in rules if fetch(con, rule.query)[0][0] != 0}


def test_the_contracts_invariants_hold_and_each_notices_a_fault(tmp_path: Path):
    tables = [f"{schema}.{name}" for schema in ("imports", "ownership") for name in ("account", "contact", "lead")]
    tables += ["imports.company", "imports.person", "imports.change", "ownership.opportunity"]
    with warehouse(tmp_path) as con:
        put_reference(con, "company", [{"company_id": "C1", "name": "x"}])
        put_reference(con, "person", [{"person_id": "P1", "last_name": "x"}])
        for name, entity in (("account", "C1"), ("contact", "P1"), ("lead", "P1")):
            rows = [
                {"Id": f"{name}{number}", "Name": "x", "LastName": "y", "AccountId": "account1"} for number in (1, 2)
            ]
            put_salesforce(con, name, rows)
            put_crosswalk(con, name, {f"{name}1": entity, f"{name}2": entity})
        opportunity = {"Id": "O", "AccountId": "account1", "Amount": 1, "CreatedDate": "2026-01-01", "IsClosed": False}
        put_salesforce(con, "opportunity", [opportunity])
        for name in ("account", "contact", "lead"):
            build_imports(con, name, Settings(), run_context())
            build_creation_proposals(con, name, Settings(), run_context())
            build_ownership(con, name, Settings(), run_context())
        build_entity_imports(con, "company", Settings(), run_context())
        build_entity_imports(con, "person", Settings(), run_context())
        build_opportunity_ownership(con, Settings(), run_context())
        assert _broken_rules(con, tables) == set()

        con.execute("UPDATE ownership.account SET is_primary = TRUE")
        con.execute("UPDATE crosswalk.lead SET status = 'unmatched' WHERE salesforce_id = 'lead1'")
        con.execute("UPDATE imports.contact SET reference_id = NULL")
        con.execute("UPDATE salesforce.account SET _is_deleted = TRUE WHERE Id = 'account2'")
        con.execute("UPDATE ownership.opportunity SET opportunity_count = 5 WHERE object = 'account'")
        assert _broken_rules(con, tables) == {
            "ownership.account: one_primary_per_entity",
            "ownership.lead: linked_records_only",
            "imports.contact: linked_has_entity",
            "imports.account: only_live_records",
            "ownership.opportunity: counts_agree",
        }
