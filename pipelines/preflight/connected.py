"""The connection itself: which org, which version of its API, how many calls are left, and whether it is our org."""

from dataclasses import replace
from typing import Any

from data_contracts.errors import SalesforceError
from data_contracts.settings import Settings
from pipelines.preflight.facts import HomeFacts
from pipelines.preflight.report import Allocation, Connection, Finding, Level
from pipelines.preflight.requested import SYSTEM
from resources.salesforce import SalesforceOrg
from resources.salesforce.usage import OrgLimits

VIEW_SETUP = f"{SYSTEM}: View Setup and Configuration"
#: The allocations that a sync uses, and what they count; the first decides whether it can begin.
ALLOCATIONS = {
    "DailyApiRequests": "API requests",
    "DailyBulkV2QueryJobs": "Bulk query jobs",
    "DailyBulkV2QueryFileStorageMB": "Bulk query results, MB",
}
#: Below this share of an allocation a full run may not get through.
LITTLE_LEFT = 0.1
#: Where the org says one of these, it will say so to every further question.
NO_API = frozenset({"API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "REQUEST_LIMIT_EXCEEDED"})
_DEFAULTS = ("DefaultAccountAccess", "DefaultContactAccess", "DefaultOpportunityAccess", "DefaultLeadAccess")
_ORGANIZATION = "SELECT Id, Name, OrganizationType, IsSandbox, InstanceName, TrialExpirationDate, NamespacePrefix{} "


def connected(org: SalesforceOrg, settings: Settings, facts: HomeFacts) -> tuple[Connection, list[Finding]]:
    """Return who is connected to which org as the sign-in tells it. Raises SalesforceError where no org answers."""
    identity, tokens = org.identity(), org.session.tokens
    record = facts.record
    told = record if record is not None and record.org_id == identity.org_id else None
    connection = Connection(
        org_id=identity.org_id,
        instance_url=tokens.current().instance_url,
        pinned_org_id=facts.pinned,
        user_id=identity.user_id,
        username=identity.username,
        integration_user=identity.integration_user,
        grant=tokens.credentials.grant,
        scopes=tokens.scopes or (told.scopes if told else ""),
        connected_by=told.username if told else "",
        connected_at=told.at if told else "",
        api_version=settings.connection.api_version,
    )
    way = f"signed in to {connection.instance_url} by {connection.grant}"
    by = f"; crosswalk connect was run {told.at} as {told.username}" if told and told.at else ""
    return connection, [Finding("green", "connection", way + by), _pin(identity.org_id, facts)]


def organization(org: SalesforceOrg, connection: Connection) -> tuple[tuple[Connection, dict[str, Any]], list[Finding]]:
    """Return the org's name, edition and kind, and its record: default access of objects, namespace."""
    record: dict[str, Any] = {}
    for more in (", " + ", ".join(_DEFAULTS), ""):
        try:
            record = next(iter(next(org.query(_ORGANIZATION.format(more) + "FROM Organization"), [])), {})
        except SalesforceError as error:
            if error.code in NO_API:
                raise
            refused = error
        else:
            break
    if not record:
        message = f"org {connection.org_id}; its name and edition are not readable ({refused.code})"
        return (connection, {}), [Finding("amber", "org", message, VIEW_SETUP)]
    kind = "sandbox" if record.get("IsSandbox") else "trial" if record.get("TrialExpirationDate") else "production"
    known = replace(
        connection,
        org_name=str(record.get("Name") or ""),
        edition=str(record.get("OrganizationType") or ""),
        kind=kind,
        instance=str(record.get("InstanceName") or ""),
    )
    found = f"{known.org_id} {known.org_name}, {known.edition}, {kind}, instance {known.instance}"
    if kind == "trial":
        ends = str(record["TrialExpirationDate"])[:10]
        told = f"{found}; the trial ends {ends}"
        return (known, record), [Finding("amber", "org", told, "Setup > Company Information")]
    return (known, record), [Finding("green", "org", found)]


def versions(org: SalesforceOrg, connection: Connection) -> tuple[Connection, list[Finding]]:
    """Return the newest version of the API that the org offers, and whether it offers ours."""
    offered = [str(item["version"]) for item in org.session.read_json("/services/data", "list its API versions")]
    wanted, newest = connection.api_version, max(offered, key=float)
    known = replace(connection, newest_api_version=newest)
    if wanted not in offered:
        told = f"the org does not offer {wanted}, only {min(offered, key=float)} to {newest}"
        remedy = f"set connection.api_version: '{newest}' in crosswalk.yaml"
        return known, [Finding("red", "API version", told, remedy)]
    told = f"{wanted}, the newest" if wanted == newest else f"{wanted}; the org offers up to {newest}"
    return known, [Finding("green", "API version", told)]


def allocations(org: SalesforceOrg, settings: Settings) -> tuple[tuple[Allocation, ...], list[Finding]]:
    """Return what is left of the allocations a sync uses."""
    try:
        limits = org.limits()
    except SalesforceError as error:
        used, allowed = org.usage.org_used, org.usage.org_allowed
        told = f"{used:,} of {allowed:,} used" if used is not None and allowed is not None else "unknown"
        return (), [Finding("amber", "API requests", f"{told}; the limits are not readable ({error.code})", VIEW_SETUP)]
    known = tuple(Allocation(name, limit.allowed, limit.left) for name in ALLOCATIONS if (limit := limits.get(name)))
    return known, [_allocation(name, limits, settings) for name in ALLOCATIONS]


def _allocation(name: str, limits: OrgLimits, settings: Settings) -> Finding:
    subject, limit, api = ALLOCATIONS[name], limits.get(name), settings.limits.api
    if limit is None:
        return Finding("grey", subject, "the org does not tell how many are left")
    message = f"{limit.left:,} of {limit.allowed:,} left for 24 hours"
    wait = "wait until those of the last 24 hours expire; Setup > Company Information shows the use"
    if name == "DailyApiRequests":
        used = 1 - limit.left / limit.allowed if limit.allowed else 1.0
        if used >= api.pause_at or limit.left <= limit.allowed * LITTLE_LEFT:
            told = f"{message}: a sync would pause (limits.api.pause_at {api.pause_at:.0%})"
            return Finding("red", subject, told, wait)
        if limit.left < api.per_run:
            told = f"{message}, less than one run may use (limits.api.per_run {api.per_run:,})"
            return Finding("amber", subject, told, wait)
        return Finding("green", subject, message)
    level: Level = "amber" if limit.left <= limit.allowed * LITTLE_LEFT else "green"
    return Finding(level, subject, message, wait if level == "amber" else "")


def _pin(org_id: str, facts: HomeFacts) -> Finding:
    if facts.unknown:
        return Finding("grey", "home", f"not compared with the org whose data is here: {facts.unknown}")
    if not facts.pinned:
        return Finding("green", "home", "holds no org's data yet; the first sync pins this one")
    if facts.pinned == org_id:
        return Finding("green", "home", f"holds data of this org, {org_id}")
    return Finding(
        "red",
        "home",
        f"you are connected to org {org_id}, and this home holds data of org {facts.pinned}: a sync is refused",
        "correct SALESFORCE_INSTANCE_URL, or use another CROSSWALK_HOME, or archive what is here: crosswalk disconnect",
    )
