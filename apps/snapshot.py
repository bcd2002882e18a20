"""Reading the published snapshot for the command line and the demo: what the last runs did. Never the warehouse."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import duckdb

from data_contracts.errors import WarehouseError
from pipelines.tables import table_columns
from resources.home import Home


@dataclass(frozen=True)
class RunRow:
    """One row of ops.sync_run."""

    run_id: str
    kind: str
    trigger: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    message: str | None


@dataclass(frozen=True)
class ObjectRow:
    """The figures of one object in one run, from ops.run_statistics."""

    object: str
    kind: str
    fetched: int | None
    new: int | None
    changed: int | None
    records: int | None
    linked: int | None
    in_review: int | None
    unmatched: int | None
    skipped: int | None
    link_rate: float | None
    rest_calls: int | None
    bulk_jobs: int | None


@dataclass(frozen=True)
class Published:
    """The last published run and its figures."""

    published_at: datetime
    run: RunRow
    objects: tuple[ObjectRow, ...]
    api_calls: int


@dataclass(frozen=True)
class ApiUse:
    """What the last run asked of the org, and how much of its allocation the org had used by then."""

    calls: int | None
    estimated: int | None
    org_used: int | None
    org_allowed: int | None
    used_by_others: int | None


@dataclass(frozen=True)
class Freshness:
    """Up to which moment of the org (UTC) an object is mirrored; ``stale_since`` where it could not be read since."""

    object: str
    covered_until: datetime | None
    stale_since: datetime | None


@dataclass(frozen=True)
class SchemaChange:
    """One change of the org's fields, from ops.schema_change."""

    detected_at: datetime
    object: str
    field: str
    change: str
    message: str | None


@dataclass(frozen=True)
class Upkeep:
    """How the mirror stands: API use, freshness per object, the latest schema changes (newest first)."""

    api: ApiUse
    freshness: tuple[Freshness, ...]
    schema_changes: tuple[SchemaChange, ...]


@dataclass(frozen=True)
class StoppedImport:
    """An object whose mapped import stands still, from ops.import_stop."""

    object: str
    since: datetime
    reason: str
    next_step: str

    def __str__(self) -> str:
        return f"the import of {self.object} is stopped since {self.since:%Y-%m-%d %H:%M} UTC: {self.reason}"


@contextmanager
def open_snapshot(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published snapshot read-only.

    Raises WarehouseError when nothing was published yet, the file cannot be read, or ``publish`` in the settings
    leaves out what is asked of it.
    """
    if not home.published.is_file():
        raise WarehouseError(
            f"nothing is published yet in {home.root}",
            why="no run has ended well so far",
            next_step="crosswalk sync --full (or make demo)",
        )
    try:
        with duckdb.connect(str(home.published), read_only=True) as con:
            yield con
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise WarehouseError(
            f"the snapshot {home.published} lacks a table or column that this command shows",
            why="publish.schemas or publish.hidden_columns leaves it out, or the file is of another version",
            next_step="publish it too, then run: crosswalk sync",
        ) from error
    except duckdb.Error as error:
        raise WarehouseError(
            f"cannot read the snapshot {home.published}: {str(error).splitlines()[0]}",
            why="the file is damaged, or was written by another version",
            next_step="crosswalk sync --full",
        ) from error


def read_published(home: Home) -> Published:
    """Return what the snapshot says of the run that published it; raises as ``open_snapshot`` does."""
    with open_snapshot(home) as con:
        return _read(con)


def _read(con: duckdb.DuckDBPyConnection) -> Published:
    run_id, published_at = con.sql("SELECT run_id, published_at FROM _meta").fetchall()[0]
    runs = con.execute(
        "SELECT run_id, kind, trigger, status, started_at, ended_at, message FROM ops.sync_run WHERE run_id = ?",
        [run_id],
    ).fetchall()
    if not runs:
        raise WarehouseError(
            f"the snapshot was published by run {run_id}, which has no record of its own",
            why="only some assets of it were materialized, without the one that begins a run (salesforce/field)",
            next_step="crosswalk sync",
        )
    objects = con.execute(
        "SELECT object, kind, fetched, new, changed, records, linked, in_review, unmatched, skipped, link_rate, "
        "rest_calls, bulk_jobs FROM ops.run_statistics WHERE run_id = ? ORDER BY linked IS NULL, object",
        [run_id],
    ).fetchall()
    calls = con.execute("SELECT coalesce(sum(calls), 0) FROM ops.api_usage WHERE run_id = ?", [run_id]).fetchall()
    return Published(published_at, RunRow(*runs[0]), tuple(ObjectRow(*row) for row in objects), int(calls[0][0]))


def read_stops(home: Home) -> list[StoppedImport]:
    """Return the objects whose import stands still in the snapshot; none where it was published without ``ops``."""
    with open_snapshot(home) as con:
        if not table_columns(con, "ops.import_stop"):
            return []
        rows = con.sql("SELECT object, since, reason, next_step FROM ops.import_stop ORDER BY object").fetchall()
    return [StoppedImport(*row) for row in rows]


def read_upkeep(home: Home, changes: int = 10) -> Upkeep:
    """Return how the published mirror stands; raises as ``open_snapshot`` does."""
    with open_snapshot(home) as con:
        use = con.sql(
            "SELECT api_calls, api_estimated, org_used_after, org_allowed, org_used_by_others "
            "FROM ops.sync_run WHERE run_id = (SELECT run_id FROM _meta)"
        ).fetchall()
        fresh = con.sql(
            "SELECT object, max(covered_until), arg_max(stale_since, started_at) FROM ops.run_statistics "
            "GROUP BY object ORDER BY object"
        ).fetchall()
        drift = con.execute(
            "SELECT detected_at, object_name, field_name, change, message FROM ops.schema_change "
            "ORDER BY detected_at DESC, object_name, field_name LIMIT ?",
            [changes],
        ).fetchall()
    return Upkeep(
        ApiUse(*(use[0] if use else (None,) * 5)),
        tuple(Freshness(*row) for row in fresh),
        tuple(SchemaChange(*row) for row in drift),
    )
