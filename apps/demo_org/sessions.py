"""Access tokens and the connected app they are issued to.

Belongs here: who holds which token, for how long, and the checks of a JWT assertion. Does not belong here:
HTTP (``oauth.py``) and user records (``store/``).
"""

import datetime as dt
import re
import secrets
import string
import threading
import time
from dataclasses import dataclass, field

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from apps.demo_org.errors import OAuthError

#: Salesforce's CLI accepts nothing else: ``00D`` + 12 to 15 word characters, ``!``, word characters and dots.
_TOKEN_ALPHABET = string.ascii_letters + string.digits + "_."
#: A number this large can only be milliseconds (seconds would be the year 5138).
_MILLISECONDS_FROM = 100_000_000_000
_AUDIENCE = re.compile(r"(https?://)?([\w.-]+)(:\d+)?(/services/oauth2/token)?/?")
_SALESFORCE_HOST = re.compile(r"(login|test)\.salesforce\.com|[\w-]+(\.[\w-]+)?\.my\.salesforce\.com")


@dataclass(frozen=True)
class Session:
    """One access token's holder."""

    token: str = field(repr=False)
    user_id: str
    username: str
    issued_at: dt.datetime
    scope: str = "api refresh_token"


@dataclass(frozen=True)
class ConnectedApp:
    """The external client app of the demo org; ``run_as`` is its client-credentials user."""

    client_id: str
    client_secret: str = field(repr=False)
    public_key: RSAPublicKey = field(repr=False)
    run_as: str

    @classmethod
    def make(cls, public_key: RSAPublicKey, run_as: str) -> "ConnectedApp":
        """Make an app with a consumer key and secret of the usual look."""
        return cls(
            client_id="3MVG9" + _random_word(80),
            client_secret=secrets.token_hex(32).upper(),
            public_key=public_key,
            run_as=run_as,
        )


class Sessions:
    """The access tokens in force. Safe to use from several threads."""

    def __init__(self, org_id: str) -> None:
        self._org_id = org_id
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}

    def issue(self, user_id: str, username: str) -> Session:
        """Make a token for a user."""
        token = f"{self._org_id[:15]}!{_random_word(90)}"
        session = Session(token, user_id, username, dt.datetime.now(dt.UTC))
        with self._lock:
            self._sessions[token] = session
        return session

    def find(self, token: str) -> Session | None:
        """Return the token's session, or None if it was never issued or is no longer valid."""
        with self._lock:
            return self._sessions.get(token)

    def revoke(self, token: str) -> bool:
        """Make a token invalid; tell whether it was valid."""
        with self._lock:
            return self._sessions.pop(token, None) is not None

    def clear(self) -> None:
        """Make every token invalid."""
        with self._lock:
            self._sessions.clear()


def _random_word(length: int) -> str:
    return "".join(secrets.choice(_TOKEN_ALPHABET) for _ in range(length))


def subject_of_assertion(assertion: str, app: ConnectedApp, own_hosts: frozenset[str]) -> str:
    """Check a JWT bearer assertion as Salesforce does and return the username it is for.

    Lenient where Salesforce is: ``exp`` in seconds, milliseconds or as a string, no ``iat`` wanted, ``aud``
    the login host, the My Domain host or our own, with or without scheme and trailing slash.
    Raises ``OAuthError``.
    """
    options = {f"verify_{claim}": False for claim in ("exp", "aud", "iat", "nbf", "iss", "sub", "jti")}
    try:
        unverified = jwt.decode(assertion, options={"verify_signature": False})
        if unverified.get("iss") != app.client_id:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        claims = jwt.decode(assertion, app.public_key, algorithms=["RS256"], options=options)  # type: ignore[arg-type]
    except jwt.PyJWTError as error:
        raise OAuthError("invalid_grant", "invalid assertion") from error
    _check_expiry(claims.get("exp"))
    _check_audience(claims.get("aud"), own_hosts)
    return str(claims.get("sub") or claims.get("prn") or "")


def _check_expiry(claim: object) -> None:
    try:
        expires = float(str(claim))
    except ValueError as error:
        raise OAuthError("invalid_grant", "invalid assertion") from error
    if (expires / 1000 if expires >= _MILLISECONDS_FROM else expires) < time.time():
        raise OAuthError("invalid_grant", "expired authorization code")


def _check_audience(claim: object, own_hosts: frozenset[str]) -> None:
    for audience in claim if isinstance(claim, list) else [claim]:
        match = _AUDIENCE.fullmatch(str(audience))
        if match and (match[2] in own_hosts or _SALESFORCE_HOST.fullmatch(match[2])):
            return
    raise OAuthError("invalid_grant", "Audience validation failed")
