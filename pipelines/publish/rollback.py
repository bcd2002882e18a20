"""Putting an earlier snapshot back in place of the current one, by one rename; the next publishing undoes it.

The warehouse is not touched: it still holds what the latest run came to. Which snapshots are kept is
``snapshot_files``.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from data_contracts.contracts import load_contract
from data_contracts.errors import WarehouseError
from pipelines.publish.earlier import read_meta
from pipelines.publish.snapshot_files import earlier_snapshots, keep_current, second_name
from pipelines.tables import ensure_table
from resources.files import sync_folder
from resources.home import Home


@dataclass(frozen=True)
class Kept:
    """A snapshot that can be put in place; ``path`` is its file, ``current`` whether analysts read it now."""

    run_id: str
    run_kind: str
    published_at: datetime
    path: Path
    current: bool = False


@dataclass(frozen=True)
class RolledBack:
    """What a rollback did: which snapshot was in place and which is now; ``kept`` is where the former lies."""

    before: Kept
    now: Kept
    kept: Path


def kept_snapshots(home: Home) -> list[Kept]:
    """Return the current snapshot and the earlier ones, newest first; those that cannot be read are left out."""
    found = []
    current = home.published if home.published.is_file() else None
    for path in filter(None, (current, *earlier_snapshots(home))):
        if path != current and current and path.samefile(current):
            continue
        try:
            meta = read_meta(path)
        except (duckdb.Error, IndexError):
            continue
        found.append(Kept(meta.run_id, meta.run_kind, meta.published_at, path, path == current))
    return sorted(found, key=lambda item: item.published_at, reverse=True)


def roll_back(home: Home, wanted: str | None = None) -> RolledBack:
    """Put an earlier snapshot in place; call it under the home's lock.

    ``wanted`` is the run that published it, or the beginning of its id; None is the one before the current. Until the
    rename nothing has changed; who has the old file open keeps it. Raises WarehouseError when there is none.
    """
    found = kept_snapshots(home)
    current = next((item for item in found if item.current), None)
    if current is None:
        raise WarehouseError("nothing is published yet", next_step="run: crosswalk sync --full")
    target = _chosen(found, current, wanted)
    # The one in place is kept whatever publish.keep says: else a rollback could not itself be undone.
    keep_current(home, keep=1)
    draft = home.published.with_name(f"analytics.rollback-{os.getpid()}.tmp")
    draft.unlink(missing_ok=True)
    second_name(target.path, draft)
    draft.replace(home.published)
    sync_folder(home.published.parent)
    kept = next(item.path for item in kept_snapshots(home) if item.run_id == current.run_id)
    return RolledBack(current, target, kept)


def record_publication(
    con: duckdb.DuckDBPyConnection, act: str, run_id: str, by: str | None, before: str | None = None
) -> None:
    """Note in ``ops.publication`` that a snapshot was published or put back."""
    contract = load_contract("ops.publication")
    ensure_table(con, contract)
    con.execute(
        "INSERT INTO ops.publication (happened_at, act, run_id, run_id_before, by_user) VALUES (?, ?, ?, ?, ?)",
        [datetime.now(UTC).replace(tzinfo=None), act, run_id, before, by],
    ).fetchall()


def _chosen(found: list[Kept], current: Kept, wanted: str | None) -> Kept:
    others = [item for item in found if not item.current]
    fitting = [item for item in others if wanted is None or item.run_id.startswith(wanted)]
    if wanted is None:
        fitting = [item for item in fitting if item.published_at < current.published_at][:1]
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(item.run_id[:12] for item in others) or "none"
    raise WarehouseError(
        f"{len(fitting) or 'no'} kept snapshots fit {wanted!r}" if wanted else "there is no earlier snapshot",
        why=f"kept are: {listed}; publish.keep says how many",
        next_step="crosswalk rollback --list shows them",
    )
