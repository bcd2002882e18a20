"""Who a token's user is: userinfo and the identity URL, with the key sets that were recorded.

Belongs here: the two bodies and the addresses in them. Tokens are ``oauth.py``.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.demo_org.errors import ApiError
from apps.demo_org.exchange import answer, session_of, state_of
from apps.demo_org.org import DemoOrgState

_MY_DOMAIN = "demo.my.salesforce.com"
#: The licence of users that are made for programs only.
_INTEGRATION_LICENSE = "Salesforce Integration"
#: ``User.UserType`` against what the identity services call it.
_USER_TYPES = {"Standard": "STANDARD", "Guest": "GUEST", "CsnOnly": "CSN_ONLY", "AutomatedProcess": "AUTOMATED_PROCESS"}


def userinfo(request: Request) -> Response:
    """Answer who the token's user is, in OpenID Connect's words."""
    org, session = state_of(request), session_of(request)
    user = user_of(org, session.user_id)
    base = instance_url(request)
    picture = f"{base}/profilephoto/005/F"
    return answer(
        {
            "sub": identity_url(request, org, session.user_id),
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
            "is_salesforce_integration_user": org.license_of(user["Id"]) == _INTEGRATION_LICENSE,
            "urls": _urls(base, org.org_id, user["Id"]),
            "active": user["IsActive"],
            "user_type": _user_type(user),
            "language": user.get("LanguageLocaleKey") or "en_US",
            "locale": user.get("LocaleSidKey") or "en_US",
            "utcOffset": -18_000_000,
            "updated_at": user["LastModifiedDate"],
        }
    )


def identity(request: Request) -> Response:
    """Answer who the token's user is, as the ``id`` of a token response leads to."""
    org, session = state_of(request), session_of(request)
    if request.path_params["org"][:15] != org.org_id[:15] or request.path_params["user"][:15] != session.user_id[:15]:
        return Response("Bad_Id", 403, media_type="text/html;charset=UTF-8")
    user = user_of(org, session.user_id)
    base = instance_url(request)
    return answer(
        {
            "id": identity_url(request, org, session.user_id),
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
            "user_type": _user_type(user),
            "language": user.get("LanguageLocaleKey") or "en_US",
            "locale": user.get("LocaleSidKey") or "en_US",
            "utcOffset": -18_000_000,
            "last_modified_date": user["LastModifiedDate"],
            "is_app_installed": _is_app_installed(org, session.client_id),
        }
    )


def instance_url(request: Request) -> str:
    """Return the org's address as the client reaches it: loopback, or its My Domain through a redirector."""
    host = request.headers.get("host", "localhost")
    if is_login_host(request):
        host = _MY_DOMAIN
    return f"{request.url.scheme}://{host}"


def is_login_host(request: Request) -> bool:
    """Tell whether the request came to one of the hosts all orgs share."""
    return request.headers.get("host", "").partition(":")[0] in ("login.salesforce.com", "test.salesforce.com")


def identity_url(request: Request, org: DemoOrgState, user_id: str) -> str:
    """Return the ``id`` of a token response."""
    return f"{instance_url(request)}/id/{org.org_id}/{user_id}"


def user_of(org: DemoOrgState, user_id: str) -> dict[str, Any]:
    """Return the User record; raises 404 for one that is gone."""
    user = org.find_user(user_id)
    if user is None:
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
    return user


def _user_type(user: dict[str, Any]) -> str:
    return _USER_TYPES.get(str(user.get("UserType")), "STANDARD")


def _is_app_installed(org: DemoOrgState, client_id: str | None) -> bool:
    app = org.apps.get(client_id or "")
    return app is None or app.policy.state == "installed"


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
    Route("/services/oauth2/userinfo", userinfo, methods=["GET", "POST"]),
    Route("/id/{org}/{user}", identity, methods=["GET"]),
]
