"""Everything that is asked of Salesforce, with its reason and where it is taken back: for a security review.

The scopes are those that ``crosswalk connect`` asks for, the objects those of the settings.
"""

from data_contracts.settings import Settings
from pipelines.extract.objects import api_name
from pipelines.preflight.report import Asked
from resources.salesforce.web_flow import SCOPES

PERMISSION_SET = "Setup > Permission Sets > Crosswalk Integration"
SYSTEM = f"{PERMISSION_SET} > System Permissions > Edit"
OBJECTS = f"{PERMISSION_SET} > Object Settings"
_APP = "Setup > External Client App Manager > Crosswalk > Settings > OAuth Settings > Scopes"

#: Why each object of the standard set is read.
OBJECT_REASONS = {
    "account": "matched against the reference companies; imports and ownership",
    "contact": "matched against the reference people; imports and ownership",
    "lead": "matched against the reference people; imports and ownership",
    "opportunity": "the deals beside each company: open and won amounts, stages, the deal story",
    "user": "who owns a record, and whether they still work here",
    "campaign": "which campaigns a company's people answered",
    "campaign_member": "which person was in which campaign",
    "opportunity_contact_role": "which person had a part in which deal",
    "task": "calls and mails in the deal story",
    "event": "meetings in the deal story",
}
#: Objects without a Read permission of their own, and the clicks that let a user read them.
FOLLOWS = {
    "campaign_member": f"{OBJECTS} > Campaigns > Edit: Read (campaign members follow their campaign)",
    "opportunity_contact_role": f"{OBJECTS} > Opportunities > Edit: Read (contact roles follow their opportunity)",
    "task": f"{SYSTEM}: Access Activities; tasks are shared by whom they belong to",
    "event": f"{SYSTEM}: Access Activities; events are shared by whom they belong to",
    "user": f"{SYSTEM}: View All Users, where the org-wide default of users is private",
}


def asked_for(settings: Settings) -> tuple[Asked, ...]:
    """Return every scope, system permission and object that these settings make Crosswalk ask for."""
    scopes = [Asked("scope", scope, reason, _APP) for scope, reason in SCOPES.items()]
    permissions = [
        Asked("permission", "API Enabled", "every call", f"{SYSTEM}: API Enabled"),
        Asked(
            "permission",
            "View Setup and Configuration",
            "the org's limits, name and edition, who may read which field, installed packages",
            f"{SYSTEM}: View Setup and Configuration",
        ),
    ]
    if reads_reports(settings):
        reason = "read the members of the reports that crosswalk.yaml selects by"
        permissions.append(Asked("permission", "Run Reports", reason, f"{SYSTEM}: Run Reports"))
    objects = [
        Asked("object", f"{api_name(name)}: {_rights(settings, name)}", _reason(name), read_clicks(name))
        for name, chosen in settings.objects.items()
        if chosen.enabled
    ]
    return (*scopes, *permissions, *objects)


def reads_reports(settings: Settings) -> bool:
    """Whether an enabled object has members of reports read."""
    return any(chosen.enabled and chosen.selection.reports for chosen in settings.objects.values())


def read_clicks(name: str) -> str:
    """Return the clicks by which Read on an object is given, and taken back."""
    return FOLLOWS.get(name, f"{OBJECTS} > {setup_name(api_name(name))} > Edit: Read, View All")


def setup_name(api: str) -> str:
    """Return how Setup lists an object: ``Accounts``, ``Opportunities``; custom objects go by their API name here."""
    if "__" in api:
        return api
    return f"{api[:-1]}ies" if api.endswith("y") else f"{api}s"


def edit_needed(settings: Settings, name: str) -> bool:
    """Whether records of an object are written: only where exports are on and map its fields."""
    mapped = {key for key, fields in settings.exports.mapping.items() if fields}
    return settings.exports.enabled and name in mapped


def _rights(settings: Settings, name: str) -> str:
    return "read and edit" if edit_needed(settings, name) else "read"


def _reason(name: str) -> str:
    return OBJECT_REASONS.get(name, "named under objects in crosswalk.yaml")
