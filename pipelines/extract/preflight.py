"""Looking before leaping: is the connection, the user and every field we rely on as it must be?

Asks the org for a handful of answers and moves no record.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from data_contracts.errors import SalesforceError
from data_contracts.settings import Settings
from pipelines.extract.fields import cursor_field
from pipelines.extract.objects import MATCHED, api_name
from pipelines.extract.schema import GONE, needed_fields
from resources.salesforce import SalesforceOrg

Level = Literal["green", "amber", "red"]
#: Fields that matching lives on; without all of a group the object can hardly be matched.
MATCHED_FIELDS: dict[str, tuple[str, ...]] = {
    "account": ("Name", "Website", "Phone", "BillingStreet", "BillingCity", "BillingPostalCode", "BillingCountry"),
    "contact": ("FirstName", "LastName", "Email", "Phone", "MobilePhone", "AccountId"),
    "lead": ("FirstName", "LastName", "Email", "Phone", "Company", "IsConverted"),
    "opportunity": ("AccountId", "StageName", "Amount", "CloseDate", "IsClosed", "IsWon"),
}
#: Below this share of the daily allocation a full run may not get through.
LITTLE_LEFT = 0.1


@dataclass(frozen=True)
class Finding:
    """One thing looked at: green is as it must be, amber works with less, red will fail; with the remedy."""

    level: Level
    subject: str
    message: str
    remedy: str = ""


def preflight(org: SalesforceOrg, settings: Settings) -> list[Finding]:
    """Return what was found, connection first, then one entry or more per enabled object."""
    identity = org.identity()
    findings = [
        Finding("green", "connection", f"signed in to {org.session.tokens.current().instance_url}"),
        Finding("green", "user", f"{identity.username} ({identity.user_id})"),
        _organization(org),
        _versions(org, settings),
        _allocation(org),
    ]
    needed = needed_fields(settings)
    for name, chosen in settings.objects.items():
        if chosen.enabled:
            findings += _object(org, name, needed.get(name, frozenset()))
    return findings


def _organization(org: SalesforceOrg) -> Finding:
    org_id = org.identity().org_id
    soql = "SELECT Id, Name, OrganizationType, IsSandbox, InstanceName FROM Organization"
    try:
        record: dict[str, Any] = next(iter(next(org.query(soql), [])), {})
    except SalesforceError as error:
        remedy = "give the user's permission set 'View Setup and Configuration'"
        return Finding("amber", "org", f"org {org_id}; name and edition are not readable ({error.code})", remedy)
    kind = "sandbox" if record.get("IsSandbox") else "production"
    return Finding("green", "org", f"{org_id} {record.get('Name')}, {record.get('OrganizationType')}, {kind}")


def _versions(org: SalesforceOrg, settings: Settings) -> Finding:
    offered = [str(item["version"]) for item in org.session.read_json("/services/data", "list its API versions")]
    wanted = settings.connection.api_version
    if wanted in offered:
        return Finding("green", "API version", f"{wanted} of {offered[0]} to {offered[-1]}")
    return Finding(
        "red",
        "API version",
        f"the org does not offer {wanted}, only {offered[0]} to {offered[-1]}",
        f"set connection.api_version to {offered[-1]}",
    )


def _allocation(org: SalesforceOrg) -> Finding:
    try:
        limit = org.limits().get("DailyApiRequests")
    except SalesforceError as error:
        used, allowed = org.usage.org_used, org.usage.org_allowed
        told = f"{used:,} of {allowed:,} used" if used is not None and allowed is not None else "unknown"
        remedy = "give the user's permission set 'View Setup and Configuration' to see the limits"
        return Finding("amber", "API requests", f"{told}; limits are not readable ({error.code})", remedy)
    if limit is None:
        return Finding("amber", "API requests", "the org does not tell how many are left")
    message = f"{limit.left:,} of {limit.allowed:,} left for 24 hours"
    if limit.left <= limit.allowed * LITTLE_LEFT:
        return Finding("red", "API requests", message, "wait until calls of the last 24 hours expire")
    return Finding("green", "API requests", message)


def _object(org: SalesforceOrg, name: str, needed: frozenset[str]) -> Iterator[Finding]:
    api = api_name(name)
    try:
        described = org.describe(api)
    except SalesforceError as error:
        if error.status not in (400, 403, 404):
            raise
        level: Level = "red" if name in MATCHED else "amber"
        remedy = f"give the user's permission set Read on {api}, or set objects.{name}.enabled: false"
        yield Finding(level, api, f"not readable for this user ({error.code})", remedy)
        return
    present = {str(field["name"]) for field in described["fields"]}
    if cursor_field(present) is None:
        yield Finding("amber", api, "no field tells when a record changed: every run of it is a full run")
    if missing := sorted(needed - present):
        remedy = "restore the field, grant read access to it, or take it out of crosswalk.yaml"
        yield Finding("red", api, f"crosswalk.yaml relies on {', '.join(missing)}: {GONE}", remedy)
    if hidden := [field for field in MATCHED_FIELDS.get(name, ()) if field not in present]:
        remedy = "give the user's permission set read access to them"
        yield Finding("amber", api, f"matching would use {', '.join(hidden)}: {GONE}", remedy)
    yield Finding("green", api, f"{len(present)} fields readable")
