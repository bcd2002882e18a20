"""A person who signs in to the demo org in a browser, without one: presses the buttons of its pages."""

import html
import re
import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from apps.demo_org.launch import DemoOrg
from resources.salesforce.secret import Secret
from resources.salesforce.web_flow import SCOPES, challenge


def press(
    org: DemoOrg, session: requests.Session, address: str, *, decision: str = "allow", follow: bool = True
) -> requests.Response:
    """Open ``address``, fill in the demo org's user on every page, and return the last answer.

    Without ``follow`` the last answer is the redirect back to the app.
    """

    def ask(method: str, url: str, **more: Any) -> requests.Response:
        answer = session.request(method, url, verify=org.ca_file, timeout=20, allow_redirects=False, **more)
        while answer.is_redirect and (follow or answer.headers["Location"].startswith(org.url)):
            answer = session.get(answer.headers["Location"], verify=org.ca_file, timeout=20, allow_redirects=False)
        return answer

    page = ask("GET", address)
    while "<form" in page.text:
        hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.text)
        form = {html.unescape(name): html.unescape(value) for name, value in hidden}
        form |= {"username": org.username, "decision": decision}
        page = ask("POST", f"{org.url}/services/oauth2/authorize", data=form)
    return page


def refresh_token_of(org: DemoOrg) -> str:
    """Sign in by hand and return the refresh token."""
    verifier, callback = secrets.token_urlsafe(48), "http://localhost:8788/callback"
    asked = {
        "response_type": "code",
        "client_id": org.client_id,
        "redirect_uri": callback,
        "scope": " ".join(SCOPES),
        "code_challenge": challenge(Secret(verifier)),
        "code_challenge_method": "S256",
    }
    address = requests.Request("GET", f"{org.url}/services/oauth2/authorize", params=asked).prepare().url or ""
    back = press(org, requests.Session(), address, follow=False).headers["Location"]
    form = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(back).query)["code"][0],
        "client_id": org.client_id,
        "client_secret": org.client_secret,
        "redirect_uri": callback,
        "code_verifier": verifier,
    }
    answer = requests.post(f"{org.url}/services/oauth2/token", data=form, verify=org.ca_file, timeout=20)
    return str(answer.json()["refresh_token"])
