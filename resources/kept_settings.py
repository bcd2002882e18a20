"""The settings of earlier runs, kept in the home by hash, without secrets: what ``crosswalk settings diff`` shows.

A value that is not kept in the clear (a static value, an address with a secret) is kept as a salted digest, so that a
change of it is seen and what it was is not.
"""

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_contracts.errors import SettingsError
from data_contracts.settings import Settings
from resources.files import PRIVATE, write_atomically
from resources.home import Home

#: Path of keys → value, of every value that is no mapping.
Leaves = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """One key that says something else now; None where it is not there. ``hidden``: it changed, and is not shown."""

    key: str
    before: Any
    now: Any
    hidden: bool = False


@dataclass(frozen=True)
class KeptSettings:
    """The folder ``settings/`` of a home: one file per hash."""

    folder: Path

    @classmethod
    def of(cls, home: Home) -> "KeptSettings":
        """Return the settings kept in ``home``."""
        return cls(home.root / "settings")

    def keep(self, settings: Settings, safe: Mapping[str, Any]) -> None:
        """Keep settings under their hash, once; ``safe`` is what of them may be kept in the clear."""
        path = self._path(settings.hash())
        if path.is_file():
            return
        self.folder.mkdir(mode=0o700, exist_ok=True)
        salt = secrets.token_hex(8)
        body = {"salt": salt, "settings": safe, "digests": _digests(settings, salt)}
        write_atomically(path, json.dumps(body), PRIVATE)

    def differences(self, settings_hash: str, now: Settings, safe_now: Mapping[str, Any]) -> list[Difference]:
        """Return what ``now`` says otherwise than the settings of that hash, key by key.

        Raises SettingsError where they were not kept.
        """
        try:
            body = json.loads(self._path(settings_hash).read_text(encoding="utf-8"))
            salt, before, digests = body["salt"], leaves(body["settings"]), body["digests"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SettingsError(
                f"the settings with hash {settings_hash} are not in {self.folder}",
                why="the run is older than this version, ran in another home, or the file was removed or damaged",
                next_step="compare with a later run: crosswalk settings diff last",
            ) from error
        after, digests_now = leaves(safe_now), _digests(now, salt)
        changed = sorted(key for key in {*digests, *digests_now} if digests.get(key) != digests_now.get(key))
        return [_difference(key, before, after) for key in changed]

    def _path(self, settings_hash: str) -> Path:
        return self.folder / f"{settings_hash}.json"


def _difference(key: str, before: Leaves, after: Leaves) -> Difference:
    old, new = before.get(key), after.get(key)
    return Difference(key, old, new, hidden=old == new)


def leaves(body: Mapping[str, Any]) -> Leaves:
    """Return every value of a document by its path of keys; a list is one value."""
    return dict(_walk(body, ()))


def _walk(node: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping) and node:
        for name, child in node.items():
            yield from _walk(child, (*path, str(name)))
    elif node != {}:
        yield ".".join(path), node


def _digests(settings: Settings, salt: str) -> dict[str, str]:
    return {
        key: hashlib.sha256(f"{salt}{json.dumps(value, sort_keys=True, default=str)}".encode()).hexdigest()[:16]
        for key, value in leaves(settings.model_dump(mode="json")).items()
    }
