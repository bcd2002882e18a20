"""The reports of the org: their definitions, who may see them, their asynchronous runs.

Belongs here: state. A definition is the ``reportMetadata`` of one report: from the column ``ReportMetadata`` of
``Report.csv``, which is no field of Report afterwards, or posted. Not here: running, HTTP.
"""

import datetime as dt
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from apps.demo_org.errors import ApiError, DemoOrgError
from apps.demo_org.store import OrgStore, Visibility, make_id

_LISTED: Final = "SELECT Id, Name, DeveloperName, FolderName, OwnerId, Description FROM Report"
_COLUMN: Final = "ReportMetadata"
#: The folder of reports that only their owner sees.
PRIVATE_FOLDER: Final = "Private Reports"
KEPT: Final = dt.timedelta(hours=24)


@dataclass
class Instance:
    """One asynchronous run: ``New``, ``Running``, ``Success`` or ``Error``."""

    id: str
    report_id: str
    owner_id: str
    details: bool
    requested: dt.datetime
    status: str = "New"
    completed: dt.datetime | None = None
    result: dict[str, Any] | None = None
    error: str | None = None


@dataclass(frozen=True)
class Report:
    """A report a user may see: its record and its definition."""

    id: str
    name: str
    developer_name: str
    folder_name: str
    definition: dict[str, Any] = field(hash=False)


class ReportCatalog:
    """Safe to use from several threads."""

    def __init__(self, store: OrgStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._definitions = _take_definitions(store)
        self._instances: dict[str, Instance] = {}
        self._numbers = 0
        self._workers = ThreadPoolExecutor(2, thread_name_prefix="report")
        #: What each user looked at, the latest last.
        self._viewed: dict[str, list[str]] = {}

    def close(self) -> None:
        """Run no report any more."""
        self._workers.shutdown(wait=True, cancel_futures=True)

    def all(self, user: str, seen: Visibility) -> list[Report]:
        """Every report in a folder the user may open."""
        query = self._store.query(_LISTED, visibility=seen, user=user)
        try:
            records = query.records(0, 100_000)
        finally:
            query.close()
        mine = [each for each in records if each["FolderName"] != PRIVATE_FOLDER or each["OwnerId"] == user]
        return [self._report(each) for each in mine]

    def _report(self, record: dict[str, Any]) -> Report:
        name, developer, folder = (str(record[key] or "") for key in ("Name", "DeveloperName", "FolderName"))
        return Report(record["Id"], name, developer, folder, self._definitions.get(record["Id"], {}))

    def recent(self, user: str, seen: Visibility) -> list[Report]:
        """Up to 200 reports, the last viewed first, then the others by name."""
        order = {each: number for number, each in enumerate(self._viewed.get(user, []))}
        found = sorted(self.all(user, seen), key=lambda each: (-order.get(each.id, -1), each.name))
        return found[:200]

    def get(self, report_id: str, user: str, seen: Visibility) -> Report:
        """The report of that id; 404 where there is none, it is deleted, or its folder is closed to the user."""
        for each in self.all(user, seen):
            if each.id == report_id or each.id[:15] == report_id:
                self._view(user, each.id)
                return each
        raise ApiError(404, "NOT_FOUND", "The data you’re trying to access is unavailable.")

    def _view(self, user: str, report_id: str) -> None:
        with self._lock:
            viewed = self._viewed.setdefault(user, [])
            if report_id in viewed:
                viewed.remove(report_id)
            viewed.append(report_id)

    def create(self, definition: dict[str, Any], user: str) -> str:
        """Save a new report; its id."""
        name = str(definition.get("name") or "").strip()
        if not name:
            raise ApiError(400, "BAD_REQUEST", "The report name can’t be null.")
        developer_name = str(definition.get("developerName") or "_".join(name.split()))
        values = {"Name": name, "DeveloperName": developer_name, "FolderName": "Public Reports"}
        values["Format"] = str(definition.get("reportFormat") or "TABULAR").capitalize()
        report_id = self._store.add_record("Report", values, user)
        self._definitions[report_id] = {k: v for k, v in definition.items() if k not in ("id", "developerName")}
        return report_id

    def save(self, report: Report, definition: dict[str, Any]) -> None:
        """Change a saved report."""
        self._definitions[report.id] = {**report.definition, **definition}
        if definition.get("name"):
            self._store.update_where("Report", f"Id = '{report.id}'", {"Name": definition["name"]})

    def delete(self, report: Report) -> None:
        """Move a report to the recycle bin."""
        self._store.update_where("Report", f"Id = '{report.id}'", {"IsDeleted": True})

    # -- asynchronous runs

    def start(self, report: Report, user: str, run: Callable[[], dict[str, Any]], *, details: bool) -> Instance:
        """Run a report in the background."""
        with self._lock:
            self._numbers += 1
            now = self._store.now()
            instance = Instance(make_id("0LG", self._numbers), report.id, user, details, now)
            self._instances[instance.id] = instance
        self._workers.submit(self._run, instance, run)
        return instance

    def _run(self, instance: Instance, run: Callable[[], dict[str, Any]]) -> None:
        instance.status = "Running"
        try:
            instance.result, status = run(), "Success"
        except ApiError as error:
            instance.error, status = error.message, "Error"
        instance.completed, instance.status = self._store.now(), status

    def instances(self, report_id: str) -> list[Instance]:
        """The runs of a report in the last 24 hours, the newest first."""
        oldest = self._store.now() - KEPT
        with self._lock:
            found = [i for i in self._instances.values() if i.report_id == report_id and i.requested > oldest]
        return found[::-1]

    def instance(self, report_id: str, instance_id: str) -> Instance:
        """One run; 404 where there is none."""
        for each in self.instances(report_id):
            if each.id == instance_id or each.id[:15] == instance_id:
                return each
        raise ApiError(404, "NOT_FOUND", "The data you’re trying to access is unavailable.")

    def forget(self, instance: Instance) -> None:
        """Delete a run."""
        with self._lock:
            self._instances.pop(instance.id, None)


def _take_definitions(store: OrgStore) -> dict[str, dict[str, Any]]:
    """Read the definitions that came with the data, and take their column away: Report has no such field."""
    if store.object_type("Report").find(_COLUMN) is None:
        return {}
    query = store.query(f"SELECT Id, {_COLUMN} FROM Report")
    try:
        records = query.records(0, 100_000)
    finally:
        query.close()
    found = {each["Id"]: _definition(each) for each in records if each[_COLUMN]}
    store.remove_field("Report", _COLUMN)
    return found


def _definition(record: dict[str, Any]) -> dict[str, Any]:
    try:
        found = json.loads(record[_COLUMN])
    except json.JSONDecodeError as error:
        found, why = None, str(error)
    else:
        why = "it is not a JSON object"
    if not isinstance(found, dict):
        raise DemoOrgError(
            f"Report.csv: the {_COLUMN} of report {record['Id']} cannot be read.",
            why=why,
            next_step='Write a JSON object such as {"reportType": "Account", "detailColumns": ["ACCOUNT_ID"]}.',
        )
    return found
