"""Signing in: our own small OAuth client, so that any host, any grant and every denial is handled.

It returns tokens and identities; sending API calls with them is ``resources.salesforce.session``, and the pages a
person signs in on are ``resources.salesforce.web_flow``.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
import requests

from data_contracts.errors import AuthenticationError, SettingsError
from resources.salesforce.credentials import Credentials
from resources.salesforce.errors import error_of, oauth_error
from resources.salesforce.secret import Secret
from resources.salesforce.token_store import StoredToken, TokenStore

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_PATH = "/services/oauth2/token"
REVOKE_PATH = "/services/oauth2/revoke"
#: Salesforce refuses an assertion that is valid for longer than five minutes.
ASSERTION_SECONDS = 180

Post = Callable[[str, dict[str, str]], requests.Response]


@dataclass(frozen=True)
class Token:
    """An access token, where it is valid, and the identity URL that came with it (empty for a given token)."""

    access_token: Secret
    instance_url: str
    identity_url: str = ""


@dataclass(frozen=True)
class Grant:
    """The answer to a token request: the token, the scopes, and a refresh token where Salesforce gave one."""

    token: Token
    scopes: str = ""
    refresh_token: Secret | None = None


@dataclass(frozen=True)
class Identity:
    """Who we are in which org."""

    org_id: str
    user_id: str
    username: str
    display_name: str
    #: Whether the user has the licence for programs, Salesforce Integration; None where the org does not tell.
    integration_user: bool | None = None

    @classmethod
    def from_userinfo(cls, body: dict[str, Any]) -> "Identity":
        """Read the answer of ``/services/oauth2/userinfo``."""
        return cls(
            org_id=str(body.get("organization_id", "")),
            user_id=str(body.get("user_id", "")),
            username=str(body.get("preferred_username", "")),
            display_name=str(body.get("name", "")),
            integration_user=body.get("is_salesforce_integration_user"),
        )


class TokenSource:
    """Hands out the current token and replaces it once, however many threads found it expired."""

    def __init__(self, credentials: Credentials, post: Post, store: TokenStore | None = None) -> None:
        self.credentials = credentials
        #: What the app grants, as the last token request told; empty for a given token.
        self.scopes = ""
        self._post, self._store = post, store
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._refresh_token = credentials.refresh_token
        self._denied: tuple[Token, AuthenticationError] | None = None

    def current(self) -> Token:
        """Return the token in use, asking for the first one."""
        with self._lock:
            if self._token is None:
                self._token = self._request()
            return self._token

    def replace(self, stale: Token) -> Token:
        """Return a token other than ``stale``; only the first caller asks Salesforce, and only once.

        Raises AuthenticationError when a given access token has expired: it cannot be renewed; and when Salesforce
        refused to renew ``stale`` before, without asking again.
        """
        with self._lock:
            if self._token is not None and self._token is not stale:
                return self._token
            if self._denied is not None and self._denied[0] is stale:
                raise self._denied[1]
            try:
                self._token = self._request(renewing=True)
            except AuthenticationError as error:
                self._denied = (stale, error)
                raise
            return self._token

    def redeem(self, form: Mapping[str, str]) -> Grant:
        """Exchange the code of a web sign-in for tokens and use them from now on; nothing is stored."""
        with self._lock:
            grant = self._ask({**self._client(), **form})
            self._token, self._refresh_token = grant.token, grant.refresh_token
            return grant

    def stored(self, refresh_token: Secret) -> StoredToken:
        """Return what the store keeps of a refresh token of ours."""
        credentials = self.credentials
        return StoredToken(refresh_token, credentials.client_id, credentials.login_url, credentials.refresh_origin)

    def revoke(self, kept: Secret | None = None) -> bool:
        """Make Salesforce forget ``kept``, else the refresh token, else the access token where there is none.

        Returns False when Salesforce says it was not valid any more. Raises OrgUnreachableError or
        AuthenticationError when it cannot be told.
        """
        with self._store_lock():
            secret = kept or self._latest_refresh_token() or self.current().access_token
            response = self._post(self.credentials.login_url + REVOKE_PATH, {"token": secret.reveal()})
        if response.status_code == 200:
            return True
        if error_of(response)[0] in ("unsupported_token_type", "invalid_token"):
            return False
        raise oauth_error(response)

    def _request(self, *, renewing: bool = False) -> Token:
        credentials = self.credentials
        if credentials.grant == "access_token" and credentials.access_token:
            if renewing:
                raise _given_token_expired()
            return Token(credentials.access_token, credentials.instance_url or credentials.login_url)
        if credentials.grant == "refresh_token":
            return self._refresh()
        if credentials.grant == "jwt":
            return self._ask({"grant_type": JWT_BEARER, "assertion": self._assertion()}).token
        return self._ask({"grant_type": credentials.grant, **self._client()}).token

    def _refresh(self) -> Token:
        with self._store_lock():
            # Another process may have used the token up since: what is stored now is the valid one.
            secret = self._latest_refresh_token()
            if secret is None:
                raise SettingsError("there is no refresh token to sign in with", next_step="run: crosswalk connect")
            grant = self._ask({"grant_type": "refresh_token", "refresh_token": secret.reveal(), **self._client()})
            if grant.refresh_token is not None and grant.refresh_token != secret:
                # Rotation: the old one is void already, so the new one is on disk before anything uses it.
                if self._store is not None:
                    self._store.save_token(self.stored(grant.refresh_token))
                self._refresh_token = grant.refresh_token
        return grant.token

    def _latest_refresh_token(self) -> Secret | None:
        """The refresh token to use now: another process, or an earlier run, may have been given a newer one."""
        if self.credentials.grant != "refresh_token":
            return None
        stored = self._store.token() if self._store else None
        if stored is not None and stored.given == self.credentials.refresh_origin:
            return stored.refresh_token
        return self._refresh_token

    def _store_lock(self) -> AbstractContextManager[None]:
        return self._store.locked() if self._store is not None else nullcontext()

    def _ask(self, form: dict[str, str]) -> Grant:
        response = self._post(self.credentials.login_url + TOKEN_PATH, form)
        if response.status_code != 200:
            raise oauth_error(response)
        try:
            body = response.json()
            token = Token(Secret(body["access_token"]), body["instance_url"].rstrip("/"), body.get("id", ""))
            if urlsplit(token.instance_url).scheme != "https":
                raise ValueError("a token never travels in the clear")
        except (ValueError, KeyError, AttributeError):
            raise AuthenticationError(
                f"{self.credentials.login_url} does not answer like Salesforce",
                why="the answer to the token request has no access_token and https instance_url",
                next_step="check SALESFORCE_INSTANCE_URL (Setup > My Domain)",
                status=response.status_code,
            ) from None
        self.scopes = str(body.get("scope") or "")
        refresh = body.get("refresh_token")
        return Grant(token, self.scopes, Secret(refresh) if refresh else None)

    def _client(self) -> dict[str, str]:
        credentials = self.credentials
        form = {"client_id": credentials.client_id}
        if credentials.client_secret:
            form["client_secret"] = credentials.client_secret.reveal()
        return form

    def _assertion(self) -> str:
        credentials = self.credentials
        if credentials.private_key_file is None:
            raise SettingsError("SALESFORCE_PRIVATE_KEY_FILE is not set", why="SALESFORCE_AUTH is jwt")
        claims = {
            "iss": credentials.client_id,
            "sub": credentials.username,
            "aud": credentials.login_url,
            "exp": int(time.time()) + ASSERTION_SECONDS,
        }
        try:
            return jwt.encode(claims, credentials.private_key_file.read_text(), algorithm="RS256")
        except (ValueError, TypeError, OSError, jwt.PyJWTError) as error:
            raise SettingsError(
                f"SALESFORCE_PRIVATE_KEY_FILE {credentials.private_key_file} cannot be used to sign",
                why="it is not a readable, unencrypted RSA private key in PEM form",
                next_step="make one (openssl genrsa -out server.key 2048), then run: crosswalk preflight",
            ) from error


def _given_token_expired() -> AuthenticationError:
    return AuthenticationError(
        "Salesforce no longer accepts SALESFORCE_ACCESS_TOKEN: INVALID_SESSION_ID",
        why="a given access token expires and cannot be renewed",
        next_step="set a new one (sf org auth show-access-token --target-org ALIAS; older versions: sf org display "
        "--json), or use a way to sign in that renews: SALESFORCE_AUTH=jwt, client_credentials or refresh_token",
        code="INVALID_SESSION_ID",
        status=401,
    )
