"""How objects are called: snake case in tables and settings, API names in Salesforce."""

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


def api_name(name: str) -> str:
    """Return the API name of an object: ``campaign_member`` → ``CampaignMember``, ``Site__c`` stays."""
    if "__" in name or name[:1].isupper():
        return name
    return API_NAMES.get(name) or "".join(part.capitalize() for part in name.split("_"))


def table_name(name: str) -> str:
    """Return the table of an object in schema ``salesforce``: lower case, so ``Site__c`` → ``site__c``."""
    return name.lower()
