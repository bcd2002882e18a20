"""The words a settings file may use where the model alone cannot say: nearest words, object and column names."""

import difflib
from collections.abc import Iterable, Sequence
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from data_contracts.settings import DEFAULT_OBJECTS, Settings

Key = tuple[str | int, ...]

#: Canonical columns of the reference (``reference.company``, ``reference.person``).
REFERENCE_COLUMNS: dict[str, tuple[str, ...]] = {
    "company": (
        *("company_id", "name", "website", "phone", "street", "city", "state", "postal_code", "country"),
        *("parent_id", "employees", "revenue", "industry", "other_names"),
    ),
    "person": (
        *("person_id", "company_id", "first_name", "last_name", "birthdate", "email", "phone", "mobile", "title"),
        *("street", "city", "state", "postal_code", "country"),
    ),
}

#: Standard objects that may be asked for besides the default ones; custom objects end in ``__c``.
OTHER_OBJECTS = (
    *("account_contact_relation", "account_team_member", "asset", "campaign_member_status", "case", "contract"),
    *("group", "opportunity_history", "opportunity_line_item"),
    *("opportunity_team_member", "order", "organization", "pricebook2", "product2", "profile", "quote"),
    *("record_type", "user_role"),
)

#: Canonical columns of the organisation's own users (``users.source``).
USER_COLUMNS = ("user_id", "name", "first_name", "last_name", "email", "active")

SCHEMAS = ("salesforce", "reference", "standard", "match", "crosswalk", "imports", "ownership", "insight", "ops")


def nearest(word: str, words: Sequence[str]) -> str | None:
    """Return the word meant, by spelling, or None when nothing is near."""
    lower = {candidate.lower(): candidate for candidate in words}
    found = difflib.get_close_matches(word.lower().replace("-", "_"), list(lower), n=1, cutoff=0.6)
    return lower[found[0]] if found else None


def allowed_words(parent: Key) -> tuple[str, ...]:
    """Return the keys the model allows below ``parent`` (a path of keys)."""
    annotation: Any = Settings
    for part in parent:
        annotation = _below(_without_none(annotation), part)
    annotation = _without_none(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return tuple(annotation.model_fields)
    arguments = get_args(annotation)
    if get_origin(annotation) is dict and get_origin(arguments[0]) is Literal:
        return get_args(arguments[0])
    return ()


def unknown_names(values: dict[str, Any]) -> list[tuple[Key, tuple[str, ...]]]:
    """Return every free name of a settings file that means nothing, with the words that would.

    ``values`` is the file as plain dicts; parts of a wrong shape are passed over (the model reports them).
    """
    objects = (*DEFAULT_OBJECTS, *OTHER_OBJECTS)
    matched = ("account", "contact", "lead")
    custom = [name for name in _names(values, "objects") if not name.endswith("__c")]
    fields = _names(values, "matching", "reference_id_fields")
    schemas = values["publish"].get("schemas") if isinstance(values.get("publish"), dict) else None
    found = _wrong(("objects",), custom, objects) + _wrong(("matching", "reference_id_fields"), fields, matched)
    for kind, words in REFERENCE_COLUMNS.items():
        key = ("reference", kind, "columns")
        found += _wrong(key, _names(values, *key), words)
    found += _wrong(("users", "source", "columns"), _names(values, "users", "source", "columns"), USER_COLUMNS)
    listed = schemas if isinstance(schemas, list) else []
    return found + [(("publish", "schemas", at), SCHEMAS) for at, name in enumerate(listed) if name not in SCHEMAS]


def _wrong(parent: Key, names: Iterable[str], words: tuple[str, ...]) -> list[tuple[Key, tuple[str, ...]]]:
    return [((*parent, name), words) for name in names if name not in words]


def _names(values: Any, *keys: str) -> list[str]:
    for key in keys:
        values = values.get(key) if isinstance(values, dict) else None
    return list(values) if isinstance(values, dict) else []


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, UnionType):
        kept = [item for item in get_args(annotation) if item is not type(None)]
        return kept[0] if len(kept) == 1 else annotation
    return annotation


def _below(annotation: Any, part: str | int) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(part))
        return field.annotation if field else None
    arguments = get_args(annotation)
    if get_origin(annotation) is dict:
        return arguments[1]
    return arguments[0] if get_origin(annotation) is tuple and isinstance(part, int) else None
