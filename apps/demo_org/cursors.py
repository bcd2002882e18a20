"""REST query cursors: what a ``nextRecordsUrl`` points to.

Belongs here: their names and their number; the rows stay in the store.
"""

import threading
from collections import OrderedDict

from apps.demo_org.errors import ApiError
from apps.demo_org.store import Query, make_id

#: Salesforce keeps cursors for two days; the demo org keeps this many of the latest.
_KEPT = 200


class Cursors:
    """Open queries by id. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[str, tuple[Query, int]] = OrderedDict()
        self._numbers = 0
        #: Rows of a page whatever the client asks; set by tests (``/__demo__/settings``).
        self.page_rows: int | None = None

    def keep(self, query: Query, page_rows: int) -> str:
        """Keep a query open under a new id, with its page size; the oldest beyond the limit is closed."""
        with self._lock:
            self._numbers += 1
            cursor = make_id("0r8", self._numbers)
            self._open[cursor] = (query, page_rows)
            old = [self._open.popitem(last=False)[1][0] for _ in range(len(self._open) - _KEPT)]
        for closed in old:
            closed.close()
        return cursor

    def find(self, locator: str) -> tuple[str, Query, int, int]:
        """Return cursor id, query, offset and page size for ``<id>-<offset>``; raises 400."""
        cursor, _, offset = locator.partition("-")
        with self._lock:
            found = self._open.get(cursor)
        if found is None or not offset.isdigit():
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return cursor, found[0], int(offset), found[1]

    def object_of(self, locator: str) -> str | None:
        """Return the API name of the object a cursor reads, or None."""
        with self._lock:
            found = self._open.get(locator.partition("-")[0])
        return found[0].object if found else None
