"""Metadata a client may ask for only if it changed: ``ETag``, ``Last-Modified`` and 304.

Belongs here: when an answer was first as it is. Not here: what is answered.
"""

import json
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from threading import Lock
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from apps.demo_org.exchange import answer, session_of


class SeenMetadata:
    """Remembers for each user and path what was answered last, and since when it is that."""

    def __init__(self) -> None:
        self._opened = datetime.now(UTC).replace(microsecond=0)
        self._seen: dict[tuple[str, str], tuple[str, datetime]] = {}
        self._lock = Lock()

    def since(self, user_id: str, path: str, tag: str) -> datetime:
        """Return since when the answer has this tag; an answer never asked for is as old as the org."""
        with self._lock:
            known = self._seen.get((user_id, path))
            if known is None or known[0] != tag:
                known = self._seen[user_id, path] = (tag, self._changed(known[1] if known else None))
            return known[1]

    def _changed(self, before: datetime | None) -> datetime:
        """The time of a change seen now: HTTP dates are whole seconds, and it must be later than the last."""
        if before is None:
            return self._opened
        return max(datetime.now(UTC).replace(microsecond=0), before + timedelta(seconds=1))


def answer_if_modified(request: Request, body: dict[str, Any]) -> Response:
    """Answer with metadata, or 304 without a body where the client has it as it is."""
    tag = f"{zlib.crc32(json.dumps(body, sort_keys=True).encode()):08x}"
    seen: SeenMetadata = request.app.state.seen_metadata
    since = seen.since(session_of(request).user_id, request.url.path, tag)
    headers = {"ETag": f'"{tag}"', "Last-Modified": format_datetime(since, usegmt=True)}
    asked = _instant(request.headers.get("if-modified-since", ""))
    if asked is not None and since <= asked:
        return Response(status_code=304, headers=headers)
    return answer(body, headers=headers)


def _instant(text: str) -> datetime | None:
    """Read an HTTP date; recorded clients write ``Sat, 1 Jan 2000`` too. None for what is no date."""
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
