"""What this machine knows before the org is asked: the org whose data is here, who connected, whether a run is on."""

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from data_contracts.errors import HomeBusyError, WarehouseError
from data_contracts.settings import Settings
from pipelines.connect import pinned_org
from pipelines.extract.state import prepare_state
from resources.home import Home
from resources.salesforce import ConnectionRecord, TokenStore


@dataclass(frozen=True)
class HomeFacts:
    """``pinned`` is the org id of the warehouse, empty before the first sync; ``unknown`` says why it is not told."""

    pinned: str = ""
    unknown: str = ""
    record: ConnectionRecord | None = None


def home_facts(home: Home, settings: Settings) -> HomeFacts:
    """Look into the home; while a run holds it, its org cannot be told."""
    record = TokenStore(home.root).record()
    try:
        with home.lock("crosswalk preflight"):
            return HomeFacts(pinned_org(home, settings), record=record)
    except HomeBusyError as error:
        holder = error.what.partition(" is in use by ")[2] or "another process"
        return HomeFacts(unknown=f"in use by {holder}", record=record)
    except WarehouseError as error:
        return HomeFacts(unknown=error.what, record=record)


def facts_in_run(con: DuckDBPyConnection, home: Home) -> HomeFacts:
    """Return the same inside a run, which holds the home and has its warehouse open."""
    prepare_state(con)
    rows = con.execute("SELECT org_id FROM _state.org").fetchall()
    return HomeFacts(str(rows[0][0]) if rows else "", record=TokenStore(home.root).record())
