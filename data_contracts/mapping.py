"""Which Salesforce fields become which target column: the defaults of ``mappings/`` under the settings.

Turning a mapping into SQL is ``pipelines.imports``.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal, cast

from ruamel.yaml import YAML

from data_contracts.contracts import Column
from data_contracts.errors import SettingsError
from data_contracts.settings import MappedField, Settings
from data_contracts.settings_words import nearest

MappedObject = Literal["account", "contact", "lead"]
Entity = Literal["company", "person"]
ENTITY: dict[MappedObject, Entity] = {"account": "company", "contact": "person", "lead": "person"}
_FOLDER = Path(__file__).parent / "mappings"
#: Columns the contracts promise themselves, in imports.<object>, imports.company and imports.person.
RESERVED = ("salesforce_id", "reference_id", "data_status", "different_fields", "source_count")


@dataclass(frozen=True)
class Target:
    """One target column. ``sources`` are API field names, first non-empty wins, numbered from 1.

    ``configured`` tells a row of the settings from a default one; targets of one ``group`` move together.
    """

    name: str
    type: str = "VARCHAR"
    sources: tuple[str, ...] = ()
    static: str | None = None
    transform: str = "none"
    required: bool = False
    group: str | None = None
    description: str = ""
    personal: bool = False
    configured: bool = False

    @property
    def column(self) -> Column:
        """The column this target becomes in ``imports.*``."""
        origin = " or ".join(filter(None, self.sources)) or "a static value of the settings"
        return Column(
            self.name, self.type, f"{self.description or 'mapped value'}, from {origin}", personal=self.personal
        )


@dataclass(frozen=True)
class ObjectMapping:
    """The mapping of one object onto what its org offers; ``notes`` say which defaults were dropped, and why."""

    object: MappedObject
    targets: tuple[Target, ...]
    notes: tuple[str, ...] = ()

    @property
    def entity(self) -> Entity:
        """The kind of reference entity this object's records stand for."""
        return ENTITY[self.object]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The target columns, for a contract's ``extra``."""
        return tuple(target.column for target in self.targets)


@cache
def default_targets(object_name: MappedObject) -> tuple[Target, ...]:
    """Return the default targets of ``mappings/<object>.yaml``, in its order."""
    document = YAML(typ="safe").load(_FOLDER / f"{object_name}.yaml")
    return tuple(Target(name, **(entry | {"sources": tuple(entry["sources"])})) for name, entry in document.items())


def resolve_mapping(settings: Settings, object_name: MappedObject, described: Collection[str]) -> ObjectMapping:
    """Return the mapping of an object: defaults, overridden and extended by the settings, on the fields described.

    A default source the org does not describe is dropped with a note. Raises SettingsError, naming line, value and
    nearest field, for a configured source that is not there, a target name that is taken, or half an address.
    """
    configured = settings.imports.mapping.get(object_name, {})
    targets = {target.name: target for target in default_targets(object_name)}
    for name, row in configured.items():
        key = ("imports", "mapping", object_name, name)
        if row is None:
            targets.pop(name, None)
            continue
        _check_name(settings, key, name)
        targets[name] = _override(targets.get(name, Target(name)), row)
        _check_sources(settings, key, row, described, object_name)
    _check_groups(settings, object_name, targets)
    notes: list[str] = []
    kept = [_on_described(target, described, object_name, notes) for target in targets.values()]
    return ObjectMapping(object_name, tuple(target for target in kept if target), tuple(notes))


def _override(target: Target, row: MappedField) -> Target:
    changed = replace(target, sources=row.sources, static=row.static, transform=row.transform)
    return replace(changed, required=row.required, configured=True)


def _on_described(target: Target, described: Collection[str], object_name: str, notes: list[str]) -> Target | None:
    if target.configured:
        return target
    missing = [field for field in target.sources if field not in described]
    if not missing:
        return target
    notes.append(f"{object_name}.{target.name}: default field {', '.join(missing)} is not in the org or not readable")
    # A group keeps its gaps, so that the first choice of one target stays the first choice of all.
    left = tuple("" if field in missing else field for field in target.sources)
    left = left if target.group else tuple(filter(None, left))
    return replace(target, sources=left) if any(left) else None


def _check_name(settings: Settings, key: tuple[str, ...], name: str) -> None:
    plain = name.replace("_", "a").isalnum() and name.isascii() and name == name.lower() and name[:1].isalpha()
    if name in RESERVED or not plain or "__" in name:
        raise SettingsError(
            f"{settings.where(*key)}: {name!r} cannot be a target column",
            why=f"it must be a lower case word with single underscores, and not one of {', '.join(RESERVED)}",
            next_step="choose another name, then run: crosswalk settings check",
        )


def _check_sources(
    settings: Settings, key: tuple[str, ...], row: MappedField, described: Collection[str], object_name: str
) -> None:
    for field in row.sources:
        if field in described:
            continue
        guess = nearest(field, tuple(described))
        raise SettingsError(
            f"{settings.where(*key)}: the org has no field {field!r} on {object_name}"
            + (f"; did you mean {guess}?" if guess else ""),
            why="it was deleted or renamed, or field-level security hides it from the connected user",
            next_step=f"correct it (crosswalk fields {object_name} lists what there is), or grant read access to it",
        )


def _check_groups(settings: Settings, object_name: str, targets: Mapping[str, Target]) -> None:
    members: dict[str, list[Target]] = {}
    for default in default_targets(cast(MappedObject, object_name)):
        if default.group and default.name in targets:
            members.setdefault(default.group, []).append(targets[default.name])
    for group, found in members.items():
        mine = [target.name for target in found if target.configured]
        others = [target.name for target in found if not target.configured]
        if mine and others:
            raise SettingsError(
                f"{settings.where('imports', 'mapping', object_name, mine[0])}: the {group} moves as a whole,"
                f" and {', '.join(mine)} is mapped while {', '.join(others)} is left to the defaults",
                why="a street of one address beside the city of another would be a false address",
                next_step=f"map {', '.join(others)} too, or take them out with null",
            )
