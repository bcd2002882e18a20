"""What the connected user is and may do in the org as a whole: too little for a sync, or more than one needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from data_contracts.contracts import literal
from data_contracts.errors import SalesforceError
from pipelines.preflight.connected import VIEW_SETUP
from pipelines.preflight.report import Connection, Finding
from pipelines.preflight.requested import SYSTEM
from resources.salesforce import SalesforceOrg

#: Rights over the whole org that reading never needs, as Setup calls them.
TOO_MUCH = {
    "PermissionsModifyAllData": "Modify All Data",
    "PermissionsManageUsers": "Manage Users",
    "PermissionsAuthorApex": "Author Apex",
    "PermissionsCustomizeApplication": "Customize Application",
}
_ASKED = (
    *("PermissionsApiEnabled", "PermissionsViewSetup", "PermissionsViewAllData", "PermissionsRunReports"),
    *TOO_MUCH,
)
_INTEGRATION = (
    "use an integration user: Setup > Users > New User, licence Salesforce Integration, profile Minimum Access - API "
    "Only Integrations; then Permission Set Assignments: Crosswalk Integration (docs/connecting.md)"
)


@dataclass(frozen=True)
class Rights:
    """System permissions of the user; ``grants`` are the rows of ObjectPermissions that apply, None if not readable."""

    view_setup: bool
    view_all_data: bool
    grants: Mapping[str, Sequence[Mapping[str, Any]]] | None = field(default=None)

    def view_all(self, api: str) -> bool | None:
        """Whether the user sees every record of an object by permission; None where it cannot be told."""
        if self.view_all_data:
            return True
        if self.grants is None:
            return None
        return any(row.get("PermissionsViewAllRecords") for row in self.grants.get(api, ()))


def rights(
    org: SalesforceOrg, connection: Connection, objects: Sequence[str], *, reports: bool = False
) -> tuple[tuple[Connection, Rights], list[Finding]]:
    """Return the user's profile and licence, the rights, and what is wrong with them; ``objects`` are API names.

    ``reports``: members of reports are read, which takes a permission of its own.
    """
    granted, findings = _system(org, reports=reports)
    connection = _profile(org, connection, setup=granted.get("PermissionsViewSetup", False))
    findings.append(_user(connection, granted))
    setup = granted.get("PermissionsViewSetup", False)
    grants = _object_grants(org, connection, objects) if setup else None
    return (connection, Rights(setup, granted.get("PermissionsViewAllData", False), grants)), findings


def _system(org: SalesforceOrg, *, reports: bool) -> tuple[dict[str, bool], list[Finding]]:
    """Ask what the org says of the running user; an edition without a permission does not have its field."""
    try:
        there = {str(item["name"]) for item in org.describe("UserPermissionAccess")["fields"]}
        fields = [name for name in _ASKED if name in there]
        record = _one(org, f"SELECT {', '.join(fields)} FROM UserPermissionAccess")
    except SalesforceError as error:
        told = f"the user's system permissions are not readable ({error.code})"
        return {}, [Finding("amber", "permissions", told, VIEW_SETUP, "user")]
    granted = {name: record.get(name) is True for name in fields}
    findings = []
    if not granted.get("PermissionsApiEnabled", True):
        told = "API Enabled is missing: every call will be refused"
        findings.append(Finding("red", "permissions", told, f"{SYSTEM}: API Enabled", "user"))
    if not granted.get("PermissionsViewSetup", True):
        told = "View Setup and Configuration is missing: the org's limits and who may read which field stay unknown"
        findings.append(Finding("amber", "permissions", told, VIEW_SETUP, "user"))
    if reports and not granted.get("PermissionsRunReports", True):
        told = "Run Reports is missing, and crosswalk.yaml selects by reports"
        findings.append(Finding("red", "permissions", told, f"{SYSTEM}: Run Reports", "user"))
    if not findings:
        findings.append(Finding("green", "permissions", "API Enabled, View Setup and Configuration", area="user"))
    return granted, findings


def _profile(org: SalesforceOrg, connection: Connection, *, setup: bool) -> Connection:
    """Ask for the user's profile, and its licence where the user may read licences."""
    fields = "Profile.Name" + (", Profile.UserLicense.Name" if setup else "")
    try:
        record = _one(org, f"SELECT {fields} FROM User WHERE Id = {literal(connection.user_id)}")
    except SalesforceError:
        # Neither is needed: what the user may do is known without them.
        return connection
    profile = record.get("Profile") or {}
    licence = (profile.get("UserLicense") or {}).get("Name") or ""
    return replace(connection, profile=str(profile.get("Name") or ""), licence=str(licence))


def _user(connection: Connection, granted: Mapping[str, bool]) -> Finding:
    words = [f"profile {connection.profile}" if connection.profile else ""]
    words.append(f"licence {connection.licence}" if connection.licence else "")
    who = f"{connection.username} ({', '.join(filter(None, [connection.user_id, *words]))})"
    excess = [label for name, label in TOO_MUCH.items() if granted.get(name)]
    if excess or connection.profile == "System Administrator":
        has = ", ".join(excess) or "the profile System Administrator"
        return Finding("amber", "user", f"{who} has {has}, which reading never needs", _INTEGRATION, "user")
    if connection.integration_user is False:
        told = f"{who} has the licence of a person, and stops working when the person leaves"
        return Finding("amber", "user", told, _INTEGRATION, "user")
    told = f"{who}, an integration user" if connection.integration_user else who
    return Finding("green", "user", told, area="user")


def _object_grants(
    org: SalesforceOrg, connection: Connection, objects: Sequence[str]
) -> dict[str, list[dict[str, Any]]] | None:
    """Return the object permissions of the user's profile and permission sets (those of groups among them)."""
    user, names = literal(connection.user_id), ", ".join(literal(name) for name in objects)
    by_id = f"SELECT ProfileId FROM User WHERE Id = {user}"
    try:
        profile = literal(str(_one(org, by_id).get("ProfileId") or ""))
        sets = _all(org, f"SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = {user}")
        parents = ", ".join(literal(str(row["PermissionSetId"])) for row in sets) or literal(connection.user_id)
        rows = _all(
            org,
            "SELECT SobjectType, PermissionsViewAllRecords FROM ObjectPermissions "
            f"WHERE SobjectType IN ({names}) AND (ParentId IN ({parents}) OR Parent.ProfileId = {profile})",
        )
    except SalesforceError:
        # It only says how many records are shared with the user; the sync counts them anyway.
        return None
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(str(row["SobjectType"]), []).append(row)
    return found


def _all(org: SalesforceOrg, soql: str) -> list[dict[str, Any]]:
    return [record for page in org.query(soql) for record in page]


def _one(org: SalesforceOrg, soql: str) -> dict[str, Any]:
    return next(iter(_all(org, soql)), {})
