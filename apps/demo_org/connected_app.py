"""The apps an org knows, what its admin decided about each, and the org's own rules for API access.

Belongs here: the data an admin sets under Setup. What follows from it is ``oauth_policy.py``.
"""

import re
import secrets
import string
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork

#: Salesforce's CLI accepts nothing else in tokens: word characters and dots.
TOKEN_ALPHABET = string.ascii_letters + string.digits + "_."
#: The consumer key of Salesforce's own CLI, which every org knows.
CLI_CLIENT_ID = "PlatformCLI"
_LOOPBACK_CALLBACK = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/.*)?")


class AppPolicy(BaseModel):
    """What an admin set for one app; every key may be changed while the org runs.

    ``state``: ``installed``, ``not_installed`` (used, never installed), ``blocked`` (Connected Apps OAuth Usage)
    or ``missing`` (the external client app's package is not in this org). ``pre_authorised`` names users,
    permission sets or profiles; None is everybody.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    kind: Literal["connected_app", "external_client_app"] = "connected_app"
    state: Literal["installed", "not_installed", "blocked", "missing"] = "installed"
    permitted_users: Literal["all", "admin_approved"] = "admin_approved"
    pre_authorised: list[str] | None = None
    #: The client-credentials user; None: none is chosen.
    run_as: str | None = None
    scopes: list[str] = Field(default=["api", "refresh_token", "web", "id"])
    callback_urls: list[str] = Field(default=["https://login.salesforce.com/services/oauth2/success"])
    loopback_callbacks: bool = True
    require_pkce: bool = False
    require_secret: bool = False
    #: "Enforce login IP ranges" against "relax IP restrictions".
    enforce_ip: bool = True
    #: Whether API Access Control lets it in.
    allow_listed: bool = True


class OrgSecurity(BaseModel):
    """The org-wide rules; times are seconds, None is no end."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    api_enabled: bool = True
    api_access_control: bool = False
    #: Networks from which the users may come, as in ``10.0.0.0/8``; none is everywhere.
    login_ip_ranges: list[IPvAnyNetwork] = Field(default=[])
    session_lifetime: float | None = Field(default=None, gt=0)
    refresh_token_lifetime: float | None = Field(default=None, gt=0)
    refresh_token_rotation: bool = False
    authorization_code_lifetime: float = Field(default=900, gt=0)


class ConnectedApp:
    """One app of the org: its keys, which never change, and its policy."""

    def __init__(self, client_id: str, client_secret: str, public_key: RSAPublicKey | None, policy: AppPolicy) -> None:
        self.client_id, self.client_secret = client_id, client_secret
        self.public_key, self.policy = public_key, policy
        #: Ids of the users that allowed it on the consent page.
        self.approved_by: set[str] = set()

    @classmethod
    def make(cls, public_key: RSAPublicKey, run_as: str) -> "ConnectedApp":
        """Make an app with a consumer key and secret of the usual look."""
        return cls("3MVG9" + random_word(80), secrets.token_hex(32).upper(), public_key, AppPolicy(run_as=run_as))

    @classmethod
    def cli(cls) -> "ConnectedApp":
        """Make the entry of Salesforce's CLI: no secret, no certificate, no client credentials."""
        return cls(CLI_CLIENT_ID, "", None, AppPolicy(scopes=["api", "refresh_token", "web", "id"]))

    @property
    def run_as(self) -> str | None:
        """Return the username of the client-credentials user."""
        return self.policy.run_as

    def takes_callback(self, uri: str) -> bool:
        """Tell whether a redirect URI is registered: exactly, or on loopback with any port where allowed."""
        loopback = self.policy.loopback_callbacks and _LOOPBACK_CALLBACK.fullmatch(uri) is not None
        return loopback or uri in self.policy.callback_urls


def random_word(length: int) -> str:
    """Return a random word of the characters tokens are made of."""
    return "".join(secrets.choice(TOKEN_ALPHABET) for _ in range(length))
