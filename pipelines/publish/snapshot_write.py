"""Writing a snapshot's file: its tables with their words, as they may be seen, in one transaction.

Which tables and when is ``snapshot`` for a new one, ``earlier`` for those kept.
"""

import hashlib
import json
import logging
import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from data_contracts.contracts import literal, quoted
from data_contracts.errors import CrosswalkError, SettingsError
from data_contracts.settings import Publish
from pipelines.publish.history import add_macros
from pipelines.publish.published_tables import PUBLISHED_SCHEMAS, PublishedTable
from resources.home import Home

log = logging.getLogger(__name__)

#: Name of the new file while it is attached to the connection it is written by.
ALIAS = "_publishing"

META = (
    ("run_id", "VARCHAR", "the run that published this file, see ops.sync_run"),
    ("published_at", "TIMESTAMP", "when it was published (UTC)"),
    ("run_kind", "VARCHAR", "full or delta"),
    ("settings_hash", "VARCHAR", "hash of the settings it was made with"),
    ("narrowing", "VARCHAR", "hash of what the settings hide and mask, empty where they show everything"),
)


@dataclass(frozen=True)
class Meta:
    """The one row of ``_meta``."""

    run_id: str
    published_at: datetime
    run_kind: str
    settings_hash: str
    narrowing: str


def narrowing_of(publish: Publish, shown: Mapping[str, str] | None) -> str:
    """Return the hash of what the settings hide and mask; empty where they show everything."""
    hides = (publish.schemas, publish.hidden_columns, publish.mask_personal, dict(publish.mask), dict(shown or {}))
    if hides == (None, (), False, {}, {}):
        return ""
    return hashlib.sha256(json.dumps(hides, sort_keys=True).encode()).hexdigest()[:16]


def write_file(
    con: duckdb.DuckDBPyConnection,
    draft: Path,
    tables: Sequence[PublishedTable],
    home: Home,
    publish: Publish,
    meta: Meta,
    *,
    on_stage: Callable[[str], None] = lambda stage: None,
) -> dict[str, int]:
    """Write ``draft`` from the current database of ``con``; return rows by table. The file is closed then."""
    _attach(con, draft, publish.storage_version)
    try:
        on_stage("attached")
        # One transaction: hundreds of comments would else wait for the disk one by one.
        con.execute("BEGIN")
        for schema in PUBLISHED_SCHEMAS:
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {ALIAS}.{quoted(schema)}")
        if publish.mask_personal or "hash" in publish.mask.values():
            con.execute("SET VARIABLE masking_key = ?", [_masking_key(home)])
        counts = {}
        for number, table in enumerate(tables, start=1):
            began = time.monotonic()
            counts[table.name] = _copy(con, table)
            seconds = max(time.monotonic() - began, 1e-3)
            pace = f"{counts[table.name]:,} rows, {counts[table.name] / seconds:,.0f} a second"
            log.info("snapshot: table %d of %d, %s: %s", number, len(tables), table.name, pace)
        _own_row(con, tables, meta)
        _meta(con, meta)
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


def _own_row(con: duckdb.DuckDBPyConnection, tables: Sequence[PublishedTable], meta: Meta) -> None:
    """Say in the snapshot that its own run succeeded: who reads it there knows that it did."""
    names = {column.name for table in tables if table.name == "ops.sync_run" for column in table.columns}
    if {"run_id", "status", "ended_at", "started_at"} <= names:
        # A run taken up again may have the message of its first try.
        message = "message = NULL, " if "message" in names else ""
        con.execute(
            f"UPDATE {ALIAS}.ops.sync_run SET status = 'succeeded', {message}ended_at = greatest(started_at, ?) "
            "WHERE run_id = ?",
            [meta.published_at, meta.run_id],
        )


def _meta(con: duckdb.DuckDBPyConnection, meta: Meta) -> None:
    target = f"{ALIAS}.main._meta"
    con.execute(f"CREATE TABLE {target} ({', '.join(f'{name} {kind}' for name, kind, _ in META)})")
    con.execute(f"COMMENT ON TABLE {target} IS 'Which run made this file, and when; one row.'")
    for name, _, description in META:
        con.execute(f"COMMENT ON COLUMN {target}.{name} IS {literal(description)}")
    con.execute(f"INSERT INTO {target} VALUES (?, ?, ?, ?, ?)", [getattr(meta, name) for name, _, _ in META])


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
