"""SOAP sign-in: ``login`` and ``logout`` of the partner and enterprise APIs.

Belongs here: the two calls, the envelope and the faults of all. The calls that change records are ``soap_data.py``.
"""

import re
from html import escape, unescape
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.demo_org import soap_data
from apps.demo_org.errors import OAuthError, not_found
from apps.demo_org.exchange import body_of, exchange_of, state_of
from apps.demo_org.gateway import is_served_version
from apps.demo_org.oauth import client_address
from apps.demo_org.oauth_identity import instance_url
from apps.demo_org.oauth_policy import check_network
from apps.demo_org.org import DemoOrgState
from apps.demo_org.sessions import Session

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope'
    ' xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:{api}.soap.sforce.com"'
    ' xmlns:sf="urn:fault.{api}.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
)
_INVALID_LOGIN = ("INVALID_LOGIN", "Invalid username, password, security token; or user locked out.")
_API_DISABLED = ("API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner")
_RESTRICTED_IP = ("LOGIN_MUST_USE_SECURITY_TOKEN", "Login from this network needs the security token.")
_INVALID_SESSION = ("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader: Illegal Session.")
_APIS = {"u": "partner", "c": "enterprise"}


class SoapFault(Exception):
    """Answer with a fault of this code and message."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(f"{code}: {message}")


def call(request: Request) -> Response:
    """Answer one SOAP call."""
    if request.path_params["api"] not in _APIS or not is_served_version(f"v{request.path_params['version']}"):
        raise not_found()
    text = body_of(request).decode("utf-8", "replace")
    try:
        if re.search(r"<(\w+:)?login\b", text):
            return _xml(request, _login(request, text))
        if re.search(r"<(\w+:)?logout\b", text):
            return _xml(request, _logout(request, text))
        answered = soap_data.answer_call(request, text)
        if answered is not None:
            return _xml(request, answered)
        raise SoapFault("UNSUPPORTED_API_VERSION", "The demo org does not know this call of the SOAP API.")
    except soap_data.CallRefused as refused:
        return _xml(request, _fault(SoapFault(refused.code, refused.message)), 500)
    except SoapFault as fault:
        return _xml(request, _fault(fault), 500)


def _login(request: Request, text: str) -> str:
    org = state_of(request)
    username, password = _element(text, "username"), _element(text, "password")
    user = org.find_user(username) if "@" in username else None
    if user is None or not user["IsActive"] or not org.is_password(password):
        raise SoapFault(*_INVALID_LOGIN)
    try:
        check_network(org, None, client_address(request))
    except OAuthError as error:
        raise SoapFault(*_RESTRICTED_IP) from error
    if not org.security.api_enabled or not org.has_permission(user["Id"], "PermissionsApiEnabled"):
        raise SoapFault(*_API_DISABLED)
    session = org.sessions.issue(user["Id"], user["Username"], scope="full")
    exchange_of(request).user = session.username
    return _login_response(request, org, session, user)


def _login_response(request: Request, org: DemoOrgState, session: Session, user: dict[str, Any]) -> str:
    api, version = request.path_params["api"], request.path_params["version"]
    base = f"{instance_url(request)}/services/Soap"
    organization = org.organization()
    info = {
        "organizationId": org.org_id,
        "organizationMultiCurrency": "CurrencyType" in org.store.objects,
        "organizationName": organization["Name"],
        "profileId": user.get("ProfileId"),
        "sessionSecondsValid": int(org.security.session_lifetime or 7200),
        "userDefaultCurrencyIsoCode": None,
        "userEmail": user["Email"],
        "userFullName": user["Name"],
        "userId": user["Id"],
        "userLanguage": user.get("LanguageLocaleKey") or "en_US",
        "userLocale": user.get("LocaleSidKey") or "en_US",
        "userName": user["Username"],
        "userTimeZone": user.get("TimeZoneSidKey") or "America/New_York",
        "userType": user.get("UserType") or "Standard",
        "userUiSkin": "Theme3",
    }
    result = {
        "metadataServerUrl": f"{base}/m/{version}/{org.org_id}",
        "passwordExpired": False,
        "sandbox": bool(organization["IsSandbox"]),
        "serverUrl": f"{base}/{api}/{version}/{org.org_id}",
        "sessionId": session.token,
        "userId": user["Id"],
    }
    inner = _elements(result) + f"<userInfo>{_elements(info)}</userInfo>"
    return f"<loginResponse><result>{inner}</result></loginResponse>"


def _logout(request: Request, text: str) -> str:
    if not state_of(request).sessions.revoke(_element(text, "sessionId")):
        raise SoapFault(*_INVALID_SESSION)
    return "<logoutResponse/>"


def _element(text: str, name: str) -> str:
    """Return the text of the first element of that local name, empty where there is none."""
    found = re.search(rf"<(?:\w+:)?{name}(?:\s[^>]*)?>(.*?)</(?:\w+:)?{name}>", text, re.DOTALL)
    return unescape(found[1]) if found else ""


def _elements(values: dict[str, Any]) -> str:
    return "".join(
        f'<{name} xsi:nil="true"/>'
        if value is None
        else f"<{name}>{str(value).lower() if isinstance(value, bool) else escape(str(value), quote=False)}</{name}>"
        for name, value in values.items()
    )


def _fault(fault: SoapFault) -> str:
    message = escape(fault.message, quote=False)
    return (
        f"<soapenv:Fault><faultcode>sf:{fault.code}</faultcode><faultstring>{fault.code}: {message}</faultstring>"
        f'<detail><sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>{fault.code}</sf:exceptionCode>'
        f"<sf:exceptionMessage>{message}</sf:exceptionMessage></sf:LoginFault></detail></soapenv:Fault>"
    )


def _xml(request: Request, body: str, status: int = 200) -> Response:
    text = _ENVELOPE.format(api=_APIS[request.path_params["api"]], body=body)
    return Response(text, status, media_type="text/xml;charset=UTF-8")


routes = [
    Route("/services/Soap/{api}/{version}", call, methods=["POST"]),
    Route("/services/Soap/{api}/{version}/{org}", call, methods=["POST"]),
]
