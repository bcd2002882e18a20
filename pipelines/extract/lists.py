"""Which records are members of the list views named in the settings: ``salesforce.list_membership``."""

from datetime import UTC, datetime
from pathlib import Path

from duckdb import DuckDBPyConnection
from pydantic import BaseModel, ConfigDict

from data_contracts.contracts import load_contract
from data_contracts.errors import SettingsError
from data_contracts.settings import Settings
from pipelines.extract.download import land
from pipelines.extract.objects import api_name, table_name
from pipelines.extract.pages import LANDED_IDS, load_ids
from pipelines.extract.plan import REST_ROWS, match_key, soql_of
from pipelines.extract.selection import list_condition, resolve_lists
from pipelines.extract.submit import Progress, quiet
from pipelines.extract.usage import record_usage
from pipelines.run import RunContext
from pipelines.tables import ensure_table, transaction
from resources.home import Home
from resources.landing import LandedField, LandingFolder, Manifest
from resources.salesforce import SalesforceOrg
from resources.salesforce.rest import ListView
from resources.salesforce.usage import attributed_to


class LandedList(BaseModel):
    """One list view whose members are landed: the object's table name, the view, and the folder below landing."""

    model_config = ConfigDict(frozen=True)

    object_name: str
    list_id: str
    list_name: str
    landing: str


class LandedLists(BaseModel):
    """Every landed list of a run, kept beside the landing files for the step that loads them."""

    model_config = ConfigDict(frozen=True)

    lists: tuple[LandedList, ...]

    @staticmethod
    def path(home: Home, run: RunContext) -> Path:
        """Return the file of a run."""
        return home.landing / f"plan-{run.run_id}-lists.json"


def land_lists(
    org: SalesforceOrg, home: Home, settings: Settings, run: RunContext, progress: Progress = quiet
) -> LandedLists:
    """Land the Ids of the members of every named list view; no warehouse is needed.

    The list's own condition selects the Ids, so there is no cap on its length. Raises SettingsError for a list
    that is not there or shows a person's own records only.
    """
    landed: list[LandedList] = []
    for name, chosen in settings.objects.items():
        if not chosen.enabled:
            continue
        if chosen.selection.reports:
            raise SettingsError(
                f"objects.{name}.selection.reports names {len(chosen.selection.reports)} reports",
                why="membership by reports is not built yet; list views are",
                next_step=f"put a list view with the same filter into objects.{name}.selection.lists",
            )
        with attributed_to(name):
            for view in resolve_lists(org, name, chosen.selection.lists):
                folder = _land_ids(org, home, name, view)
                label = view.label or view.developer_name
                where = folder.path.relative_to(home.landing).as_posix()
                landed.append(LandedList(object_name=table_name(name), list_id=view.id, list_name=label, landing=where))
                progress(f"{name}: list {label} has {folder.manifest.records:,} members")
    found = LandedLists(lists=tuple(landed))
    LandedLists.path(home, run).write_text(found.model_dump_json())
    return found


def load_list_membership(con: DuckDBPyConnection, org: SalesforceOrg, home: Home, run: RunContext) -> int:
    """Replace ``salesforce.list_membership`` with what ``land_lists`` landed in this run; return its rows."""
    contract = load_contract("salesforce.list_membership")
    ensure_table(con, contract)
    landed = LandedLists.model_validate_json(LandedLists.path(home, run).read_text()).lists
    folders = [LandingFolder.open(home.landing / item.landing) for item in landed]
    with transaction(con):
        con.execute(f"DELETE FROM {contract.relation}").fetchall()
        rows = sum(_insert(con, item, folder) for item, folder in zip(landed, folders, strict=True))
        record_usage(con, org, run)
    for folder in folders:
        folder.mark_loaded(datetime.now(UTC))
    return rows


def _land_ids(org: SalesforceOrg, home: Home, name: str, view: ListView) -> LandingFolder:
    api, now = api_name(name), datetime.now(UTC)
    where = list_condition(org, name, view) or None
    count = org.count(api, where)
    soql = soql_of(["Id"], api, [where])
    rest = count <= REST_ROWS and org.rest.fits_in_url(soql)
    manifest = Manifest(
        org_id=org.identity().org_id,
        object=table_name(name),
        api_name=api,
        purpose="ids",
        kind="full",
        transport="rest" if rest else "bulk",
        soql=soql,
        fields=[LandedField(name="Id", type="VARCHAR")],
        api_version=org.api_version,
        match_key=match_key("list", view.id),
        restricted=True,
        since=None,
        until=org.server_time(),
        eligible=count,
        created_at=now,
        selection_key=view.id,
        job_id="" if rest else org.bulk.submit(soql, "query").id,
    )
    folder = LandingFolder.create(home.landing, manifest)
    land(org, folder)
    return folder


def _insert(con: DuckDBPyConnection, item: LandedList, folder: LandingFolder) -> int:
    load_ids(con, folder)
    inserted = con.execute(
        'INSERT INTO salesforce.list_membership BY NAME SELECT ? AS object_name, "Id" AS salesforce_id, '
        f"? AS list_id, ? AS list_name, 'list_view' AS kind FROM {LANDED_IDS}",
        [item.object_name, item.list_id, item.list_name],
    ).fetchall()
    return int(inserted[0][0])
