"""OAuth and identity: token, revoke, introspect, userinfo, the identity URL.

Belongs here: the flows JWT bearer and client credentials with their documented errors. Refresh token and
web-server flow come with ``crosswalk connect``.
"""

import base64
import binascii
import hmac
import time
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.demo_org.errors import ApiError, OAuthError
from apps.demo_org.exchange import answer, exchange_of, form_of, session_of, state_of
from apps.demo_org.org import DemoOrgState
from apps.demo_org.sessions import Session, subject_of_assertion

_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_MY_DOMAIN = "demo.my.salesforce.com"
_OWN_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def token(request: Request) -> Response:
    """Issue an access token."""
    org, form = state_of(request), form_of(request)
    grant = form.get("grant_type", "")
    if grant == _JWT_BEARER:
        username = subject_of_assertion(form.get("assertion", ""), org.app, _OWN_HOSTS)
    elif grant == "client_credentials":
        username = _client_credentials_user(request, org, form)
    else:
        raise OAuthError("unsupported_grant_type", "grant type not supported")
    user = org.find_user(username)
    if user is None or not user["IsActive"]:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")
    session = org.sessions.issue(user["Id"], user["Username"])
    exchange_of(request).user = session.username
    body = {
        "access_token": session.token,
        "signature": base64.b64encode(hmac.digest(org.app.client_secret.encode(), session.token.encode(), "sha256")),
        "scope": session.scope,
        "instance_url": instance_url(request),
        "id": _identity_url(request, org, session),
        "token_type": "Bearer",
        "issued_at": str(int(time.time() * 1000)),
    }
    return answer({key: value.decode() if isinstance(value, bytes) else value for key, value in body.items()})


def _client_credentials_user(request: Request, org: DemoOrgState, form: dict[str, str]) -> str:
    """Check id and secret, from the form or HTTP Basic, and return the app's run-as user."""
    client_id, client_secret = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise OAuthError("invalid_client", "invalid client credentials") from error
        client_id, client_secret = (unquote(part) for part in decoded.partition(":")[::2])
    if client_id != org.app.client_id:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    if not hmac.compare_digest(client_secret.encode(), org.app.client_secret.encode()):
        raise OAuthError("invalid_client", "invalid client credentials")
    return org.app.run_as


def revoke(request: Request) -> Response:
    """Make a token invalid; one that is already so is an error, as in Salesforce."""
    if not state_of(request).sessions.revoke(form_of(request).get("token", "")):
        raise OAuthError("unsupported_token_type", "this token type is not supported")
    return Response(status_code=200)


def introspect(request: Request) -> Response:
    """Tell whether a token is active, to the app it was issued to."""
    org, form = state_of(request), form_of(request)
    _client_credentials_user(request, org, form)
    session = org.sessions.find(form.get("token", ""))
    if session is None:
        return answer({"active": False})
    issued = int(session.issued_at.timestamp())
    return answer(
        {
            "active": True,
            "scope": session.scope,
            "client_id": org.app.client_id,
            "username": session.username,
            "sub": _identity_url(request, org, session),
            "token_type": "access_token",
            "exp": issued + 7200,
            "iat": issued,
            "nbf": issued,
        }
    )


def userinfo(request: Request) -> Response:
    """Answer who the token's user is, in OpenID Connect's words."""
    org, session = state_of(request), session_of(request)
    user = _user(org, session.user_id)
    base = instance_url(request)
    picture = f"{base}/profilephoto/005/F"
    return answer(
        {
            "sub": _identity_url(request, org, session),
            "user_id": user["Id"],
            "organization_id": org.org_id,
            "preferred_username": user["Username"],
            "nickname": user.get("CommunityNickname") or user["Username"].partition("@")[0],
            "name": user["Name"],
            "email": user["Email"],
            "email_verified": True,
            "given_name": user["FirstName"],
            "family_name": user["LastName"],
            "zoneinfo": user.get("TimeZoneSidKey") or "America/New_York",
            "photos": {"picture": picture, "thumbnail": f"{base}/profilephoto/005/T"},
            "profile": f"{base}/{user['Id']}",
            "picture": picture,
            "address": {},
            "is_salesforce_integration_user": False,
            "urls": _urls(base, org.org_id, user["Id"]),
            "active": user["IsActive"],
            "user_type": "STANDARD",
            "language": user.get("LanguageLocaleKey") or "en_US",
            "locale": user.get("LocaleSidKey") or "en_US",
            "utcOffset": -18_000_000,
            "updated_at": user["LastModifiedDate"],
        }
    )


def identity(request: Request) -> Response:
    """Answer who a user is, in Salesforce's older words; another org or user than one's own is refused."""
    org, session = state_of(request), session_of(request)
    if request.path_params["org"][:15] != org.org_id[:15] or request.path_params["user"][:15] != session.user_id[:15]:
        return Response("Bad_Id", 403, media_type="text/html;charset=UTF-8")
    user = _user(org, session.user_id)
    base = instance_url(request)
    return answer(
        {
            "id": _identity_url(request, org, session),
            "asserted_user": True,
            "user_id": user["Id"],
            "organization_id": org.org_id,
            "username": user["Username"],
            "nick_name": user.get("CommunityNickname") or user["Username"].partition("@")[0],
            "display_name": user["Name"],
            "email": user["Email"],
            "email_verified": True,
            "first_name": user["FirstName"],
            "last_name": user["LastName"],
            "timezone": user.get("TimeZoneSidKey") or "America/New_York",
            "photos": {"picture": f"{base}/profilephoto/005/F", "thumbnail": f"{base}/profilephoto/005/T"},
            "addr_street": user.get("Street"),
            "addr_city": user.get("City"),
            "addr_state": user.get("State"),
            "addr_country": user.get("Country"),
            "addr_zip": user.get("PostalCode"),
            "mobile_phone": user.get("MobilePhone"),
            "mobile_phone_verified": False,
            "is_lightning_login_user": False,
            "status": {"created_date": None, "body": None},
            "urls": _urls(base, org.org_id, user["Id"]),
            "active": user["IsActive"],
            "user_type": "STANDARD",
            "language": user.get("LanguageLocaleKey") or "en_US",
            "locale": user.get("LocaleSidKey") or "en_US",
            "utcOffset": -18_000_000,
            "last_modified_date": user["LastModifiedDate"],
            "is_app_installed": True,
        }
    )


def instance_url(request: Request) -> str:
    """Return the org's address as the client reaches it: loopback, or its My Domain through a redirector."""
    host = request.headers.get("host", "localhost")
    if host.partition(":")[0] in ("login.salesforce.com", "test.salesforce.com"):
        host = _MY_DOMAIN
    return f"{request.url.scheme}://{host}"


def _identity_url(request: Request, org: DemoOrgState, session: Session) -> str:
    return f"{instance_url(request)}/id/{org.org_id}/{session.user_id}"


def _user(org: DemoOrgState, user_id: str) -> dict[str, Any]:
    user = org.find_user(user_id)
    if user is None:
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
    return user


def _urls(base: str, org_id: str, user_id: str) -> dict[str, str]:
    data, soap = f"{base}/services/data/v{{version}}", f"{base}/services/Soap"
    return {
        "enterprise": f"{soap}/c/{{version}}/{org_id}",
        "metadata": f"{soap}/m/{{version}}/{org_id}",
        "partner": f"{soap}/u/{{version}}/{org_id}",
        "rest": f"{data}/",
        "sobjects": f"{data}/sobjects/",
        "search": f"{data}/search/",
        "query": f"{data}/query/",
        "recent": f"{data}/recent/",
        "tooling_soap": f"{soap}/T/{{version}}/{org_id}",
        "tooling_rest": f"{data}/tooling/",
        "profile": f"{base}/{user_id}",
        "feeds": f"{data}/chatter/feeds",
        "groups": f"{data}/chatter/groups",
        "users": f"{data}/chatter/users",
        "feed_items": f"{data}/chatter/feed-items",
        "feed_elements": f"{data}/chatter/feed-elements",
        "custom_domain": base,
    }


routes = [
    Route("/services/oauth2/token", token, methods=["POST"]),
    Route("/services/oauth2/revoke", revoke, methods=["GET", "POST"]),
    Route("/services/oauth2/introspect", introspect, methods=["POST"]),
    Route("/services/oauth2/userinfo", userinfo, methods=["GET", "POST"]),
    Route("/id/{org}/{user}", identity, methods=["GET"]),
]
