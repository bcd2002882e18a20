"""What can be wrong with a field mapping: by itself (``shape_problems``) and on what an org offers (``org_problems``).

Every problem names the key it stands under, so that a message can name the line. Nothing is read from a file or an org.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from data_contracts.errors import SettingsError
from data_contracts.mapping import (
    ENTITY,
    Direction,
    MappedObject,
    ObjectMapping,
    Target,
    configured_rows,
    default_targets,
    effective_targets,
    on_described,
)
from data_contracts.settings import Settings
from data_contracts.settings_words import REFERENCE_COLUMNS, Key, nearest

#: Columns the contracts promise themselves, in imports.<object>, imports.company and imports.person.
RESERVED = ("salesforce_id", "reference_id", "data_status", "different_fields", "source_count")
#: What exports may write about a link, besides columns of the reference.
LINK_COLUMNS = ("status", "method", "rule_code", "match_weight", "match_probability", "linked_since")
#: Described and never a value of their own: their parts are, or they are files.
COMPOUND = frozenset({"address", "location", "base64"})
GONE = "it was deleted or renamed in the org, or field-level security hides it from the connected user"


@dataclass(frozen=True)
class OrgField:
    """One field as the org describes it now; ``type`` is Salesforce's word for it."""

    name: str
    type: str
    label: str = ""
    createable: bool = True
    updateable: bool = True
    calculated: bool = False


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with the settings: where it stands, what it is, why, and what to do."""

    key: Key
    what: str
    why: str = ""
    next_step: str = ""
    nearest: str | None = None

    def error(self, settings: Settings) -> SettingsError:
        """The fault as an error that names its line."""
        guess = f"; did you mean {self.nearest}?" if self.nearest else ""
        told = f"{settings.where(*self.key)}: {self.what}{guess}"
        return SettingsError(told, why=self.why, next_step=self.next_step)


def resolve_mapping(
    settings: Settings, object_name: MappedObject, described: Collection[str] | Mapping[str, str]
) -> ObjectMapping:
    """Return the import mapping of an object: defaults, overridden and extended by the settings, on fields described.

    ``described`` are the org's field names, or field → Salesforce type, and then types are checked too. A default
    source the org does not describe is dropped with a note. Raises SettingsError, naming line, value and nearest
    field, for the first thing that is wrong.
    """
    types = described if isinstance(described, Mapping) else dict.fromkeys(described, "")
    fields = {name: OrgField(name, kind) for name, kind in types.items()}
    found = [*shape_problems(settings, object_name, "imports"), *org_problems(settings, object_name, "imports", fields)]
    if found:
        raise found[0].error(settings)
    return on_described(effective_targets(settings, object_name), frozenset(types), object_name)


def all_shape_problems(settings: Settings) -> list[Fault]:
    """Return what is wrong with the mappings of every object in both directions, whatever org they are for."""
    directions: tuple[Direction, ...] = ("imports", "exports")
    return [
        problem for way in directions for name in ENTITY for problem in shape_problems(settings, name, direction=way)
    ]


def shape_problems(settings: Settings, object_name: MappedObject, direction: Direction) -> list[Fault]:
    """Return what is wrong with the mapping of an object by itself."""
    if not configured_rows(settings, object_name, direction):
        return []
    targets = {target.name: target for target in effective_targets(settings, object_name, direction)}
    found = [*_rows(settings, object_name, direction)]
    for target in targets.values():
        if target.configured:
            found += _target(target, object_name, direction)
    return found + _groups(object_name, direction, targets)


def _rows(settings: Settings, object_name: MappedObject, direction: Direction) -> Iterator[Fault]:
    """What a row says about the default it goes on from."""
    defaults = {target.name: target for target in default_targets(object_name, direction)}
    for name, row in configured_rows(settings, object_name, direction).items():
        key: Key = (direction, "mapping", object_name, name)
        default = defaults.get(name)
        if row is None:
            if default is None:
                told = f"there is no default {name} to take out"
                yield Fault(key, told, "null takes a default out", nearest=nearest(name, tuple(defaults)))
            continue
        if (row.add or row.remove) and default is None:
            yield Fault(key, f"{name} has no default that add or remove could go on from", next_step=_LIST)
            continue
        held = default.sources if default else ()
        if absent := [field for field in row.remove if field not in held]:
            told = f"{', '.join(absent)} is not among the default choices of {name}"
            yield Fault(key, told, f"these are {default.choices if default else 'none'}")
        if doubled := [field for field in row.add if field in held and field not in row.remove]:
            told = f"{', '.join(doubled)} is a default choice of {name} already"
            yield Fault(key, told, "add gives further ones")


_LIST = "give sources, the whole list, instead"


def _target(target: Target, object_name: MappedObject, direction: Direction) -> Iterator[Fault]:
    key: Key = (direction, "mapping", object_name, target.name)
    problem = partial(Fault, key)
    if not target.sources and target.static is None:
        told = "a blank mapping row: nothing is left that a value could come from"
        yield problem(told, next_step="give sources or a static value, or take the row out with null")
    if direction == "imports":
        if not _is_plain(target.name) or target.name in RESERVED:
            yield problem(
                f"{target.name!r} cannot be a target column",
                f"it must be a lower case word with single underscores, and not one of {', '.join(RESERVED)}",
                "choose another name, then run: crosswalk settings check",
            )
        if target.type == "BOOLEAN" and target.mode != "overwrite":
            yield problem(*_boolean(target.name, target.mode))
        return
    if not target.name.replace("_", "a").isalnum() or target.name == "Id":
        yield problem(f"{target.name!r} cannot be written", "an export writes a field of the record, by its API name")
    known = export_sources(object_name)
    for source in target.sources:
        if source not in known:
            told = f"the reference has no column {source!r}"
            why = f"an export of {object_name} takes from {', '.join(known)}"
            yield problem(told, why, nearest=nearest(source, known))


def export_sources(object_name: MappedObject) -> tuple[str, ...]:
    """Return what an export of an object may take from: its entity, a person's company, and the link itself."""
    entity = ENTITY[object_name]
    company = [f"company.{name}" for name in REFERENCE_COLUMNS["company"]] if entity == "person" else []
    link = [f"crosswalk.{name}" for name in LINK_COLUMNS]
    return (*REFERENCE_COLUMNS[entity], *company, *link)


def _is_plain(name: str) -> bool:
    plain = name.replace("_", "a").isalnum() and name.isascii() and name == name.lower() and name[:1].isalpha()
    return plain and "__" not in name


def _boolean(name: str, mode: str) -> tuple[str, str, str]:
    return (
        f"{name} is a boolean and has mode {mode}",
        "a boolean is never blank: false would pass for a value somebody chose",
        "write mode: overwrite",
    )


def _groups(object_name: MappedObject, direction: Direction, targets: Mapping[str, Target]) -> list[Fault]:
    members: dict[str, list[Target]] = {}
    for default in default_targets(object_name, direction):
        if default.group and default.name in targets:
            members.setdefault(default.group, []).append(targets[default.name])
    return [problem for group in members.items() for problem in _group(object_name, direction, *group)]


def _group(object_name: MappedObject, direction: Direction, group: str, found: Sequence[Target]) -> Iterator[Fault]:
    """A group is mapped by one hand, with as many choices for each of its parts, and written in one way."""
    mine = [target.name for target in found if target.configured]
    others = [target.name for target in found if not target.configured]
    if not mine:
        return
    key: Key = (direction, "mapping", object_name, mine[0])
    if others:
        yield Fault(
            key,
            f"the {group} moves as a whole, and {', '.join(mine)} is mapped while {', '.join(others)} is left to the"
            " defaults",
            "a street of one address beside the city of another would be a false address",
            f"map {', '.join(others)} too, or take them out with null",
        )
        return
    counts = {target.name: len(target.sources) for target in found if target.sources}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} has {count}" for name, count in counts.items())
        yield Fault(
            key,
            f"the {group} moves as a whole, and its parts have different numbers of choices: {listed}",
            "the second choice of one part belongs to the second choice of every other",
            "give every part the same number of sources, in the same order",
        )
    modes = {target.name: target.mode for target in found}
    if len(set(modes.values())) > 1:
        listed = ", ".join(f"{name} {mode}" for name, mode in modes.items())
        yield Fault(
            key, f"the {group} moves as a whole, and its parts have different modes: {listed}", next_step="give one"
        )


def org_problems(
    settings: Settings, object_name: MappedObject, direction: Direction, fields: Mapping[str, OrgField]
) -> list[Fault]:
    """Return what is wrong with a mapping on the fields that an org offers (API name → field)."""
    check = _reads if direction == "imports" else _writes
    targets = effective_targets(settings, object_name, direction)
    return [problem for target in targets if target.configured for problem in check(target, object_name, fields)]


def _reads(target: Target, object_name: MappedObject, fields: Mapping[str, OrgField]) -> Iterator[Fault]:
    key: Key = ("imports", "mapping", object_name, target.name)
    for name in target.named:
        if name not in fields:
            yield _absent(key, name, object_name, fields)
        elif fields[name].type in COMPOUND:
            yield Fault(
                key, f"{name} is of type {fields[name].type} and has no value of its own", next_step="map its parts"
            )
    flags = [name for name in target.sources if name in fields and fields[name].type == "boolean"]
    if flags and target.mode != "overwrite" and target.type != "BOOLEAN":
        yield Fault(key, *_boolean(flags[0], target.mode))


def _absent(key: Key, name: str, object_name: MappedObject, fields: Mapping[str, OrgField]) -> Fault:
    return Fault(
        key,
        f"the org has no field {name!r} on {object_name}",
        GONE,
        f"correct it (crosswalk fields {object_name} lists what there is), or grant read access to it",
        nearest(name, tuple(fields)),
    )


def _writes(target: Target, object_name: MappedObject, fields: Mapping[str, OrgField]) -> Iterator[Fault]:
    key: Key = ("exports", "mapping", object_name, target.name)
    field = fields.get(target.name)
    if field is None:
        yield _absent(key, target.name, object_name, fields)
        return
    if field.calculated:
        yield Fault(key, f"{field.name} is a formula or roll-up field and cannot be written")
    elif not (field.createable or field.updateable):
        why = "the connected user may not edit it, or Salesforce keeps it itself"
        yield Fault(key, f"{field.name} cannot be written", why, "map another field, or grant edit access")
    if field.type == "boolean" and target.mode != "overwrite":
        yield Fault(key, *_boolean(field.name, target.mode))
