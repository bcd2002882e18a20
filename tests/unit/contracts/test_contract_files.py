"""Every contract file against the standard and against data_contracts/tables/README.md."""

import json
from importlib import resources

import duckdb
import jsonschema
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from data_contracts.contracts import PERSONAL_CLASSES, TABLES, contract_names, load_contract
from data_contracts.errors import ContractError
from data_contracts.rules import rules_of
from pipelines.publish.published_tables import PUBLISHED_SCHEMAS
from pipelines.rule_sql import family

NAMES = contract_names()
SCHEMA = resources.files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8")
STANDARD = jsonschema.Draft201909Validator(json.loads(SCHEMA))
#: What design § 3.6 promises by name, less what later issues build.
PROMISED = {
    *(f"salesforce.{n}" for n in ("account", "contact", "lead", "opportunity", "user", "campaign", "campaign_member")),
    *(f"salesforce.{n}" for n in ("opportunity_contact_role", "task", "event")),
    *("salesforce.field", "salesforce.list_membership", "reference.company", "reference.person", "match.decision"),
    *(f"standard.{n}" for n in ("account", "contact", "lead", "company", "person")),
    *(f"{s}.{n}" for s in ("crosswalk", "imports", "ownership") for n in ("account", "contact", "lead")),
    *(f"match.{n}_candidate" for n in ("account", "contact", "lead")),
    *(f"imports.{n}" for n in ("company", "person", "value", "change", "feed", "creation_proposal")),
    *(f"ownership.{n}" for n in ("opportunity", "own_user", "search", "user")),
    *(
        f"ops.{n}"
        for n in (
            "sync_run",
            "run_statistics",
            "api_usage",
            "schema_change",
            "record_event",
            "link_change",
            "link_approval",
            "link_segment",
            "reject",
        )
    ),
}


def document(name):
    schema, table = name.split(".")
    return yaml.safe_load((TABLES / schema / f"{table}.odcs.yaml").read_text(encoding="utf-8"))


def test_every_promised_table_has_a_contract():
    assert set(NAMES) >= PROMISED


@pytest.mark.parametrize("name", NAMES)
def test_file_keeps_to_the_standard(name):
    # The pydantic model lets unknown keys of a column pass; the standard's JSON Schema does not.
    faults = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:120]}" for e in STANDARD.iter_errors(document(name))]
    assert faults == []
    assert OpenDataContractStandard(**document(name)).kind == "DataContract"


@pytest.mark.parametrize("name", NAMES)
def test_file_says_whose_and_what_it_is(name):
    content = document(name)
    assert content["apiVersion"] == "v3.1.0"
    assert content["name"] == name
    assert content["id"] == f"crosswalk-{name}".replace(".", "-").replace("_", "-")
    assert content["version"]
    assert content["status"]
    assert content["team"]["name"]
    assert content["description"]["purpose"]
    assert name.partition(".")[0] in PUBLISHED_SCHEMAS
    (table,) = content["schema"]
    assert (table["name"], table["physicalName"]) == (name.partition(".")[2], name)
    assert table["dataGranularityDescription"]


@pytest.mark.parametrize("name", NAMES)
def test_table_and_columns_are_described_and_typed(name):
    contract = load_contract(name)
    assert contract.description
    assert [column.name for column in contract.columns if not column.description] == []
    names = [column.name.lower() for column in contract.columns]
    assert len(set(names)) == len(names)
    with duckdb.connect() as con:
        canonical = {
            column.name: con.sql(f"SELECT typeof(NULL::{column.type})").fetchall()[0][0] for column in contract.columns
        }
        con.execute(f"CREATE SCHEMA {name.partition('.')[0]}")
        con.execute(contract.ddl())
        made = con.sql("SELECT column_name, data_type FROM duckdb_columns() WHERE NOT internal").fetchall()
    assert dict(made) == contract.column_types()
    assert all(family(kind) == family(contract.column_types()[column]) for column, kind in canonical.items())


@pytest.mark.parametrize("name", NAMES)
def test_comments_reach_the_table(name):
    contract = load_contract(name)
    with duckdb.connect() as con:
        con.execute(f"CREATE SCHEMA {name.partition('.')[0]}")
        con.execute(contract.ddl())
        for statement in contract.comments():
            con.execute(statement)
        told = con.sql("SELECT column_name, comment FROM duckdb_columns() WHERE NOT internal").fetchall()
    assert dict(told) == {column.name: column.description for column in contract.columns}


@pytest.mark.parametrize("name", NAMES)
def test_rules_have_names_and_words(name):
    rules = rules_of(load_contract(name))
    assert [rule.name for rule in rules if not rule.description] == []
    keys = [(rule.name, rule.columns) for rule in rules]
    assert len(set(keys)) == len(keys)


def test_every_query_of_a_rule_holds_on_empty_tables():
    with duckdb.connect() as con:
        for schema in PUBLISHED_SCHEMAS:
            con.execute(f"CREATE SCHEMA {schema}")
        for name in NAMES:
            con.execute(load_contract(name).ddl())
        for name in NAMES:
            for rule in rules_of(load_contract(name)):
                if rule.metric == "sql":
                    (row,) = con.sql(rule.query).fetchall()
                    assert rule.holds(row[0] or 0, 0), f"{name}: {rule.name}"
                    assert len(row) <= 2


def test_salesforce_tables_require_only_what_no_field_level_security_can_hide():
    for name in NAMES:
        columns = {column.name for column in load_contract(name).columns if column.required or column.primary_key}
        if name.startswith("salesforce.") and "Id" in columns:
            assert columns == {"Id", "_is_deleted", "_synced_at", "_run_id"}


@pytest.mark.parametrize("name", NAMES)
def test_personal_columns_say_which_class_of_personal_data_they_hold(name):
    found = {c.name: c.personal_class for c in load_contract(name).columns if c.personal or c.personal_class}
    assert {key: value for key, value in found.items() if value not in PERSONAL_CLASSES} == {}


def test_missing_contract_says_which_file_to_add():
    with pytest.raises(ContractError, match=r"no contract for table salesforce.invoice") as raised:
        load_contract("salesforce.invoice")
    assert "data_contracts/tables/salesforce/invoice.odcs.yaml" in str(raised.value)
