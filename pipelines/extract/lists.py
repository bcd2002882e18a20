"""Which records are members of the list views and reports named in the settings: ``salesforce.list_membership``."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from duckdb import DuckDBPyConnection
from pydantic import BaseModel, ConfigDict

from data_contracts.contracts import load_contract
from data_contracts.settings import Settings
from pipelines.extract.download import land
from pipelines.extract.jobs import pending, submit_or_rest
from pipelines.extract.landed_ids import days_of, id_manifest, land_known_ids, read_ids
from pipelines.extract.objects import api_name, table_name
from pipelines.extract.pages import LANDED_IDS, load_ids
from pipelines.extract.plan import REST_ROWS
from pipelines.extract.progress import Progress, quiet
from pipelines.extract.report_shape import read_shape
from pipelines.extract.report_slices import ReportReader
from pipelines.extract.selection import list_condition, resolve_lists, resolve_reports
from pipelines.extract.usage import record_usage
from pipelines.run import RunContext
from pipelines.tables import ensure_table, transaction
from resources.files import write_atomically
from resources.home import Home
from resources.landing import LandingFolder
from resources.salesforce import SalesforceOrg
from resources.salesforce.reports import ReportName
from resources.salesforce.rest import ListView
from resources.salesforce.usage import attributed_to


class LandedList(BaseModel):
    """One list whose members are landed: the object's table name, the list view or report, the folder in landing."""

    model_config = ConfigDict(frozen=True)

    object_name: str
    list_id: str
    list_name: str
    landing: str
    kind: Literal["list_view", "report"] = "list_view"


class LandedLists(BaseModel):
    """Every landed list of a run, kept beside the landing files for the step that loads them."""

    model_config = ConfigDict(frozen=True)

    lists: tuple[LandedList, ...]
    settings_hash: str = ""

    @staticmethod
    def path(home: Home, run: RunContext) -> Path:
        """Return the file of a run."""
        return home.landing / f"plan-{run.run_id}-lists.json"

    @classmethod
    def of(cls, home: Home, run: RunContext) -> "LandedLists":
        """Return what ``land_lists`` landed in this run, nothing where it has not run."""
        path = cls.path(home, run)
        return cls.read(path) if path.is_file() else cls(lists=())

    @classmethod
    def read(cls, path: Path) -> "LandedLists":
        """Read such a file."""
        return cls.model_validate_json(path.read_text())

    def folders_of(self, home: Home, name: str) -> list[LandingFolder]:
        """Return the folders with the members of an object's lists."""
        return [LandingFolder.open(home.landing / item.landing) for item in self.lists if item.object_name == name]


def land_lists(
    org: SalesforceOrg, home: Home, settings: Settings, run: RunContext, progress: Progress = quiet
) -> LandedLists:
    """Land the Ids of the members of every named list view and report; no warehouse is needed.

    A list view's own condition selects the Ids, so there is no cap on its length; a report is cut into slices until
    none is truncated. What this run has landed already is not asked for again. Raises SettingsError for a list that
    is not there, shows a person's own records only, or cannot be read completely.
    """
    before = LandedLists.of(home, run)
    if before.settings_hash == settings.hash():
        return before
    landed: list[LandedList] = []
    for name, chosen in settings.objects.items():
        if not chosen.enabled:
            continue
        with attributed_to(name):
            for view in resolve_lists(org, name, chosen.selection.lists):
                landed.append(_land_view(org, home, name, view))
            for report in resolve_reports(org, name, chosen.selection.reports):
                landed.append(_land_report(org, home, name, report, progress))
    for item in landed:
        members = LandingFolder.open(home.landing / item.landing).manifest.records
        progress(f"{item.object_name}: {item.kind.replace('_', ' ')} {item.list_name} has {members:,} members")
    found = LandedLists(lists=tuple(landed), settings_hash=settings.hash())
    write_atomically(LandedLists.path(home, run), found.model_dump_json())
    return found


def load_list_membership(
    con: DuckDBPyConnection, org: SalesforceOrg, home: Home, run: RunContext, kept: Collection[str] = ()
) -> int:
    """Replace ``salesforce.list_membership`` with what ``land_lists`` landed in this run; return its rows.

    Rows of the objects ``kept`` (table names), which are switched off, stay as they are.
    """
    contract = load_contract("salesforce.list_membership")
    ensure_table(con, contract)
    landed = LandedLists.model_validate_json(LandedLists.path(home, run).read_text()).lists
    folders = [LandingFolder.open(home.landing / item.landing) for item in landed]
    with transaction(con):
        old = f"DELETE FROM {contract.relation} WHERE NOT list_contains(?::VARCHAR[], object_name)"
        con.execute(old, [list(kept)]).fetchall()
        rows = sum(_insert(con, item, folder) for item, folder in zip(landed, folders, strict=True))
        record_usage(con, org, run)
    for folder in folders:
        folder.mark_loaded(datetime.now(UTC))
    return rows


def land_query_ids(org: SalesforceOrg, home: Home, name: str, where: str | None, key: str) -> LandingFolder:
    """Land the Ids of the live records of an object that meet a condition, by REST or Bulk; no cap."""
    count = org.count(api_name(name), where)
    manifest = id_manifest(org, name, where, key, count)
    folder = pending(org, home, manifest.object, manifest.match_key, None, manifest.created_at)
    if folder is None or folder.manifest.soql != manifest.soql or _handed_on(home, folder):
        manifest.transport = "rest" if count <= REST_ROWS and org.rest.fits_in_url(manifest.soql) else "bulk"
        folder = LandingFolder.create(home.landing, manifest)
        if manifest.transport == "bulk":
            submit_or_rest(org, folder)
    land(org, folder)
    return folder


def _handed_on(home: Home, folder: LandingFolder) -> bool:
    """Whether a run got as far as using these members: the next one asks who is on the list now."""
    where = folder.path.relative_to(home.landing).as_posix()
    files = home.landing.glob("plan-*-lists.json")
    return any(where == item.landing for file in files for item in LandedLists.read(file).lists)


def _land_view(org: SalesforceOrg, home: Home, name: str, view: ListView) -> LandedList:
    folder = land_query_ids(org, home, name, list_condition(org, name, view) or None, view.id)
    return _landed(home, name, folder, view.id, view.label or view.developer_name, "list_view")


def _land_report(org: SalesforceOrg, home: Home, name: str, report: ReportName, progress: Progress) -> LandedList:
    api, reports = api_name(name), org.reports
    prefix = str(org.describe(api).get("keyPrefix") or "")
    shape = read_shape(report, reports.describe(report.id), name, api, prefix)

    def ladder(field: str) -> Sequence[str]:
        progress(f"{name}: report {report.name} is longer than one answer; it is read in slices")
        # The object's own Ids say where to cut; where only the creation date can be filtered, its days do.
        if field != "Id":
            return days_of(org, api)
        every = land_query_ids(org, home, name, None, "ladder")
        every.abandon("read once")
        return read_ids(every)

    reader = ReportReader(shape, lambda metadata: reports.run(report.id, metadata), ladder, reports.runs_left)
    folder = land_known_ids(org, home, name, reader.members(), report.id)
    return _landed(home, name, folder, report.id, report.name or report.developer_name, "report")


def _landed(
    home: Home, name: str, folder: LandingFolder, list_id: str, label: str, kind: Literal["list_view", "report"]
) -> LandedList:
    where = folder.path.relative_to(home.landing).as_posix()
    return LandedList(object_name=table_name(name), list_id=list_id, list_name=label, landing=where, kind=kind)


def _insert(con: DuckDBPyConnection, item: LandedList, folder: LandingFolder) -> int:
    load_ids(con, folder)
    inserted = con.execute(
        'INSERT INTO salesforce.list_membership BY NAME SELECT ? AS object_name, "Id" AS salesforce_id, '
        f"? AS list_id, ? AS list_name, ? AS kind FROM {LANDED_IDS}",
        [item.object_name, item.list_id, item.list_name, item.kind],
    ).fetchall()
    return int(inserted[0][0])
