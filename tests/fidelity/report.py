"""What the clients found: one line per check, and the table printed at the end.

Belongs here: collecting and showing. Not here: running clients.
"""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import SubprocessError

import yaml
from rich.console import Console
from rich.table import Table

_KNOWN = Path(__file__).parent / "known.yaml"


@dataclass(frozen=True)
class Check:
    """One thing a client did: ``message`` is empty where it succeeded."""

    client: str
    area: str
    name: str
    message: str = ""

    @property
    def passed(self) -> bool:
        """Whether the client got what it wanted."""
        return not self.message


@dataclass
class Report:
    """All checks, and parts that were not run with the reason."""

    checks: list[Check] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)

    def add(self, client: str, area: str, name: str, message: str = "") -> None:
        """Note one check."""
        self.checks.append(Check(client, area, name, message))

    @contextmanager
    def check(self, client: str, area: str, name: str) -> Iterator[None]:
        """Note what the block does: passed, or failed with its assertion or error."""
        try:
            yield
        except (AssertionError, KeyError, IndexError, TypeError, ValueError, OSError, SubprocessError) as error:
            self.add(client, area, name, f"{type(error).__name__}: {error}")
        else:
            self.add(client, area, name)

    def conclude(self, console: Console) -> int:
        """Print the table and what failed; return 1 for one that is not known, or a part not run."""
        known = _known()
        console.print(self._table(known))
        reasons = [_reason(each, known) for each in self.checks if not each.passed]
        for reason, count in Counter(filter(None, reasons)).items():
            console.print(f"{count} × {reason}", markup=False)
        unexplained = [each for each in self.checks if not each.passed and not _reason(each, known)]
        for each in unexplained:
            console.print(f"FAILED: {each.client}, {each.area}: {each.name}\n  {each.message[:600]}", markup=False)
        for reason in self.not_run:
            console.print(f"NOT RUN: {reason}", markup=False)
        passed = sum(each.passed for each in self.checks)
        explained = len(self.checks) - passed - len(unexplained)
        counts = f"{passed} passed, {explained} known, {len(unexplained)} failed, {len(self.not_run)} parts not run"
        console.print(counts)
        return 1 if unexplained or self.not_run else 0

    def _table(self, known: list[dict[str, str]]) -> Table:
        table = Table("client", "area", "passed", "known", "failed")
        for client, area in dict.fromkeys((each.client, each.area) for each in self.checks):
            own = [each for each in self.checks if (each.client, each.area) == (client, area)]
            explained = sum(not each.passed and bool(_reason(each, known)) for each in own)
            passed = sum(each.passed for each in own)
            table.add_row(client, area, str(passed), str(explained), str(len(own) - passed - explained))
        return table


def _known() -> list[dict[str, str]]:
    found: list[dict[str, str]] = yaml.safe_load(_KNOWN.read_text("utf-8"))
    return found


def _reason(check: Check, known: list[dict[str, str]]) -> str:
    """Why a failure is expected, or nothing."""
    for each in known:
        if re.fullmatch(each["client"], check.client) and re.search(each["check"], f"{check.area}: {check.name}"):
            return each["reason"]
    return ""
