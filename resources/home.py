"""Where Crosswalk keeps its files: ``CROSSWALK_HOME`` and what lies in it. No data is read or written here."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from data_contracts.errors import HomeBusyError, SettingsError
from resources.files import write_atomically

#: How files lie in the home; raised when a version lays them otherwise. A home without the note is of layout 0.
LAYOUT = 1


@dataclass(frozen=True)
class Home:
    """The files of one Crosswalk installation, all below ``root`` (absolute)."""

    root: Path

    @classmethod
    def from_environment(cls) -> "Home":
        """Return the home named by ``CROSSWALK_HOME`` (default ``.crosswalk/``), made if absent.

        Raises SettingsError when it is no folder of ours.
        """
        home = cls(Path(os.environ.get("CROSSWALK_HOME", ".crosswalk")).expanduser().resolve())
        try:
            home.prepare()
            home.settle_layout()
        except OSError as error:
            raise SettingsError(
                f"CROSSWALK_HOME {home.root} cannot be used: {error.strerror or error}",
                why="it must be a folder that this user owns and may write, or a place for a new one",
                next_step="set CROSSWALK_HOME to another folder, or correct its owner",
            ) from error
        return home

    def prepare(self) -> None:
        """Create the folders: private ones, and ``published/``, which analysts with another account may enter.

        Files this process writes from now on are private unless somebody says otherwise: DuckDB's log and spill
        files, Dagster's event log and downloaded pages hold personal data.
        """
        os.umask(0o077)
        for folder in (self.root, self.landing, self.models, self.dagster, self.published.parent):
            folder.mkdir(parents=True, exist_ok=True)
        for private in (self.landing, self.models, self.dagster):
            private.chmod(0o700)
        # Others may pass through to published/, and may list or open nothing else.
        self.root.chmod(0o711)
        self.published.parent.chmod(0o755)

    def settle_layout(self) -> None:
        """Hold the layout of the home to what this version knows, and note it where it is not noted.

        A home of an earlier version needs no command: tables and the decisions store are brought up to date by whoever
        opens them. Raises SettingsError for one of a later version.
        """
        file = self.root / "home.json"
        found = _layout(file)
        if found > LAYOUT:
            raise SettingsError(
                f"CROSSWALK_HOME {self.root} has layout {found}; this Crosswalk knows layouts up to {LAYOUT}",
                why="a newer Crosswalk has worked in it",
                next_step="upgrade Crosswalk, or set CROSSWALK_HOME to another folder",
            )
        if found < LAYOUT:
            write_atomically(file, json.dumps({"layout": LAYOUT}))

    @property
    def warehouse(self) -> Path:
        """The private DuckDB file, one writer."""
        return self.root / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """The snapshot analysts read."""
        return self.root / "published" / "analytics.duckdb"

    @property
    def landing(self) -> Path:
        """Downloaded result pages with their manifests."""
        return self.root / "landing"

    @property
    def models(self) -> Path:
        """Trained matching models, versioned."""
        return self.root / "models"

    @property
    def completed(self) -> Path:
        """When each object was last brought up to date by a run that published."""
        return self.root / "completed.json"

    @property
    def standing(self) -> Path:
        """The alarms that are on, and how the last run ended."""
        return self.root / "standing.json"

    @property
    def schedules(self) -> Path:
        """Which schedules the daemon last saw switched on."""
        return self.root / "schedules.json"

    @property
    def decisions_url(self) -> str:
        """SQLAlchemy URL of the decisions store: ``CROSSWALK_DATABASE_URL`` or an SQLite file in the home."""
        return os.environ.get("CROSSWALK_DATABASE_URL") or f"sqlite:///{self.root / 'decisions.db'}"

    @property
    def dagster(self) -> Path:
        """``DAGSTER_HOME`` of the embedded default."""
        return self.root / "dagster"

    @contextmanager
    def lock(self, purpose: str) -> Iterator[None]:
        """Hold the one OS lock of this home; the kernel frees it when the process dies, kill -9 included.

        Raises HomeBusyError, naming the holder's purpose and process id, when another process has it.
        """
        path = self.root / "crosswalk.lock"
        path.touch(mode=0o600)
        with path.open("r+") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                handle.seek(0)
                holder = handle.read().strip() or "another process"
                raise HomeBusyError(
                    f"CROSSWALK_HOME {self.root} is in use by {holder}",
                    why="one process at a time may write the warehouse",
                    next_step="wait for it to end (crosswalk status), then run this command again",
                ) from error
            handle.seek(0)
            handle.truncate()
            handle.write(f"{purpose} (process {os.getpid()})")
            handle.flush()
            yield


def _layout(file: Path) -> int:
    try:
        return int(json.loads(file.read_text())["layout"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return 0
