"""Scripted faults: what goes wrong, on which request, how often.

Belongs here: the grammar of a fault. Counting is ``fault_plan.py``, reading and re-reading the file
``fault_file.py``; doing what a fault says is the gateway's and the endpoints' work.
"""

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class Match(BaseModel):
    """Which requests a fault is about; every condition given must hold.

    ``path`` is a regular expression searched for in the path, ``object`` an API name in any case.
    Matching requests are counted from 1: ``nth`` picks single ones, ``after`` lets that many pass,
    ``times`` bounds how often the fault happens.
    """

    model_config = ConfigDict(extra="forbid")

    method: str | None = None
    path: str | None = None
    object: str | None = None
    nth: int | list[int] | None = None
    after: int = Field(default=0, ge=0)
    times: int | None = Field(default=None, ge=1)

    @field_validator("path")
    @classmethod
    def _is_a_pattern(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return value

    @field_validator("nth")
    @classmethod
    def _counts_from_one(cls, value: int | list[int] | None) -> int | list[int] | None:
        if any(n < 1 for n in ([value] if isinstance(value, int) else value or [])):
            raise ValueError("requests are counted from 1")
        return value

    def concerns(self, method: str, path: str, api_object: str | None) -> bool:
        """Tell whether a request is one of those this fault is about."""
        if self.method and self.method.upper() != method:
            return False
        if self.object and self.object.lower() != (api_object or "").lower():
            return False
        return self.path is None or re.search(self.path, path) is not None

    def picks(self, count: int, fired: int) -> bool:
        """Tell whether the ``count``-th matching request is hit, when ``fired`` were before."""
        if self.times is not None and fired >= self.times:
            return False
        if self.nth is not None:
            return count in ([self.nth] if isinstance(self.nth, int) else self.nth)
        return count > self.after


class Fault(BaseModel):
    """One entry of the faults file: a match, an action, the action's arguments."""

    model_config = ConfigDict(extra="forbid")
    default_match: ClassVar[dict[str, str]] = {}

    match: Match = Match()

    @model_validator(mode="before")
    @classmethod
    def _fill_match(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        match = data.get("match") or {}
        return {**data, "match": {**cls.default_match, **match} if isinstance(match, dict) else match}


_QUERY_JOB = {"method": "POST", "path": "/jobs/query/?$"}
_RESULTS = {"method": "GET", "path": "/jobs/query/[^/]+/results"}


class ExpireSession(Fault):
    """The request's access token is no longer valid, now or later: 401 INVALID_SESSION_ID."""

    action: Literal["expire_session"]


class AnswerStatus(Fault):
    """Answer with this status and body instead of doing the work."""

    action: Literal["status"]
    status: int = Field(ge=200, le=599)
    body: Any = None
    headers: dict[str, str] = {}


class QuotaExhausted(Fault):
    """The daily API allocation is used up: 403 REQUEST_LIMIT_EXCEEDED."""

    action: Literal["quota_exhausted"]


class JobFailed(Fault):
    """The Bulk job created by the request ends as Failed with this message."""

    default_match = _QUERY_JOB
    action: Literal["job_failed"]
    message: str = "InternalServerError : An unexpected error occurred."


class SlowJob(Fault):
    """The Bulk job created by the request stays this long in each state."""

    default_match = _QUERY_JOB
    action: Literal["slow_job"]
    seconds: float = Field(ge=0)


class DropConnection(Fault):
    """The connection breaks after this many bytes of the body; with 0 bytes, before any answer."""

    action: Literal["drop_connection"]
    bytes: int = Field(default=0, ge=0)


class TruncateGzip(Fault):
    """The answer is complete for HTTP, but its gzip stream ends early (after half of it, by default)."""

    action: Literal["truncate_gzip"]
    bytes: int | None = Field(default=None, ge=0)


class WrongRowCount(Fault):
    """``Sforce-NumberOfRecords`` is off by this many; the rows themselves are right."""

    default_match = _RESULTS
    action: Literal["wrong_row_count"]
    rows: int = 1


class DropRows(Fault):
    """A page lacks its last rows, cut exactly at a row's end; its header still counts them."""

    default_match = _RESULTS
    action: Literal["drop_rows"]
    rows: int = Field(default=1, ge=1)


class ChangeHeader(Fault):
    """A page's header is ``missing``, comes again before the last record (``repeated``), or names columns in reverse.

    With ``reversed`` the values are reversed too: the page is right, but not in the order asked for.
    """

    default_match = _RESULTS
    action: Literal["change_header"]
    header: Literal["missing", "repeated", "reversed"]


class EmptyResult(Fault):
    """A query, or the Bulk job created, succeeds with no rows."""

    default_match = {"path": "/(query|queryAll)/?$"}
    action: Literal["empty_result"]


class HideField(Fault):
    """From the first hit on, the field is gone from describe and unknown to SOQL."""

    action: Literal["hide_field"]
    object: str
    field: str


class HideObject(Fault):
    """From the first hit on, the user may not see the object."""

    action: Literal["hide_object"]
    object: str


class Delay(Fault):
    """The answer starts this many seconds late."""

    action: Literal["delay"]
    seconds: float = Field(ge=0)


class Slow(Fault):
    """The body takes this many seconds from its first byte to its last."""

    action: Literal["slow"]
    seconds: float = Field(ge=0)


class OAuthDenied(Fault):
    """The token endpoint refuses with this error pair (status 400)."""

    default_match = {"method": "POST", "path": "/services/oauth2/token"}
    action: Literal["oauth_error"]
    error: str
    description: str


AnyFault = Annotated[
    ExpireSession
    | AnswerStatus
    | QuotaExhausted
    | JobFailed
    | SlowJob
    | DropConnection
    | TruncateGzip
    | WrongRowCount
    | DropRows
    | ChangeHeader
    | EmptyResult
    | HideField
    | HideObject
    | Delay
    | Slow
    | OAuthDenied,
    Field(discriminator="action"),
]
