"""Merging records: the losers go to the bin and point to the master, what hung on them hangs on the master.

Belongs here: the merge call's rules and statements, as documented for SOAP ``merge()``. Not here: its envelopes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from apps.demo_org.store.errors import SObjectError
from apps.demo_org.store.replication import DELETE_LOG
from apps.demo_org.store.schema import ObjectType
from apps.demo_org.store.text import identifier
from apps.demo_org.store.validation import checked_id, checked_values
from apps.demo_org.store.writer import Statement, Writer, known, placeholders, update_statement

MERGEABLE: Final = ("Account", "Contact", "Lead")
_LOSERS: Final = 2


def merge(
    records: Writer, kind: ObjectType, master: str, losers: Sequence[str], values: Mapping[str, Any], user: str
) -> list[str]:
    """Merge one or two losers into the master, with these values on it; ids of the re-parented records."""
    master_id, loser_ids = _checked(kind, master, losers)
    found = checked_values(kind, values, creating=False)
    with records.lock:
        for each in (master_id, *loser_ids):
            records.require_live(kind, each)
        now = records.now()
        stamps = {"SystemModstamp": now, "LastModifiedDate": now, "LastModifiedById": user}
        statements, moved = _moved_children(records, kind, master_id, loser_ids, stamps)
        statements.append(update_statement(kind, [master_id], found | stamps))
        statements += records.derive(kind, [master_id], set(found))
        gone = {"IsDeleted": True, "MasterRecordId": master_id}
        statements.append(update_statement(kind, loser_ids, known(kind, gone | stamps)))
        records.run(statements)
    return moved


def _checked(kind: ObjectType, master: str, losers: Sequence[str]) -> tuple[str, list[str]]:
    """The ids in normal form, or why these records cannot be merged."""
    if kind.name not in MERGEABLE:
        raise SObjectError(400, "INVALID_TYPE_FOR_OPERATION", f"entity type {kind.name} does not support merge", [])
    if not 1 <= len(losers) <= _LOSERS:
        message = "Merge request must contain one or two records to merge into the master record"
        raise SObjectError(400, "INVALID_NUMBER_OF_MERGE_RECORDS", message, [])
    master_id, loser_ids = checked_id(kind, master), [checked_id(kind, each) for each in losers]
    if master_id in loser_ids or len(set(loser_ids)) < len(loser_ids):
        raise SObjectError(400, "INVALID_ID_FIELD", "A record cannot be merged with itself or twice", [])
    return master_id, loser_ids


def _moved_children(
    records: Writer, kind: ObjectType, master: str, losers: list[str], stamps: dict[str, Any]
) -> tuple[list[Statement], list[str]]:
    """Statements that hang the losers' children on the master, and the children's ids."""
    statements, moved = _repeated_members(records, kind, master, losers), dict[str, None]()
    dropped = {arguments[1] for sql, arguments in statements if DELETE_LOG in sql}
    for child, field in records.references_to(kind):
        # What is in the bin stays as it was deleted; a loser does not move under the master.
        live = "NOT IsDeleted AND " if child.find("IsDeleted") else ""
        sql = f"SELECT Id FROM {identifier(child.name)} WHERE {live}{identifier(field)} IN ({placeholders(losers)})"
        ids = [row[0] for row in records.select(sql, losers) if row[0] not in dropped and row[0] not in losers]
        own = [each for each in ids if each == master]
        others = [each for each in ids if each != master]
        for chosen, value in ((own, None), (others, master)):
            if chosen:
                statements.append(update_statement(child, chosen, known(child, {field: value} | stamps)))
                moved |= dict.fromkeys(chosen)
    return statements, list(moved)


def _repeated_members(records: Writer, kind: ObjectType, master: str, losers: list[str]) -> list[Statement]:
    """Remove the losers' memberships of campaigns that the master is a member of: a person is a member once."""
    member, field = records.objects["CampaignMember"], f"{kind.name}Id"
    if kind.name == "Account":
        return []
    sql = (
        f'SELECT Id FROM "CampaignMember" WHERE "{field}" IN ({placeholders(losers)}) AND NOT IsDeleted '
        f'AND CampaignId IN (SELECT CampaignId FROM "CampaignMember" WHERE "{field}" = ? AND NOT IsDeleted)'
    )
    rows = records.select(sql, [*losers, master])
    return [statement for row in rows for statement in records.removal(member, row[0])]
