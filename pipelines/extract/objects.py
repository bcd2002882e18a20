"""How objects are called: snake case in tables and settings, API names in Salesforce."""

import re

API_NAMES = {
    "account": "Account",
    "contact": "Contact",
    "lead": "Lead",
    "opportunity": "Opportunity",
    "user": "User",
    "campaign": "Campaign",
    "campaign_member": "CampaignMember",
    "opportunity_contact_role": "OpportunityContactRole",
    "task": "Task",
    "event": "Event",
}
#: Without these there is nothing to resolve: being unable to read one that is enabled is an error.
MATCHED = frozenset({"account", "contact", "lead"})
_NAMESPACED = re.compile(r"^([A-Za-z][A-Za-z0-9_]{0,14}?)__\w+?__[A-Za-z]+$")


def api_name(name: str) -> str:
    """Return the API name of an object: ``campaign_member`` → ``CampaignMember``, ``Site__c`` stays."""
    if "__" in name or name[:1].isupper():
        return name
    return API_NAMES.get(name) or "".join(part.capitalize() for part in name.split("_"))


def namespace_of(name: str) -> str | None:
    """Return the namespace of the package a field or object belongs to, None where it belongs to the org."""
    found = _NAMESPACED.match(name)
    return found[1] if found else None


def table_name(name: str) -> str:
    """Return the table of an object in schema ``salesforce``: lower case, so ``Site__c`` → ``site__c``."""
    return name.lower()
