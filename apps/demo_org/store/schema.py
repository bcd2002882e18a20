"""The org's object types and fields as describe tells them.

Belongs here: reading the describe metadata, the attributes of a custom field or object, lookups by
name without case, what a user may not see. Not here: records, SQL.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from apps.demo_org.store.text import identifier

_METADATA = Path(__file__).resolve().parent.parent / "metadata"
STANDARD_OBJECTS: Final = tuple(sorted(p.stem for p in _METADATA.glob("[A-Z]*.json")))

_SQL_TYPES = {
    "boolean": "BOOLEAN",
    "int": "BIGINT",
    "double": "DOUBLE",
    "currency": "DOUBLE",
    "percent": "DOUBLE",
    "date": "DATE",
    "datetime": "TIMESTAMP",
}


@dataclass(frozen=True, eq=False)
class Field:
    """One field: its 57 describe attributes and how it is stored."""

    describe: dict[str, Any]
    #: SQL of a calculated field from the alias of its record's table; None: a column has the value.
    compute: Callable[[str], str] | None = None

    @property
    def name(self) -> str:
        """API name as describe spells it."""
        return str(self.describe["name"])

    @property
    def type(self) -> str:
        """Salesforce type, such as ``string``, ``reference``, ``currency``."""
        return str(self.describe["type"])

    @property
    def sql_type(self) -> str:
        """Type of the DuckDB column; instants are UTC."""
        return _SQL_TYPES.get(self.type, "VARCHAR")

    def column_sql(self, alias: str) -> str:
        """SQL of the value of a record whose table has that alias."""
        if self.compute is not None:
            return self.compute(alias)
        return f"{alias}.{identifier(self.name)}"

    @property
    def is_id(self) -> bool:
        """Whether values are record ids."""
        return self.type in ("id", "reference")

    @property
    def is_address(self) -> bool:
        """Whether it is a compound address: nothing is stored, it is composed from its parts."""
        return self.type in ("address", "location")

    @property
    def is_custom(self) -> bool:
        """Whether it is a custom field."""
        return bool(self.describe["custom"])

    @property
    def relationship(self) -> str | None:
        """Name under which SOQL reaches the parent, such as ``Owner``."""
        name = self.describe["relationshipName"]
        return str(name) if name else None

    @property
    def targets(self) -> list[str]:
        """Object types a reference may point to."""
        return list(self.describe["referenceTo"])


@dataclass(frozen=True)
class DuplicateRule:
    """Refuses a record whose fields all equal those of another; ``matching_rule`` is the name of its matching rule."""

    name: str
    fields: tuple[str, ...]
    matching_rule: str
    message: str = "Use one of these records?"


@dataclass(eq=False)
class ObjectType:
    """One object type with its fields in describe order."""

    describe: dict[str, Any]
    fields: dict[str, Field]
    children: list[dict[str, Any]] = field(default_factory=list)
    #: Path of each resource below the object's own, as the recorded ``urls`` name them.
    urls: dict[str, str] | None = None
    duplicate_rules: list[DuplicateRule] = field(default_factory=list)
    _by_lower: dict[str, Field] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_lower = {name.lower(): f for name, f in self.fields.items()}

    @property
    def name(self) -> str:
        """API name."""
        return str(self.describe["name"])

    @property
    def key_prefix(self) -> str:
        """First three characters of its ids."""
        return str(self.describe["keyPrefix"])

    def find(self, name: str) -> Field | None:
        """The field of that name in any case."""
        return self._by_lower.get(name.lower())

    def parent(self, relationship: str) -> Field | None:
        """The reference field whose relationship has that name in any case."""
        wanted = relationship.lower()
        return next((f for f in self.fields.values() if f.relationship and f.relationship.lower() == wanted), None)

    def add(self, new: Field) -> None:
        """Add a field at the end, or replace the one of that name."""
        self.fields[new.name] = new
        self._by_lower[new.name.lower()] = new

    def remove(self, name: str) -> None:
        """Forget a field."""
        del self.fields[name]
        del self._by_lower[name.lower()]

    def stored(self) -> list[Field]:
        """Fields that are columns of the table."""
        return [f for f in self.fields.values() if not f.is_address and f.compute is None]

    def name_field(self) -> Field | None:
        """The field a list shows first."""
        return next((f for f in self.fields.values() if f.describe["nameField"]), None)

    def parts_of(self, compound: str) -> list[Field]:
        """The component fields of a compound field."""
        return [f for f in self.fields.values() if f.describe["compoundFieldName"] == compound and f.name != compound]


@dataclass(frozen=True)
class Visibility:
    """What the connected user cannot see: fields as (object, field) API names, and whole objects.

    And what it sees but cannot change: ``read_only`` fields, and ``denied`` operations (``create``, ``edit``,
    ``delete``) on objects.
    """

    hidden_fields: frozenset[tuple[str, str]] = frozenset()
    hidden_objects: frozenset[str] = frozenset()
    read_only: frozenset[tuple[str, str]] = frozenset()
    denied: frozenset[tuple[str, str]] = frozenset()

    def __or__(self, other: "Visibility") -> "Visibility":
        """Both restrictions at once."""
        return Visibility(
            self.hidden_fields | other.hidden_fields,
            self.hidden_objects | other.hidden_objects,
            self.read_only | other.read_only,
            self.denied | other.denied,
        )

    def may(self, operation: str, object_name: str, field_name: str | None = None) -> bool:
        """Whether the user may ``create``, ``edit`` or ``delete`` records, or write the field with it."""
        if not self.sees(object_name, field_name) or (object_name, operation) in self.denied:
            return False
        return field_name is None or (object_name, field_name) not in self.read_only

    def sees(self, object_name: str, field_name: str | None = None) -> bool:
        """Whether the object, or the field of it, is visible."""
        if object_name in self.hidden_objects:
            return False
        return field_name is None or (object_name, field_name) not in self.hidden_fields


EVERYTHING: Final = Visibility()


@cache
def _defaults() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_METADATA / "field_defaults.json").read_text(encoding="utf-8"))
    return found


def _picklist(values: Iterable[Any]) -> list[dict[str, Any]]:
    base = {"active": True, "defaultValue": False, "label": None, "validFor": None, "value": None}
    return [{**base, **(v if isinstance(v, dict) else {"label": v, "value": v})} for v in values]


def make_field(attributes: dict[str, Any]) -> Field:
    """A field with all 57 attributes; those not given have the value of a plain text field."""
    described = {**_defaults()["field"], **attributes}
    described["picklistValues"] = _picklist(described["picklistValues"])
    return Field(described)


def standard_object(name: str, *, person_accounts: bool) -> ObjectType:
    """A standard object; ``person_accounts`` adds the fields an org with person accounts has."""
    raw = json.loads((_METADATA / f"{name}.json").read_text(encoding="utf-8"))
    fields = [make_field(f) for f in raw["fields"]]
    if person_accounts:
        fields += [make_field(f) for f in raw.get("personAccountFields", [])]
    if person_accounts and name == "Contact":
        fields.append(make_field(_boolean("IsPersonAccount", "Is Person Account")))
    described = {**_defaults()["object"], **raw["object"]}
    return ObjectType(described, {f.name: f for f in fields}, raw["childRelationships"], raw["urls"])


def _boolean(name: str, label: str) -> dict[str, Any]:
    return {
        **_TYPE_ATTRIBUTES["boolean"],
        "name": name,
        "label": label,
        "createable": False,
        "updateable": False,
        "permissionable": False,
    }


def custom_object(name: str, key_prefix: str) -> ObjectType:
    """A custom object with the system fields and a text Name; its other fields are added one by one."""
    donor = standard_object("Campaign", person_accounts=False)
    keep: tuple[str, ...] = ("Id", "OwnerId", "IsDeleted", "Name", "CreatedDate", "CreatedById", "LastModifiedDate")
    keep += ("LastModifiedById", "SystemModstamp", "LastViewedDate", "LastReferencedDate")
    fields = {n: donor.fields[n] for n in keep}
    label = label_of(name)
    described = {**_defaults()["object"], "name": name, "label": label, "labelPlural": f"{label}s"}
    described |= {"keyPrefix": key_prefix, "custom": True, "mergeable": False}
    described["supportedScopes"] = [
        {"label": f"All {label.lower()}s", "name": "everything"},
        {"label": f"My {label.lower()}s", "name": "mine"},
    ]
    name_field = make_field({**fields["Name"].describe, "label": f"{label} Name", "length": 80})
    return ObjectType(described, {**fields, "Name": name_field})


def label_of(api_name: str) -> str:
    """A readable label from an API name: ``Annual_Spend__c`` and ``AnnualSpend__c`` give ``Annual Spend``."""
    plain = re.sub(r"__p?c$", "", api_name).replace("_", " ")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", plain)


_TYPE_ATTRIBUTES: dict[str, dict[str, Any]] = {
    "string": {"type": "string", "length": 255, "byteLength": 765},
    "textarea": {
        "type": "textarea",
        "length": 131072,
        "byteLength": 393216,
        "extraTypeInfo": "plaintextarea",
        "filterable": False,
        "groupable": False,
        "sortable": False,
        "aggregatable": False,
    },
    "boolean": {
        "type": "boolean",
        "length": 0,
        "byteLength": 0,
        "soapType": "xsd:boolean",
        "aggregatable": False,
        "defaultValue": False,
        "defaultedOnCreate": True,
        "nillable": False,
    },
    "double": {"type": "double", "length": 0, "byteLength": 0, "soapType": "xsd:double", "precision": 18},
    "currency": {
        "type": "currency",
        "length": 0,
        "byteLength": 0,
        "soapType": "xsd:double",
        "precision": 18,
        "scale": 2,
    },
    "percent": {"type": "percent", "length": 0, "byteLength": 0, "soapType": "xsd:double", "precision": 18, "scale": 2},
    "int": {"type": "int", "length": 0, "byteLength": 0, "soapType": "xsd:int", "digits": 8},
    "date": {"type": "date", "length": 0, "byteLength": 0, "soapType": "xsd:date"},
    "datetime": {"type": "datetime", "length": 0, "byteLength": 0, "soapType": "xsd:dateTime", "groupable": False},
    "reference": {"type": "reference", "length": 18, "byteLength": 18, "soapType": "tns:ID"},
    "multipicklist": {"type": "multipicklist", "length": 4099, "byteLength": 12297, "groupable": False},
    "picklist": {"type": "picklist", "length": 255, "byteLength": 765},
    "email": {"type": "email", "length": 80, "byteLength": 240},
    "phone": {"type": "phone", "length": 40, "byteLength": 120},
    "url": {"type": "url", "length": 255, "byteLength": 765},
}


def custom_field(name: str, salesforce_type: str = "string", **attributes: Any) -> Field:
    """A field an admin made (``X__c``) or a standard one the metadata lacks, of any scalar type."""
    shape = {**_TYPE_ATTRIBUTES[salesforce_type], "name": name, "label": label_of(name), "extraTypeInfo": None}
    shape["custom"] = name.endswith(("__c", "__pc"))
    if salesforce_type == "reference":
        relationship = re.sub(r"__c$", "__r", name) if shape["custom"] else re.sub(r"Id$", "", name)
        shape["relationshipName"] = attributes.get("relationshipName", relationship)
    return make_field({**shape, **attributes})
