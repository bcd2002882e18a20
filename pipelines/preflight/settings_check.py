"""Whether the settings fit an org: fields, lists, reports, conditions and counts, each fault with its key.

What can be said without an org is ``data_contracts.settings_file``. The org is asked for describes and counts; no
record moves.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from data_contracts.errors import (
    AuthenticationError,
    CrosswalkError,
    OrgUnreachableError,
    QuotaError,
    SalesforceError,
)
from data_contracts.mapping import Direction, as_mapped
from data_contracts.mapping_rules import GONE, Fault, OrgField, org_problems
from data_contracts.settings import ReferenceSource, Settings
from data_contracts.settings_words import Key, nearest
from pipelines.extract.conditions import faults, try_selection
from pipelines.extract.fields import field_specs
from pipelines.extract.objects import MATCHED, api_name
from pipelines.extract.plan import over_cap
from resources.salesforce import SalesforceOrg

#: Types of field that can be a custom filter: their values are few and mean the same everywhere.
FILTERED = frozenset({"picklist", "multipicklist", "combobox", "reference"})
_DIRECTIONS: tuple[Direction, ...] = ("imports", "exports")


@dataclass
class OrgCheck:
    """What the settings say that the org does not bear out, and what it counts for each object."""

    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def condition_faults(settings: Settings) -> Iterator[Fault]:
    """Yield what can be said against the conditions without asking the org."""
    for name, item in settings.objects.items():
        if item.enabled and item.selection.mode == "condition":
            for told in faults(item.selection.condition or ""):
                yield Fault(("objects", name, "selection", "condition"), told)


def file_faults(settings: Settings) -> Iterator[Fault]:
    """Yield the files that the settings name and that are not there: the reference's and the own users'."""
    sources: dict[Key, ReferenceSource | None] = {
        ("reference", "company"): settings.reference.company,
        ("reference", "person"): settings.reference.person,
        ("users", "source"): settings.users.source,
    }
    for key, source in sources.items():
        if source is not None and source.path is not None and not Path(source.path).is_file():
            yield Fault((*key, "path"), f"there is no file {source.path} (paths are relative to the settings file)")


def field_faults(settings: Settings, name: str, fields: Mapping[str, OrgField]) -> Iterator[Fault]:
    """Yield what the settings say of an object's fields that the fields it offers do not bear out."""
    mapped = as_mapped(name)
    for direction in _DIRECTIONS if mapped else ():
        assert mapped is not None
        yield from org_problems(settings, mapped, direction, fields)
    for place, item in enumerate(settings.objects[name].custom_filters):
        key: Key = ("objects", name, "custom_filters", place)
        if item.field not in fields:
            yield _absent(key, name, item.field, fields)
        elif (kind := fields[item.field].type) not in FILTERED and kind:
            told = f"{item.field} is of type {kind}, and a custom filter is a picklist or a lookup"
            yield Fault(key, told, next_step=f"choose another one: crosswalk fields {name}")
    wanted = settings.matching.reference_id_fields.get(name)
    if wanted and wanted not in fields:
        yield _absent(("matching", "reference_id_fields", name), name, wanted, fields)


def _absent(key: Key, name: str, field_name: str, fields: Mapping[str, OrgField]) -> Fault:
    step = f"correct it (crosswalk fields {name} lists what there is), or grant read access to it"
    told = f"the org has no field {field_name!r} on {name}"
    return Fault(key, told, GONE, step, nearest(field_name, tuple(fields)))


def check_in_org(org: SalesforceOrg, settings: Settings, progress: Callable[[str], None] = lambda _: None) -> OrgCheck:
    """Return what the org says of every enabled object: is it there, its fields, its selection, its count.

    Raises SalesforceError where the org cannot be asked at all.
    """
    found = OrgCheck()
    for name, item in settings.objects.items():
        if not item.enabled:
            continue
        progress(name)
        try:
            described = org.describe(api_name(name))
        except QuotaError:
            raise
        except SalesforceError as error:
            if error.status not in (400, 403, 404):
                raise
            _unreadable(org, name, error, found)
            continue
        fields = {spec.name: _org_field(spec) for spec in field_specs(described)}
        found.faults += field_faults(settings, name, fields)
        _selected(org, settings, name, found)
    return found


def _org_field(spec: object) -> OrgField:
    names = ("name", "type", "label", "createable", "updateable", "calculated")
    return OrgField(*(getattr(spec, name) for name in names))


def _unreadable(org: SalesforceOrg, name: str, error: SalesforceError, found: OrgCheck) -> None:
    """An object that is matched, or that somebody named, must be there; a default one that is not is left out."""
    told = f"the org does not show object {api_name(name)} ({error.code})"
    if name not in MATCHED and "__" not in name:
        found.notes.append(f"{told}: it is left out of syncs")
        return
    known = [str(entry["name"]) for entry in org.describe_global()]
    why = "it does not exist there, or the connected user may not read it"
    step = f"give the user's permission set Read on it, or set objects.{name}.enabled: false"
    found.faults.append(Fault(("objects", name), told, why, step, nearest(api_name(name), known)))


def _selected(org: SalesforceOrg, settings: Settings, name: str, found: OrgCheck) -> None:
    chosen, key = settings.objects[name].selection, ("objects", name, "selection")
    if chosen.mode == "all" and not (chosen.lists or chosen.reports):
        _counted(settings, name, org.count(api_name(name)), found)
        return
    try:
        trial = try_selection(org, settings, name)
    except (AuthenticationError, OrgUnreachableError, QuotaError):
        raise
    except CrosswalkError as error:
        found.faults.append(Fault(key, error.what, error.why, error.next_step))
        return
    found.faults += [Fault(key, told) for told in trial.problems]
    if trial.problems:
        return
    members = "".join(f", {listed}: {count:,}" for listed, count in trial.members.items())
    matched = trial.records if trial.matched is None else trial.matched
    found.notes.append(f"{name}: {matched:,} of {trial.records:,} records selected{members}")
    found.notes += [f"{name}: {warning}" for warning in trial.warnings]


def _counted(settings: Settings, name: str, records: int, found: OrgCheck) -> None:
    """Hold all records of an object to its limit; opportunities are read in a window, which takes fewer."""
    _, refusal = over_cap(name, records, settings)
    if refusal and name != "opportunity":
        what, why, step = refusal.splitlines()
        found.faults.append(Fault(("limits", "records", name), what, why, step))
    else:
        found.notes.append(f"{name}: {records:,} records")
