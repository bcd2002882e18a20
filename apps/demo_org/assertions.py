"""The checks of a JWT bearer assertion, as lenient and as strict as Salesforce's.

Belongs here: signature, issuer, expiry and audience. Does not belong here: whether the user may use the app
(``oauth_policy.py``), HTTP (``oauth.py``).
"""

import re
import time

import jwt

from apps.demo_org.connected_app import ConnectedApp
from apps.demo_org.errors import OAuthError

#: A number this large can only be milliseconds (seconds would be the year 5138).
_MILLISECONDS_FROM = 100_000_000_000
_AUDIENCE = re.compile(r"(https?://)?([\w.-]+)(:\d+)?(/services/oauth2/token)?/?")
_LOGIN_HOST = re.compile(r"(login|test)\.salesforce\.com")
_MY_DOMAIN_HOST = re.compile(r"[\w-]+(\.[\w-]+)?\.my\.salesforce\.com")


def subject_of_assertion(assertion: str, app: ConnectedApp, own_hosts: frozenset[str]) -> str:
    """Check a JWT bearer assertion as Salesforce does and return the username it is for.

    Lenient where Salesforce is: ``exp`` in seconds, milliseconds or as a string, no ``iat`` wanted, ``aud``
    the login host, the My Domain host or our own, with or without scheme and trailing slash. The login hosts
    know no external client app. Raises ``OAuthError``.
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
    _check_audience(claims.get("aud"), own_hosts, external=app.policy.kind == "external_client_app")
    return str(claims.get("sub") or claims.get("prn") or "")


def issuer_of(assertion: str) -> str:
    """Return the consumer key an assertion names, unverified; empty for what is no assertion."""
    try:
        return str(jwt.decode(assertion, options={"verify_signature": False}).get("iss", ""))
    except jwt.PyJWTError:
        return ""


def _check_expiry(claim: object) -> None:
    try:
        expires = float(str(claim))
    except ValueError as error:
        raise OAuthError("invalid_grant", "invalid assertion") from error
    if (expires / 1000 if expires >= _MILLISECONDS_FROM else expires) < time.time():
        raise OAuthError("invalid_grant", "expired authorization code")


def _check_audience(claim: object, own_hosts: frozenset[str], *, external: bool) -> None:
    for audience in claim if isinstance(claim, list) else [claim]:
        match = _AUDIENCE.fullmatch(str(audience))
        if match is None:
            continue
        if match[2] in own_hosts or _MY_DOMAIN_HOST.fullmatch(match[2]):
            return
        if _LOGIN_HOST.fullmatch(match[2]):
            if external:
                raise OAuthError("app_not_found", "External client app is not installed in this org")
            return
    raise OAuthError("invalid_grant", "Audience validation failed")
