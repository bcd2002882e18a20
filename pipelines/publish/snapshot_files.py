"""The files of the published folder: drafts, the current snapshot, earlier ones. Nothing here opens a database."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from resources.files import sync_file
from resources.home import Home


def remove_leftovers(home: Home) -> None:
    """Delete half-written snapshots of runs that were killed."""
    for path in home.published.parent.glob("analytics.*.tmp"):
        remove(path)


def earlier_snapshots(home: Home) -> list[Path]:
    """Return the earlier snapshots kept for a rollback, newest first; the name says when each was published (UTC)."""
    return sorted(_earlier(home).glob("analytics.*.duckdb"), reverse=True)


def settle(path: Path, moment: datetime) -> None:
    """Bring the closed file at ``path`` to the disk, dated ``moment`` and readable by analysts' own accounts."""
    path.chmod(0o644)
    # Its time of change is the time of publishing: that is how an earlier snapshot is named.
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    sync_file(path)


def _earlier(home: Home) -> Path:
    return home.published.parent / "earlier"


def keep_current(home: Home, keep: int) -> None:
    """Give the current snapshot a second name, which costs no space, so that it outlives the rename."""
    if not keep or not home.published.exists():
        return
    published = datetime.fromtimestamp(home.published.stat().st_mtime, UTC)
    kept = _earlier(home) / f"analytics.{published:%Y%m%dT%H%M%S%fZ}.duckdb"
    kept.parent.mkdir(exist_ok=True)
    if kept.exists():
        return
    second_name(home.published, kept)


def second_name(path: Path, name: Path) -> None:
    """Give a snapshot a second name, which costs no space where the file system has hard links."""
    try:
        os.link(path, name)
    except OSError:
        # A copy is safe, for nobody writes a snapshot in place.
        shutil.copy2(path, name)


def prune(home: Home, keep: int) -> None:
    """Delete all but the ``keep`` newest earlier snapshots."""
    for path in earlier_snapshots(home)[keep:]:
        path.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Delete a draft and its write-ahead log, as far as they exist."""
    for name in (path, path.with_name(f"{path.name}.wal")):
        if name.exists():
            name.unlink()
