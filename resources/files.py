"""Small files of a home and the names in its folders, so written that no kill and no power cut leaves half of one.

Large files (pages, snapshots) have writers of their own; what a file says is its caller's business.
"""

import os
from pathlib import Path

#: Readable by its owner alone.
PRIVATE = 0o600


def write_atomically(path: Path, text: str, mode: int = 0o666) -> None:
    """Replace ``path`` by ``text`` (UTF-8): the old file or the new one, whatever happens, and on disk on return.

    ``mode`` is the new file's from its first byte on, less the process's umask. Raises OSError, the old file in place.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    draft.unlink(missing_ok=True)
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Bring what was written to ``path`` to the disk."""
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


def sync_folder(folder: Path) -> None:
    """Bring the names in ``folder`` to the disk: a rename or a removal outlives a power cut only then."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
