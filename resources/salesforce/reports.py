"""The Reports API: find a report, describe it, run it with more filters. Nothing of a report is ever saved.

What its rows mean and how a truncated result is cut is ``pipelines.extract.report_slices``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from data_contracts.errors import SalesforceError
from resources.salesforce.rest import RestApi

_ID = re.compile(r"00O[0-9A-Za-z]{12}([0-9A-Za-z]{3})?")
#: What an hour allows where the org does not tell (Reports and Dashboards REST API limits).
USUAL_RUNS = 500


@dataclass(frozen=True)
class ReportName:
    """One report: its 18-character id, the name people see and its API name."""

    id: str
    name: str
    developer_name: str


class ReportsApi:
    """Reading calls about reports of one org."""

    def __init__(self, rest: RestApi) -> None:
        self.rest = rest
        self.base = f"{rest.base}/analytics/reports"

    def find(self, wanted: str) -> ReportName | None:
        """Return the report with this id (15 or 18 characters), developer name or name; None where there is none.

        Asked by SOQL: the resource itself lists only the reports viewed last. An id wins over a developer name, and
        that over a name; a name that several reports have is none.
        """
        text = wanted.replace("\\", "\\\\").replace("'", "\\'")
        either = [f"DeveloperName = '{text}'", f"Name = '{text}'"]
        if _ID.fullmatch(wanted):
            either = [f"Id = '{wanted}'"]
        for condition in either:
            pages = self.rest.query(f"SELECT Id, Name, DeveloperName FROM Report WHERE {condition}")
            found = [record for page in pages for record in page]
            if len(found) == 1:
                return ReportName(*(str(found[0].get(key) or "") for key in ("Id", "Name", "DeveloperName")))
        return None

    def describe(self, report_id: str) -> dict[str, Any]:
        """Return ``reportMetadata``, ``reportExtendedMetadata`` and, from API 30, ``reportTypeMetadata``."""
        path = f"{self.base}/{report_id}/describe"
        return cast("dict[str, Any]", self.rest.session.read_json(path, f"describe report {report_id}"))

    def run(self, report_id: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Run a report now under ``metadata``, with its rows; it is run, not changed.

        Raises SalesforceError, also where more runs were asked for than an hour allows.
        """
        session = self.rest.session
        response = session.request(
            "POST",
            session.url(f"{self.base}/{report_id}"),
            params={"includeDetails": "true"},
            json={"reportMetadata": dict(metadata)},
            action=f"run report {report_id}",
        )
        try:
            return cast("dict[str, Any]", response.json())
        except ValueError:
            raise SalesforceError(f"the answer of report {report_id} is not JSON") from None

    def runs_left(self) -> int:
        """Return how many reports may still be run this hour; the documented number where the org does not tell."""
        try:
            limit = self.rest.limits().get("HourlySyncReportRuns")
        except SalesforceError as error:
            # Seeing limits needs a permission of its own; the org refuses by itself what is too much.
            if error.status != 403:
                raise
            return USUAL_RUNS
        return limit.left if limit else USUAL_RUNS
