"""Who sends a request: the session its cookie names, or the user a trusted proxy vouches for.

Passwords are ``accounts``, what a user may do is checked in ``exchange``.
"""

import logging
import os
from dataclasses import dataclass
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import Response

from apps.review.accounts import Accounts, User
from apps.review.sessions import Session, Sessions, same
from data_contracts.errors import SettingsError
from data_contracts.settings import ReviewProxy

log = logging.getLogger(__name__)

SECRET_VARIABLE = "CROSSWALK_REVIEW_PROXY_SECRET"
SHORTEST_SECRET = 24


@dataclass(frozen=True)
class Proxy:
    """A proxy that signs people in; its word counts from its addresses and with its secret only."""

    settings: ReviewProxy
    secret: str

    @classmethod
    def from_environment(cls, settings: ReviewProxy | None) -> "Proxy | None":
        """Return the proxy of the settings; raises SettingsError when its secret is missing or short."""
        if settings is None:
            return None
        secret = os.environ.get(SECRET_VARIABLE, "")
        if len(secret) < SHORTEST_SECRET:
            raise SettingsError(
                f"review.proxy needs {SECRET_VARIABLE}, at least {SHORTEST_SECRET} characters",
                why="without it every program that can reach the page could name itself in the user header",
                next_step=f"let the proxy send the same value in the header {settings.secret_header}",
            )
        return cls(settings, secret)

    def user_name(self, request: Request) -> str | None:
        """Return the name in the user header when the proxy sent it, else None."""
        names = request.headers.getlist(self.settings.user_header)
        if not names:
            return None
        secrets = request.headers.getlist(self.settings.secret_header)
        sent_by_proxy = self._from_proxy(request) and len(secrets) == 1 and same(secrets[0], self.secret)
        if not sent_by_proxy or len(names) != 1:
            log.warning("a user header that the proxy did not send was ignored")
            return None
        return names[0].strip() or None

    def _from_proxy(self, request: Request) -> bool:
        try:
            return request.client is not None and ip_address(request.client.host) in self.settings.addresses
        except ValueError:
            return False


@dataclass(frozen=True)
class Identity:
    """The signed-in user of a request and their session; ``fresh`` when its cookie is still to be set."""

    user: User
    session: Session
    fresh: bool = False


class Door:
    """Finds out who sends a request, and sets and clears the cookies."""

    def __init__(self, accounts: Accounts, sessions: Sessions, proxy: Proxy | None, *, secure: bool) -> None:
        self._accounts, self._sessions, self._proxy, self._secure = accounts, sessions, proxy, secure
        prefix = "__Host-" if secure else ""
        self.session_name, self.form_name = f"{prefix}crosswalk_session", f"{prefix}crosswalk_form"

    def identify(self, request: Request) -> Identity | None:
        """Return who sends ``request``; roles are those the settings give now, whatever the session began with."""
        session = self._sessions.find(request.cookies.get(self.session_name))
        named = self._proxy.user_name(request) if self._proxy else None
        if named is not None:
            return self._vouched(named, session)
        # A session begun on the proxy's word does not outlive it.
        if session is None or session.proxied:
            return None
        user = self._accounts.find(session.user)
        return Identity(user, session) if user else None

    def admit(self, response: Response, session: Session) -> None:
        """Give the browser its session."""
        self._set(response, self.session_name, self._sessions.cookie(session))

    def dismiss(self, response: Response) -> None:
        """Take the session's cookie away."""
        response.delete_cookie(self.session_name, secure=self._secure, httponly=True, samesite="strict")

    def set_form(self, response: Response, value: str) -> None:
        """Tie a sign-in form to this browser."""
        self._set(response, self.form_name, value)

    def _vouched(self, name: str, session: Session | None) -> Identity | None:
        user = self._accounts.vouched(name)
        if user is None:
            return None
        if session is not None and session.proxied and session.user == name:
            return Identity(user, session)
        return Identity(user, self._sessions.begin(name, proxied=True), fresh=True)

    def _set(self, response: Response, name: str, value: str) -> None:
        # Strict: a link from elsewhere arrives without a session and shows the sign-in page, never an act.
        response.set_cookie(name, value, secure=self._secure, httponly=True, samesite="strict")
