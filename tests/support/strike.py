"""Moments of a run that can be named and counted, so that a seeded draw can strike at any of them.

A moment is the instant before a file is written, renamed, linked, removed or made lasting, before the warehouse is
opened (its mode is set then), before a request goes out, or at the beginning of a step. Polls are left out: how many
there are is the org's business. Between two moments the process is deep in DuckDB, zlib or OpenSSL: a delay after a
moment strikes there.
"""

import os
import re
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

_FILES = frozenset({"os.rename", "os.remove", "os.link", "os.mkdir", "os.chmod", "os.utime", "shutil.rmtree"})
_WRITING = os.O_WRONLY | os.O_RDWR
_POLL = re.compile(rb"GET /services/data/v[\d.]+/jobs/query/\w+ ")


class Moments:
    """Counts the moments of this process from its making on; ``reached`` hears the number of each, from any thread."""

    def __init__(self, reached: Callable[[int], None]) -> None:
        self._reached, self._began = reached, time.monotonic()
        self._lock = threading.Lock()
        self.times: list[float] = []
        fsync = os.fsync

        def counted(descriptor: Any) -> None:
            self.happen()
            fsync(descriptor)

        # For good: the process ends with the run.
        vars(os)["fsync"] = counted
        sys.addaudithook(self._heard)

    def happen(self) -> None:
        """Count one moment."""
        with self._lock:
            self.times.append(time.monotonic() - self._began)
            number = len(self.times)
        self._reached(number)

    def _heard(self, event: str, arguments: tuple[object, ...]) -> None:
        if (
            event in _FILES
            or (event == "open" and _writes(arguments))
            or (event == "http.client.send" and _asks(arguments))
        ):
            self.happen()


def _writes(arguments: tuple[object, ...]) -> bool:
    path, _, flags = arguments
    return isinstance(path, str) and isinstance(flags, int) and bool(flags & _WRITING)


def _asks(arguments: tuple[object, ...]) -> bool:
    data = arguments[1]
    return isinstance(data, bytes) and data[:5] in (b"GET /", b"POST ") and not _POLL.match(data)
