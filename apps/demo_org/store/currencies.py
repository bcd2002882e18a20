"""Several currencies: what an org gets when an admin turns multiple currencies on.

Belongs here: when it is on, the CurrencyIsoCode fields and their values. Not here: conversion; SOQL's convertCurrency
is refused, because amounts are kept in the record's currency only.
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from apps.demo_org.store.errors import DataDirectoryError
from apps.demo_org.store.schema import Field, ObjectType, custom_field

#: Standard objects that say in which currency their amounts are; custom objects all do.
_WITH_CURRENCY: Final = (
    "Account", "AccountContactRelation", "Campaign", "CampaignMember", "Case", "Contact", "Event", "Lead",
    "Opportunity", "OpportunityContactRole", "Task", "User",
)  # fmt: skip
_TRUE: Final = ("true", "1")


@dataclass(frozen=True)
class Currencies:
    """The active currencies of an org and its corporate one."""

    active: tuple[str, ...]
    corporate: str

    def add_fields(self, objects: dict[str, ObjectType]) -> None:
        """Give every object with amounts its CurrencyIsoCode, and users their default."""
        for name, kind in objects.items():
            if name in _WITH_CURRENCY or name.endswith("__c"):
                kind.add(self._field("CurrencyIsoCode", "Currency ISO Code"))
        objects["User"].add(self._field("DefaultCurrencyIsoCode", "Default Currency ISO Code"))

    def _field(self, name: str, label: str) -> Field:
        values = [{"label": code, "value": code, "defaultValue": code == self.corporate} for code in self.active]
        return custom_field(
            name,
            "picklist",
            label=label,
            length=3,
            byteLength=9,
            restrictedPicklist=True,
            defaultedOnCreate=True,
            permissionable=False,
            picklistValues=values,
        )


def read_currencies(files: dict[str, Path]) -> Currencies | None:
    """The currencies of a data directory; None where the org has one currency only (no ``CurrencyType.csv``)."""
    path = files.get("CurrencyType")
    if path is None:
        return None
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = [{str(k).strip(): (v or "").strip() for k, v in row.items()} for row in csv.DictReader(stream)]
    active = [row.get("IsoCode", "") for row in rows if row.get("IsActive", "true").lower() in _TRUE]
    corporate = [row.get("IsoCode", "") for row in rows if row.get("IsCorporate", "").lower() in _TRUE]
    if not active or not all(active) or len(corporate) != 1 or corporate[0] not in active:
        raise DataDirectoryError(
            f"{path.name} must name the active currencies and mark exactly one of them as corporate.",
            why="An org with several currencies has one corporate currency; new records have it.",
            next_step=f"Give {path} the columns IsoCode, IsActive, IsCorporate, and one row with IsCorporate true.",
        )
    return Currencies(tuple(active), corporate[0])
