"""How many of what: the counts of a demo org and the arithmetic that spreads records over entities.

Every hundred records of an object hold fixed numbers of each kind (duplicates, merged, deleted, ...), so the
rates are exact at any size; which record is of which kind is scattered later by a permutation.
"""

import datetime as dt
from dataclasses import dataclass
from math import gcd

from data_contracts.errors import SettingsError

#: The documented limits of one org and reference.
LIMITS = {
    "accounts": 2_000_000,
    "contacts": 2_000_000,
    "leads": 2_000_000,
    "opportunities": 500_000,
    "companies": 2_000_000,
    "people": 4_000_000,
}
#: Of a hundred accounts, contacts, leads: how many are the first record of their entity (see sql/slot.sql).
PRIMARY_ACCOUNTS, PRIMARY_CONTACTS, PRIMARY_LEADS = 81, 86, 63
PERSON_ACCOUNTS = range(90, 94)


@dataclass(frozen=True)
class DemoPlan:
    """The counts asked for, and those that follow from them."""

    accounts: int
    contacts: int
    leads: int
    opportunities: int
    companies: int
    people: int
    seed: int
    as_of: dt.date

    def variables(self) -> dict[str, int]:
        """All counts as the DuckDB variables that the SQL reads."""
        persons = min(self.contacts, _kinds(self.accounts, PERSON_ACCOUNTS))
        contacts = self.contacts - persons
        account_primaries = _primaries(self.accounts, PRIMARY_ACCOUNTS)
        contact_primaries = _primaries(contacts, PRIMARY_CONTACTS)
        lead_primaries = _primaries(self.leads, PRIMARY_LEADS)
        matched = min(int(account_primaries * 0.86), int(self.companies * 0.85))
        shares = (contact_primaries * 0.8, persons * 0.75, lead_primaries * 0.5)
        fit = min(1.0, self.people * 0.85 / max(sum(shares), 1))
        known = [int(share * fit) for share in shares]
        lead_only = lead_primaries // 6
        world = self.companies + account_primaries - matched + lead_only
        return {
            "seed": self.seed,
            "as_of_s": int(dt.datetime.combine(self.as_of, dt.time(), dt.UTC).timestamp()),
            "accounts": self.accounts,
            "contacts": contacts,
            "person_contacts": persons,
            "leads": self.leads,
            "opportunities": self.opportunities,
            "companies": self.companies,
            "people": self.people,
            "account_primaries": account_primaries,
            "contact_primaries": contact_primaries,
            "lead_primaries": lead_primaries,
            "matched": matched,
            "known_contacts": known[0],
            "known_persons": known[1],
            "known_leads": known[2],
            "lead_only": lead_only,
            "world": world,
            "users": max(12, min(400, self.accounts // 1000 + 10)),
            "campaigns": max(10, min(2000, self.accounts // 200)),
            "campaign_members": (self.contacts + self.leads) // 4 if self.contacts and self.leads else 0,
            "tasks": min(20_000, self.accounts // 10) if self.contacts else 0,
            **_stride("world", world),
            **_stride("accounts", self.accounts),
            **_stride("contacts", contacts, near=self.contacts),
            **_stride("leads", self.leads),
            **_stride("companies", self.companies),
            **_stride("people", self.people),
        }


def make_plan(
    accounts: int,
    seed: int,
    as_of: dt.date | None,
    *,
    contacts: int | None,
    leads: int | None,
    opportunities: int | None,
    companies: int | None,
    people: int | None,
) -> DemoPlan:
    """The plan for the sizes given, the rest in proportion; raises ``SettingsError`` for an impossible size."""
    sizes = {
        "accounts": accounts,
        "contacts": accounts if contacts is None else contacts,
        "leads": accounts if leads is None else leads,
        "opportunities": accounts // 4 if opportunities is None else opportunities,
        "companies": accounts if companies is None else companies,
        "people": 2 * accounts if people is None else people,
    }
    lowest = {"accounts": 1, "companies": 1}
    for name, size in sizes.items():
        if not lowest.get(name, 0) <= size <= LIMITS[name]:
            raise SettingsError(
                f"Cannot generate {size:,} {name}",
                why=f"a demo org has {lowest.get(name, 0)} to {LIMITS[name]:,} {name}",
                next_step=f"choose a number of {name} in that range",
            )
    return DemoPlan(seed=seed, as_of=as_of or dt.datetime.now(dt.UTC).date(), **sizes)


def _primaries(count: int, per_hundred: int) -> int:
    """Places 0 to per_hundred - 1 of every hundred."""
    return count // 100 * per_hundred + min(count % 100, per_hundred)


def _kinds(count: int, places: range) -> int:
    """How many of the first ``count`` slots lie in ``places`` of their hundred."""
    return count // 100 * len(places) + max(0, min(count % 100, places.stop) - places.start)


def _stride(name: str, size: int, near: int = 0) -> dict[str, int]:
    """A multiplier that permutes 0..size-1, its inverse, and an offset; both near those of ``near`` places if given."""
    size = max(size, 1)
    near = near or size
    step = max(1, int(near * 0.6180339887))
    while gcd(step, size) != 1:
        step += 1
    return {f"{name}_step": step, f"{name}_back": pow(step, -1, size) if size > 1 else 0, f"{name}_shift": near // 3}
