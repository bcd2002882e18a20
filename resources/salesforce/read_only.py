"""What may be sent to Salesforce while nothing may be changed: a list of what is allowed, and nothing else.

It decides by method and path alone, before the network; :class:`resources.salesforce.session.OrgSession` asks it
for every request, whichever library made it.
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from data_contracts.errors import ReadOnlyError

READ_METHODS = frozenset({"GET", "HEAD"})
_DATA = r"/services/data/v\d+\.\d+"
#: A custom REST resource may write on GET, and so may OAuth's revoke: only these are known to read.
READABLE = re.compile(r"^(/services/data(/[^/].*)?/?|/services/oauth2/userinfo|/id/\w+/\w+)$")
#: A Bulk query job is created, aborted and deleted by writing requests, and changes no record.
QUERY_JOBS = re.compile(rf"^{_DATA}/jobs/query/?$")
QUERY_JOB = re.compile(rf"^{_DATA}/jobs/query/\w+/?$")
#: A report is run with filters by POST, which saves nothing; PATCH would change it and is refused.
REPORT_RUNS = re.compile(rf"^{_DATA}/analytics/reports/00O\w{{12,15}}$")
#: SOQL that marks records as viewed, or locks them.
WRITING_SOQL = re.compile(r"\b(FOR\s+(VIEW|REFERENCE|UPDATE)|UPDATE\s+(TRACKING|VIEWSTAT))\b", re.IGNORECASE)
_LITERAL = re.compile(r"'(?:\\.|[^'\\])*'")
#: OAuth's own requests are forms without a session; they go by a door of their own, not by ``request``.
OAUTH_PATHS = frozenset({"/services/oauth2/token", "/services/oauth2/revoke"})
TOKEN_PATH = "/services/oauth2/token"
#: Salesforce lets a POST pass for another method under these names.
OVERRIDES = ("_httpmethod", "x-http-method-override", "x-http-method", "x-method-override")


def guard(verb: str, url: str, headers: Mapping[str, str] | None = None) -> None:
    """Raise ReadOnlyError for anything that could change a record, before it reaches the network."""
    parts = urlsplit(url)
    for soql in parse_qs(parts.query).get("q", ()):
        guard_soql(soql)
    if not _overridden(parts.query, headers or {}) and _reads(verb.upper(), parts.path):
        return
    raise ReadOnlyError(
        f"refused to send {verb} {parts.path} to Salesforce",
        why="Crosswalk reads only, and this request could change data",
        next_step="nothing was sent; exports are a separate, explicit switch in crosswalk.yaml",
    )


def guard_soql(soql: str) -> None:
    """Raise ReadOnlyError for a query that would mark or lock the records it reads; literals do not count."""
    found = WRITING_SOQL.search(_LITERAL.sub("''", soql))
    if found is not None:
        raise ReadOnlyError(
            f"refused to send a query with {found[0].upper()} to Salesforce",
            why="Crosswalk reads only, and this clause marks or locks records",
            next_step="nothing was sent; take the clause out of the condition in crosswalk.yaml",
        )


def guard_oauth(url: str) -> None:
    """Raise ReadOnlyError unless ``url`` is where tokens are issued or revoked."""
    path = urlsplit(url).path
    if path not in OAUTH_PATHS:
        raise ReadOnlyError(f"refused to send a sign-in form to {path}", why="it is not an address of OAuth")


def _reads(verb: str, path: str) -> bool:
    if ".." in path or "%" in path or "\\" in path:
        # What the server makes of it is not what we matched.
        return False
    if verb in READ_METHODS:
        return READABLE.match(path) is not None
    if verb == "POST":
        return path == TOKEN_PATH or any(allowed.match(path) for allowed in (QUERY_JOBS, REPORT_RUNS))
    return verb in {"PATCH", "DELETE"} and QUERY_JOB.match(path) is not None


def _overridden(query: str, headers: Mapping[str, str]) -> bool:
    names = {name.lower() for name in parse_qs(query, keep_blank_values=True)} | {name.lower() for name in headers}
    return not names.isdisjoint(OVERRIDES)
