"""Recorded exchanges of real Salesforce orgs: ``tests/data/recorded``, see the README there."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).parents[1] / "data" / "recorded"
#: How many exchanges were recorded; the test holds that each is replayed or listed with a reason.
RECORDED = 221


@dataclass(frozen=True)
class Recorded:
    """One request and what a real org answered."""

    n: int
    name: str
    method: str
    path: str
    query: dict[str, str]
    status: int
    #: None for an exchange that is not replayed: its bodies are not kept.
    request_body: Any = None
    body: Any = None
    #: Recorded header names; empty where the recording left them out.
    headers: dict[str, str | None] | None = None
    #: Whether array elements that add nothing to the shape were left out.
    thinned: bool = False
    #: Whether the recording's authors cut keys out of the answer.
    cut: bool = False

    @property
    def is_bulk1(self) -> bool:
        """Whether it is an exchange of Bulk API 1; those are replayed as the jobs they belong to."""
        return "/services/async/" in self.path

    @property
    def version(self) -> str:
        """The API version asked for; where it was blotted out, one whose describes have the recorded keys."""
        found = self.path.lstrip("/").split("/")[2].removeprefix("v")
        if found != "xx.0":
            return found
        older = not self.is_bulk1 and self.path.endswith("/describe") and "associateEntityType" not in self.body
        return "47.0" if older else "60.0"

    def __str__(self) -> str:
        return f"{self.n} {self.name}"


def recorded() -> list[Recorded]:
    """Every exchange, in the order of the recordings."""
    rows = [json.loads(line) for line in (_FOLDER / "exchanges.jsonl").read_text("utf-8").splitlines()]
    return [Recorded(**{key: value for key, value in row.items() if key != "source"}) for row in rows]


def not_replayed() -> dict[int, str]:
    """Why an exchange is not replayed, by its number."""
    listed = yaml.safe_load((_FOLDER / "not_replayed.yaml").read_text("utf-8"))
    return {number: group["reason"] for group in listed for number in group["exchanges"]}
