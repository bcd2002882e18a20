"""Field mappings: defaults, what the settings change, and what is refused."""

import pytest

from data_contracts.errors import SettingsError
from data_contracts.mapping import ENTITY, default_targets
from data_contracts.mapping_rules import resolve_mapping
from data_contracts.settings import Settings
from data_contracts.settings_words import REFERENCE_COLUMNS

DESCRIBED = {
    "account": {"Id", "Name", "Website", "Phone", "BillingStreet", "BillingCity", "BillingState", "BillingPostalCode",
                "BillingCountry", "Industry", "NumberOfEmployees", "Fax", "ShippingCity"},
}  # fmt: skip
ADDRESS = ("street", "city", "state", "postal_code", "country")


def _resolve(mapping, described=DESCRIBED["account"]):
    settings = Settings.model_validate({"imports": {"mapping": {"account": mapping}}})
    return resolve_mapping(settings, "account", described)


@pytest.mark.parametrize("name", ENTITY)
def test_defaults_feed_columns_of_the_reference(name):
    targets = default_targets(name)
    assert {target.name for target in targets} <= set(REFERENCE_COLUMNS[ENTITY[name]])
    assert [target.name for target in targets if target.group == "address"] == list(ADDRESS)
    assert all(target.description and target.sources for target in targets)


def test_what_the_org_lacks_is_dropped_from_the_defaults_with_a_note():
    mapping = _resolve({})
    by_name = {target.name: target for target in mapping.targets}
    assert "revenue" not in by_name
    assert any("AnnualRevenue" in note for note in mapping.notes)
    assert by_name["city"].sources == ("BillingCity", "ShippingCity")
    assert by_name["street"].sources == ("BillingStreet", ""), "the second choice of an address stays the second"
    assert by_name["name"].column.description == "company name, from Name"


def test_settings_replace_extend_and_take_out():
    mapping = _resolve({"phone": {"sources": ["Fax", "Phone"]}, "segment": {"static": "b2b"}, "industry": None})
    by_name = {target.name: target for target in mapping.targets}
    assert by_name["phone"].sources == ("Fax", "Phone")
    assert by_name["segment"].static == "b2b"
    assert by_name["employees"].type == "BIGINT"
    assert "industry" not in by_name


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"name": {"sources": ["Naem"]}}, "no field 'Naem' on account; did you mean Name"),
        ({"reference_id": {"static": "x"}}, "cannot be a target column"),
        ({"Big Name": {"static": "x"}}, "cannot be a target column"),
        ({"_object": {"static": "x"}}, "cannot be a target column"),
        ({"a__choice": {"static": "x"}}, "cannot be a target column"),
        ({"city": {"sources": ["ShippingCity"]}}, "moves as a whole, and city is mapped while street, state"),
    ],
)
def test_what_cannot_be_is_refused(mapping, message):
    with pytest.raises(SettingsError, match=message):
        _resolve(mapping)


def test_both_causes_of_a_missing_field_are_named():
    with pytest.raises(SettingsError) as caught:
        _resolve({"name": {"sources": ["Name__c"]}})
    assert "deleted or renamed" in str(caught.value)
    assert "field-level security" in str(caught.value)
    assert "crosswalk fields account" in str(caught.value)


def test_a_whole_address_may_be_mapped_or_narrowed():
    whole = {name: {"static": "x"} for name in ADDRESS}
    assert all(target.configured for target in _resolve(whole).targets if target.name in ADDRESS)
    narrowed = {"city": {"sources": ["ShippingCity"]}} | {name: None for name in ADDRESS if name != "city"}
    assert [target.name for target in _resolve(narrowed).targets if target.group] == ["city"]
