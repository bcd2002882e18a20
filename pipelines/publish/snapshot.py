"""Write, audit, publish: the snapshot analysts read, built beside the old one and put in its place by one rename.

What is in it is ``published_tables``; whether the data may be published at all was decided by the blocking checks
before. A live DuckDB file is never opened, copied or hashed by other means than DuckDB: closing any descriptor of it
would drop the lock of this process, and another writer's rows would be lost.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from data_contracts.errors import WarehouseError
from data_contracts.settings import Publish
from pipelines.publish.earlier import narrow_earlier
from pipelines.publish.published_tables import published_tables
from pipelines.publish.snapshot_audit import verify
from pipelines.publish.snapshot_files import keep_current, prune, remove, remove_leftovers, settle
from pipelines.publish.snapshot_write import Meta, narrowing_of, write_file
from pipelines.run import RunContext
from resources.files import sync_folder
from resources.home import Home


@dataclass(frozen=True)
class SnapshotResult:
    """What was published: the file, how many tables and rows, its size and how long it took."""

    path: Path
    tables: int
    rows: int
    bytes: int
    seconds: float


def publish_snapshot(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    publish: Publish,
    run: RunContext,
    *,
    shown: Mapping[str, str] | None = None,
    on_stage: Callable[[str], None] = lambda stage: None,
) -> SnapshotResult:
    """Publish the warehouse behind ``con`` as ``home.published``; call it under the home's lock.

    ``shown`` is table → SQL of which of its rows are published, where not all are.

    Until the rename the previous snapshot is untouched, whatever happens, and who has it open keeps it. ``on_stage``
    hears ``attached``, ``built``, ``verified``, ``synced`` and ``renamed``. Raises WarehouseError when the file cannot
    be written or verified, SettingsError when ``publish`` names what does not exist.
    """
    began = time.monotonic()
    moment = datetime.now(UTC)
    remove_leftovers(home)
    tables = published_tables(con, publish, shown)
    narrowing = narrowing_of(publish, shown)
    meta = Meta(run.run_id, moment.replace(tzinfo=None), run.kind, run.settings_hash, narrowing)
    draft = home.published.parent / f"analytics.{re.sub(r'[^A-Za-z0-9_-]', '_', run.run_id)}.tmp"
    try:
        counts = write_file(con, draft, tables, home, publish, meta, on_stage=on_stage)
        on_stage("built")
        verify(draft, counts, run.run_id)
        on_stage("verified")
        settle(draft, moment)
        on_stage("synced")
        keep_current(home, publish.keep)
        draft.replace(home.published)
    except (duckdb.Error, OSError) as error:
        raise WarehouseError(
            f"the snapshot could not be written: {str(error).splitlines()[0]}",
            why="the disk may be full or not writable; the last snapshot stays in place",
            next_step="free space or permissions below CROSSWALK_HOME, then run: crosswalk sync",
        ) from error
    finally:
        remove(draft)
    sync_folder(home.published.parent)
    on_stage("renamed")
    prune(home, publish.keep)
    narrow_earlier(home, publish, shown)
    size = home.published.stat().st_size
    return SnapshotResult(home.published, len(counts), sum(counts.values()), size, time.monotonic() - began)
