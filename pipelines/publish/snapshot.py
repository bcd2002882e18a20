"""Write, audit, publish: the snapshot analysts read, built beside the old one and put in its place by one rename.

What is in it is ``published_tables``; whether the data may be published at all was decided by the blocking checks
before. A live DuckDB file is never opened, copied or hashed by other means than DuckDB: closing any descriptor of it
would drop the lock of this process, and another writer's rows would be lost.
"""

import logging
import os
import re
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from data_contracts.contracts import literal, quoted
from data_contracts.errors import CrosswalkError, SettingsError, WarehouseError
from data_contracts.settings import Publish
from pipelines.publish.history import add_macros
from pipelines.publish.published_tables import PUBLISHED_SCHEMAS, PublishedTable, published_tables
from pipelines.publish.snapshot_audit import verify
from pipelines.publish.snapshot_files import keep_current, prune, remove, remove_leftovers, settle, sync_folder
from pipelines.run import RunContext
from resources.home import Home

log = logging.getLogger(__name__)

#: Name of the new file while it is attached to the warehouse's connection.
ALIAS = "_publishing"

META = (
    ("run_id", "VARCHAR", "the run that published this file, see ops.sync_run"),
    ("published_at", "TIMESTAMP", "when it was published (UTC)"),
    ("run_kind", "VARCHAR", "full or delta"),
    ("settings_hash", "VARCHAR", "hash of the settings it was made with"),
)


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
    draft = home.published.parent / f"analytics.{re.sub(r'[^A-Za-z0-9_-]', '_', run.run_id)}.tmp"
    try:
        counts = _build(con, draft, tables, home, publish, run, moment, on_stage)
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
    size = home.published.stat().st_size
    return SnapshotResult(home.published, len(counts), sum(counts.values()), size, time.monotonic() - began)


def _build(
    con: duckdb.DuckDBPyConnection,
    draft: Path,
    tables: list[PublishedTable],
    home: Home,
    publish: Publish,
    run: RunContext,
    moment: datetime,
    on_stage: Callable[[str], None],
) -> dict[str, int]:
    """Write the draft and return rows by table; the file is closed when this returns."""
    _attach(con, draft, publish.storage_version)
    try:
        on_stage("attached")
        # One transaction: hundreds of comments would else wait for the disk one by one.
        con.execute("BEGIN")
        for schema in PUBLISHED_SCHEMAS:
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {ALIAS}.{quoted(schema)}")
        if publish.mask_personal:
            con.execute("SET VARIABLE masking_key = ?", [_masking_key(home)])
        counts = {}
        for number, table in enumerate(tables, start=1):
            began = time.monotonic()
            counts[table.name] = _copy(con, table)
            seconds = max(time.monotonic() - began, 1e-3)
            pace = f"{counts[table.name]:,} rows, {counts[table.name] / seconds:,.0f} a second"
            log.info("snapshot: table %d of %d, %s: %s", number, len(tables), table.name, pace)
        _own_row(con, tables, run, moment)
        _meta(con, run, moment)
        add_macros(con, ALIAS, {table.name: {column.name for column in table.columns} for table in tables})
        con.execute("COMMIT")
        con.execute(f"CHECKPOINT {ALIAS}")
    except BaseException:
        with suppress(duckdb.TransactionException):
            con.execute("ROLLBACK")
        raise
    finally:
        con.execute(f"DETACH {ALIAS}")
    return counts


def _attach(con: duckdb.DuckDBPyConnection, draft: Path, storage_version: str) -> None:
    draft.parent.mkdir(parents=True, exist_ok=True)
    try:
        con.execute(f"ATTACH {literal(str(draft))} AS {ALIAS} (STORAGE_VERSION {literal(storage_version)})")
    except duckdb.InvalidInputException as error:
        raise SettingsError(
            f"publish.storage_version: {storage_version!r} is not a version of DuckDB this one can write for",
            why="it is the oldest DuckDB that must read the snapshot, for example v1.5.0 or v1.0.0",
            next_step="correct it in crosswalk.yaml; nothing was published, the last snapshot stays",
        ) from error


def _copy(con: duckdb.DuckDBPyConnection, table: PublishedTable) -> int:
    target = f"{ALIAS}.{table.relation}"
    columns = ", ".join(f"{quoted(c.name)} {c.type}{' NOT NULL' if c.required else ''}" for c in table.columns)
    con.execute(f"CREATE TABLE {target} ({columns})")
    con.execute(f"COMMENT ON TABLE {target} IS {literal(table.description)}")
    for column in table.columns:
        con.execute(f"COMMENT ON COLUMN {target}.{quoted(column.name)} IS {literal(column.description)}")
    if not table.exists:
        return 0
    values = ", ".join(table.expressions)
    inserted = con.execute(f"INSERT INTO {target} SELECT {values} FROM {table.relation} WHERE {table.condition}")
    return int(inserted.fetchall()[0][0])


def _own_row(con: duckdb.DuckDBPyConnection, tables: list[PublishedTable], run: RunContext, moment: datetime) -> None:
    """Say in the snapshot that its own run succeeded: who reads it there knows that it did."""
    names = {column.name for table in tables if table.name == "ops.sync_run" for column in table.columns}
    if {"run_id", "status", "ended_at", "started_at"} <= names:
        # A run taken up again may have the message of its first try.
        message = "message = NULL, " if "message" in names else ""
        con.execute(
            f"UPDATE {ALIAS}.ops.sync_run SET status = 'succeeded', {message}ended_at = greatest(started_at, ?) "
            "WHERE run_id = ?",
            [moment.replace(tzinfo=None), run.run_id],
        )


def _meta(con: duckdb.DuckDBPyConnection, run: RunContext, moment: datetime) -> None:
    target = f"{ALIAS}.main._meta"
    con.execute(f"CREATE TABLE {target} ({', '.join(f'{name} {kind}' for name, kind, _ in META)})")
    con.execute(f"COMMENT ON TABLE {target} IS 'Which run made this file, and when; one row.'")
    for name, _, description in META:
        con.execute(f"COMMENT ON COLUMN {target}.{name} IS {literal(description)}")
    values = [run.run_id, moment.replace(tzinfo=None), run.kind, run.settings_hash]
    con.execute(f"INSERT INTO {target} VALUES (?, ?, ?, ?)", values)


def _masking_key(home: Home) -> str:
    """Return this home's own key, made once: with it equal values stay equal from one snapshot to the next."""
    path = home.root / "masking.key"
    with suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
    key = path.read_text().strip()
    if len(key) < 32:
        raise CrosswalkError(
            f"the masking key {path} is damaged", why="it is too short", next_step=f"delete {path}; a new one is made"
        )
    return key
