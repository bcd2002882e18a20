"""Reads the faults file (JSON or YAML), and reads it again whenever it changes.

Belongs here: the file, its messages, its freshness. What a fault is: ``faults.py``.
"""

import logging
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from apps.demo_org.errors import DemoOrgError
from apps.demo_org.fault_plan import FaultPlan
from apps.demo_org.faults import AnyFault, Fault
from apps.demo_org.store import Visibility

_log = logging.getLogger(__name__)
_FAULTS = TypeAdapter(list[AnyFault])
_NEXT = "See docs/demo-org.md, section Faults, for every action and its arguments."


def read_faults(path: Path) -> list[Fault]:
    """Read and check the file; an empty one is an empty list.

    Raises ``DemoOrgError`` naming the entry, the key, the value and what is allowed.
    """
    try:
        # JSON is read as the YAML it also is.
        data: Any = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DemoOrgError(f"The faults file {path} cannot be read.", why=str(error), next_step=_NEXT) from error
    except YAMLError as error:
        raise DemoOrgError(f"The faults file {path} is not JSON or YAML.", why=str(error), next_step=_NEXT) from error
    try:
        return list(_FAULTS.validate_python(data or []))
    except ValidationError as error:
        raise DemoOrgError(
            f"The faults file {path} is not a list of faults.", why=_explain(error), next_step=_NEXT
        ) from error


def _explain(error: ValidationError) -> str:
    """Say which entry (counted from 1) and key is wrong, and what was given."""
    lines = []
    for problem in error.errors(include_url=False):
        where = [str(part) for part in problem["loc"]]
        entry = f"fault {int(where[0]) + 1}" if where and where[0].isdigit() else "the file"
        key = ".".join(where[2:])
        value = problem["input"] if not isinstance(problem["input"], dict | list) else ""
        lines.append(
            f"{entry}{', ' + key if key else ''}: {problem['msg']}" + (f" (given: {value!r})" if value else "")
        )
    return "; ".join(lines)


class FaultFile:
    """Keeps a plan equal to a file that a test may rewrite while the org runs."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen = self._stamp()
        self.plan = FaultPlan(read_faults(path) if path else ())

    def current(self) -> FaultPlan:
        """Return the plan, read anew if the file changed; a broken file keeps the last good plan."""
        stamp = self._stamp()
        if self._path is not None and stamp != self._seen:
            self._seen = stamp
            self._reload(self._path)
        return self.plan

    def visibility(self) -> Visibility:
        """Return what the faults that have fired hide."""
        return Visibility(self.plan.hidden_fields, self.plan.hidden_objects)

    def _reload(self, path: Path) -> None:
        try:
            self.plan.replace(read_faults(path))
        except DemoOrgError as error:
            _log.error("%s\nThe faults that were in force stay in force.", error)

    def _stamp(self) -> tuple[int, int, int] | None:
        if self._path is None:
            return None
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino
