"""What the org keeps for replication: up to where changes are complete (``getUpdated``), and what was deleted.

Reading only; what a watermark does with it is ``pipelines.extract.watermark``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from data_contracts.errors import QuotaError, SalesforceError
from resources.salesforce.session import OrgSession

#: The Ids of a longer window are of no use here, and there may be 600,000 of them.
WINDOW = timedelta(minutes=2)
#: The org answers 400 for an object that is not replicateable or a window it no longer has, 403 without permission.
NOT_TOLD = frozenset({400, 403, 404})


#: The log of deletions reaches back this far; an hour is left for the clocks.
REACH = timedelta(days=15) - timedelta(hours=1)


@dataclass(frozen=True)
class DeletionLog:
    """Ids deleted since ``since``, those gone for good too, with the time of their deletion.

    ``complete`` is false where the log was asked from too long ago, or was purged since.
    """

    records: Mapping[str, datetime]
    since: datetime
    complete: bool


class ReplicationApi:
    """``/sobjects/{object}/updated`` and ``/deleted`` of one org and API version."""

    def __init__(self, session: OrgSession, api_version: str) -> None:
        self.session, self.base = session, f"/services/data/v{api_version}/sobjects"

    def latest_date_covered(self, object_api_name: str, now: datetime) -> datetime | None:
        """Return up to when every change is committed and visible, None where the org does not tell.

        ``now`` is the org's own time. While a transaction is open this is the time at which it began.
        """
        body = self._read(object_api_name, "updated", now - WINDOW, now)
        covered = (body or {}).get("latestDateCovered")
        return datetime.fromisoformat(str(covered)).astimezone(UTC) if covered else None

    def deleted(self, object_api_name: str, since: datetime, now: datetime) -> DeletionLog | None:
        """Return what was deleted in the window; None where the org does not tell.

        The org refuses a window shorter than a minute, and one that begins before its log does.
        """
        latest = now - WINDOW
        start = min(max(since, now - REACH), latest)
        body = self._read(object_api_name, "deleted", start, now)
        if body is None and start < latest:
            # The log may have been purged since: it says how far back it reaches to who asks for less.
            body = self._read(object_api_name, "deleted", latest, now)
            start = _reach(body, latest)
            body = self._read(object_api_name, "deleted", start, now) if body else None
        records = (body or {}).get("deletedRecords")
        if body is None or not isinstance(records, list):
            return None
        known = {str(record["id"]): _utc(record["deletedDate"]) for record in records}
        earliest = body.get("earliestDateAvailable")
        return DeletionLog(known, start, start <= since and (not earliest or _utc(earliest) <= since))

    def _read(self, name: str, what: str, start: datetime, end: datetime) -> dict[str, object] | None:
        window = {"start": _moment(start), "end": _moment(end)}
        try:
            answer = self.session.read(f"{self.base}/{name}/{what}", f"list {what} records of {name}", params=window)
            body = answer.json()
        except QuotaError:
            raise
        except SalesforceError as error:
            if error.status not in NOT_TOLD:
                raise
            return None
        except ValueError:
            return None
        return body if isinstance(body, dict) else None


def _reach(body: Mapping[str, object] | None, latest: datetime) -> datetime:
    """Return from where the log can be asked."""
    earliest = (body or {}).get("earliestDateAvailable")
    # Seconds are ignored by the org: the next whole minute is not before its log.
    return min(_utc(earliest) + timedelta(minutes=1), latest) if earliest else latest


def _utc(text: object) -> datetime:
    return datetime.fromisoformat(str(text)).astimezone(UTC)


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
