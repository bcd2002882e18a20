"""What the org keeps for replication: up to where changes are complete (``getUpdated``), and what was deleted.

Reading only; what a watermark does with it is ``pipelines.extract.watermark``.
"""

from datetime import UTC, datetime, timedelta

from data_contracts.errors import QuotaError, SalesforceError
from resources.salesforce.session import OrgSession

#: The Ids of a longer window are of no use here, and there may be 600,000 of them.
WINDOW = timedelta(minutes=2)
#: The org answers 400 for an object that is not replicateable or a window it no longer has, 403 without permission.
NOT_TOLD = frozenset({400, 403, 404})


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

    def deleted_ids(self, object_api_name: str, since: datetime, now: datetime) -> list[str] | None:
        """Return the Ids deleted in the window, those gone for good too; None where the org does not tell.

        The org refuses a window shorter than a minute.
        """
        body = self._read(object_api_name, "deleted", min(since, now - WINDOW), now)
        records = (body or {}).get("deletedRecords")
        return [str(record["id"]) for record in records] if isinstance(records, list) else None

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


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
