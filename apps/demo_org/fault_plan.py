"""The faults in force: how often each has been met, which hit a request, what they hide.

Belongs here: counting. What a fault is: ``faults.py``.
"""

import threading
from collections.abc import Iterable
from typing import TypeVar

from apps.demo_org.faults import Fault, HideField, HideObject

F = TypeVar("F", bound=Fault)


class Fired(tuple[Fault, ...]):
    """The faults that hit one request."""

    __slots__ = ()

    def first(self, kind: type[F]) -> F | None:
        """Return the first fault of ``kind``, or None."""
        return next((fault for fault in self if isinstance(fault, kind)), None)

    def names(self) -> str | None:
        """Return the actions for the request log, or None."""
        return ",".join(str(getattr(fault, "action", "?")) for fault in self) or None


class FaultPlan:
    """The faults in force and how often each has been met. Safe to use from several threads."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, int]] = {}
        self._faults: list[Fault] = []
        #: (object, field) and objects hidden so far, API names as the file spells them.
        self.hidden_fields: frozenset[tuple[str, str]] = frozenset()
        self.hidden_objects: frozenset[str] = frozenset()
        self.replace(faults)

    def replace(self, faults: Iterable[Fault]) -> None:
        """Put other faults in force; one that was there before keeps its count."""
        with self._lock:
            self._faults = list(faults)
            kept = {key for key, _ in self._keyed()}
            self._counts = {key: count for key, count in self._counts.items() if key in kept}
            self._hide()

    def fire(self, method: str, path: str, api_object: str | None) -> Fired:
        """Count the request and return the faults that hit it."""
        hit: list[Fault] = []
        with self._lock:
            for key, fault in self._keyed():
                if not fault.match.concerns(method, path, api_object):
                    continue
                seen, fired = self._counts.get(key, (0, 0))
                picked = fault.match.picks(seen + 1, fired)
                self._counts[key] = (seen + 1, fired + picked)
                if picked:
                    hit.append(fault)
            if any(isinstance(fault, HideField | HideObject) for fault in hit):
                self._hide()
        return Fired(fault for fault in hit if not isinstance(fault, HideField | HideObject))

    def _keyed(self) -> list[tuple[str, Fault]]:
        """Pair each fault with a key that tells twins in the file apart."""
        keyed: list[tuple[str, Fault]] = []
        seen: dict[str, int] = {}
        for fault in self._faults:
            text = f"{type(fault).__name__} {fault.model_dump_json()}"
            seen[text] = seen.get(text, 0) + 1
            keyed.append((f"{text} #{seen[text]}", fault))
        return keyed

    def _hide(self) -> None:
        """Derive what is hidden from the faults that have fired: taking one out of the file shows it again."""
        fired = [fault for key, fault in self._keyed() if self._counts.get(key, (0, 0))[1]]
        self.hidden_fields = frozenset((f.object, f.field) for f in fired if isinstance(f, HideField))
        self.hidden_objects = frozenset(f.object for f in fired if isinstance(f, HideObject))
