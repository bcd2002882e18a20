"""References given by an external id of the parent, as in ``{"Account": {"Ext_Id__c": "A-17"}}``.

Belongs here: turning them into record ids before a record is validated. Not here: plain reference fields.
"""

from collections.abc import Callable, Mapping
from typing import Any

from apps.demo_org.store.errors import SObjectError
from apps.demo_org.store.schema import Field, ObjectType

Lookup = Callable[[ObjectType, Field, str], list[str]]


def is_external_id(field: Field | None) -> bool:
    """Whether records may be found by the field."""
    return field is not None and bool(field.describe["externalId"] or field.describe["idLookup"])


def with_references(
    kind: ObjectType, objects: dict[str, ObjectType], values: Mapping[str, Any], find: Lookup
) -> dict[str, Any]:
    """The values with every parent given as an object replaced by its id."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        reference = kind.parent(key) if isinstance(value, dict) and key != "attributes" else None
        if reference is None:
            found[key] = value
        else:
            found[reference.name] = _parent_id(reference, objects, value, find)
    return found


def _parent_id(reference: Field, objects: dict[str, ObjectType], given: Mapping[str, Any], find: Lookup) -> str | None:
    keys = [k for k in given if k not in ("attributes", "type")]
    known = [objects[t] for t in reference.targets if t in objects]
    matching = [(kind, f) for kind in known if len(keys) == 1 and (f := kind.find(keys[0])) and is_external_id(f)]
    if not matching:
        message = f"Provided external ID field does not exist or is not accessible: {', '.join(keys)}"
        raise SObjectError(400, "INVALID_FIELD", message, [])
    parent, field = matching[0]
    ids = find(parent, field, str(given[keys[0]]))
    if len(ids) != 1:
        problem = "not found" if not ids else "matches more than one record"
        message = f"Foreign key external ID: {given[keys[0]]} {problem} for field {field.name} in entity {parent.name}"
        raise SObjectError(400, "INVALID_FIELD", message, [])
    return ids[0]
