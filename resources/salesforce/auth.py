"""Signing in: our own small OAuth client, so that any host, any grant and every denial is handled.

It returns tokens and identities; sending API calls with them is ``resources.salesforce.session``.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
import requests

from data_contracts.errors import AuthenticationError, SettingsError
from resources.salesforce.credentials import Credentials, Secret
from resources.salesforce.errors import oauth_error

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
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
class Identity:
    """Who we are in which org."""

    org_id: str
    user_id: str
    username: str
    display_name: str

    @classmethod
    def from_userinfo(cls, body: dict[str, Any]) -> "Identity":
        """Read the answer of ``/services/oauth2/userinfo``."""
        return cls(
            org_id=str(body.get("organization_id", "")),
            user_id=str(body.get("user_id", "")),
            username=str(body.get("preferred_username", "")),
            display_name=str(body.get("name", "")),
        )


class TokenSource:
    """Hands out the current token and replaces it once, however many threads found it expired."""

    def __init__(self, credentials: Credentials, post: Post) -> None:
        self.credentials = credentials
        self._post = post
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._refresh_token = credentials.refresh_token

    def current(self) -> Token:
        """Return the token in use, asking for the first one."""
        with self._lock:
            if self._token is None:
                self._token = self._request()
            return self._token

    def replace(self, stale: Token) -> Token:
        """Return a token other than ``stale``; only the first caller asks Salesforce.

        Raises AuthenticationError when a given access token has expired: it cannot be renewed.
        """
        with self._lock:
            if self._token is not None and self._token is not stale:
                return self._token
            if self.credentials.grant == "access_token":
                raise AuthenticationError(
                    "Salesforce no longer accepts SALESFORCE_ACCESS_TOKEN: INVALID_SESSION_ID",
                    why="a given access token expires and cannot be renewed",
                    next_step="set a new one (sf org display), or use SALESFORCE_AUTH=jwt or client_credentials",
                    code="INVALID_SESSION_ID",
                    status=401,
                )
            self._token = self._request()
            return self._token

    def _request(self) -> Token:
        credentials = self.credentials
        if credentials.access_token and credentials.grant == "access_token":
            return Token(credentials.access_token, credentials.instance_url or credentials.login_url)
        response = self._post(f"{credentials.login_url}/services/oauth2/token", self._form())
        if response.status_code != 200:
            raise oauth_error(response)
        try:
            body = response.json()
            token = Token(Secret(body["access_token"]), body["instance_url"].rstrip("/"), body.get("id", ""))
        except (ValueError, KeyError, AttributeError) as error:
            raise AuthenticationError(
                f"{credentials.login_url} does not answer like Salesforce",
                why="the answer to the token request has no access_token and instance_url",
                next_step="check SALESFORCE_INSTANCE_URL (Setup > My Domain)",
                status=response.status_code,
            ) from error
        if body.get("refresh_token"):
            # Rotation: the old refresh token may already be void.
            self._refresh_token = Secret(body["refresh_token"])
        return token

    def _form(self) -> dict[str, str]:
        credentials = self.credentials
        if credentials.grant == "jwt":
            return {"grant_type": JWT_BEARER, "assertion": self._assertion()}
        form = {"grant_type": credentials.grant, "client_id": credentials.client_id}
        if credentials.client_secret:
            form["client_secret"] = credentials.client_secret.reveal()
        if credentials.grant == "refresh_token" and self._refresh_token:
            form["refresh_token"] = self._refresh_token.reveal()
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
