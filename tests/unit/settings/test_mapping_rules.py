"""What can be wrong with a mapping, in both directions: every message, with its line where a file has one."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from data_contracts.errors import SettingsError
from data_contracts.mapping import (
    ENTITY,
    MappedObject,
    default_targets,
    effective_targets,
    mapped_fields,
    mapping_hash,
    named_fields,
)
from data_contracts.mapping_rules import OrgField, all_shape_problems, export_sources, org_problems, resolve_mapping
from data_contracts.settings import Settings
from data_contracts.settings_file import SettingsFileError, load_settings

ADDRESS = ("street", "city", "state", "postal_code", "country")
BILLING = ("Street", "City", "State", "PostalCode", "Country")


def settings(imports: dict[str, Any] | None = None, exports: dict[str, Any] | None = None, name: str = "account"):
    mapping = {"imports": {"mapping": {name: imports or {}}}, "exports": {"mapping": {name: exports or {}}}}
    return Settings.model_validate(mapping)


def told(chosen: Settings) -> str:
    return " | ".join(f"{found.what}; {found.why}; {found.next_step}" for found in all_shape_problems(chosen))


@pytest.mark.parametrize("name", ENTITY)
def test_the_shipped_mappings_are_sound_in_both_directions(name: MappedObject):
    assert all_shape_problems(Settings()) == []
    exported = default_targets(name, "exports")
    assert [target.name for target in exported if target.group] != []
    assert {source for target in exported for source in target.sources} <= set(export_sources(name))
    assert all(target.mode in ("fill_if_blank", "tracked", "overwrite") for target in exported)
    assert all(target.description for target in exported)


#: The row of account.phone → a part of the message of the file.
BLANK = {
    "{}": "a blank mapping row: give sources, add or remove, or a static value",
    "{type: text}": "a blank mapping row",
    "{static: ' '}": "a blank mapping row: static is empty",
    "{sources: []}": "",
    "{sources: [Phone, ' ']}": "a blank source; take it out of the list",
    "{sources: [Phone, Fax, Phone]}": "Phone stands twice; a choice has one number",
    "{sources: [Fax], add: [Phone]}": "give one of them",
    "{remove: [Phone]}": "a blank mapping row: nothing is left that a value could come from",
    "{remove: [Fax]}": "Fax is not among the default choices of phone: these are Phone",
    "{add: [Phone]}": "Phone is a default choice of phone already",
    "{sources: [Phone], mode: fill}": "not one of the allowed values (it says 'fill')",
    "{sources: [Phone], transform: phon}": "did you mean phone?",
    "{source: [Phone]}": "unknown key",
    "{type: boolean, sources: [Phone], mode: tracked}": "phone is a boolean and has mode tracked",
}


@pytest.mark.parametrize("row", [row for row, message in BLANK.items() if message])
def test_a_row_that_cannot_be_is_refused_with_its_line(tmp_path: Path, row: str):
    file = tmp_path / "crosswalk.yaml"
    file.write_text(f"imports:\n  mapping:\n    account:\n      phone: {row}\n")
    with pytest.raises(SettingsFileError) as caught:
        load_settings(file)
    (problem,) = caught.value.problems
    assert problem.line == 4
    assert problem.key.startswith("imports.mapping.account.phone")
    assert BLANK[row] in str(problem)


def test_taking_out_what_is_no_default_names_the_nearest():
    (found,) = all_shape_problems(settings({"industri": None}))
    assert (found.what, found.nearest) == ("there is no default industri to take out", "industry")
    assert "no default that add or remove could go on from" in told(settings({"fax": {"add": ["Fax"]}}))


def test_add_and_remove_go_on_from_the_default():
    lead = settings({"phone": {"add": ["Fax"]}, "mobile": {"add": ["Fax"], "remove": ["MobilePhone"]}}, name="lead")
    targets = {target.name: target for target in effective_targets(lead, "lead")}
    assert targets["phone"].choices == "1 Phone, 2 Fax"
    assert targets["mobile"].sources == ("Fax",)
    changed = {
        target.name: target for target in effective_targets(settings({"website": {"mode": "tracked"}}), "account")
    }
    assert (changed["website"].sources, changed["website"].mode) == (("Website",), "tracked")


def test_only_what_a_person_named_must_be_in_the_org():
    chosen = settings({"phone": {"add": ["Fax"]}})
    assert named_fields(chosen, "account") == {"Fax"}
    assert {"Fax", "Phone", "Name"} <= mapped_fields(chosen, "account")
    assert mapped_fields(chosen, "user") == frozenset()
    mapping = resolve_mapping(chosen, "account", {"Name", "Fax"})
    assert [target.sources for target in mapping.targets if target.name == "phone"] == [("Fax",)]
    with pytest.raises(SettingsError, match="no field 'Fax'"):
        resolve_mapping(chosen, "account", {"Name", "Phone"})


@pytest.mark.parametrize(
    ("imports", "message"),
    [
        ({"city": {"sources": ["BillingCity"]}}, "the address moves as a whole, and city is mapped while street"),
        (
            {name: {"sources": [f"Billing{part}"]} for name, part in zip(ADDRESS, BILLING, strict=True)}
            | {"street": {"sources": ["BillingStreet", "ShippingStreet"]}},
            "different numbers of choices: street has 2, city has 1",
        ),
        (
            {name: {"sources": [f"Billing{part}"]} for name, part in zip(ADDRESS, BILLING, strict=True)}
            | {"city": {"sources": ["BillingCity"], "mode": "tracked"}},
            "different modes: street overwrite, city tracked",
        ),
    ],
)
def test_an_address_moves_as_a_whole(imports: dict[str, Any], message: str):
    assert message in told(settings(imports))


def test_an_exported_address_moves_as_a_whole_too():
    assert "moves as a whole" in told(settings(exports={"BillingCity": {"sources": ["city"]}}))
    assert told(settings(exports={f"Billing{part}": None for part in BILLING})) == ""


@pytest.mark.parametrize(
    ("exports", "message", "near"),
    [
        ({"Site": {"sources": ["naem"]}}, "the reference has no column 'naem'", "name"),
        ({"Id": {"sources": ["name"]}}, "'Id' cannot be written", None),
        ({"a b": {"sources": ["name"]}}, "'a b' cannot be written", None),
        ({"Fax__c": None}, "there is no default Fax__c to take out", None),
    ],
)
def test_an_export_that_cannot_be(exports: dict[str, Any], message: str, near: str | None):
    (found,) = all_shape_problems(settings(exports=exports))
    assert message in found.what
    assert found.nearest == near


def test_an_export_of_people_may_take_from_their_company_and_link():
    chosen = settings(exports={"Company": {"sources": ["company.name"]}, "Score__c": {
        "sources": ["crosswalk.match_probability"], "mode": "overwrite"}}, name="lead")  # fmt: skip
    assert told(chosen) == ""
    assert "no column 'company.name'" in told(settings(exports={"Name": {"sources": ["company.name"]}}))


FIELDS = {
    "Name": OrgField("Name", "string"),
    "Active__c": OrgField("Active__c", "boolean"),
    "BillingAddress": OrgField("BillingAddress", "address"),
    "Sum__c": OrgField("Sum__c", "currency", calculated=True),
    "CreatedDate": OrgField("CreatedDate", "datetime", createable=False, updateable=False),
}


@pytest.mark.parametrize(
    ("imports", "exports", "message"),
    [
        ({"x": {"sources": ["Nam"]}}, {}, "the org has no field 'Nam' on account"),
        ({"x": {"sources": ["BillingAddress"]}}, {}, "of type address and has no value of its own"),
        ({"x": {"sources": ["Active__c"], "mode": "fill_if_blank"}}, {}, "Active__c is a boolean and has mode fill_if"),
        ({}, {"Active__c": {"sources": ["name"]}}, "Active__c is a boolean and has mode fill_if_blank"),
        ({}, {"Gone__c": {"sources": ["name"]}}, "the org has no field 'Gone__c' on account"),
        ({}, {"Sum__c": {"sources": ["revenue"]}}, "Sum__c is a formula or roll-up field and cannot be written"),
        ({}, {"CreatedDate": {"sources": ["name"]}}, "CreatedDate cannot be written"),
    ],
)
def test_what_an_org_does_not_bear_out(imports: dict[str, Any], exports: dict[str, Any], message: str):
    chosen = settings(imports, exports)
    found = [*org_problems(chosen, "account", "imports", FIELDS), *org_problems(chosen, "account", "exports", FIELDS)]
    assert [message in item.what for item in found] == [True]


def test_a_boolean_may_be_overwritten():
    chosen = settings({"x": {"sources": ["Active__c"]}}, {"Active__c": {"sources": ["name"], "mode": "overwrite"}})
    assert org_problems(chosen, "account", "imports", FIELDS) == []
    assert org_problems(chosen, "account", "exports", FIELDS) == []


ROWS = st.dictionaries(
    st.sampled_from(["phone", "website", "mine"]),
    st.fixed_dictionaries(
        {"sources": st.lists(st.sampled_from(["Phone", "Fax", "Website"]), min_size=1, max_size=3, unique=True)},
        optional={"mode": st.sampled_from(["tracked", "overwrite"]), "required": st.booleans()},
    ),
    max_size=3,
)


@examples(deadline=None)
@given(ROWS, ROWS)
def test_the_hash_tells_mappings_apart_and_the_order_of_rows_does_not_count(one: Any, other: Any):
    def digest(rows: Any) -> str:
        return mapping_hash(effective_targets(settings(rows), "account"), "account")

    assert digest(one) == digest(dict(reversed(list(one.items()))))
    meant = [
        {(t.name, t.sources, t.mode, t.required) for t in effective_targets(settings(rows), "account")}
        for rows in (one, other)
    ]
    assert (digest(one) == digest(other)) == (meant[0] == meant[1])
