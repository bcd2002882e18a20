"""Which fields become which: the default mappings of ``mappings/`` under the settings, in both directions.

``imports`` is Salesforce → reference entity, ``exports`` reference → Salesforce. What can be wrong with a mapping is
``data_contracts.mapping_rules``; turning one into SQL is ``pipelines.imports``.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

from ruamel.yaml import YAML

from data_contracts.contracts import Column
from data_contracts.settings import Settings
from data_contracts.settings_imports import ExportField, MappedField, ValueType, WriteMode

MappedObject = Literal["account", "contact", "lead"]
Entity = Literal["company", "person"]
Direction = Literal["imports", "exports"]
ENTITY: dict[MappedObject, Entity] = {"account": "company", "contact": "person", "lead": "person"}
_FOLDER = Path(__file__).parent / "mappings"
_TYPES: dict[ValueType, str] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "decimal": "DECIMAL(38,2)",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}
#: A target's own keys, as the hash of a mapping takes them: words about it may change without a test.
_MEANT = ("name", "type", "sources", "static", "transform", "required", "group", "mode")


@dataclass(frozen=True)
class Target:
    """One target: a column of ``imports.*``, or for exports a Salesforce field.

    ``sources`` are ordered, the first that is not empty wins, numbered from 1; ``named`` are those that a person wrote.
    ``configured`` tells a row of the settings from a default one; targets of one ``group`` move together. ``mode`` says
    over what it may be written.
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
    mode: WriteMode = "overwrite"
    named: tuple[str, ...] = ()

    @property
    def column(self) -> Column:
        """The column this target becomes in ``imports.*``."""
        origin = " or ".join(filter(None, self.sources)) or "a static value of the settings"
        return Column(
            self.name, self.type, f"{self.description or 'mapped value'}, from {origin}", personal=self.personal
        )

    @property
    def choices(self) -> str:
        """Its sources as people read them: ``1 Phone, 2 Fax``, and the static value where all are empty."""
        named = [name for name in self.sources if name]
        numbered = [f"{place} {name}" for place, name in enumerate(self.sources, start=1) if name]
        listed = numbered if len(self.sources) > 1 else named
        return ", ".join([*listed, *([f"static {self.static!r}"] if self.static is not None else [])])


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
def default_targets(object_name: MappedObject, direction: Direction = "imports") -> tuple[Target, ...]:
    """Return the default targets of an object, in the order of their file under ``mappings/``."""
    folder = _FOLDER if direction == "imports" else _FOLDER / direction
    document = YAML(typ="safe").load(folder / f"{object_name}.yaml")
    return tuple(
        Target(name, **(entry | {"sources": tuple(entry.get("sources", ()))})) for name, entry in document.items()
    )


def configured_rows(
    settings: Settings, object_name: MappedObject, direction: Direction = "imports"
) -> Mapping[str, MappedField | ExportField | None]:
    """Return the rows of the settings: target → row, None for a default that is taken out."""
    if direction == "imports":
        return settings.imports.mapping.get(object_name, {})
    return settings.exports.mapping.get(object_name, {})


def effective_targets(
    settings: Settings, object_name: MappedObject, direction: Direction = "imports"
) -> tuple[Target, ...]:
    """Return the targets of an object: the defaults, replaced, changed, extended and taken out by the settings.

    Nothing is checked, and what the org offers is not looked at.
    """
    targets = {target.name: target for target in default_targets(object_name, direction)}
    for name, row in configured_rows(settings, object_name, direction).items():
        if row is None:
            targets.pop(name, None)
        else:
            targets[name] = _override(targets.get(name, Target(name)), row)
    return tuple(targets.values())


def _override(target: Target, row: MappedField | ExportField) -> Target:
    """A row that gives sources or only a static value takes the default's place, any other one changes it."""
    sources = row.sources
    if not sources and (row.add or row.remove or row.static is None):
        sources = (*(name for name in target.sources if name not in row.remove), *row.add)
    kind = _TYPES[row.type] if isinstance(row, MappedField) and row.type else target.type
    mode = row.mode if "mode" in row.model_fields_set or not target.sources else target.mode
    changed = replace(target, sources=sources, static=row.static, transform=row.transform, type=kind, mode=mode)
    return replace(changed, required=row.required, configured=True, named=row.sources or row.add)


def named_fields(settings: Settings, object_name: str) -> frozenset[str]:
    """Return the API fields that rows of ``imports.mapping`` name, and a run therefore has to fetch."""
    name = as_mapped(object_name)
    if name is None:
        return frozenset()
    return frozenset(source for target in effective_targets(settings, name) for source in target.named)


def mapped_fields(settings: Settings, object_name: str) -> frozenset[str]:
    """Return all API fields that feed the imports of an object, those of default rows included."""
    name = as_mapped(object_name)
    if name is None:
        return frozenset()
    return frozenset(source for target in effective_targets(settings, name) for source in target.sources)


def as_mapped(object_name: str) -> MappedObject | None:
    """Return ``object_name`` as the name of an object that has a mapping, None where it has none."""
    return next((name for name in ENTITY if name == object_name), None)


def mapping_hash(targets: Sequence[Target], object_name: MappedObject) -> str:
    """Return a short, stable hash of what a mapping does; descriptions and the order of targets do not count."""
    meant = sorted([(name, asdict(target)[name]) for name in _MEANT] for target in targets)
    return hashlib.sha256(json.dumps([object_name, meant]).encode()).hexdigest()[:16]


def on_described(targets: Sequence[Target], described: Collection[str], object_name: MappedObject) -> ObjectMapping:
    """Return the targets without the default sources that the org does not describe, each with a note."""
    notes: list[str] = []
    kept = [_on_described(target, described, object_name, notes) for target in targets]
    return ObjectMapping(object_name, tuple(target for target in kept if target), tuple(notes))


def _on_described(target: Target, described: Collection[str], object_name: str, notes: list[str]) -> Target | None:
    missing = [field for field in target.sources if field not in described and field not in target.named]
    if not missing:
        return target
    notes.append(f"{object_name}.{target.name}: default field {', '.join(missing)} is not in the org or not readable")
    # A group keeps its gaps, so that the first choice of one target stays the first choice of all.
    left = tuple("" if field in missing else field for field in target.sources)
    left = left if target.group else tuple(filter(None, left))
    return replace(target, sources=left) if any(left) or target.static is not None else None
