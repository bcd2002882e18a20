"""The one HTTP session to the org: read-only guard, token, timeouts, retries, counting, error mapping.

Whatever talks to Salesforce, simple-salesforce included, goes through :class:`OrgSession`, so its guarantees
hold everywhere. What is asked for is the business of ``rest`` and ``bulk``.
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from data_contracts.errors import OrgUnreachableError, SalesforceError
from resources.salesforce.auth import REVOKE_PATH, Token, TokenSource
from resources.salesforce.budget import RequestBudget, is_free
from resources.salesforce.credentials import Credentials, is_loopback
from resources.salesforce.errors import EXPIRED_CODES, QUOTA_CODES, api_error, error_of
from resources.salesforce.read_only import READ_METHODS, guard, guard_oauth, guard_soql
from resources.salesforce.token_store import TokenStore
from resources.salesforce.usage import Usage

#: The server says it did not process the request, so any method may be sent again.
NOT_PROCESSED = frozenset({429, 503})
RETRIED = NOT_PROCESSED | {406, 408, 420, 500, 502, 504}
#: Seconds by which two Date headers of one clock may seem to differ: whole seconds, and the way of an answer.
CLOCK_NOISE = 30.0


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long to try again: exponential back-off with full jitter, in seconds."""

    attempts: int = 6
    base: float = 0.5
    cap: float = 30.0
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def wait(self, attempt: int, retry_after: str | None = None) -> None:
        """Sleep before attempt ``attempt + 1``; a numeric Retry-After wins, up to ten times the cap."""
        if retry_after and retry_after.isdigit():
            self.sleep(min(float(retry_after), 10 * self.cap))
            return
        self.sleep(random.uniform(0.5, 1.0) * min(self.cap, self.base * 2**attempt))


class OrgAdapter(HTTPAdapter):
    """Sets ``verify`` on each request: requests would let ``REQUESTS_CA_BUNDLE`` win over the session's."""

    def __init__(self, ca_bundle: str | None) -> None:
        self._ca_bundle = ca_bundle
        super().__init__(pool_connections=4, pool_maxsize=16)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send with the configured bundle, and never by a proxy to this machine itself."""
        if self._ca_bundle:
            kwargs["verify"] = self._ca_bundle
        if is_loopback(request.url or ""):
            kwargs["proxies"] = {}
        return super().send(request, *args, **kwargs)


class OrgSession(requests.Session):
    """A ``requests.Session`` that signs, retries, counts and refuses; failed calls raise SalesforceError."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        timeout: float = 120.0,
        policy: RetryPolicy | None = None,
        store: TokenStore | None = None,
        budget: RequestBudget | None = None,
        limits_path: str = "",
    ) -> None:
        super().__init__()
        self.usage = Usage()
        self.budget, self._limits_path = budget, limits_path
        self.policy = policy or RetryPolicy()
        self.tokens = TokenSource(credentials, self._post_form, store)
        self._timeout = (min(timeout, 15.0), timeout)
        self._clock_offset: float | None = None
        self.headers["Accept-Encoding"] = "gzip"
        # Also keeps requests from taking credentials for the host out of ~/.netrc.
        self.auth = self._sign
        self.mount("https://", OrgAdapter(credentials.ca_bundle))

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Send one API call; see the class. ``action`` (what is being done) goes into error messages."""
        verb, target = _text(method).upper(), _text(url)
        action = kwargs.pop("action", "") or f"answer {verb} {urlsplit(target).path}"
        self._refuse_writes(verb, target, args, kwargs)
        kwargs.setdefault("timeout", self._timeout)
        refreshed = False
        while True:
            token = self.tokens.current()
            response = self._send_with_retries(verb, target, *args, **kwargs)
            if response.status_code < 400:
                return response
            if response.status_code in (401, 403) and not refreshed and error_of(response)[0] in EXPIRED_CODES:
                self.tokens.replace(token)
                refreshed = True
                continue
            raise api_error(response, action)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a prepared request; redirects and callers that go round ``request`` are guarded here."""
        url = request.url or ""
        if request.method == "POST" and urlsplit(url).path == REVOKE_PATH:
            guard_oauth(url)
        else:
            guard(request.method or "", url, request.headers)
        return super().send(request, **kwargs)

    def read(
        self, path: str, action: str, *, params: Mapping[str, str] | None = None, stream: bool = False
    ) -> requests.Response:
        """GET ``path`` on the org's instance; ``action`` completes "Salesforce refused to ..."."""
        return self.request("GET", self.url(path), params=params, stream=stream, action=action)

    def read_json(self, path: str, action: str) -> Any:
        """GET ``path`` and return its JSON; raises SalesforceError where the answer is something else."""
        try:
            return self.read(path, action).json()
        except ValueError:
            raise not_salesforce(self.url("")) from None

    def url(self, path: str) -> str:
        """Return ``path`` (which begins with a slash) on the org's instance."""
        return self.tokens.current().instance_url + path

    def server_time(self) -> datetime:
        """The org's clock now, from the ``Date`` header of its last answer, in whole seconds UTC."""
        if self._clock_offset is None:
            self.read("/services/data", "list its API versions")
        if self._clock_offset is None:
            raise SalesforceError(
                "the org's answers carry no Date header",
                why="without the org's clock a delta could miss changes; a proxy may strip headers",
                next_step="reach the org without that proxy, then run the command again",
            )
        now = time.monotonic() + self._clock_offset
        return datetime.fromtimestamp(int(now), UTC)

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        token: Token = self.tokens.current()
        # A token is for its own instance only, whatever URL an answer may have named.
        if urlsplit(request.url or "").netloc == urlsplit(token.instance_url).netloc:
            request.headers["Authorization"] = f"Bearer {token.access_token.reveal()}"
        else:
            request.headers.pop("Authorization", None)
        return request

    def _post_form(self, url: str, form: dict[str, str]) -> requests.Response:
        """Send a token request: unsigned, and with the same retries as everything else."""
        guard_oauth(url)
        return self._send_with_retries("POST", url, data=form, auth=_unsigned, timeout=self._timeout, repeatable=True)

    def _refuse_writes(self, verb: str, url: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        parameters = kwargs.get("params") or (args[0] if args else None)
        guard(verb, url)
        # Parameters are not in the URL yet, and a POST may name its real method there.
        whole = requests.Request("GET", url, params=parameters).prepare().url or url
        guard(verb, whole, kwargs.get("headers"))
        body = kwargs.get("json")
        if isinstance(body, Mapping):
            guard_soql(str(body.get("query", "")))

    def _send_with_retries(
        self, verb: str, url: str, *args: Any, repeatable: bool = False, **kwargs: Any
    ) -> requests.Response:
        repeatable = repeatable or verb in {*READ_METHODS, "DELETE"}
        path, attempt = urlsplit(url).path, 0
        while True:
            last = attempt + 1 == self.policy.attempts
            if self.budget:
                self.budget.admit(path, self._look)
            try:
                response = super().request(verb, url, *args, **kwargs)
            except requests.RequestException as error:
                self._unanswered(path)
                if last or not (repeatable or isinstance(error, requests.ConnectTimeout)) or _is_certificate(error):
                    raise unreachable(url, error) from error
                self.policy.wait(attempt)
                attempt += 1
                continue
            quota = _quota(response)
            self._note(response, streamed=bool(kwargs.get("stream")), refused=quota == "daily")
            if quota == "daily" and self.budget:
                # Not an attempt: the budget pauses before the next one, and gives up in its own time.
                response.close()
                continue
            again = response.status_code in (RETRIED if repeatable else NOT_PROCESSED) or quota == "concurrent"
            if last or not again:
                return response
            response.close()
            self.policy.wait(attempt, response.headers.get("Retry-After"))
            attempt += 1

    def _look(self) -> None:
        """Ask the org how much of its allocation is used, during a pause: one request, already admitted.

        Refused or not, its answer carries ``Sforce-Limit-Info``. No answer is no news.
        """
        try:
            token = self.tokens.current()
            response = super().request("GET", token.instance_url + self._limits_path, timeout=self._timeout)
        except (requests.RequestException, SalesforceError):
            self._unanswered(self._limits_path, refused=True)
            return
        self._note(response, streamed=False, refused=_quota(response) == "daily")
        if response.status_code == 401:
            # A pause outlives a session.
            self.tokens.replace(token)

    def _unanswered(self, path: str, *, refused: bool = False) -> None:
        self.usage.count(path, calls=1)
        if self.budget and not is_free(path):
            self.budget.answered(refused=refused)

    def _note(self, response: requests.Response, *, streamed: bool, refused: bool = False) -> None:
        size, path = 0 if streamed else len(response.content), urlsplit(response.url).path
        self.usage.count(path, calls=1, size=size)
        self.usage.note_limit(response.headers.get("Sforce-Limit-Info"))
        if self.budget and not is_free(path):
            self.budget.note(self.usage.org_used, self.usage.org_allowed)
            self.budget.answered(refused=refused)
        self._set_clock(response.headers.get("Date"))

    def _set_clock(self, date: str | None) -> None:
        """Learn the org's clock: a Date header is the second that began last, so the latest claim is closest."""
        try:
            offset = parsedate_to_datetime(date or "").timestamp() - time.monotonic()
        except ValueError:
            return
        known = self._clock_offset
        # Far behind what it told before: the org's clock was set back, or another of its servers answers.
        set_back = known is not None and offset < known - CLOCK_NOISE
        self._clock_offset = offset if known is None or set_back else max(offset, known)


def unreachable(url: str, error: Exception) -> OrgUnreachableError:
    """Return the error for a host that did not answer, without the URL's query."""
    host = urlsplit(url).netloc
    if _is_certificate(error):
        return OrgUnreachableError(
            f"cannot trust {host}: its certificate does not verify",
            why="the certificate is not signed by an authority this machine knows, or names another host",
            next_step="set SALESFORCE_CA_BUNDLE to the authority's PEM file, then run: crosswalk preflight",
        )
    return OrgUnreachableError(
        f"no answer from {host}",
        why=f"{type(error).__name__} after every retry",
        next_step="check SALESFORCE_INSTANCE_URL and the network, see https://status.salesforce.com, "
        "then run: crosswalk preflight",
    )


def not_salesforce(url: str) -> SalesforceError:
    """Return the error for a host that answers, and not as Salesforce does."""
    return SalesforceError(
        f"{urlsplit(url).netloc} does not answer like Salesforce",
        why="another site, or a proxy's own page, is at this address",
        next_step="check SALESFORCE_INSTANCE_URL (Setup > My Domain) and the network, then run: crosswalk preflight",
    )


def _quota(response: requests.Response) -> str:
    """Return which allocation a refusal is about: ``daily``, ``concurrent`` (gone in a moment), or nothing."""
    if response.status_code != 403:
        return ""
    code, said = error_of(response)
    if code not in QUOTA_CODES:
        return ""
    return "concurrent" if "concurrent" in said.lower() else "daily"


def _is_certificate(error: Exception) -> bool:
    return isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE" in str(error).upper()


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def query_string(parameters: Mapping[str, str]) -> str:
    """Return ``?a=b`` as requests would encode it; used to know how long a URL becomes."""
    return requests.Request("GET", "https://x/", params=dict(parameters)).prepare().path_url.removeprefix("/")
