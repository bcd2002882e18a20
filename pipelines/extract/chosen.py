"""Records chosen by their Ids, where reports select: which jobs fetch them, and what is kept when they are loaded.

Beside its conditions a folder of such jobs is like any other; how Ids are named is ``pipelines.extract.entered``.
"""

from collections.abc import Sequence
from datetime import datetime

from duckdb import DuckDBPyConnection

from data_contracts.errors import ReconciliationError
from data_contracts.settings import Settings
from pipelines.extract.batch import Batch
from pipelines.extract.entered import IDS_A_JOB, MOST_JOBS, in_conditions, listed, outside, stored
from pipelines.extract.fields import cursor_field
from pipelines.extract.jobs import pending
from pipelines.extract.landed_ids import union_ids
from pipelines.extract.lists import land_lists
from pipelines.extract.objects import table_name
from pipelines.extract.pages import LANDED_IDS, load_ids
from pipelines.extract.plan import JobRequest, delta_condition, match_key
from pipelines.extract.reconcile import FEW, SHARE
from pipelines.extract.split import submit_parts
from pipelines.run import RunContext
from pipelines.tables import scalar
from resources.home import Home
from resources.landing import JobPart, LandingFolder
from resources.salesforce import SalesforceOrg


def chosen_ids(org: SalesforceOrg, home: Home, settings: Settings, run: RunContext, name: str) -> LandingFolder:
    """Return the landed Ids of the records that the lists and reports of an object select now."""
    found = land_lists(org, home, settings, run)
    return union_ids(org, home, name, found.folders_of(home, table_name(name)), "chosen")


def land_chosen(
    con: DuckDBPyConnection, org: SalesforceOrg, home: Home, request: JobRequest, ids: LandingFolder, now: datetime
) -> LandingFolder:
    """Return the folder of the jobs that fetch the chosen records, submitted, or the one a killed run left.

    Records that left the choice are asked for too: where they were deleted, they are marked so and not removed.
    """
    manifest = request.manifest(org.identity().org_id, org.api_version, now)
    wheres = _conditions(con, request, ids)
    manifest.chosen, manifest.parts = True, [JobPart(where=where) for where in wheres]
    manifest.match_key = match_key(manifest.match_key, wheres)
    mark = request.known.watermark
    if found := pending(org, home, manifest.object, manifest.match_key, mark.covered_until if mark else None, now):
        return found
    if not wheres:
        manifest.records = 0
    folder = LandingFolder.create(home.landing, manifest)
    submit_parts(org, folder)
    return folder


def parts_of(con: DuckDBPyConnection, request: JobRequest, ids: LandingFolder) -> int:
    """Return how many jobs fetch the chosen records."""
    return len(_conditions(con, request, ids))


def _conditions(con: DuckDBPyConnection, request: JobRequest, ids: LandingFolder) -> list[str]:
    """Return one condition per job; no record meets two of them."""
    load_ids(con, ids)
    held = stored(con, request.known.name)
    cursor = cursor_field(field.name for field in request.fields())
    if request.since is None or cursor is None:
        either = f'SELECT "Id" FROM {LANDED_IDS} UNION SELECT "Id" FROM ({held})'
        return in_conditions(listed(con, either)) if _count(con, either) <= IDS_A_JOB * MOST_JOBS else [""]
    bounds = delta_condition(cursor, request.since, request.until)
    entered = listed(con, f'SELECT "Id" FROM {LANDED_IDS} EXCEPT SELECT "Id" FROM ({held})')
    if _count(con, held) <= IDS_A_JOB:
        kept = [f"({bounds}) AND {where}" for where in in_conditions(listed(con, held))]
        return kept + _few(entered, "")
    return [bounds, *_few(entered, outside(cursor, request.since, request.until))]


def _few(entered: Sequence[str], also: str) -> list[str]:
    """Conditions for Ids that entered; one for everything where they are too many to name."""
    if len(entered) > IDS_A_JOB * MOST_JOBS:
        return [also or "Id != null"]
    return [f"{where} AND {also}" if also else where for where in in_conditions(entered)]


def keep_chosen(batch: Batch, fetched: int) -> int:
    """Leave out of the incoming rows what was not chosen; return how many are left.

    A deleted record stays where it is stored: it is marked. Raises ReconciliationError when more chosen records are
    nowhere than can have gone for good since they were listed.
    """
    if not batch.manifest.chosen or batch.ids is None:
        return fetched
    con = batch.con
    load_ids(con, batch.ids)
    known = f'"Id" IN (SELECT "Id" FROM {batch.stored})'
    left_out = f'"Id" NOT IN (SELECT "Id" FROM {LANDED_IDS}) AND NOT (_is_deleted AND {known})'
    con.execute(f"DELETE FROM {batch.incoming} WHERE {left_out}").fetchall()
    held = f'SELECT "Id" FROM {batch.incoming}'
    if batch.manifest.kind == "delta":
        held += f' UNION ALL SELECT "Id" FROM {batch.stored}'
    missing = scalar(con, f'SELECT count(*) FROM {LANDED_IDS} WHERE "Id" NOT IN ({held})')
    if missing > max(FEW, int(SHARE * batch.manifest.eligible)):
        raise ReconciliationError(
            f"{batch.manifest.api_name}: {missing:,} of {batch.manifest.eligible:,} chosen records did not arrive",
            why="the lists and reports name them, and the org does not show them to this user by a query",
            next_step=f"check with crosswalk preflight, then run: crosswalk sync --object {batch.manifest.object}",
        )
    return scalar(con, f"SELECT count(*) FROM {batch.incoming}")


def _count(con: DuckDBPyConnection, query: str) -> int:
    return scalar(con, f"SELECT count(*) FROM ({query})")
