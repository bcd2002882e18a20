"""What Salesforce checks before it saves a record, with its codes and words.

Belongs here: field names, write access, types, required, lengths, picklists, the form of ids.
Not here: whether a referenced record exists, writing.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from apps.demo_org.store.errors import SObjectError
from apps.demo_org.store.ids import is_id, normal_id
from apps.demo_org.store.schema import Field, ObjectType

_READ_ONLY = (
    "Unable to create/update fields: {0}. Please check the security settings of this field and verify that it is "
    "read/write for your profile or permission set."
)


def checked_values(kind: ObjectType, values: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
    """Values to store by API name, converted to their types; SObjectError for the first one refused."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if key == "attributes":
            continue
        field = kind.find(key)
        if field is None or field.is_address:
            raise SObjectError(400, "INVALID_FIELD", f"No such column '{key}' on sobject of type {kind.name}")
        _check_access(field, creating=creating)
        found[field.name] = _converted(field, value)
    _check_required(kind, found, creating=creating)
    for name, value in found.items():
        if value is not None:
            _check_value(kind.fields[name], value)
    return found


def _check_access(field: Field, *, creating: bool) -> None:
    if field.describe["createable" if creating else "updateable"]:
        return
    message = _READ_ONLY.format(field.name)
    if field.name == "Id" and creating:
        message = "cannot specify Id in an insert call"
    raise SObjectError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, [field.name])


def _check_required(kind: ObjectType, values: dict[str, Any], *, creating: bool) -> None:
    missing = []
    for field in kind.fields.values():
        described = field.describe
        if described["nillable"] or field.type == "boolean" or not described["createable"]:
            continue
        if kind.name == "Account" and field.name == "Name" and values.get("LastName"):
            continue
        absent = creating and field.name not in values and not described["defaultedOnCreate"]
        emptied = field.name in values and values[field.name] is None
        if absent or (emptied and not described["defaultedOnCreate"]):
            missing.append(field.name)
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise SObjectError(400, "REQUIRED_FIELD_MISSING", message, missing)


def _converted(field: Field, value: Any) -> Any:
    """The value in the field's stored type; texts of numbers and dates are taken, as Bulk sends them."""
    if value is None or value == "" or isinstance(value, str) and not value.strip():
        return False if field.type == "boolean" and value is None else None
    try:
        if field.sql_type == "DOUBLE":
            return _decimal(field, value)
        return _CONVERSIONS.get(field.sql_type, _text)(value)
    except (ValueError, TypeError, OverflowError, InvalidOperation):
        label = field.describe["label"]
        message = f"{label}: value not of required type: {value}"
        raise SObjectError(400, "INVALID_TYPE_ON_FIELD_IN_RECORD", message, [field.name]) from None


def _text(value: Any) -> str:
    if isinstance(value, bool | dict | list):
        raise TypeError(value)
    return str(value).strip()


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "1": True, "false": False, "0": False}[str(value).lower()]


def _instant(value: Any) -> datetime:
    parsed = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return parsed.astimezone(UTC).replace(tzinfo=None) if parsed.tzinfo else parsed


def _day(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError(value)
    return float(value)


def _decimal(field: Field, value: Any) -> float:
    """A number rounded to the field's scale, half up in decimal as Salesforce does, not in binary."""
    precision, scale = int(field.describe["precision"]), int(field.describe["scale"])
    found = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
    if not found.is_finite():
        raise ValueError(value)
    if precision and abs(found) >= Decimal(10) ** (precision - scale):
        label = field.describe["label"]
        message = f"{label}: value outside of valid range on numeric field: {value}"
        raise SObjectError(400, "NUMBER_OUTSIDE_VALID_RANGE", message, [field.name])
    return float(found.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP))


def _whole(value: Any) -> int:
    return round(_number(value))


def _boolean_or_error(value: Any) -> bool:
    try:
        return _boolean(value)
    except KeyError:
        raise ValueError(value) from None


_CONVERSIONS = {
    "BOOLEAN": _boolean_or_error,
    "BIGINT": _whole,
    "DOUBLE": _number,
    "DATE": _day,
    "TIMESTAMP": _instant,
}


def _check_value(field: Field, value: Any) -> None:
    described, label = field.describe, field.describe["label"]
    if field.type == "reference":
        if not is_id(value):
            raise SObjectError(400, "MALFORMED_ID", f"{label}: id value of incorrect type: {value}", [field.name])
        return
    if described["restrictedPicklist"] and value not in [p["value"] for p in described["picklistValues"]]:
        message = f"{label}: bad value for restricted picklist field: {value}"
        raise SObjectError(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [field.name])
    if isinstance(value, str) and described["length"] and len(value) > described["length"]:
        message = f"{label}: data value too large: {value} (max length={described['length']})"
        raise SObjectError(400, "STRING_TOO_LONG", message, [field.name])
    if field.type == "email" and ("@" not in value or " " in value):
        message = f"{label}: invalid email address: {value}"
        raise SObjectError(400, "INVALID_EMAIL_ADDRESS", message, [field.name])


def checked_id(kind: ObjectType, record_id: str) -> str:
    """The 18-character id, or MALFORMED_ID where the text cannot be an id of that object."""
    if not is_id(record_id) or not record_id.startswith(kind.key_prefix):
        raise malformed_id(kind, record_id)
    return normal_id(record_id)


def malformed_id(kind: ObjectType, record_id: str) -> SObjectError:
    """Answer for an id of another object, or whose check letters do not fit (recorded)."""
    message = f"{kind.fields['Id'].describe['label']}: id value of incorrect type: {record_id}"
    return SObjectError(400, "MALFORMED_ID", message, ["Id"])
