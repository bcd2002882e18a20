"""Changes beyond one record, as people make them by pages, SOAP or Apex: merge, convert, empty the bin.

Belongs here: names and ids in, the rules called. Not here: the rules (``merge``, ``convert``), HTTP.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from apps.demo_org.store.convert import Converted, LeadConvert, convert
from apps.demo_org.store.errors import SObjectError
from apps.demo_org.store.merge import merge
from apps.demo_org.store.records import Records
from apps.demo_org.store.schema import ObjectType
from apps.demo_org.store.text import identifier
from apps.demo_org.store.writer import Statement

#: The object once the user (None: the org itself) may do an operation with these values on it.
Authorize = Callable[[str | None, str, str, Mapping[str, Any]], ObjectType]


class Changes:
    """Works on what ``records`` writes to at the moment: the org, or the transaction the thread is inside of."""

    def __init__(self, records: Callable[[], Records], authorize: Authorize, default_user: str) -> None:
        self._records, self._authorize, self._default_user = records, authorize, default_user

    def all_or_nothing(self) -> AbstractContextManager[None]:
        """Make every change of the block one transaction, undone if anything in it raises."""
        return self._records().all_or_nothing()

    def merge(
        self,
        object_name: str,
        master: str,
        losers: Sequence[str],
        values: Mapping[str, Any],
        user: str | None = None,
    ) -> list[str]:
        """Merge one or two records into the master; ids of the records that hung on the losers."""
        self._authorize(user, "delete", object_name, {})
        kind = self._authorize(user, "edit", object_name, values)
        return merge(self._records(), kind, master, losers, values, user or self._default_user)

    def convert_lead(self, wanted: LeadConvert, user: str | None = None) -> Converted:
        """Convert a lead to an account, a contact and, unless told not to, an opportunity."""
        self._authorize(user, "edit", "Lead", {})
        self._authorize(user, "edit" if wanted.account else "create", "Account", {})
        self._authorize(user, "edit" if wanted.contact else "create", "Contact", {})
        if wanted.create_opportunity and wanted.opportunity is None:
            self._authorize(user, "create", "Opportunity", {})
        return convert(self._records(), wanted, user or self._default_user)

    def empty_recycle_bin(
        self, object_name: str, ids: Sequence[str] | None = None, user: str | None = None
    ) -> list[str]:
        """Remove records that are in the bin for good, all of an object's when no ids are given; their ids."""
        kind, records = self._authorize(user, "delete", object_name, {}), self._records()
        if kind.find("IsDeleted") is None:
            return []
        with records.lock:
            rows = records.select(f"SELECT Id, SystemModstamp FROM {identifier(kind.name)} WHERE IsDeleted", [])
            binned = dict(rows)
            if missing := [each for each in ids or () if each not in binned]:
                raise SObjectError(400, "DELETE_FAILED", f"{missing[0]} is not in the recycle bin", [])
            chosen = list(ids) if ids is not None else list(binned)
            records.run([s for each in chosen for s in self._purged(records, kind, each, binned[each])])
        return chosen

    def _purged(self, records: Records, kind: ObjectType, record_id: str, deleted_at: datetime) -> list[Statement]:
        """Statements that remove a record of the bin and what was deleted with it."""
        found = records.removal(kind, record_id, deleted_at)
        cascades = {(c["childSObject"], c["field"]) for c in kind.children if c.get("cascadeDelete")}
        for child, field in records.references_to(kind):
            if (child.name, field) not in cascades or child.find("IsDeleted") is None:
                continue
            sql = f"SELECT Id FROM {identifier(child.name)} WHERE {identifier(field)} = ? AND IsDeleted "
            sql += "AND SystemModstamp = ?"
            for row in records.select(sql, [record_id, deleted_at]):
                found += self._purged(records, child, row[0], deleted_at)
        return found
