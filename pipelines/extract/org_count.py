"""What the org itself counts once the pages have landed: the other side of the reconciliation.

Comparing it with the warehouse, in the transaction of the load, is ``pipelines.extract.reconcile``.
"""

from data_contracts.contracts import literal
from pipelines.extract.fields import cursor_field
from pipelines.extract.plan import joined
from pipelines.extract.selection import soql_time
from resources.landing import LandingFolder, Manifest, OrgCount
from resources.salesforce import SalesforceOrg

#: Up to this many Ids of records that changed since are fetched, so that the comparison is exact.
MANY = 10_000
#: Ids that fit the URL of one query.
MOST_NAMED = 250


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
    # In this order: what changes between the two calls is in both, and stamped no earlier than the first.
    began = org.server_time()
    settled = _count(org, manifest, f"{cursor} < {soql_time(bound)}")
    total, ids, racing = _changed(org, manifest, cursor, f"{cursor} >= {soql_time(bound)}", soql_time(began))
    if racing:
        # Stamps are of whole seconds: only a second count tells how many changed between the two calls.
        racing = max(0, settled - _count(org, manifest, f"{cursor} < {soql_time(bound)}"))
    gone = org.replication.deleted_ids(manifest.api_name, manifest.since or bound, org.server_time()) or []
    known = {identifier[:15] for identifier in ids or []}
    gone = [identifier for identifier in gone if identifier[:15] not in known]
    sure = len(gone) <= MOST_NAMED
    if gone and sure:
        # One that was taken out of the recycle bin again is not gone.
        names = ", ".join(literal(identifier) for identifier in gone)
        _, alive = org.rest.first_page(f"SELECT Id FROM {manifest.api_name} WHERE Id IN ({names})")
        back = {str(record["Id"])[:15] for record in alive}
        gone = [identifier for identifier in gone if identifier[:15] not in back]
    count = OrgCount(
        asked_at=asked,
        bound=bound,
        live=live,
        settled=settled,
        unsettled=ids,
        unsettled_count=total,
        gone=gone[:MANY],
        gone_for_sure=sure,
        racing=racing,
        moved=moved,
    )
    _keep(folder, count)


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
