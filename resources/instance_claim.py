"""One Dagster instance serves one home: what two share (runs, pools, materializations, schedules) cannot be told apart.

The first home that runs in an instance claims it; another is refused while the first is still there. No Dagster is
imported here: the caller hands in where an instance keeps small values.
"""

import json
import platform
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from data_contracts.errors import SettingsError
from resources.home import Home

KEY = "crosswalk/home"


class Values(Protocol):
    """Where a Dagster instance keeps small values by name."""

    def get_cursor_values(self, keys: set[str]) -> Mapping[str, str]:
        """Return the values there are of ``keys``."""
        ...

    def set_cursor_values(self, pairs: Mapping[str, str]) -> None:
        """Keep ``pairs``."""
        ...


def claim(values: Values, home: Home, dagster_home: str | None) -> None:
    """Claim the instance at ``dagster_home`` for ``home``; the embedded one of the home needs no claim.

    A home that was moved takes its claim along, and one that is gone has lost it. Raises SettingsError naming the
    other home.
    """
    if not dagster_home or Path(dagster_home).resolve() == home.dagster:
        return
    own = {"id": _identity(home.root), "path": str(home.root), "host": platform.node()}
    kept = values.get_cursor_values({KEY}).get(KEY)
    other = json.loads(kept) if kept else own
    if other == own:
        if not kept:
            values.set_cursor_values({KEY: json.dumps(own)})
        return
    if _is_there(other, own):
        raise SettingsError(
            f"the Dagster instance of DAGSTER_HOME belongs to the home {other['path']} on {other['host']}, "
            f"not to CROSSWALK_HOME {home.root}",
            why="two homes in one instance would mix their runs, pools and schedules",
            next_step="give this home a DAGSTER_HOME with a database of its own, or unset it for the embedded instance",
        )
    values.set_cursor_values({KEY: json.dumps(own)})


def _is_there(other: Mapping[str, str], own: Mapping[str, str]) -> bool:
    """Whether the other home still is where it was; on another machine only a home that was moved here is known."""
    if other["host"] != own["host"]:
        return other["id"] != own["id"]
    return other["path"] != own["path"] and _file(Path(other["path"])).is_file()


def _identity(root: Path) -> str:
    """Return what a home is known by wherever it is moved."""
    file = _file(root)
    if not file.is_file():
        file.write_text(str(uuid.uuid4()), encoding="utf-8")
    return file.read_text(encoding="utf-8").strip()


def _file(root: Path) -> Path:
    return root / "home.id"
