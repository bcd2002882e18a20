"""Lead conversion: a lead becomes, or joins, an account and a contact, and with them an opportunity.

Belongs here: which lead fields go where, what is created, what the lead keeps of it, as documented for
``convertLead()``. Not here: its envelopes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from apps.demo_org.store.errors import SObjectError
from apps.demo_org.store.records import Records
from apps.demo_org.store.schema import ObjectType
from apps.demo_org.store.validation import checked_id
from apps.demo_org.store.writer import Statement, known, update_statement

_ADDRESS: Final = ("Street", "City", "State", "PostalCode", "Country")
#: Lead field -> field of the new record; the standard mapping.
_TO_ACCOUNT: Final = {
    "Company": "Name",
    "Phone": "Phone",
    "Fax": "Fax",
    "Website": "Website",
    "Industry": "Industry",
    "AnnualRevenue": "AnnualRevenue",
    "NumberOfEmployees": "NumberOfEmployees",
    "Rating": "Rating",
    "LeadSource": "AccountSource",
    "CurrencyIsoCode": "CurrencyIsoCode",
} | {part: f"Billing{part}" for part in _ADDRESS}
_TO_CONTACT: Final = {
    name: name
    for name in ("Salutation", "FirstName", "LastName", "Title", "Phone", "MobilePhone", "Fax", "Email")
    + ("LeadSource", "Description", "HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall", "CurrencyIsoCode")
} | {part: f"Mailing{part}" for part in _ADDRESS}
_TO_OPPORTUNITY: Final = {"LeadSource": "LeadSource", "CurrencyIsoCode": "CurrencyIsoCode"}


@dataclass(frozen=True)
class LeadConvert:
    """What is asked of a conversion; ids of existing records, or None to create them."""

    lead: str
    converted_status: str
    account: str | None = None
    contact: str | None = None
    create_opportunity: bool = True
    opportunity_name: str | None = None
    opportunity: str | None = None
    owner: str | None = None
    overwrite_lead_source: bool = False


@dataclass(frozen=True)
class Converted:
    """What a lead became."""

    lead: str
    account: str
    contact: str
    opportunity: str | None


def convert(records: Records, wanted: LeadConvert, user: str) -> Converted:
    """Convert a lead; nothing has changed where it raises."""
    return _Conversion(records, wanted, user).run()


class _Conversion:
    """One conversion: the lead's values and the creation of what it becomes."""

    def __init__(self, records: Records, wanted: LeadConvert, user: str) -> None:
        self._records, self._wanted, self._user = records, wanted, user
        self._leads = records.objects["Lead"]
        self._lead_id = checked_id(self._leads, wanted.lead)
        self._lead: dict[str, Any] = {}

    def run(self) -> Converted:
        with self._records.lock:
            self._read_lead()
            self._check_status()
            given = [
                self._existing(n, i) for n, i in (("Account", self._wanted.account), ("Contact", self._wanted.contact))
            ]
            if given[1] and not given[0]:
                message = "accountId must be specified when contactId is"
                raise SObjectError(400, "REQUIRED_FIELD_MISSING", message, ["accountId"])
            with self._records.all_or_nothing():
                return self._run(*given)

    def _run(self, account: str | None, contact: str | None) -> Converted:
        owner = {"OwnerId": self._wanted.owner or self._lead["OwnerId"]}
        account = self._fill("Account", account, _TO_ACCOUNT, owner)
        contact = self._fill("Contact", contact, _TO_CONTACT, owner | {"AccountId": account})
        opportunity = self._opportunity(account, contact, owner)
        self._mark_lead(account, contact, opportunity)
        return Converted(self._lead_id, account, contact, opportunity)

    def _read_lead(self) -> None:
        self._records.require_live(self._leads, self._lead_id)
        names = [field.name for field in self._leads.stored()]
        values = self._records.row(self._leads, self._lead_id, names) or ()
        self._lead = dict(zip(names, values, strict=True))
        if self._lead["IsConverted"]:
            raise SObjectError(400, "CANNOT_UPDATE_CONVERTED_LEAD", "lead already converted", [])

    def _check_status(self) -> None:
        status = self._wanted.converted_status
        rows = self._records.select('SELECT IsConverted FROM "LeadStatus" WHERE MasterLabel = ?', [status])
        if (True,) not in rows:
            raise SObjectError(400, "INVALID_STATUS", f"invalid convertedStatus: {status}", [])

    def _existing(self, name: str, record_id: str | None) -> str | None:
        if record_id is None:
            return None
        kind = self._records.objects[name]
        found = checked_id(kind, record_id)
        self._records.require_live(kind, found)
        return found

    def _fill(self, name: str, existing: str | None, mapping: Mapping[str, str], more: dict[str, Any]) -> str:
        """Create the record, or fill what an existing one has empty; its id."""
        kind = self._records.objects[name]
        values = {to: self._lead[of] for of, to in mapping.items() if self._lead.get(of) is not None}
        values = {
            to: value for to, value in values.items() if (field := kind.find(to)) and field.describe["createable"]
        }
        if existing is None:
            return self._records.create(kind, _known_for(kind, more) | values, self._user)
        kept = dict(zip(values, self._records.row(kind, existing, list(values)) or (), strict=False)) if values else {}
        overwritten = ("LeadSource",) if self._wanted.overwrite_lead_source else ()
        empty = {to: value for to, value in values.items() if kept.get(to) is None or to in overwritten}
        if empty:
            self._records.update(kind, existing, empty, self._user)
        return existing

    def _opportunity(self, account: str, contact: str, owner: dict[str, Any]) -> str | None:
        if self._wanted.opportunity is not None:
            return self._existing("Opportunity", self._wanted.opportunity)
        if not self._wanted.create_opportunity:
            return None
        today = self._records.now().date()
        stages = self._records.select('SELECT MasterLabel FROM "OpportunityStage" ORDER BY SortOrder LIMIT 1', [])
        made = self._fill(
            "Opportunity",
            None,
            _TO_OPPORTUNITY,
            owner
            | {
                "Name": self._wanted.opportunity_name or f"{self._lead['Company']}-",
                "AccountId": account,
                "StageName": stages[0][0] if stages else "Prospecting",
                "CloseDate": _end_of_quarter(today),
            },
        )
        role = {"OpportunityId": made, "ContactId": contact, "IsPrimary": True}
        self._records.create(self._records.objects["OpportunityContactRole"], role, self._user)
        return made

    def _mark_lead(self, account: str, contact: str, opportunity: str | None) -> None:
        now = self._records.now()
        stamps = {"SystemModstamp": now, "LastModifiedDate": now, "LastModifiedById": self._user}
        values = {
            "IsConverted": True,
            "Status": self._wanted.converted_status,
            "ConvertedDate": now.date(),
            "ConvertedAccountId": account,
            "ConvertedContactId": contact,
            "ConvertedOpportunityId": opportunity,
            "IsUnreadByOwner": False,
        }
        statements = [update_statement(self._leads, [self._lead_id], known(self._leads, values | stamps))]
        statements += self._moved("CampaignMember", "LeadId", {"ContactId": contact} | stamps)
        statements += self._moved("Task", "WhoId", {"WhoId": contact} | stamps)
        statements += self._moved("Event", "WhoId", {"WhoId": contact} | stamps)
        self._records.run(statements)

    def _moved(self, name: str, field: str, values: dict[str, Any]) -> list[Statement]:
        """Hang the lead's campaign memberships and activities on the contact."""
        kind = self._records.objects[name]
        rows = self._records.select(f'SELECT Id FROM "{name}" WHERE "{field}" = ? AND NOT IsDeleted', [self._lead_id])
        ids = [row[0] for row in rows]
        return [update_statement(kind, ids, known(kind, values))] if ids else []


def _known_for(kind: ObjectType, values: dict[str, Any]) -> dict[str, Any]:
    """Values for a new record: a user may own it, a queue may not."""
    owner_is_user = not str(values.get("OwnerId", "")).startswith("00G")
    return {name: value for name, value in known(kind, values).items() if name != "OwnerId" or owner_is_user}


def _end_of_quarter(day: date) -> date:
    months = (day.month - 1) // 3 * 3 + 3
    return date(day.year + months // 12, months % 12 + 1, 1) - timedelta(days=1)
