"""What the org itself counts once the pages have landed: the other side of the reconciliation.

Comparing it with the warehouse, in the transaction of the load, is ``pipelines.extract.reconcile``.
"""

from datetime import datetime
from typing import Any

import duckdb

from data_contracts.contracts import literal
from pipelines.extract.fields import cursor_field
from pipelines.extract.pages import check_headers, read_csv
from pipelines.extract.plan import joined
from pipelines.extract.selection import soql_time
from resources.landing import LandingFolder, Manifest, OrgCount
from resources.salesforce import SalesforceOrg
from resources.salesforce.replication import DeletionLog

#: Up to this many Ids of records that changed since are fetched, so that the comparison is exact.
MANY = 50_000
#: Ids that fit the URL of one query, and how many are looked for at most.
MOST_NAMED, MOST_CHECKED = 250, 2_000


def count_org(org: SalesforceOrg, folder: LandingFolder, stored: int | None = None) -> None:
    """Ask the org for its counts and keep them in the manifest.

    ``stored`` are the live records of the warehouse. Where nothing is to be loaded and the org counts as many, one
    call says it all. Otherwise three: all records, those without a change since the watermark, the Ids of the others;
    and one or two for what was deleted for good.
    """
    manifest = folder.manifest
    bound = manifest.covered or manifest.until
    asked = org.server_time()
    live = _count(org, manifest)
    if manifest.kind == "delta" and manifest.records == 0 and stored == live:
        _keep(folder, OrgCount(asked_at=asked, bound=bound, live=live, settled=live))
        return
    cursor = cursor_field(field.name for field in manifest.fields)
    moved = abs(live - manifest.eligible) if manifest.restricted or cursor is None else 0
    if cursor is None:
        _keep(folder, OrgCount(asked_at=asked, bound=bound, live=live, settled=live, moved=moved))
        return
    # The log first: what it says is gone, no later count has. The other way round a record deleted in between would
    # be counted as there and taken for gone, and so for one that is missing.
    log = org.replication.deleted(manifest.api_name, _deleted_since(manifest), org.server_time())
    # In this order: what changes between the two calls is in both, and stamped no earlier than the first.
    began = org.server_time()
    settled = _count(org, manifest, f"{cursor} < {soql_time(bound)}")
    total, ids, racing = _changed(org, manifest, cursor, f"{cursor} >= {soql_time(bound)}", soql_time(began))
    if racing:
        # Stamps are of whole seconds: only a second count tells how many changed between the two calls.
        racing = max(0, settled - _count(org, manifest, f"{cursor} < {soql_time(bound)}"))
    count = OrgCount(
        asked_at=asked,
        bound=bound,
        live=live,
        settled=settled,
        unsettled=ids,
        unsettled_count=total,
        racing=racing,
        moved=moved,
    )
    _keep(folder, count.model_copy(update=_deletions(org, folder, log, ids or []) if log else {}))


def _deleted_since(manifest: Manifest) -> datetime:
    return manifest.deleted_since or manifest.since or manifest.covered or manifest.until


def _deletions(org: SalesforceOrg, folder: LandingFolder, log: DeletionLog, changed: list[str]) -> dict[str, Any]:
    """Say what the org's log of deletions names, and ask which of it is live again or in the recycle bin.

    What changed since the bound, and in a delta what arrived as deleted, is known without. A full job's rows tell all
    that was deleted before it by their absence: there the log only says when.
    """
    manifest = folder.manifest
    bound = manifest.covered or manifest.until
    # Most days nothing was deleted, and the pages need not be read for it.
    arrived = _arrived_deleted(folder) if log.records else set()
    known = {identifier[:15] for identifier in changed} | arrived
    found = {key: moment for key, moment in log.records.items() if key[:15] not in known}
    settled = manifest.kind == "full" and not manifest.restricted
    asked = [key for key, moment in found.items() if not settled or moment >= bound]
    sure = len(asked) <= MOST_CHECKED
    in_bin, back = _looked_for(org, manifest, asked) if sure else (set(), set())
    gap = f"the org's log of deletions reaches back to {log.since:%Y-%m-%d %H:%M} UTC only"
    return {
        "gone": [key for key in asked if key[:15] not in back][:MANY],
        "gone_for_sure": sure,
        "gone_at": dict(list(found.items())[:MANY]),
        "in_bin": sorted(in_bin),
        "log_gap": "" if log.complete else gap,
    }


def _looked_for(org: SalesforceOrg, manifest: Manifest, ids: list[str]) -> tuple[set[str], set[str]]:
    """Return which of these Ids (15 characters) are in the recycle bin, and which are live."""
    knows_deleted = any(field.name == "IsDeleted" for field in manifest.fields)
    fields = "Id, IsDeleted" if knows_deleted else "Id"
    in_bin: set[str] = set()
    live: set[str] = set()
    for at in range(0, len(ids), MOST_NAMED):
        names = ", ".join(map(literal, ids[at : at + MOST_NAMED]))
        soql = f"SELECT {fields} FROM {manifest.api_name} WHERE Id IN ({names})"
        _, records = org.rest.first_page(soql, include_deleted=knows_deleted)
        for record in records:
            (in_bin if record.get("IsDeleted") else live).add(str(record["Id"])[:15])
    return in_bin, live


def _arrived_deleted(folder: LandingFolder) -> set[str]:
    """Ids (15 characters) of a delta's rows that say themselves that they are deleted."""
    manifest = folder.manifest
    names = {field.name for field in manifest.fields}
    files = check_headers(folder) if manifest.kind == "delta" and "IsDeleted" in names else []
    if not files:
        return set()
    with duckdb.connect() as con:
        source = read_csv(files, manifest.fields)
        rows = con.execute(f'SELECT "Id"[:15] FROM {source} WHERE lower("IsDeleted") = \'true\'').fetchall()
    return {str(row[0]) for row in rows}


def _keep(folder: LandingFolder, count: OrgCount) -> None:
    with folder.changing() as manifest:
        manifest.org_count = count


def _count(org: SalesforceOrg, manifest: Manifest, bound: str = "") -> int:
    """Live records of the selection. Archived ones are live too, and only queryAll counts them."""
    knows_deleted = any(field.name == "IsDeleted" for field in manifest.fields)
    where = joined([manifest.condition, bound, "IsDeleted = false" if knows_deleted else None])
    return org.count(manifest.api_name, where, include_deleted=knows_deleted)


def _changed(
    org: SalesforceOrg, manifest: Manifest, cursor: str, bound: str, began: str
) -> tuple[int, list[str] | None, int]:
    """Return how many records changed since the bound, deleted ones too, their Ids, and how many while we counted.

    Without the selection: a record may have left it.
    """
    soql = f"SELECT Id, {cursor} FROM {manifest.api_name} WHERE {bound}"
    total, records = org.rest.first_page(soql, include_deleted=True)
    if total > MANY:
        return total, None, 0
    if total > len(records):
        records = [record for page in org.rest.query(soql, include_deleted=True) for record in page]
    racing = sum(1 for record in records if str(record[cursor])[:19] >= began[:19])
    return total, [str(record["Id"]) for record in records], racing
