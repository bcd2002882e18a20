"""Who may have a token and use the API: the admin's decisions, each ending in its documented error.

Belongs here: the rules over apps, users, scopes, networks (docs/demo-org.md lists which state gives which error).
The state itself is ``connected_app.py``; HTTP is ``oauth*.py`` and ``gateway.py``.
"""

from ipaddress import ip_address
from typing import Any

from apps.demo_org.connected_app import ConnectedApp
from apps.demo_org.errors import ApiError, OAuthError, invalid_session
from apps.demo_org.org import DemoOrgState
from apps.demo_org.sessions import Session

_ALIASES = {"offline_access": "refresh_token"}
_NOT_IN_ORG = "External client app is not installed in this org"
_UNINSTALLED = "PermissionsApproveUninstalledConnectedApps"

User = dict[str, Any]


def app_of(org: DemoOrgState, client_id: str) -> ConnectedApp:
    """Return the app of a consumer key; raises ``OAuthError``."""
    app = org.apps.get(client_id)
    if app is None:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    return app


def check_state(org: DemoOrgState, app: ConnectedApp, user: User, *, browser: bool) -> None:
    """Check that the app may be used in this org at all; the browser is told other codes than a program.

    Raises ``OAuthError``.
    """
    policy = app.policy
    if policy.state == "missing":
        raise OAuthError("OAUTH_EC_APP_NOT_FOUND" if browser else "app_not_found", _NOT_IN_ORG)
    if policy.state == "blocked":
        raise OAuthError("OAUTH_APP_BLOCKED", "this app is blocked by admin")
    if policy.state == "not_installed" and not org.has_permission(user["Id"], _UNINSTALLED):
        raise OAuthError("invalid_client", "app must be installed into org")


def check_app(org: DemoOrgState, app: ConnectedApp, user: User, *, browser: bool) -> None:
    """Check the app's state and that the admin lets this user use it; raises ``OAuthError``."""
    check_state(org, app, user, browser=browser)
    policy = app.policy
    if policy.permitted_users == "admin_approved" and not is_pre_authorised(org, app, user):
        code = "OAUTH_APP_ACCESS_DENIED" if browser else "invalid_app_access"
        raise OAuthError(code, "user is not admin approved to access this app")


def is_pre_authorised(org: DemoOrgState, app: ConnectedApp, user: User) -> bool:
    """Tell whether the admin assigned the user, one of its permission sets or its profile to the app."""
    allowed = app.policy.pre_authorised
    return allowed is None or user["Username"] in allowed or bool(org.groups_of(user["Id"]).intersection(allowed))


def note_approval(app: ConnectedApp, user: User) -> None:
    """Remember that a user allowed an app; where the admin pre-authorises, nobody's word is asked for or kept."""
    if app.policy.permitted_users == "all":
        app.approved_by.add(user["Id"])


def check_approval(app: ConnectedApp, user: User) -> None:
    """Refuse a flow without browser to a user who never allowed a self-authorized app; raises ``OAuthError``."""
    if app.policy.permitted_users == "all" and user["Id"] not in app.approved_by:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")


def check_network(org: DemoOrgState, app: ConnectedApp | None, address: str) -> None:
    """Refuse a sign-in from a network the org does not allow; raises ``OAuthError``."""
    if not _in_range(org, app, address):
        raise OAuthError("invalid_grant", "ip restricted or invalid login hours")


def _in_range(org: DemoOrgState, app: ConnectedApp | None, address: str) -> bool:
    ranges = org.security.login_ip_ranges
    if not ranges or (app is not None and not app.policy.enforce_ip):
        return True
    return any(ip_address(address) in network for network in ranges)


def granted_scope(app: ConnectedApp, asked: str | None) -> str:
    """Return the scopes to grant: those asked for, or all of the app's; raises ``OAuthError`` for one too many."""
    allowed = {_ALIASES.get(scope, scope) for scope in app.policy.scopes}
    if not asked or not asked.split():
        return " ".join(sorted(allowed))
    wanted = {_ALIASES.get(scope, scope) for scope in asked.split()}
    if "full" in allowed:
        # All but the right to come back without the user.
        allowed |= wanted - {"refresh_token"}
    if not wanted <= allowed | {"id"}:
        raise OAuthError("invalid_scope", "the requested scope is not allowed")
    return " ".join(sorted(wanted))


def check_api(org: DemoOrgState, session: Session, address: str) -> None:
    """Check what every API call needs besides a valid token; raises ``ApiError``.

    A network, app or deactivated user that is not let in looks like an expired session, as in Salesforce.
    """
    app = org.apps.get(session.client_id or "")
    barred = org.security.api_access_control and (app is None or not app.policy.allow_listed)
    if barred or not _in_range(org, app, address) or not org.permissions.of(session.user_id).active:
        raise invalid_session()
    if not session.scopes & {"api", "full"}:
        raise ApiError(401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API")
    if not org.security.api_enabled or not org.has_permission(session.user_id, "PermissionsApiEnabled"):
        raise ApiError(403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization.")
