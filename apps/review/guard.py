"""What every request passes before a page sees it, and what every answer carries: hosts, origins, sizes, headers.

It knows nothing of users; signing in and CSRF tokens are ``identity`` and ``exchange``.
"""

from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The largest form: a reason and a few ids.
MOST_BYTES = 64 * 1024

#: No script or style but our own two files; no frame, plug-in, base, connection, or form to anywhere else.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not no-referrer: with it a browser sends a form with the origin "null".
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-robots-tag": "noindex, nofollow",
}


@dataclass(frozen=True)
class Origins:
    """Where the page may be asked for: host names as in the Host header, and whether people come by https."""

    hosts: frozenset[str]
    secure: bool

    def allows(self, origin: str) -> bool:
        """Return whether a form may come from a page of ``origin``."""
        scheme, _, host = origin.partition("://")
        return scheme == ("https" if self.secure else "http") and host.lower() in self.hosts


class Guard:
    """ASGI middleware: refuses foreign hosts (DNS rebinding), foreign origins and large bodies; adds headers."""

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        self._app, self._origins = app, origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            return
        answer = self._refusal(scope)
        if answer is not None:
            await answer(scope, receive, self._with_headers(scope, send))
            return
        await self._app(scope, _limited(receive), self._with_headers(scope, send))

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        if headers.getlist("host") != [headers.get("host", "")] or headers["host"].lower() not in self._origins.hosts:
            return PlainTextResponse("This page is not served under that host name.", 421)
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("Method not allowed.", 405, {"allow": "GET, HEAD, POST"})
        if scope["method"] == "POST":
            return self._foreign(headers) or _too_large(headers)
        return None

    def _foreign(self, headers: Headers) -> PlainTextResponse | None:
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if (origin is not None and not self._origins.allows(origin)) or site in ("cross-site", "same-site"):
            return PlainTextResponse("A form of another site is not accepted.", 403)
        return None

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        static = scope["path"].startswith("/static/")

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers["cache-control"] = "private, max-age=3600" if static else "no-store"
                if self._origins.secure:
                    headers["strict-transport-security"] = "max-age=31536000"
            await send(message)

        return sending


def _too_large(headers: Headers) -> PlainTextResponse | None:
    length = headers.get("content-length", "")
    if not length.isascii() or not length.isdigit():
        return PlainTextResponse("A form says how long it is.", 411)
    return PlainTextResponse("The form is too large.", 413) if int(length[:12]) > MOST_BYTES else None


def _limited(receive: Receive) -> Receive:
    """Hand on a body up to the limit only, whatever its header said."""
    left = MOST_BYTES

    async def receiving() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        return message if left >= 0 else {"type": "http.disconnect"}

    return receiving
