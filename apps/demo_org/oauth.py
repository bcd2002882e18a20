"""OAuth's token endpoint and what goes with it: revoke, introspect.

Belongs here: the grants (JWT bearer, client credentials, authorization code, refresh token, password) with
their documented errors. The page a browser sees is ``oauth_authorize.py``, who may have a token
``oauth_policy.py``, who a user is ``oauth_identity.py``.
"""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.demo_org import oauth_policy as policy
from apps.demo_org.assertions import issuer_of, subject_of_assertion
from apps.demo_org.connected_app import ConnectedApp
from apps.demo_org.errors import OAuthError
from apps.demo_org.exchange import answer, exchange_of, form_of, state_of
from apps.demo_org.oauth_identity import identity_url, instance_url, is_login_host
from apps.demo_org.org import DemoOrgState
from apps.demo_org.sessions import Session

_OWN_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
#: How long a token is said to live where the org sets no session lifetime (Salesforce: two hours).
_USUAL_LIFETIME = 7200

Form = dict[str, str]


def token(request: Request) -> Response:
    """Issue an access token."""
    form = form_of(request)
    grant = _GRANTS.get(form.get("grant_type", ""))
    if grant is None:
        raise OAuthError("unsupported_grant_type", "grant type not supported")
    return grant(request, state_of(request), form)


def _jwt_bearer(request: Request, org: DemoOrgState, form: Form) -> Response:
    assertion = form.get("assertion", "")
    app = org.apps.get(issuer_of(assertion), org.app)
    if app.public_key is None:
        raise OAuthError("invalid_grant", "invalid assertion")
    user = _active_user(org, subject_of_assertion(assertion, app, _OWN_HOSTS))
    return _without_browser(request, app, user)


def _client_credentials(request: Request, org: DemoOrgState, form: Form) -> Response:
    if is_login_host(request):
        raise OAuthError("invalid_grant", "request not supported on this domain")
    app = _authenticated_app(request, org, form, secret=True)
    user = org.find_user(app.run_as) if app.run_as else None
    if user is None or not user["IsActive"]:
        raise OAuthError("invalid_grant", "no client credentials user enabled")
    # The run-as user is the admin's own choice: no approval and no assignment is asked for.
    return _without_browser(request, app, user, chosen_by_admin=True)


def _password(request: Request, org: DemoOrgState, form: Form) -> Response:
    app = _authenticated_app(request, org, form, secret=True)
    user = org.find_user(form.get("username", ""))
    if user is None or not user["IsActive"] or not org.is_password(form.get("password", "")):
        raise OAuthError("invalid_grant", "authentication failure")
    policy.note_approval(app, user)
    return _without_browser(request, app, user)


def _without_browser(
    request: Request, app: ConnectedApp, user: dict[str, Any], *, chosen_by_admin: bool = False
) -> Response:
    """Answer a flow that gives no refresh token, once the admin's rules are met."""
    org = state_of(request)
    if chosen_by_admin:
        policy.check_state(org, app, user, browser=False)
    else:
        policy.check_app(org, app, user, browser=False)
        policy.check_approval(app, user)
    policy.check_network(org, app, client_address(request))
    scope = " ".join(each for each in policy.granted_scope(app, None).split() if each != "refresh_token")
    session = org.sessions.issue(user["Id"], user["Username"], scope=scope, client_id=app.client_id)
    return _token_answer(request, app, session)


def _authorization_code(request: Request, org: DemoOrgState, form: Form) -> Response:
    app = _authenticated_app(request, org, form, secret=False)
    code = org.sessions.take_code(form.get("code", ""))
    if isinstance(code, str):
        raise OAuthError("invalid_grant", code)
    if code.client_id != app.client_id:
        raise OAuthError("invalid_grant", "invalid authorization code")
    if code.redirect_uri != form.get("redirect_uri", ""):
        raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")
    _check_verifier(code.challenge, form.get("code_verifier", ""))
    user = _active_user(org, code.username)
    policy.check_app(org, app, user, browser=False)
    policy.check_network(org, app, client_address(request))
    refresh = None
    if "refresh_token" in code.scope.split():
        refresh = org.sessions.issue_refresh(user["Id"], user["Username"], app.client_id, code.scope)
    session = org.sessions.issue(
        user["Id"],
        user["Username"],
        scope=code.scope,
        client_id=app.client_id,
        grant=refresh.grant if refresh else None,
    )
    return _token_answer(request, app, session, refresh.token if refresh else None)


def _check_verifier(challenge: str, verifier: str) -> None:
    """Check PKCE: the verifier's SHA-256 is the challenge; neither without the other."""
    if not challenge and not verifier:
        return
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not verifier or not hmac.compare_digest(made.encode(), challenge.rstrip("=").encode()):
        raise OAuthError("invalid_grant", "invalid code verifier")


def _refresh_token(request: Request, org: DemoOrgState, form: Form) -> Response:
    app = _authenticated_app(request, org, form, secret=False)
    refresh = org.sessions.find_refresh(form.get("refresh_token", ""))
    if refresh is None or refresh.client_id != app.client_id:
        raise OAuthError("invalid_grant", "expired access/refresh token")
    user = org.find_user(refresh.user_id)
    if user is None or not user["IsActive"]:
        raise OAuthError("invalid_grant", "inactive user")
    policy.check_app(org, app, user, browser=False)
    policy.check_network(org, app, client_address(request))
    following = None
    if org.security.refresh_token_rotation:
        following = org.sessions.rotate(refresh)
        if following is None:
            raise OAuthError("invalid_grant", "expired access/refresh token")
    session = org.sessions.issue(
        user["Id"], user["Username"], scope=refresh.scope, client_id=app.client_id, grant=refresh.grant
    )
    return _token_answer(request, app, session, following.token if following else None)


def _token_answer(request: Request, app: ConnectedApp, session: Session, refresh: str | None = None) -> Response:
    exchange_of(request).user = session.username
    issued_at = str(int(time.time() * 1000))
    identity = identity_url(request, state_of(request), session.user_id)
    signed = hmac.digest(app.client_secret.encode(), (identity + issued_at).encode(), "sha256")
    body = {
        "access_token": session.token,
        **({"refresh_token": refresh} if refresh else {}),
        "signature": base64.b64encode(signed).decode(),
        "scope": session.scope,
        "instance_url": instance_url(request),
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued_at,
    }
    return answer(body, headers={"Cache-Control": "no-cache, no-store"})


def _active_user(org: DemoOrgState, username: str) -> dict[str, Any]:
    user = org.find_user(username)
    if user is None or not user["IsActive"]:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")
    return user


def client_address(request: Request) -> str:
    """Return the network address the request comes from."""
    return request.client.host if request.client else "127.0.0.1"


def _authenticated_app(request: Request, org: DemoOrgState, form: Form, *, secret: bool) -> ConnectedApp:
    """Check id and secret, from the form or HTTP Basic; ``secret`` says whether one must be given."""
    client_id, client_secret = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise OAuthError("invalid_client", "invalid client credentials") from error
        client_id, client_secret = (unquote(part) for part in decoded.partition(":")[::2])
    app = policy.app_of(org, client_id)
    needed = app.client_secret and (secret or app.policy.require_secret or client_secret)
    if needed and not hmac.compare_digest(client_secret.encode(), app.client_secret.encode()):
        raise OAuthError("invalid_client", "invalid client credentials")
    return app


def revoke(request: Request) -> Response:
    """Make a token invalid, a refresh token with all it gave; one that is already so is an error, as in Salesforce."""
    org, word = state_of(request), form_of(request).get("token", "")
    refresh = org.sessions.find_refresh(word)
    if refresh is not None:
        # The approval goes with it: the user is asked again.
        org.apps[refresh.client_id].approved_by.discard(refresh.user_id)
    if not org.sessions.revoke(word):
        raise OAuthError("unsupported_token_type", "this token type is not supported")
    return Response(status_code=200)


def introspect(request: Request) -> Response:
    """Tell whether a token is active, to the app it was issued to."""
    org, form = state_of(request), form_of(request)
    app = _authenticated_app(request, org, form, secret=True)
    word = form.get("token", "")
    refresh, session = org.sessions.find_refresh(word), org.sessions.find(word)
    found = refresh or session
    if found is None or found.client_id not in (app.client_id, None):
        return answer({"active": False})
    issued = int(refresh.issued_at) if refresh else int(session.issued_at.timestamp()) if session else 0
    body = {
        "active": True,
        "scope": found.scope,
        "client_id": app.client_id,
        "username": found.username,
        "sub": identity_url(request, org, found.user_id),
        "token_type": "refresh_token" if refresh else "access_token",
        "iat": issued,
        "nbf": issued,
    }
    if session:
        body["exp"] = issued + int(org.security.session_lifetime or _USUAL_LIFETIME)
    return answer(body)


_GRANTS: dict[str, Callable[[Request, DemoOrgState, Form], Response]] = {
    "urn:ietf:params:oauth:grant-type:jwt-bearer": _jwt_bearer,
    "client_credentials": _client_credentials,
    "password": _password,
    "authorization_code": _authorization_code,
    "refresh_token": _refresh_token,
}

routes = [
    Route("/services/oauth2/token", token, methods=["POST"]),
    Route("/services/oauth2/revoke", revoke, methods=["GET", "POST"]),
    Route("/services/oauth2/introspect", introspect, methods=["POST"]),
]
