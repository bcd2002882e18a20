"""Earlier snapshots: those kept follow the settings of now, and one of them can be put back in place.

A setting that hides or masks would be worth little if the files of last week went on showing what it hides: each kept
snapshot that was published under other settings is written anew, as it may be seen now. What was masked then stays so.
"""

import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from data_contracts.contracts import literal
from data_contracts.errors import CrosswalkError
from data_contracts.settings import Publish
from pipelines.publish.published_tables import narrowed_tables
from pipelines.publish.snapshot_audit import verify
from pipelines.publish.snapshot_files import earlier_snapshots, remove, settle
from pipelines.publish.snapshot_write import Meta, narrowing_of, write_file
from pipelines.tables import table_columns
from resources.files import sync_folder
from resources.home import Home

log = logging.getLogger(__name__)


def narrow_earlier(home: Home, publish: Publish, shown: Mapping[str, str] | None = None) -> int:
    """Write every kept snapshot anew that was published under settings that hide other things; return how many.

    One that cannot be read or written is removed: nobody could say any more what it shows.
    """
    wanted = narrowing_of(publish, shown)
    changed = 0
    for path in earlier_snapshots(home) if wanted else ():
        try:
            meta = read_meta(path)
            if meta.narrowing == wanted:
                continue
            rewrite(home, path, publish, shown)
        except (duckdb.Error, OSError, IndexError, CrosswalkError) as error:
            log.warning(
                "the earlier snapshot %s is removed, for it cannot be masked: %s", path.name, type(error).__name__
            )
            path.unlink(missing_ok=True)
        changed += 1
    return changed


def read_meta(path: Path) -> Meta:
    """Return what a snapshot says of itself; one of an earlier version does not say what it hides."""
    with duckdb.connect(str(path), read_only=True) as con:
        narrowing = "narrowing" if "narrowing" in table_columns(con, "main._meta") else "''"
        query = f"SELECT run_id, published_at, run_kind, settings_hash, {narrowing} FROM main._meta"
        return Meta(*con.sql(query).fetchall()[0])


def rewrite(home: Home, path: Path, publish: Publish, shown: Mapping[str, str] | None = None) -> None:
    """Put a snapshot in the place of ``path`` that shows of it what the settings let be seen, under the same date."""
    draft = path.with_name(f"analytics.{os.getpid()}.tmp")
    old = read_meta(path)
    meta = Meta(old.run_id, old.published_at, old.run_kind, old.settings_hash, narrowing_of(publish, shown))
    moment = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    remove(draft)
    try:
        with duckdb.connect(config={"memory_limit": "1GB", "temp_directory": str(home.root / "spill")}) as con:
            con.execute("SET TimeZone = 'UTC'")
            con.execute(f"ATTACH {literal(str(path))} AS earlier (READ_ONLY)")
            con.execute("USE earlier")
            tables = narrowed_tables(con, publish, shown)
            counts = write_file(con, draft, tables, home, publish, meta)
        verify(draft, counts, meta.run_id)
        settle(draft, moment)
        draft.replace(path)
    finally:
        remove(draft)
    sync_folder(path.parent)
