"""One JSON line per request: time, method, path, status, rows, bytes, user.

Tests prove API cost and read-only behaviour from it. The line is written before the last byte of the
answer leaves, so a client that has its answer finds its line. Query strings are logged for SOQL only
(never a token), bodies and headers never.
"""

import datetime as dt
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs

#: Query parameters worth a line in the log; anything else (``oauth_token``!) is left out.
_LOGGED_PARAMETERS = ("q", "locator", "maxRecords", "limit", "offset", "columns", "start", "end")


@dataclass
class Exchange:
    """What is known of one request while it is answered; kept in the ASGI scope as ``crosswalk.exchange``."""

    method: str
    path: str
    query: str = ""
    user: str | None = None
    #: Salesforce object the request is about (API name), when it is about one.
    object: str | None = None
    #: Records in the answer or written by the request; None where the request has none.
    rows: int | None = None
    status: int = 0
    bytes: int = 0
    fault: str | None = None
    started: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    logged: bool = False

    def as_line(self) -> dict[str, Any]:
        """Return the log entry: no header, no body, no secret."""
        parameters = parse_qs(self.query)
        return {
            "time": self.started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "method": self.method,
            "path": self.path,
            "query": {k: parameters[k][0] for k in _LOGGED_PARAMETERS if k in parameters},
            "status": self.status,
            "rows": self.rows,
            "bytes": self.bytes,
            "user": self.user,
            "object": self.object,
            "fault": self.fault,
            "seconds": round((dt.datetime.now(dt.UTC) - self.started).total_seconds(), 4),
        }


class RequestLog:
    """Appends lines to a file; does nothing without one. Safe to use from several threads."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._file: IO[str] | None = path.open("a", encoding="utf-8") if path else None

    def write(self, exchange: Exchange) -> None:
        """Write the line of ``exchange``, once, flushed."""
        if self._file is None or exchange.logged:
            return
        exchange.logged = True
        line = json.dumps(exchange.as_line(), ensure_ascii=False)
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
