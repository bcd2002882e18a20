"""Sessions of the review page: a signed cookie names one, everything else stays in this process.

A session ends with the process, with sign-out, after an idle time and after ``review.session_hours``. Who may sign in
is ``accounts``; reading the cookie off a request is ``identity``.
"""

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

IDLE_SECONDS = 2 * 3600
#: A person's sessions beyond these are ended, oldest first; so are those of all people together.
MOST_OF_ONE, MOST = 20, 5_000
#: Pairs a person can go back to.
TRAIL = 50


@dataclass
class Session:
    """One signed-in browser: who, its CSRF token, and what this person is doing."""

    user: str
    token: str
    csrf: str
    began: float
    seen: float
    #: The name came from the proxy's header and must come with every request.
    proxied: bool = False
    #: Hide what the model thinks until the person has decided.
    blind: bool = False
    #: y, n and u decide; a person who dictates or types by accident switches them off.
    shortcuts: bool = True
    #: Pages of pairs that were opened, the present one last.
    trail: list[str] = field(default_factory=list)
    #: What to tell on the next page, once.
    notice: str | None = None

    def visit(self, path: str) -> None:
        """Remember that the page of a pair was opened."""
        if path in self.trail:
            self.trail.remove(path)
        self.trail = [*self.trail, path][-TRAIL:]

    def previous(self, path: str) -> str | None:
        """Return the page opened before ``path``."""
        place = self.trail.index(path) if path in self.trail else len(self.trail)
        return self.trail[place - 1] if place > 0 else None

    def take_notice(self) -> str | None:
        """Return what is to be told, and forget it."""
        told, self.notice = self.notice, None
        return told


class Sessions:
    """All sessions of this process; safe to use from several threads."""

    def __init__(self, hours: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = secrets.token_bytes(32)
        self._life = hours * 3600
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}

    def begin(self, user: str, *, proxied: bool = False) -> Session:
        """Return a new session of ``user``: signing in never takes up a session that was there before."""
        now = self._clock()
        session = Session(user, secrets.token_urlsafe(32), secrets.token_urlsafe(32), now, now, proxied)
        with self._lock:
            self._sweep(now)
            mine = [token for token, other in self._sessions.items() if other.user == user]
            for token in mine[: len(mine) - MOST_OF_ONE + 1 if len(mine) >= MOST_OF_ONE else 0]:
                del self._sessions[token]
            while len(self._sessions) >= MOST:
                del self._sessions[next(iter(self._sessions))]
            self._sessions[session.token] = session
        return session

    def find(self, cookie: str | None) -> Session | None:
        """Return the session a cookie names; None when its signature is wrong or the session has ended."""
        token = self._open("session", cookie)
        if token is None:
            return None
        now = self._clock()
        with self._lock:
            session = self._sessions.get(token)
            if session is None:
                return None
            if self._over(session, now):
                del self._sessions[token]
                return None
            session.seen = now
        return session

    def end(self, session: Session) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(session.token, None)

    def cookie(self, session: Session) -> str:
        """Return the signed value of the session's cookie."""
        return self._sealed("session", session.token)

    def form_cookie(self) -> str:
        """Return a signed value for a browser that has no session yet, to which its sign-in form is tied."""
        return self._sealed("form", secrets.token_urlsafe(24))

    def form_token(self, cookie: str | None) -> str | None:
        """Return the token the form of this browser must carry; None when the cookie is not ours."""
        nonce = self._open("form", cookie)
        return self._mac("form token", nonce) if nonce else None

    def _sweep(self, now: float) -> None:
        for token in [token for token, session in self._sessions.items() if self._over(session, now)]:
            del self._sessions[token]

    def _over(self, session: Session, now: float) -> bool:
        return now - session.began > self._life or now - session.seen > IDLE_SECONDS

    def _sealed(self, purpose: str, value: str) -> str:
        return f"{value}.{self._mac(purpose, value)}"

    def _open(self, purpose: str, sealed: str | None) -> str | None:
        value, dot, mac = (sealed or "").rpartition(".")
        expected = self._mac(purpose, value)
        return value if dot and same(mac, expected) else None

    def _mac(self, purpose: str, value: str) -> str:
        return hmac.new(self._key, f"{purpose}\0{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def same(given: str | None, expected: str) -> bool:
    """Return whether two secrets are equal, taking as long where they are not."""
    return hmac.compare_digest((given or "").encode("utf-8", "surrogatepass"), expected.encode())
