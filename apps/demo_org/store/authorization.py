"""Whether a user may write what it wants to, in Salesforce's words.

Belongs here: the check before a write. What a user may do is worked out in ``apps.demo_org.permissions``; sharing
(which records somebody sees) is not modelled.
"""

from collections.abc import Mapping
from typing import Any, Final

from apps.demo_org.store.errors import SObjectError
from apps.demo_org.store.schema import ObjectType, Visibility

#: What users may do follows from the records of these.
PERMISSION_OBJECTS: Final = frozenset(
    {"FieldPermissions", "ObjectPermissions", "PermissionSet", "PermissionSetAssignment", "Profile", "User"}
)
_NO_FIELD: Final = "No such column '{0}' on sobject of type {1}"
_READ_ONLY: Final = (
    "Unable to create/update fields: {0}. Please check the security settings of this field and verify that it is "
    "read/write for your profile or permission set."
)


def check_write(visibility: Visibility, kind: ObjectType, operation: str, values: Mapping[str, Any]) -> None:
    """Check ``create``, ``edit`` or ``delete`` of a record, and each field written; raises ``SObjectError``.

    A hidden field does not exist for the user; one that is only visible cannot be written.
    """
    if not visibility.may(operation, kind.name):
        if operation == "create":
            message = f"entity type cannot be inserted: {kind.describe['label']}"
            raise SObjectError(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, [])
        raise SObjectError(400, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", [])
    for given in values:
        field = kind.find(given) or kind.parent(given)
        if field is None:
            continue
        if not visibility.sees(kind.name, field.name):
            raise SObjectError(400, "INVALID_FIELD", _NO_FIELD.format(given, kind.name))
        if (kind.name, field.name) in visibility.read_only:
            raise SObjectError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", _READ_ONLY.format(field.name), [field.name])
