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
    | {"entity": st.sampled_from(["C1", "C2", None])}
)
org = st.lists(record, max_size=6).map(lambda rows: [row | {"Id": f"A{place}"} for place, row in enumerate(rows)])


def _filled(text):
    return text if text is not None and text.strip() else None


def _address(row):
    """The record's address: the first of its two with anything in it, whole."""
    for kind in ("Billing", "Shipping"):
        parts = [_filled(row[f"{kind}{part}"]) for part in ADDRESS]
        if any(parts):
            return parts
    return None


def _survivors(rows):
    """What each entity should hold: oldest record first, lowest Id next."""
    expected = {}
    for entity in ("C1", "C2"):
        mine = [row for row in rows if row["entity"] == entity and not row["_is_deleted"]]
        mine.sort(key=lambda row: (row["CreatedDate"] or "9999", row["Id"]))
        if mine:
            plain = [next((x for row in mine if (x := _filled(row[field]))), None) for field in TARGETS.values()]
            address = next((x for row in mine if (x := _address(row))), [None] * 5)
            expected[entity] = (len(mine), *plain, *address)
    return expected


def _load(con, rows):
    fields = [*FIELDS, "CreatedDate"]
    put_salesforce(con, "account", [{k: v for k, v in row.items() if k != "entity"} for row in rows], fields)
    put_crosswalk(con, "account", {row["Id"]: row["entity"] for row in rows})


def _values(con):
    return {(entity, field): text for entity, field, text in
            fetch(con, "SELECT reference_id, field, value FROM imports.value")}  # fmt: skip


OLDEST = Settings.model_validate({"imports": {"primary": ["oldest"]}})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=org, after=org)
def test_entities_are_what_the_oracle_says_and_the_feed_leads_from_one_state_to_the_next(tmp_path: Path, before, after):
    (tmp_path / "warehouse.duckdb").unlink(missing_ok=True)
    with warehouse(tmp_path) as con:
        states = []
        for day, rows in enumerate((before, after), start=1):
            _load(con, rows)
            build_entity_imports(con, "company", OLDEST, run_context(f"run-{day}", day=day))
            found = fetch(con, f"SELECT reference_id, source_count, {', '.join(COLUMNS)} FROM imports.company")
            assert {row[0]: row[1:] for row in found} == _survivors(rows)
            states.append(_values(con))
            wide = {(row[0], name): text for row in found for name, text in zip(COLUMNS, row[2:], strict=True) if text}
            assert states[-1] == wide
        feed = fetch(con, "SELECT reference_id, field, old_value, new_value FROM imports.change ORDER BY sequence")
    replayed = dict(states[0])
    if states[0]:  # without a baseline the second state is the baseline, and no feed leads to it
        for entity, field, old, new in feed:
            assert replayed.pop((entity, field), None) == old
            if new is not None:
                replayed[entity, field] = new
        assert replayed == states[1]


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
