"""The warehouse's live records against the org's own count, inside the transaction of the load.

A difference is explained, record by record where that is possible, or the load is undone.
"""

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from data_contracts.errors import ReconciliationError
from pipelines.tables import scalar
from resources.landing import Manifest, OrgCount

#: Records that may have gone for good without the org's log telling of them: this many, or this share of all.
FEW, SHARE = 10, 0.001
_AMONG = "IN (SELECT unnest(?::VARCHAR[]))"


@dataclass(frozen=True)
class Reconciliation:
    """Both counts of live records of the selection, and why they differ.

    ``surplus`` are records of the warehouse that the org no longer has: the next run compares every Id.
    """

    org_count: int
    warehouse_count: int
    explanation: str = ""
    surplus: int = 0

    @property
    def difference(self) -> int:
        """Records the warehouse has more than the org."""
        return self.warehouse_count - self.org_count


def reconcile(con: DuckDBPyConnection, stored: str, manifest: Manifest) -> Reconciliation | None:
    """Compare the table ``stored`` with what the org counted; None for a job landed without a count.

    Records that changed since the watermark are left out on both sides: whether the pages hold them is a matter of
    moments. Where they are too many to name, the warehouse may hold any number of them. What was deleted for good is
    still in the warehouse, and the next run compares every Id. Raises ReconciliationError
    when records are missing, or more are left over than can have gone for good.
    """
    count = manifest.org_count
    if count is None:
        return None
    held = scalar(con, f"SELECT count(*) FROM {stored} WHERE NOT _is_deleted")
    compared, more, gone = held, count.unsettled_count, _named(con, stored, count.gone)
    if count.unsettled is not None:
        compared, more = held - _named(con, stored, [*count.unsettled, *(count.gone if count.gone_for_sure else [])]), 0
    least = count.settled - count.racing - count.moved - manifest.forgotten
    if compared < least:
        raise _missing(manifest, least - compared, count, held)
    left = max(0, compared - count.settled - count.moved - more)
    known = count.gone_for_sure and count.unsettled is not None
    surplus, unseen = (left + gone, left) if known else (left, left - gone)
    if unseen > max(FEW, int(SHARE * held)):
        raise _left_over(manifest, unseen, count, held)
    return Reconciliation(count.live, held, _explained(count, held, surplus, manifest.forgotten), surplus)


def _named(con: DuckDBPyConnection, stored: str, ids: list[str]) -> int:
    """Return how many of these are live records of the warehouse; the org may give Ids of 15 characters."""
    whole = {identifier for identifier in ids if len(identifier) == 18}
    short = {identifier[:15] for identifier in ids} - {identifier[:15] for identifier in whole}
    # Cutting every stored Id costs as much as the rest of the comparison.
    found = [f'"Id" {_AMONG}'] * bool(whole) + [f'"Id"[:15] {_AMONG}'] * bool(short)
    given = [sorted(part) for part in (whole, short) if part]
    return sum(
        scalar(con, f"SELECT count(*) FROM {stored} WHERE NOT _is_deleted AND {condition}", [part])
        for condition, part in zip(found, given, strict=True)
    )


def _explained(count: OrgCount, held: int, surplus: int, forgotten: int = 0) -> str:
    """Say why the counts differ; empty where they do not and nothing is left to do."""
    if held == count.live and not surplus:
        return ""
    reasons = []
    if count.unsettled_count:
        since = count.bound.strftime("%Y-%m-%d %H:%M:%S")
        reasons.append(f"{count.unsettled_count:,} records changed since {since} UTC; the next delta has them")
    if forgotten:
        reasons.append(f"{forgotten:,} are kept out, since somebody was forgotten here")
    if count.moved:
        reasons.append(f"the org's count moved by {count.moved:,} during the run")
    if surplus:
        reasons.append(f"{surplus:,} went for good, or are hidden from the user; the next run compares every Id")
    return "; ".join(reasons) or "records changed while the org was counting"


def _missing(manifest: Manifest, missing: int, count: OrgCount, held: int) -> ReconciliationError:
    return ReconciliationError(
        f"{manifest.api_name}: {missing:,} records are missing: the org counts {count.live:,}, the warehouse would "
        f"hold {held:,}",
        why=f"{missing:,} of them did not change since {count.bound:%Y-%m-%d %H:%M:%S} UTC and did not arrive",
        next_step=f"run: crosswalk sync --object {manifest.object}; it reads the whole object again, "
        "and the last good data stays until then",
    )


def _left_over(manifest: Manifest, surplus: int, count: OrgCount, held: int) -> ReconciliationError:
    return ReconciliationError(
        f"{manifest.api_name}: the org counts {count.live:,} records, the warehouse would hold {held:,}: "
        f"{surplus:,} too many",
        why="so many cannot have gone for good unseen; the user's access may have been narrowed",
        next_step=f"check with crosswalk preflight, then run: crosswalk sync --object {manifest.object}; it reads the "
        "whole object again, and the last good data stays until then",
    )
