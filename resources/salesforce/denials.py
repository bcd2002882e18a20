"""Every documented refusal of Salesforce: what it says, what that means, what an admin clicks to mend it.

Belongs here: the one table, from which messages are made and against which ``docs/connecting.md`` is checked.
Reading a response is ``resources.salesforce.errors``. Menu paths are those of Setup in Lightning Experience.
"""

from dataclasses import dataclass
from typing import Literal

#: ``sign-in``: the token endpoint, or the browser page before it. ``call``: any API call afterwards.
Stage = Literal["sign-in", "call"]

APP = "Setup > External Client App Manager > the app"
OAUTH_USAGE = "Setup > Connected Apps OAuth Usage > the app"


@dataclass(frozen=True)
class Denial:
    """One refusal: recognised by ``code`` and, where the code alone is ambiguous, ``words`` of the description.

    ``said`` is the description as Salesforce gives it, for the documentation.
    """

    code: str
    words: str
    said: str
    meaning: str
    remedy: str
    stage: Stage = "sign-in"


#: The first match of code and words counts, so general entries come after special ones of the same code.
DENIALS = (
    Denial(
        "OAUTH_APP_BLOCKED", "", "this app is blocked by admin",
        "an admin blocked the app for the whole org",
        f"{OAUTH_USAGE} > Unblock",
    ),
    Denial(
        "OAUTH_APPROVAL_ERROR_GENERIC", "", "An unexpected error has occurred during authentication",
        "most often: the app is not installed in this org, and the user may not approve uninstalled apps",
        f"{OAUTH_USAGE} > Install; the permission 'Approve Uninstalled Connected Apps' is not needed then",
    ),
    Denial(
        "invalid_client", "installed into org", "app must be installed into org",
        "the app is not installed in this org, and the user may not approve uninstalled apps",
        f"{OAUTH_USAGE} > Install; the permission 'Approve Uninstalled Connected Apps' is not needed then",
    ),
    Denial(
        "OAUTH_EC_APP_NOT_FOUND", "", "External client app is not installed in this org",
        "the external client app is not in this org (a sandbox made before the app has none), or this host is not "
        "the app's org",
        "deploy or install the app in this org (Setup > External Client App Manager shows it then), and set "
        "SALESFORCE_LOGIN_URL to the org's My Domain URL",
    ),
    Denial(
        "app_not_found", "not installed", "External client app is not installed in this org",
        "the external client app is not in this org (a sandbox made before the app has none)",
        "deploy or install the app in this org: Setup > External Client App Manager shows it then",
    ),
    Denial(
        "app_not_found", "", "",
        "this host does not know the app: login.salesforce.com and test.salesforce.com know no external client app",
        "set SALESFORCE_LOGIN_URL to the org's My Domain URL (Setup > My Domain)",
    ),
    Denial(
        "invalid_app_access", "", "user is not admin approved to access this app",
        "the app admits only users whom an admin approved, and this user has none of its permission sets or profiles",
        f"{APP} > Policies > Select Permission Sets: add Crosswalk Integration; then Setup > Users > the user > "
        "Permission Set Assignments: assign it",
    ),
    Denial(
        "OAUTH_APP_ACCESS_DENIED", "", "user is not admin approved to access this app",
        "the app admits only users whom an admin approved, and this user has none of its permission sets or profiles",
        f"{APP} > Policies > Select Permission Sets: add Crosswalk Integration; then Setup > Users > the user > "
        "Permission Set Assignments: assign it",
    ),
    Denial(
        "invalid_grant", "approved this consumer", "user hasn't approved this consumer",
        "the user is not pre-authorised for the app, or there is no such user in this org",
        f"{APP} > Policies > Permitted Users: 'Admin approved users are pre-authorized', and Select Permission Sets: "
        "add one that the user of SALESFORCE_USERNAME has",
    ),
    Denial(
        "invalid_grant", "no client credentials user", "no client credentials user enabled",
        "the client credentials flow has no user to run as",
        f"{APP} > Policies > OAuth Flows: Enable Client Credentials Flow, and name the integration user in Run As",
    ),
    Denial(
        "invalid_grant", "expired access/refresh token", "expired access/refresh token",
        "the refresh token was revoked, has expired, or was used up by another process",
        f"sign in again: crosswalk connect; how long a token lasts: {APP} > Policies > Refresh Token Policy",
    ),
    Denial(
        "invalid_grant", "expired authorization code", "expired authorization code",
        "the sign-in page was answered too late: its code lasts 15 minutes",
        "run crosswalk connect again",
    ),
    Denial(
        "invalid_grant", "invalid authorization code", "invalid authorization code",
        "the code of the sign-in page was used before, or belongs to another app",
        "run crosswalk connect again",
    ),
    Denial(
        "invalid_grant", "code verifier", "invalid code verifier",
        "the answer belongs to another sign-in than the one this command began (PKCE)",
        "run crosswalk connect again, and answer in the window it opens",
    ),
    Denial(
        "invalid_grant", "audience", "Audience validation failed",
        "the token was asked for at the wrong URL",
        "set SALESFORCE_LOGIN_URL to the org's My Domain URL (Setup > My Domain)",
    ),
    Denial(
        "invalid_grant", "invalid assertion", "invalid assertion",
        "the key does not fit the certificate uploaded to the app, or this machine's clock is wrong",
        f"{APP} > Settings > OAuth Settings > Enable JWT Bearer Flow: upload the certificate that belongs to "
        "SALESFORCE_PRIVATE_KEY_FILE; check the clock",
    ),
    Denial(
        "invalid_grant", "ip restricted", "ip restricted",
        "the user may not sign in from this network address",
        f"Setup > Profiles > the user's profile > Login IP Ranges: add the address, or {APP} > Policies > IP "
        "Relaxation: Relax IP restrictions",
    ),
    Denial(
        "invalid_grant", "login rate exceeded", "login rate exceeded",
        "the user signed in more often than Salesforce allows in an hour",
        "wait an hour; look for another program that signs in with this user in Setup > Login History",
    ),
    Denial(
        "invalid_grant", "inactive", "inactive user",
        "the user is deactivated",
        "Setup > Users > the user > Edit > Active, or use another integration user",
    ),
    Denial(
        "invalid_grant", "", "authentication failure",
        "the user, the key or the password is not accepted; the user may be locked or frozen",
        "check SALESFORCE_USERNAME (sandboxes add a suffix) and Setup > Login History of that user",
    ),
    Denial(
        "inactive_user", "", "user is inactive",
        "the user is deactivated or frozen",
        "Setup > Users > the user > Edit > Active (or Unfreeze), or use another integration user",
    ),
    Denial(
        "inactive_org", "", "organization is inactive",
        "the org is locked, closed or suspended",
        "ask Salesforce support; Setup > Company Information shows the org's state",
    ),
    Denial(
        "invalid_client_id", "", "client identifier invalid",
        "this org does not know the consumer key",
        f"copy the key from {APP} > Settings > OAuth Settings > Consumer Key and Secret into SALESFORCE_CLIENT_ID, "
        "and check that the URL is that org's; a new app takes up to ten minutes",
    ),
    Denial(
        "invalid_client", "", "invalid client credentials",
        "the consumer secret is wrong",
        f"copy the secret from {APP} > Settings > OAuth Settings > Consumer Key and Secret into "
        "SALESFORCE_CLIENT_SECRET",
    ),
    Denial(
        "invalid_scope", "", "the requested scope is not allowed",
        "the app does not grant a scope that was asked for",
        f"{APP} > Settings > OAuth Settings > Scopes: add 'Manage user data via APIs (api)', 'Access the identity "
        "URL service (id, profile, email, address, phone)' and 'Perform requests at any time (refresh_token, "
        "offline_access)'",
    ),
    Denial(
        "access_denied", "", "end-user denied authorization",
        "the user pressed Deny on the page that asks for access",
        "run crosswalk connect again and press Allow",
    ),
    Denial(
        "redirect_uri_mismatch", "", "redirect_uri must match configuration",
        "the callback URL is not one of the app's",
        f"{APP} > Settings > OAuth Settings > Callback URL: add the one that crosswalk connect shows",
    ),
    Denial(
        "unsupported_grant_type", "", "grant type not supported",
        "this way of signing in is switched off for the org or the app",
        f"{APP} > Settings > OAuth Settings: enable the flow named by SALESFORCE_AUTH; Setup > OAuth and OpenID "
        "Connect Settings must allow it too",
    ),
    Denial(
        "invalid_request", "code challenge", "missing required code challenge",
        "the app requires PKCE and the request came without it; a proxy may have cut the address",
        "open the address that crosswalk connect --no-browser prints, whole",
    ),
    Denial(
        "Wrong_Org", "", "Wrong_Org",
        "the token belongs to another org than this URL",
        "set SALESFORCE_INSTANCE_URL to the My Domain URL of the token's org (Setup > My Domain)",
        "call",
    ),
    Denial(
        "Bad_OAuth_Token", "", "Bad_OAuth_Token",
        "the session expired or was revoked",
        "with SALESFORCE_AUTH=access_token get a new token (sf org auth show-access-token); otherwise run the command "
        "again, and crosswalk connect if it comes back",
        "call",
    ),
    Denial(
        "INVALID_SESSION_ID", "", "Session expired or invalid",
        "the session expired, was revoked, belongs to another instance, is locked to another network address, "
        "or API access control blocks the app: Salesforce says the same for all of them",
        "Setup > Session Settings: 'Lock sessions to the IP address from which they originated' off; Setup > API "
        f"Access Control: let the app through ({OAUTH_USAGE} > Install); with SALESFORCE_AUTH=access_token get a new "
        "token",
        "call",
    ),
    Denial(
        "INVALID_AUTH_HEADER", "", "INVALID_HEADER_TYPE",
        "the token does not have the form of a Salesforce token",
        "check SALESFORCE_ACCESS_TOKEN: it begins with 00D and has an exclamation mark in it",
        "call",
    ),
    Denial(
        "API_DISABLED_FOR_ORG", "", "The REST API is not enabled for this Organization",
        "the org's edition has no API, or the user lacks the permission 'API Enabled'",
        "Setup > Permission Sets > Crosswalk Integration > System Permissions: API Enabled, assigned to the user "
        "(Professional Edition needs the API add-on: Setup > Company Information)",
        "call",
    ),
    Denial(
        "API_CURRENTLY_DISABLED", "", "API is disabled",
        "the org's API is switched off for now",
        "wait, or ask Salesforce support; https://status.salesforce.com shows maintenance",
        "call",
    ),
    Denial(
        "REQUEST_LIMIT_EXCEEDED", "", "TotalRequests Limit exceeded",
        "the org has used up its API requests of the last 24 hours, or too many long requests run at once",
        "wait until calls of the last 24 hours expire; Setup > Company Information shows use and allocation, Setup > "
        "System Overview who is near the limit",
        "call",
    ),
    Denial(
        "LOGIN_DURING_RESTRICTED_DOMAIN", "", "cannot log in from current domain",
        "the user's profile does not admit this network address",
        "Setup > Profiles > the user's profile > Login IP Ranges: add the address",
        "call",
    ),
    Denial(
        "TXN_SECURITY_NO_ACCESS", "", "The operation you requested was blocked by a transaction security policy",
        "a transaction security policy of the org forbids it",
        "Setup > Transaction Security Policies: exempt the integration user",
        "call",
    ),
    Denial(
        "INSUFFICIENT_ACCESS", "", "insufficient access rights on object id",
        "the user lacks a permission on the object or record",
        "Setup > Permission Sets > Crosswalk Integration > Object Settings: Read (and View All), assigned to the user",
        "call",
    ),
    Denial(
        "FORBIDDEN", "", "You do not have access to this resource",
        "the user lacks the permission for this part of the API",
        "Setup > Permission Sets > Crosswalk Integration > System Permissions: API Enabled, View Setup and "
        "Configuration, assigned to the user",
        "call",
    ),
    Denial(
        "INVALID_TYPE", "", "sObject type is not supported",
        "the object does not exist in this org, or the user has no permission to read it",
        "check the object's name in crosswalk.yaml, and Setup > Permission Sets > Crosswalk Integration > Object "
        "Settings: Read",
        "call",
    ),
    Denial(
        "NOT_FOUND", "", "The requested resource does not exist",
        "the org knows no such resource",
        "check the name and the user's permissions",
        "call",
    ),
    Denial(
        "INVALID_FIELD", "", "No such column on entity",
        "a field was deleted or renamed, or is hidden from the user by field-level security",
        "restore the field, or Setup > Permission Sets > Crosswalk Integration > Object Settings > the object: Read "
        "Access to the field, or take it out of crosswalk.yaml",
        "call",
    ),
    Denial(
        "MALFORMED_QUERY", "", "unexpected token",
        "Salesforce cannot read the query",
        "check the condition in crosswalk.yaml",
        "call",
    ),
    Denial(
        "QUERY_TIMEOUT", "", "Your query request was running for too long",
        "the org took too long to answer",
        "narrow the selection, then run the command again",
        "call",
    ),
    Denial(
        "SERVER_UNAVAILABLE", "", "The server is temporarily unavailable",
        "the org is not available",
        "see https://status.salesforce.com, then run it again",
        "call",
    ),
)  # fmt: skip

#: What is said when Salesforce uses a word nobody documented: its own words come first in the message anyway.
UNKNOWN_SIGN_IN = Denial(
    "", "", "", "Salesforce did not accept the sign-in", "check the app and the user in Setup > Login History"
)


def sign_in_denial(code: str, said: str) -> Denial:
    """Return the entry for a refused sign-in, or the general one."""
    return _find("sign-in", code, said) or UNKNOWN_SIGN_IN


def call_denial(code: str, said: str) -> Denial | None:
    """Return the entry for a refused API call, or None."""
    return _find("call", code, said)


def as_markdown() -> str:
    """Return the table as ``docs/connecting.md`` shows it."""
    lines = ["| Salesforce says | it means | to mend it |", "|---|---|---|"]
    lines += [f"| {f'`{item.code}` {item.said}'.strip()} | {item.meaning} | {item.remedy} |" for item in DENIALS]
    return "\n".join(lines)


def _find(stage: Stage, code: str, said: str) -> Denial | None:
    matching = (
        item
        for item in DENIALS
        if item.stage == stage and item.code.lower() == code.lower() and item.words in said.lower()
    )
    return next(matching, None)
