"""How many records fill each field that matching lives on: counted by the org, one query an object.

COUNT(field) counts records that have a value. Fields that cannot be aggregated are counted by a condition of their
own where they can be filtered, and not at all where they cannot (long text); a checkbox always has a value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from data_contracts.errors import SalesforceError
from data_contracts.settings import Settings
from pipelines.extract.plan import over_cap
from pipelines.preflight.objects import ObjectLook
from pipelines.preflight.relied import KEYS, MATCHED_FIELDS
from pipelines.preflight.report import FieldUse, Finding
from resources.salesforce import SalesforceOrg


def filled(org: SalesforceOrg, settings: Settings, look: ObjectLook) -> ObjectLook:
    """Return ``look`` with the share of records that fill each readable field of the list of matching.

    An org that does not count within its time limit leaves the shares unknown, with a finding.
    """
    if look.describe is None or look.name not in MATCHED_FIELDS:
        return look
    api, describes = look.access.object, {str(field["name"]): field for field in look.describe["fields"]}
    readable = [use.field for use in look.uses if use.state == "readable"]
    try:
        records, counts = fill_counts(org, api, readable, describes)
    except SalesforceError as error:
        told = f"how many records fill each field is not known: the org did not count ({error.code or error.what})"
        return replace(look, findings=(*look.findings, Finding("amber", api, told, error.next_step, "object")))
    uses = tuple(replace(use, records=records, filled=counts.get(use.field)) for use in look.uses)
    findings = [*look.findings, *_empty(look.name, api, records, uses), *_cap(settings, look.name, api, records)]
    return replace(look, uses=uses, access=replace(look.access, records=records), findings=tuple(findings))


def fill_counts(
    org: SalesforceOrg, api: str, fields: Sequence[str], describes: Mapping[str, Mapping[str, Any]]
) -> tuple[int, dict[str, int]]:
    """Return the records of an object and how many of them fill each of ``fields``, by the org's own count.

    Fields that can be neither aggregated nor filtered are left out. Raises SalesforceError as a query does.
    """
    together = [name for name in fields if describes[name].get("aggregatable")]
    counted = ", ".join(["COUNT(Id) n", *(f"COUNT({name}) n{number}" for number, name in enumerate(together))])
    answer = next(iter(next(org.query(f"SELECT {counted} FROM {api}"), [])), {})
    records = int(answer.get("n", 0))
    counts = {name: int(answer.get(f"n{number}", 0)) for number, name in enumerate(together)}
    for name in fields:
        if name in counts:
            continue
        if describes[name]["type"] == "boolean":
            counts[name] = records
        elif describes[name].get("filterable"):
            counts[name] = org.count(api, f"{name} != null")
    return records, counts


def _empty(name: str, api: str, records: int, uses: Sequence[FieldUse]) -> list[Finding]:
    shares = {use.field: use.filled for use in uses if use.filled is not None}
    keys = [field for field in KEYS.get(name, ()) if field in shares]
    if not records or not keys or any(shares[field] for field in keys):
        return []
    told = f"no record fills {', '.join(keys)}: matching has little more than names to go by"
    remedy = f"map the fields that hold them in your org: imports.mapping.{name} in crosswalk.yaml"
    return [Finding("amber", api, told, remedy, "object")]


def _cap(settings: Settings, name: str, api: str, records: int) -> list[Finding]:
    """Refuse what a sync would refuse; a selection or a window takes fewer, and is counted elsewhere."""
    if settings.objects[name].selection.mode != "all" or name == "opportunity":
        return []
    _, refusal = over_cap(name, records, settings)
    if not refusal:
        return []
    what, _, remedy = refusal.splitlines()
    return [Finding("red", api, what, remedy, "object")]
