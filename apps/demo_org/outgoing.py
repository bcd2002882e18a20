"""The bytes that leave: standard headers, gzip, and the faults that damage an answer on its way.

Belongs here: one ASGI ``send`` per request. Does not belong here: deciding what to answer.
"""

import asyncio
import gzip
import secrets
from collections.abc import Callable
from email.utils import format_datetime

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Scope, Send

from apps.demo_org.clock import OrgClock
from apps.demo_org.fault_plan import Fired
from apps.demo_org.faults import DropConnection, Slow, TruncateGzip
from apps.demo_org.request_log import Exchange, RequestLog

#: Smaller answers are not worth compressing.
_GZIP_FROM = 1024
_SLOW_STEPS = 10

_STANDARD_HEADERS = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-XSS-Protection": "1; mode=block",
    "X-Robots-Tag": "none",
    "Cache-Control": "no-cache,must-revalidate,max-age=0,no-store,private",
    "Server": "sfdcedge",
}
#: Set on every answer, whatever the client sends back.
_COOKIES = (
    "CookieConsentPolicy=0:1; path=/; Max-Age=31536000",
    "LSKey-c$CookieConsentPolicy=0:1; path=/; Max-Age=31536000",
    f"BrowserId={secrets.token_urlsafe(16)}; domain=.salesforce.com; path=/; Max-Age=31536000",
)


class ConnectionDropped(Exception):
    """A fault broke the connection; nothing more can be sent."""


class Outgoing:
    """The ``send`` of one request."""

    def __init__(
        self, scope: Scope, send: Send, exchange: Exchange, fired: Fired, log: RequestLog, clock: OrgClock
    ) -> None:
        self._scope, self._send, self.exchange, self._fired, self._log = scope, send, exchange, fired, log
        self._clock = clock
        #: Gives the value of ``Sforce-Limit-Info``; None where the answer has no such header.
        self.limit_info: Callable[[], str] | None = None
        self._start: Message | None = None
        self._allowed: int | None = None
        self._total = 0

    async def __call__(self, message: Message) -> None:
        """Pass a message on, changed as needed."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._start is not None:
            body = await self._begin(self._start, body, more)
            self._start = None
        await self._pass(body, more)

    def abort(self) -> None:
        """Break the connection at once."""
        self._log.write(self.exchange)
        self._transport().abort()
        raise ConnectionDropped

    def _transport(self) -> asyncio.Transport:
        transport: asyncio.Transport = self._scope["extensions"]["crosswalk.transport"]
        return transport

    async def _begin(self, start: Message, body: bytes, more: bool) -> bytes:
        """Complete the headers and send them; return the first piece of the body as it will leave."""
        headers = MutableHeaders(raw=start["headers"])
        self._add_headers(headers, start["status"])
        if not more and self._compressible(headers, body):
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers["Content-Encoding"], headers["Content-Length"] = "gzip", str(len(body))
        self._total = int(headers.get("content-length") or len(body))
        self.exchange.status = start["status"]
        if (truncate := self._fired.first(TruncateGzip)) and start["status"] == 200:
            self._allowed = self._total // 2 if truncate.bytes is None else truncate.bytes
            headers["Content-Length"] = str(min(self._allowed, self._total))
        if drop := self._fired.first(DropConnection):
            self._allowed = drop.bytes
        if not body and not more:
            # The client has its answer with the headers.
            self._log.write(self.exchange)
        await self._send({**start, "headers": headers.raw})
        return body

    def _add_headers(self, headers: MutableHeaders, status: int) -> None:
        for name, value in _STANDARD_HEADERS.items():
            headers.setdefault(name, value)
        headers["Date"] = format_datetime(self._clock.now(), usegmt=True)
        headers["X-SFDC-Request-Id"] = secrets.token_hex(16)
        for cookie in _COOKIES:
            headers.append("Set-Cookie", cookie)
        if status < 300 and "json" in headers.get("content-type", ""):
            headers["Vary"] = "Accept-Encoding"
        if self.limit_info is not None:
            headers["Sforce-Limit-Info"] = self.limit_info()

    def _compressible(self, headers: MutableHeaders, body: bytes) -> bool:
        if len(body) < _GZIP_FROM or "content-encoding" in headers or "json" not in headers.get("content-type", ""):
            return False
        return accepts_gzip(Headers(scope=self._scope))

    async def _pass(self, body: bytes, more: bool) -> None:
        left = len(body) if self._allowed is None else max(0, self._allowed - self.exchange.bytes)
        piece = body[:left]
        self.exchange.bytes += len(piece)
        dropped = len(piece) < len(body) and self._fired.first(DropConnection) is not None
        if dropped or not more:
            # Logged before the last byte leaves: who has the answer finds the line.
            self._log.write(self.exchange)
        await self._send_slowly(piece, more or dropped)
        if dropped:
            self._transport().close()
            raise ConnectionDropped

    async def _send_slowly(self, body: bytes, more: bool) -> None:
        slow = self._fired.first(Slow)
        if slow is None or not self._total:
            await self._send({"type": "http.response.body", "body": body, "more_body": more})
            return
        step = max(1, self._total // _SLOW_STEPS)
        for at in range(0, len(body), step):
            piece = body[at : at + step]
            await asyncio.sleep(slow.seconds * len(piece) / self._total)
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self._send({"type": "http.response.body", "body": b"", "more_body": more})


def accepts_gzip(headers: Headers) -> bool:
    """Tell whether the client takes gzip (``gzip``, not ``gzip;q=0``)."""
    for part in headers.get("accept-encoding", "").lower().split(","):
        name, _, parameters = part.strip().partition(";")
        if name in ("gzip", "*"):
            return parameters.replace(" ", "") not in ("q=0", "q=0.0")
    return False
