"""``_fields.json`` of a data directory: fields as an admin defines them, calculated ones among them.

Belongs here: reading the file and adding its fields. Not here: what a formula means (``formula``).
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from apps.demo_org.store.calculated import calculated_field
from apps.demo_org.store.errors import DataDirectoryError, SObjectError
from apps.demo_org.store.schema import ObjectType, custom_field

FILE_NAME: Final = "_fields.json"
_CALCULATED: Final = ("formula", "rollup")


def read_fields(data_dir: Path | None) -> list[dict[str, Any]]:
    """The definitions in a directory's file: objects with ``object``, ``name``, ``type`` and attributes of describe."""
    path = data_dir / FILE_NAME if data_dir is not None else None
    if path is None or not path.is_file():
        return []
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise _unusable(str(error)) from error
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise _unusable("It must be a list of objects.")
    return found


def add_stored_fields(objects: Mapping[str, ObjectType], definitions: list[dict[str, Any]]) -> None:
    """Add the fields that have values of their own, before the files with their values are read."""
    for each in definitions:
        if not any(key in each for key in _CALCULATED):
            kind, name, type_, attributes = _parts(objects, each)
            kind.add(custom_field(name, type_, **attributes))


def add_calculated_fields(
    objects: Mapping[str, ObjectType], definitions: list[dict[str, Any]], clock: Callable[[], datetime]
) -> None:
    """Add formulas and roll-ups, which may use any other field that is there before them."""
    for each in definitions:
        definition: dict[str, Any] = {key: each[key] for key in _CALCULATED if key in each}
        if not definition:
            continue
        kind, name, type_, attributes = _parts(objects, each)
        try:
            kind.add(calculated_field(objects, kind, custom_field(name, type_, **attributes), definition, clock))
        except SObjectError as error:
            raise _unusable(f"{kind.name}.{name}: {error.message}") from error


def _parts(objects: Mapping[str, ObjectType], each: dict[str, Any]) -> tuple[ObjectType, str, str, dict[str, Any]]:
    kind, name = objects.get(str(each.get("object"))), each.get("name")
    if kind is None or not isinstance(name, str) or not name:
        raise _unusable(f"No object or no name: {json.dumps(each)[:200]}")
    try:
        custom_field(name, str(each.get("type", "string")))
    except KeyError as error:
        raise _unusable(f"{kind.name}.{name} has the unknown type {error.args[0]}.") from error
    taken = {"object", "name", "type", *_CALCULATED}
    return kind, name, str(each.get("type", "string")), {k: v for k, v in each.items() if k not in taken}


def _unusable(why: str) -> DataDirectoryError:
    return DataDirectoryError(
        f"{FILE_NAME} cannot be used.",
        why=why,
        next_step='Write it as a list, such as [{"object": "Account", "name": "X__c", "formula": "UPPER(Name)"}].',
    )
