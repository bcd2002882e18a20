"""What the user may do with each enabled object, and which of the fields that Crosswalk relies on it may read.

Describe shows only what the user may read. That a field exists and is hidden is known from FieldPermissions, the rows
in which profiles and permission sets name the fields they open; reading those needs View Setup and Configuration.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from data_contracts.contracts import literal
from data_contracts.errors import SalesforceError
from data_contracts.settings import Settings
from pipelines.extract.fields import cursor_field
from pipelines.extract.objects import MATCHED, api_name
from pipelines.preflight.relied import MATCHED_FIELDS, NAMED, relied_fields
from pipelines.preflight.report import FieldUse, Finding, Level, ObjectAccess
from pipelines.preflight.requested import OBJECTS, edit_needed, read_clicks, setup_name
from pipelines.preflight.rights import Rights
from resources.salesforce import SalesforceOrg

GONE = "not in the org, or hidden from the user by field-level security"
#: Objects whose sharing an org-wide default opens to everybody, and the field of Organization that says so.
_SHARED_BY = {
    "Account": "DefaultAccountAccess",
    "Contact": "DefaultContactAccess",
    "Opportunity": "DefaultOpportunityAccess",
    "Lead": "DefaultLeadAccess",
}
#: How many names a message lists.
MANY = 12


@dataclass(frozen=True)
class ObjectLook:
    """One object: access, fields relied on, findings; ``describe`` is None where the user may not read it."""

    name: str
    access: ObjectAccess
    uses: tuple[FieldUse, ...]
    findings: tuple[Finding, ...]
    describe: Mapping[str, Any] | None


def look_at(
    org: SalesforceOrg, settings: Settings, name: str, rights: Rights, organization: Mapping[str, Any]
) -> ObjectLook:
    """Describe one object and say what is missing. Raises SalesforceError where the org cannot be asked at all."""
    api, relied = api_name(name), relied_fields(settings, name)
    try:
        described = org.describe(api)
    except SalesforceError as error:
        if error.status not in (400, 403, 404):
            raise
        level: Level = "red" if name in MATCHED else "amber"
        effect = "a sync is refused" if name in MATCHED else "it is left out of syncs"
        told = f"not readable for this user ({error.code}): {effect}"
        remedy = f"{read_clicks(name)}; or set objects.{name}.enabled: false"
        uses = tuple(FieldUse(api, field, why, "missing") for field, why in relied.items())
        return ObjectLook(name, ObjectAccess(api, False), uses, (Finding(level, api, told, remedy, "object"),), None)
    fields = {str(field["name"]): field for field in described["fields"]}
    hidden = _hidden(org, api, fields) if rights.view_setup else None
    access = ObjectAccess(
        object=api,
        readable=True,
        editable=bool(described.get("updateable")),
        edit_needed=edit_needed(settings, name),
        view_all=rights.view_all(api),
        fields=len(fields),
        hidden=hidden,
    )
    uses = tuple(_use(api, field, why, fields, hidden) for field, why in relied.items())
    findings = [
        *_reading(access, fields, organization),
        *_fields(name, uses),
        *_unread(settings, name, access, uses),
        *_editing(access, uses),
    ]
    return ObjectLook(name, access, uses, tuple(findings), described)


def _hidden(org: SalesforceOrg, api: str, fields: Mapping[str, Any]) -> tuple[str, ...] | None:
    soql = (
        f"SELECT Field FROM FieldPermissions WHERE SobjectType = {literal(api)} AND PermissionsRead = true "
        "GROUP BY Field"
    )
    try:
        named = [str(row["Field"]).partition(".")[2] for page in org.query(soql) for row in page]
    except SalesforceError:
        # The user may view setup and not this; then it is unknown, which the report says.
        return None
    return tuple(sorted(set(named) - set(fields)))


def _use(
    api: str, field: str, why: tuple[str, ...], fields: Mapping[str, Any], hidden: Sequence[str] | None
) -> FieldUse:
    if field in fields:
        return FieldUse(api, field, why, "readable", bool(fields[field].get("updateable")))
    # The parts of an address are opened as a whole: BillingCity is hidden where BillingAddress is.
    whole = next((item for item in hidden or () if item.endswith("Address") and field.startswith(item[:-7])), field)
    state: Literal["hidden", "missing"] = "hidden" if whole in (hidden or ()) else "missing"
    return FieldUse(api, field, why, state)


def _reading(access: ObjectAccess, fields: Mapping[str, Any], organization: Mapping[str, Any]) -> list[Finding]:
    api, findings = access.object, []
    if cursor_field(fields) is None:
        told = "no field tells when a record changed: every run of it is a full run"
        findings.append(Finding("amber", api, told, area="object"))
    open_to_all = str(organization.get(_SHARED_BY.get(api, ""), "")) in ("Read", "Edit", "ReadEdit", "ReadEditTransfer")
    if api in (*_SHARED_BY, "Campaign") and access.view_all is False and not open_to_all:
        told = "View All is missing: only records that are shared with the user arrive"
        findings.append(Finding("amber", api, told, f"{OBJECTS} > {setup_name(api)} > Edit: View All", "object"))
    records = {True: ", every record", False: ", records shared with the user", None: ""}[access.view_all]
    edit = ""
    if not access.edit_needed:
        edit = "; edit not needed" + (" (granted)" if access.editable else "")
    return [*findings, Finding("green", api, f"readable: {len(fields)} fields{records}{edit}", area="object")]


def _fields(name: str, uses: Sequence[FieldUse]) -> list[Finding]:
    """Say which fields that something relies on are missing, those named in the settings first."""
    findings: list[Finding] = []
    absent = [use for use in uses if use.state != "readable"]
    named = [use for use in absent if NAMED & set(use.used_for)]
    own = [use for use in absent if use not in named and use.field in MATCHED_FIELDS.get(name, ())]
    rest = [use for use in absent if use not in named and use not in own and use.state == "hidden"]
    for level, group, said in (
        ("red", named, "crosswalk.yaml relies on"),
        ("amber", own, "the deal story would use" if name == "opportunity" else "matching would use"),
        ("amber", rest, "the default mapping would use"),
    ):
        for state in ("hidden", "missing"):
            if found := [use for use in group if use.state == state]:
                findings.append(_absent("red" if level == "red" else "amber", found, said))
    return findings


def _absent(level: Level, uses: Sequence[FieldUse], said: str) -> Finding:
    api = uses[0].object
    names = ", ".join(f"{use.field} ({', '.join(use.used_for)})" if level == "red" else use.field for use in uses)
    if uses[0].state == "hidden":
        told = f"{said} {names}: hidden from the user by field-level security"
        return Finding(level, api, told, f"{OBJECTS} > {setup_name(api)} > Edit: Read Access to the field", "object")
    remedy = f"restore the field, or {OBJECTS} > {setup_name(api)} > Edit: Read Access to it"
    remedy += ", or correct crosswalk.yaml" if level == "red" else ""
    return Finding(level, api, f"{said} {names}: {GONE}", remedy, "object")


def _unread(settings: Settings, name: str, access: ObjectAccess, uses: Sequence[FieldUse]) -> list[Finding]:
    """Say which other fields exist that the user may not read: advanced_sync promises every readable one."""
    api = access.object
    if access.hidden is None:
        told = "which other fields exist and are hidden is not known without View Setup and Configuration"
        return [Finding("grey", api, told, area="object")]
    known = {use.field for use in uses}
    others = [field for field in access.hidden if field not in known]
    if not others:
        return []
    more = f" and {len(others) - MANY} more" if len(others) > MANY else ""
    told = f"{len(others)} fields exist that the user cannot read: {', '.join(others[:MANY])}{more}"
    wanted = settings.objects[name].advanced_sync
    remedy = f"{OBJECTS} > {setup_name(api)} > Edit: Read Access, or View All Fields; fine where nobody needs them"
    return [Finding("amber" if wanted else "grey", api, told, remedy if wanted else "", "object")]


def _editing(access: ObjectAccess, uses: Sequence[FieldUse]) -> list[Finding]:
    api = access.object
    if not access.edit_needed:
        return []
    if not access.editable:
        return [
            Finding(
                "red",
                api,
                "exports need Edit, which is missing",
                f"{OBJECTS} > {setup_name(api)} > Edit: Edit",
                "object",
            )
        ]
    locked = [use.field for use in uses if "export" in use.used_for and use.state == "readable" and not use.editable]
    if locked:
        told = f"exports write {', '.join(locked)}, which the user may not edit"
        return [Finding("red", api, told, f"{OBJECTS} > {setup_name(api)} > Edit: Edit Access to the field", "object")]
    return [Finding("green", api, "edit: granted, for exports", area="object")]
