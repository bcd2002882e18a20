"""The web-server flow in the browser: sign in, allow or deny, go back with a code; single access to the web pages.

Belongs here: ``/services/oauth2/authorize`` and ``singleaccess``. The code is traded in at the token endpoint
(``oauth.py``). There are no passwords on the page: a demo org has nothing to guard.
"""

import time
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from apps.demo_org import oauth_policy as policy
from apps.demo_org.connected_app import ConnectedApp
from apps.demo_org.errors import OAuthError
from apps.demo_org.exchange import answer, form_of, session_of, state_of
from apps.demo_org.oauth import client_address
from apps.demo_org.oauth_identity import instance_url
from apps.demo_org.oauth_page import consent_page, message_page
from apps.demo_org.org import DemoOrgState
from apps.demo_org.sessions import AuthorizationCode

_HTML = "text/html;charset=UTF-8"
_COOKIE = "demo_org_sid"
#: What the form hands on from the request that opened it.
_FIELDS = (
    "client_id", "redirect_uri", "response_type", "state", "scope", "code_challenge", "code_challenge_method", "prompt",
)  # fmt: skip

Form = dict[str, str]


def authorize(request: Request) -> Response:
    """Show the page (GET) or take its answer (POST).

    An unknown app or callback is said in plain text, since nobody may be sent to an address that is not
    registered; everything else goes back to the app.
    """
    org, form = state_of(request), form_of(request)
    try:
        app = policy.app_of(org, form.get("client_id", ""))
        if not app.takes_callback(form.get("redirect_uri", "")):
            raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")
    except OAuthError as error:
        text = f"error={error.error}&error_description={quote(error.description)}"
        return Response(text, 400, media_type=_HTML)
    try:
        scope = _checked_scope(app, form)
        return _proceed(request, org, app, form, scope)
    except OAuthError as error:
        return _back(form, {"error": error.error, "error_description": error.description})


def _checked_scope(app: ConnectedApp, form: Form) -> str:
    """Check the request before anybody signs in; return the scopes asked for."""
    if form.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response type not supported")
    if app.policy.require_pkce and not form.get("code_challenge"):
        raise OAuthError("invalid_request", "missing required code challenge")
    if form.get("code_challenge") and form.get("code_challenge_method", "S256") != "S256":
        raise OAuthError("invalid_request", "invalid code challenge method")
    return policy.granted_scope(app, form.get("scope"))


def _proceed(request: Request, org: DemoOrgState, app: ConnectedApp, form: Form, scope: str) -> Response:
    prompts = form.get("prompt", "").split()
    known = None if "login" in prompts else org.sessions.signed_in(request.cookies.get(_COOKIE, ""))
    decided = request.method == "POST"
    if decided and form.get("decision") == "deny":
        raise OAuthError("access_denied", "end-user denied authorization")
    who = (form.get("username", "").strip() if decided else "") or known
    if not who:
        return _page(form, scope, username=form.get("login_hint") or app.run_as or "")
    user = org.find_user(who)
    if user is None or not user["IsActive"]:
        problem = "Please check your username. If you still can't log in, contact your Salesforce administrator."
        return _page(form, scope, username=form.get("username", ""), problem=problem)
    policy.check_network(org, app, client_address(request))
    policy.check_app(org, app, user, browser=True)
    settled = app.policy.permitted_users == "admin_approved" or user["Id"] in app.approved_by
    if not decided and ("consent" in prompts or not settled):
        return _page(form, scope, username=user["Username"], signed_in=True)
    return _allow(org, app, form, scope, user)


def _allow(org: DemoOrgState, app: ConnectedApp, form: Form, scope: str, user: dict[str, Any]) -> Response:
    policy.note_approval(app, user)
    code = org.sessions.issue_code(
        AuthorizationCode(
            client_id=app.client_id,
            redirect_uri=form["redirect_uri"],
            user_id=user["Id"],
            username=user["Username"],
            scope=scope,
            challenge=form.get("code_challenge", ""),
            issued_at=time.time(),
        )
    )
    response = _back(form, {"code": code})
    response.set_cookie(_COOKIE, org.sessions.sign_in(user["Id"]), httponly=True, samesite="lax")
    return response


def _page(
    form: Form, scope: str, *, username: str = "", signed_in: bool = False, problem: str | None = None
) -> Response:
    fields = {name: form[name] for name in _FIELDS if name in form}
    if signed_in:
        # The person has just been recognised; asking again would never end.
        fields.pop("prompt", None)
    html = consent_page(fields, scope.split(), username=username, signed_in=signed_in, problem=problem)
    return Response(html, media_type=_HTML, headers={"Cache-Control": "no-store"})


def _back(form: Form, found: dict[str, str]) -> Response:
    """Send the browser back to the app, with the state it gave."""
    if "state" in form:
        found = {**found, "state": form["state"]}
    uri = form["redirect_uri"]
    return RedirectResponse(f"{uri}{'&' if urlsplit(uri).query else '?'}{urlencode(found)}", 302)


def single_access(request: Request) -> Response:
    """Trade an access token for an address that signs a browser in, once."""
    org, session = state_of(request), session_of(request)
    if not session.scopes & {"web", "full"}:
        raise OAuthError("invalid_scope", "the requested scope is not allowed")
    otp = org.sessions.issue_code(
        AuthorizationCode("", "", session.user_id, session.username, session.scope, "", time.time())
    )
    target = form_of(request).get("redirect_uri", "")
    query = urlencode({"otp": otp, **({"startURL": target} if target else {})})
    return answer({"frontdoor_uri": f"{instance_url(request)}/secur/frontdoor.jsp?{query}"})


def front_door(request: Request) -> Response:
    """Sign the browser in with a one-time password; the demo org has no pages to lead to."""
    org = state_of(request)
    found = org.sessions.take_code(request.query_params.get("otp", ""))
    if isinstance(found, str) or found.client_id:
        return Response(message_page("Session expired", "This link was used before or is too old."), 403, None, _HTML)
    response = Response(message_page("Demo org", f"Signed in as {found.username}."), media_type=_HTML)
    response.set_cookie(_COOKIE, org.sessions.sign_in(found.user_id), httponly=True, samesite="lax")
    return response


routes = [
    Route("/services/oauth2/authorize", authorize, methods=["GET", "POST"]),
    Route("/services/oauth2/singleaccess", single_access, methods=["GET", "POST"]),
    Route("/secur/frontdoor.jsp", front_door, methods=["GET"]),
]
