"""A person signs in: OAuth's web-server flow with PKCE, answered on this machine's loopback address.

It makes the address to open, waits for the browser to come back, and hands over what to exchange for tokens
(``auth.TokenSource.redeem``). Nothing secret is in the address; the code that comes back is of use only together
with the verifier, which never leaves this process before the exchange.
"""

import base64
import hashlib
import hmac
import html
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Self, cast
from urllib.parse import parse_qs, urlencode, urlsplit

from data_contracts.errors import AuthenticationError, SettingsError
from resources.salesforce.errors import denied
from resources.salesforce.secret import Secret

#: Every scope that is asked for, and why; a security review reads it in docs/connecting.md.
SCOPES: Mapping[str, str] = {
    "api": "read records, metadata and limits through REST and Bulk API 2.0",
    "id": "ask who is signed in, to which org: the org id is pinned",
    "refresh_token": "sync at night without a person",
}
#: The app's callback URL has to name the port, so it is the same every time unless set.
CALLBACK_PORT = 8788
CALLBACK_PATH = "/callback"
#: How long a person may take; Salesforce's own code lasts 15 minutes.
SIGN_IN_SECONDS = 600.0

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Crosswalk</title>
<body style="font: 1.1rem system-ui; margin: 4rem auto; max-width: 32rem"><h1>{title}</h1><p>{text}</p></body></html>
"""


@dataclass(frozen=True)
class SignIn:
    """One attempt to sign in: made fresh each time, never stored."""

    login_url: str
    client_id: str
    redirect_uri: str
    forced: bool
    state: Secret = field(default_factory=lambda: Secret(secrets.token_urlsafe(32)))
    verifier: Secret = field(default_factory=lambda: Secret(secrets.token_urlsafe(64)))

    def address(self) -> str:
        """Return the address to open; with ``forced`` Salesforce asks for the password though somebody is signed in."""
        parameters = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(SCOPES),
            "state": self.state.reveal(),
            "code_challenge": challenge(self.verifier),
            "code_challenge_method": "S256",
        }
        if self.forced:
            parameters["prompt"] = "login"
        return f"{self.login_url}/services/oauth2/authorize?{urlencode(parameters)}"

    def accept(self, answer: Mapping[str, str]) -> dict[str, str] | None:
        """Return the form to exchange for tokens; None where the answer is to somebody else's sign-in.

        Raises AuthenticationError when Salesforce or the person refused.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), self.state.reveal().encode()):
            return None
        if "error" in answer:
            raise denied(answer["error"], answer.get("error_description", ""))
        if not answer.get("code"):
            return None
        return {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier.reveal(),
        }


class Loopback:
    """Listens on 127.0.0.1 for the one answer of the browser; a context manager."""

    def __init__(self, port: int = CALLBACK_PORT) -> None:
        try:
            self._server = _Server(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise SettingsError(
                f"cannot listen on 127.0.0.1:{port}: {error.strerror}",
                why="another program uses the port to which Salesforce sends the browser back",
                next_step="end that program, or choose another port that is a callback URL of the app: "
                "crosswalk connect --port PORT",
            ) from error
        self.redirect_uri = f"http://localhost:{self._server.server_address[1]}{CALLBACK_PATH}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.server_close()

    def wait(self, sign_in: SignIn, seconds: float = SIGN_IN_SECONDS) -> dict[str, str]:
        """Return the form to exchange once the browser came back with the answer to ``sign_in``.

        Answers with another state are refused and waiting goes on. Raises AuthenticationError when Salesforce or
        the person refused, or nobody answered in time.
        """
        until = time.monotonic() + seconds
        self._server.sign_in, self._server.outcome = sign_in, None
        while (left := until - time.monotonic()) > 0:
            self._server.timeout = left
            self._server.handle_request()
            # Read by name: the handler sets it, which a type checker cannot see.
            outcome: object = self._server.outcome
            if isinstance(outcome, AuthenticationError):
                raise outcome
            if isinstance(outcome, dict):
                return outcome
        raise AuthenticationError(
            f"nobody signed in within {seconds:.0f} seconds",
            why="Salesforce did not send the browser back; an error it shows on its own page never reaches us",
            next_step="look its code up in docs/connecting.md, then run: crosswalk connect",
        )


class _Server(HTTPServer):
    """What is waited for, and what came."""

    sign_in: SignIn
    outcome: dict[str, str] | AuthenticationError | None = None


class _Handler(BaseHTTPRequestHandler):
    #: A client that connects and sends nothing must not hold up the answer.
    timeout = 5.0

    def do_GET(self) -> None:
        """Take the browser's answer."""
        server, parts = cast(_Server, self.server), urlsplit(self.path)
        if parts.path != CALLBACK_PATH:
            self._say(404, "Not here", "This address only takes Salesforce's answer.")
            return
        answer = {name: values[0] for name, values in parse_qs(parts.query).items()}
        try:
            form = server.sign_in.accept(answer)
        except AuthenticationError as error:
            server.outcome = error
            self._say(200, "Not connected", error.what)
            return
        if form is None:
            self._say(400, "Not expected", "This answer belongs to another sign-in. Run crosswalk connect again.")
            return
        server.outcome = form
        self._say(200, "Signed in", "Crosswalk goes on in the terminal. You may close this window.")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the request line holds the code."""

    def _say(self, status: int, title: str, text: str) -> None:
        body = _PAGE.format(title=html.escape(title), text=html.escape(text)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def challenge(verifier: Secret) -> str:
    """Return the PKCE challenge (S256) of a verifier."""
    digest = hashlib.sha256(verifier.reveal().encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
