"""Tombstones: what is left of a person who was forgotten, a salted hash of each id, so that no sync brings it back.

The salt is this home's own. Erasing is ``pipelines.forget``; keeping records out is ``pipelines.extract.forgotten``.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from data_contracts.errors import WarehouseError
from resources.files import PRIVATE, write_atomically
from resources.home import Home

FILE = "forgotten.json"


@dataclass(frozen=True)
class Tombstones:
    """The ids that stay out, as hashes by object; ``held`` are those the org still had at its last full load."""

    salt: str
    hashes: dict[str, list[str]] = field(default_factory=dict)
    held: dict[str, list[str]] = field(default_factory=dict)

    def of(self, object_name: str) -> frozenset[str]:
        """The hashes of one object."""
        return frozenset(self.hashes.get(object_name, ()))

    @property
    def everything(self) -> frozenset[str]:
        """The hashes of all objects."""
        return frozenset(item for hashes in self.hashes.values() for item in hashes)

    def hash(self, identifier: str) -> str:
        """Return the hash under which an id is kept out; an id of 15 characters and its long form have the same."""
        return hashlib.sha256((self.salt + short(identifier)).encode()).hexdigest()

    def sql(self, column: str) -> str:
        """Return SQL of the hash of a column of ids."""
        cut = f"CASE WHEN length({column}) = 18 THEN left({column}, 15) ELSE {column} END"
        return f"sha256('{self.salt}' || {cut})"


def short(identifier: str) -> str:
    """Return the 15 characters of a Salesforce id that tell it from all others; other ids as they are."""
    return identifier[:15] if len(identifier) == 18 else identifier


def read_tombstones(home: Home) -> Tombstones:
    """Return the tombstones of a home; raises WarehouseError when the file cannot be read."""
    path = home.root / FILE
    if not path.is_file():
        return Tombstones(secrets.token_hex(16))
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Tombstones(content["salt"], content["hashes"], content.get("held", {}))
    except (OSError, ValueError, KeyError) as error:
        raise WarehouseError(
            f"the list of forgotten people {path} cannot be read",
            why="without it a sync would bring them back",
            next_step="restore the file from a backup; to start over, remove it and run crosswalk forget again",
        ) from error


def add_tombstones(home: Home, object_name: str, identifiers: Iterable[str]) -> None:
    """Keep the hashes of ids of one object; until a full load has looked, the org is taken to have the records."""
    stones = read_tombstones(home)
    mine = [stones.hash(identifier) for identifier in identifiers]
    hashes, held = (
        found | {object_name: sorted({*found.get(object_name, ()), *mine})} for found in (stones.hashes, stones.held)
    )
    _write(home, Tombstones(stones.salt, hashes, held))


def note_held(home: Home, object_name: str, hashes: Iterable[str], *, whole: bool) -> None:
    """Note which forgotten records the org still has; ``whole`` says that all it has of the object were seen."""
    stones = read_tombstones(home)
    before = set() if whole else set(stones.held.get(object_name, ()))
    _write(home, Tombstones(stones.salt, stones.hashes, stones.held | {object_name: sorted(before | set(hashes))}))


def _write(home: Home, stones: Tombstones) -> None:
    path: Path = home.root / FILE
    content = {"version": 1, "salt": stones.salt, "hashes": stones.hashes, "held": stones.held}
    write_atomically(path, json.dumps(content, indent=1), PRIVATE)
