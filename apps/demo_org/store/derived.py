"""Fields Salesforce computes from other fields of the same record.

Belongs here: one SQL expression per derived field, used when a record is restored (a given value wins)
and after every write (the computed value wins). Not here: formulas over other objects.
"""

from typing import Final

#: Default stages of a new org with their probability; every other stage keeps what the record says.
_STAGES = {
    "Prospecting": 10,
    "Qualification": 10,
    "Needs Analysis": 20,
    "Value Proposition": 50,
    "Id. Decision Makers": 60,
    "Perception Analysis": 70,
    "Proposal/Price Quote": 75,
    "Negotiation/Review": 90,
    "Closed Won": 100,
    "Closed Lost": 0,
}
_PROBABILITY = "CASE StageName " + " ".join(f"WHEN '{s}' THEN {p}" for s, p in _STAGES.items()) + " ELSE NULL END"
_CATEGORY = (
    "CASE WHEN StageName = 'Closed Won' THEN 'Closed' WHEN StageName = 'Closed Lost' THEN 'Omitted' "
    "WHEN StageName IS NOT NULL THEN 'Pipeline' END"
)
_PERSON_NAME = "nullif(trim(concat_ws(' ', nullif(FirstName, ''), nullif(LastName, ''))), '')"
_QUARTER = "CAST((month(CloseDate) + 2) // 3 AS BIGINT)"

#: Object -> field -> expression. Order matters where one derived field uses another.
DERIVED: Final[dict[str, dict[str, str]]] = {
    "Contact": {"Name": _PERSON_NAME},
    "Lead": {"Name": _PERSON_NAME},
    "User": {"Name": _PERSON_NAME},
    "Opportunity": {
        "IsClosed": "coalesce(StageName IN ('Closed Won', 'Closed Lost'), false)",
        "IsWon": "coalesce(StageName = 'Closed Won', false)",
        "ForecastCategory": _CATEGORY,
        "ForecastCategoryName": _CATEGORY,
        "FiscalYear": "year(CloseDate)",
        "FiscalQuarter": _QUARTER,
        "Fiscal": f"year(CloseDate) || ' ' || {_QUARTER}",
        "ExpectedRevenue": "Amount * Probability / 100",
    },
    "Case": {"IsClosed": "coalesce(Status = 'Closed', false)"},
    "Task": {
        "IsClosed": "coalesce(Status = 'Completed', false)",
        "IsHighPriority": "coalesce(Priority = 'High', false)",
    },
    "CampaignMember": {"HasResponded": "coalesce(Status = 'Responded', false)"},
}
#: Derived only where nothing was given: people may overwrite these.
DEFAULTED: Final[dict[str, dict[str, str]]] = {
    "Opportunity": {"Probability": _PROBABILITY},
    "User": {"IsActive": "true", "Username": "Email", "UserType": "'Standard'"},
}
#: The same for an org with person accounts.
PERSON_ACCOUNT_NAME: Final = f"CASE WHEN IsPersonAccount THEN {_PERSON_NAME} END"


def stage_meaning(stage: str) -> dict[str, object]:
    """What a default stage says about its opportunities, as the fields of OpportunityStage."""
    won, lost = stage == "Closed Won", stage == "Closed Lost"
    category = "Closed" if won else "Omitted" if lost else "Pipeline"
    return {
        "IsClosed": won or lost,
        "IsWon": won,
        "DefaultProbability": _STAGES.get(stage, 0),
        "ForecastCategory": category,
        "ForecastCategoryName": category,
    }
