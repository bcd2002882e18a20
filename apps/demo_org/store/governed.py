"""Which objects and fields permissions govern, and which follow others.

Belongs here: the rules of the platform. Who has which permission is ``permission_sets.py`` (the rows) and
``apps.demo_org.permissions`` (what follows for a user).
"""

from typing import Final

from apps.demo_org.store.schema import Field, ObjectType

#: Standard objects with object permissions of their own; so has every custom object.
_OWN: Final = frozenset({"Account", "Campaign", "Case", "Contact", "Lead", "Opportunity"})
#: Objects whose records can be reached by whoever reaches the parent's.
_FOLLOW: Final = {
    "AccountContactRelation": "Account",
    "CampaignMember": "Campaign",
    "OpportunityContactRole": "Opportunity",
}
#: Objects without object permissions whose fields are governed all the same.
_FIELDS_ONLY: Final = frozenset({"Event", "Task"})
#: Only whoever may view setup sees these.
SETUP_OBJECTS: Final = frozenset(
    {"FieldPermissions", "ObjectPermissions", "PermissionSet", "PermissionSetAssignment", "UserLicense"}
)
#: Objects of the Tooling API: no other resource knows them.
TOOLING_OBJECTS: Final = frozenset({"InstalledSubscriberPackage", "SubscriberPackage", "SubscriberPackageVersion"})


def governing_object(kind: ObjectType) -> str | None:
    """Name of the object whose permissions decide over this one; None where everybody may read it."""
    if kind.name in _OWN or kind.describe["custom"]:
        return kind.name
    return _FOLLOW.get(kind.name)


def governing_field(kind: ObjectType, field: Field) -> str | None:
    """Name of the field whose permission decides over this one; None where whoever reads the object reads it.

    The parts of an address follow the address. Of User only custom fields are governed.
    """
    governed = kind.name in _FIELDS_ONLY or governing_object(kind) is not None
    if not governed and not (kind.name == "User" and field.is_custom):
        return None
    whole = kind.find(str(field.describe["compoundFieldName"] or ""))
    decides = whole if whole is not None and whole.is_address else field
    return decides.name if decides.describe["permissionable"] else None
