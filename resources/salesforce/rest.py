"""REST calls that read: describe, queries, counts, limits, list views; carried by simple-salesforce.

Its session is ours, so retries, tokens and errors are those of ``resources.salesforce.session``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from simple_salesforce import Salesforce

from data_contracts.errors import SalesforceError
from resources.salesforce.session import OrgSession, query_string
from resources.salesforce.usage import OrgLimits

#: Salesforce refuses URI plus headers above 16,384 bytes; half of it leaves room for any proxy.
LONGEST_URL = 8_000


@dataclass(frozen=True)
class ListView:
    """One list view of an object."""

    id: str
    developer_name: str
    label: str


class RestApi:
    """Reading calls of one org and API version."""

    def __init__(self, session: OrgSession, api_version: str) -> None:
        self.session, self.api_version = session, api_version
        self.base = f"/services/data/v{api_version}"

    def _client(self) -> Salesforce:
        token = self.session.tokens.current()
        # The session signs every request itself; the id given here is overwritten and never valid.
        return Salesforce(
            instance_url=token.instance_url,
            session_id="signed-by-session",
            session=self.session,
            version=self.api_version,
            parse_float=str,
            object_pairs_hook=dict,
        )

    def describe_global(self) -> list[dict[str, Any]]:
        """Return one entry per object the user may see."""
        body = self._client().describe(action="list its objects") or {}
        return cast("list[dict[str, Any]]", body.get("sobjects", []))

    def describe(self, object_api_name: str) -> dict[str, Any]:
        """Return the describe of one object; raises SalesforceError with code NOT_FOUND where there is none."""
        path = f"{self.base}/sobjects/{object_api_name}/describe"
        return cast("dict[str, Any]", self.session.read_json(path, f"describe {object_api_name}"))

    def limits(self) -> OrgLimits:
        """Return the org's limits; needs the permission View Setup and Configuration."""
        return OrgLimits.from_json(self._client().limits(action="show its limits"))

    def count(self, object_api_name: str, where: str | None = None, *, include_deleted: bool = False) -> int:
        """Return ``SELECT COUNT()`` of an object, with a condition where given."""
        soql = f"SELECT COUNT() FROM {object_api_name}" + (f" WHERE {where}" if where else "")
        body = self._client().query(soql, include_deleted=include_deleted, action=f"count {object_api_name}")
        return int(body["totalSize"])

    def query(self, soql: str, *, include_deleted: bool = False) -> Iterator[list[dict[str, Any]]]:
        """Yield the pages of a query; numbers with a decimal point stay text so that no digit is lost.

        Raises SalesforceError when the pages hold another number of rows than the org announced.
        """
        client = self._client()
        body = client.query(soql, include_deleted=include_deleted, action="run a query")
        announced, seen = int(body["totalSize"]), 0
        while True:
            records = cast("list[dict[str, Any]]", body["records"])
            seen += len(records)
            self.session.usage.count(f"{self.base}/query", rows=len(records))
            if records:
                yield records
            if body["done"]:
                break
            body = client.query_more(body["nextRecordsUrl"], identifier_is_url=True, action="continue a query")
        if seen != announced:
            raise SalesforceError(
                f"a query announced {announced} rows and its pages held {seen}",
                why="a page was lost or cut on the way",
                next_step="run the command again",
            )

    def first_page(self, soql: str, *, include_deleted: bool = False) -> tuple[int, list[dict[str, Any]]]:
        """Return how many records a query finds, and the first page of them: one call."""
        body = self._client().query(soql, include_deleted=include_deleted, action="run a query")
        records = cast("list[dict[str, Any]]", body["records"])
        self.session.usage.count(f"{self.base}/query", rows=len(records))
        return int(body["totalSize"]), records

    def tooling(self, soql: str) -> list[dict[str, Any]]:
        """Return what a query of the Tooling API finds: setup as data. Short answers only, one page is read."""
        response = self.session.read(f"{self.base}/tooling/query", "run a tooling query", params={"q": soql})
        try:
            return cast("list[dict[str, Any]]", response.json()["records"])
        except (ValueError, KeyError):
            raise SalesforceError("the answer of the Tooling API is not what it documents") from None

    def fits_in_url(self, soql: str) -> bool:
        """Whether the query, encoded, is short enough for a URL."""
        return len(query_string({"q": soql})) <= LONGEST_URL

    def list_views(self, object_api_name: str) -> list[ListView]:
        """Return every list view of an object the user may see."""
        path: str | None = f"{self.base}/sobjects/{object_api_name}/listviews"
        found: list[ListView] = []
        while path:
            body = self.session.read_json(path, f"list the list views of {object_api_name}")
            found += [
                ListView(item["id"], item.get("developerName") or "", item.get("label") or "")
                for item in body.get("listviews", [])
            ]
            path = body.get("nextRecordsUrl")
        return found

    def list_view_soql(self, object_api_name: str, list_view_id: str) -> str:
        """Return the SOQL behind a list view."""
        path = f"{self.base}/sobjects/{object_api_name}/listviews/{list_view_id}/describe"
        return str(self.session.read_json(path, f"describe list view {list_view_id}")["query"])


_CLAUSE = re.compile(r"\b(USING\s+SCOPE|WHERE|ORDER\s+BY|LIMIT|WITH|OFFSET)\b", re.IGNORECASE)


@dataclass(frozen=True)
class ListViewQuery:
    """The parts of a list view's SOQL that decide membership; ``scope`` is lower case, ``everything`` for all."""

    scope: str
    where: str

    @classmethod
    def parse(cls, soql: str) -> "ListViewQuery":
        """Take scope and WHERE out of ``soql``, leaving columns and order; text in quotes is never a keyword."""
        blanked = re.sub(r"'(?:\\.|[^'\\])*'", lambda quote: "'" + "x" * (len(quote[0]) - 2) + "'", soql)
        hits = [hit for hit in _CLAUSE.finditer(blanked) if _depth(blanked, hit.start()) == 0]
        parts = {"SCOPE": "everything", "WHERE": ""}
        ends = [hit.start() for hit in hits[1:]] + [len(soql)]
        for hit, end in zip(hits, ends, strict=False):
            text = soql[hit.end() : end].strip()
            parts[hit[0].split()[-1].upper()] = text
        return cls(parts["SCOPE"].lower(), parts["WHERE"])


def _depth(text: str, position: int) -> int:
    return text.count("(", 0, position) - text.count(")", 0, position)
