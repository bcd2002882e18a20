"""Access tokens, refresh tokens, authorization codes and browser sign-ins: who holds which, for how long.

Belongs here: issuing, finding, expiry, rotation, revocation. Does not belong here: HTTP (``oauth*.py``), whether
somebody may have a token (``oauth_policy.py``) and user records (``store/``).
"""

import datetime as dt
import secrets
import threading
import time
from dataclasses import dataclass, field

from apps.demo_org.connected_app import OrgSecurity, random_word


@dataclass(frozen=True)
class Session:
    """One access token's holder. A session without app comes from a SOAP login or the ready line."""

    token: str = field(repr=False)
    user_id: str
    username: str
    issued_at: dt.datetime
    scope: str = "api refresh_token"
    client_id: str | None = None
    #: Identifies the approval it came from; ends with it.
    grant: str | None = None

    @property
    def scopes(self) -> frozenset[str]:
        """Return the scopes one by one."""
        return frozenset(self.scope.split())


@dataclass(frozen=True)
class RefreshToken:
    """One refresh token; with rotation its ``grant`` lives on in the next one."""

    token: str = field(repr=False)
    user_id: str
    username: str
    client_id: str
    scope: str
    grant: str
    issued_at: float


@dataclass(frozen=True)
class AuthorizationCode:
    """What the consent page handed out, to be traded for tokens once."""

    client_id: str
    redirect_uri: str
    user_id: str
    username: str
    scope: str
    challenge: str
    issued_at: float


class Sessions:
    """Every token in force. Safe to use from several threads."""

    def __init__(self, org_id: str, security: OrgSecurity | None = None) -> None:
        self._org_id, self._security = org_id, security or OrgSecurity()
        self._lock = threading.RLock()
        self._sessions: dict[str, Session] = {}
        self._refresh: dict[str, RefreshToken] = {}
        self._codes: dict[str, AuthorizationCode | None] = {}
        self._browsers: dict[str, str] = {}

    def issue(
        self,
        user_id: str,
        username: str,
        *,
        scope: str = "api refresh_token",
        client_id: str | None = None,
        grant: str | None = None,
    ) -> Session:
        """Make an access token for a user."""
        token = f"{self._org_id[:15]}!{random_word(90)}"
        session = Session(token, user_id, username, dt.datetime.now(dt.UTC), scope, client_id, grant)
        with self._lock:
            self._sessions[token] = session
        return session

    def find(self, token: str) -> Session | None:
        """Return the token's session, or None if it was never issued, has expired or was revoked."""
        lifetime = self._security.session_lifetime
        with self._lock:
            session = self._sessions.get(token)
            if session and lifetime and dt.datetime.now(dt.UTC) - session.issued_at >= dt.timedelta(seconds=lifetime):
                del self._sessions[token]
                return None
            return session

    def revoke(self, token: str) -> bool:
        """Make an access token invalid, or a refresh token with all it gave; tell whether it was valid."""
        with self._lock:
            if refresh := self._refresh.get(token):
                self.revoke_grant(refresh.grant)
                return True
            return self._sessions.pop(token, None) is not None

    def revoke_grant(self, grant: str) -> None:
        """End one approval: its refresh token and its access tokens."""
        with self._lock:
            self._refresh = {key: each for key, each in self._refresh.items() if each.grant != grant}
            self._sessions = {key: each for key, each in self._sessions.items() if each.grant != grant}

    def clear(self) -> None:
        """Make every access token invalid."""
        with self._lock:
            self._sessions.clear()

    def clear_refresh_tokens(self) -> None:
        """Make every refresh token, and what it gave, invalid."""
        with self._lock:
            for grant in {each.grant for each in self._refresh.values()}:
                self.revoke_grant(grant)

    # -- refresh tokens

    def issue_refresh(
        self, user_id: str, username: str, client_id: str, scope: str, grant: str | None = None
    ) -> RefreshToken:
        """Make a refresh token, of a new approval unless ``grant`` names one."""
        token = RefreshToken(
            f"5Aep861{random_word(80)}", user_id, username, client_id, scope, grant or random_word(18), time.time()
        )
        with self._lock:
            self._refresh[token.token] = token
        return token

    def find_refresh(self, token: str) -> RefreshToken | None:
        """Return the refresh token's holder, or None if it was never issued, has expired or was revoked."""
        lifetime = self._security.refresh_token_lifetime
        with self._lock:
            found = self._refresh.get(token)
            if found and lifetime and time.time() - found.issued_at >= lifetime:
                self.revoke_grant(found.grant)
                return None
            return found

    def rotate(self, old: RefreshToken) -> RefreshToken | None:
        """Replace a refresh token: the old one is void at once. None if another request was first."""
        with self._lock:
            if self._refresh.pop(old.token, None) is None:
                return None
            return self.issue_refresh(old.user_id, old.username, old.client_id, old.scope, old.grant)

    # -- authorization codes

    def issue_code(self, code: AuthorizationCode) -> str:
        """Hand out an authorization code; it ends in ``==`` as Salesforce's do, so it must be escaped in a URL."""
        word = f"aPrx{random_word(60)}=="
        with self._lock:
            self._codes[word] = code
        return word

    def take_code(self, word: str) -> AuthorizationCode | str:
        """Trade a code in, for good; for one that is not valid return what Salesforce says of it."""
        with self._lock:
            if word not in self._codes:
                return "invalid authorization code"
            code, self._codes[word] = self._codes[word], None
        if code is None or time.time() - code.issued_at >= self._security.authorization_code_lifetime:
            return "expired authorization code"
        return code

    # -- browsers

    def sign_in(self, user_id: str) -> str:
        """Remember a browser's sign-in and return the value of its cookie."""
        cookie = secrets.token_urlsafe(32)
        with self._lock:
            self._browsers[cookie] = user_id
        return cookie

    def signed_in(self, cookie: str) -> str | None:
        """Return the id of the user signed in in this browser, or None."""
        with self._lock:
            return self._browsers.get(cookie)
