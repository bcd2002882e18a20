import pytest

from apps.demo_org.store.schema import STANDARD_OBJECTS, custom_field, custom_object, label_of, standard_object

FIELD_ATTRIBUTES = 57
NAMELESS = {
    "AccountContactRelation", "CampaignMember", "FieldPermissions", "InstalledSubscriberPackage",
    "ObjectPermissions", "OpportunityContactRole", "PermissionSetAssignment", "UserPermissionAccess",
}  # fmt: skip
#: The status objects share one prefix in Salesforce too.
STATUSES = {"CaseStatus", "LeadStatus", "OpportunityStage", "TaskStatus"}


@pytest.mark.parametrize("name", STANDARD_OBJECTS)
def test_every_field_has_every_attribute(name: str) -> None:
    kind = standard_object(name, person_accounts=True)
    assert {len(f.describe) for f in kind.fields.values()} == {FIELD_ATTRIBUTES}
    assert len(kind.describe) >= 42
    assert (kind.name_field() is None) == (name in NAMELESS)
    for field in kind.fields.values():
        assert (field.type == "reference") == bool(field.targets)
        for value in field.describe["picklistValues"]:
            assert set(value) == {"active", "defaultValue", "label", "validFor", "value"}
        if field.is_address:
            assert {p.name for p in kind.parts_of(field.name)} >= {field.name.removesuffix("Address") + "City"}


def test_key_prefixes_are_unique() -> None:
    prefixes = [standard_object(n, person_accounts=False).key_prefix for n in set(STANDARD_OBJECTS) - STATUSES]
    assert len(set(prefixes)) == len(prefixes)


def test_person_account_fields_only_where_asked() -> None:
    assert standard_object("Account", person_accounts=False).find("PersonEmail") is None
    person = standard_object("Account", person_accounts=True)
    assert person.find("personemail") is not None
    assert person.find("IsPersonAccount") is not None


@pytest.mark.parametrize(
    "kind", ["string", "boolean", "double", "currency", "date", "datetime", "reference", "multipicklist"]
)
def test_custom_fields(kind: str) -> None:
    field = custom_field("Annual_Spend__c", kind)
    assert len(field.describe) == FIELD_ATTRIBUTES
    assert field.is_custom
    assert field.describe["label"] == "Annual Spend"


def test_custom_object() -> None:
    kind = custom_object("Store_Visit__c", "a07")
    assert kind.describe["custom"]
    assert {"Id", "Name", "OwnerId", "SystemModstamp", "IsDeleted"} <= set(kind.fields)
    assert (kind.key_prefix, label_of(kind.name)) == ("a07", "Store Visit")
