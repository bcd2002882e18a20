"""``crosswalk connect``: sign in, make sure it is the right org, and remember who connected.

With a refresh token a person signs in once in the browser and the token is kept in the home; the other ways of
signing in are tried out. Nothing is read but who we are. The opposite is ``pipelines.disconnect``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import duckdb

from data_contracts.errors import AuthenticationError, OrgMismatchError, SalesforceError
from data_contracts.settings import Settings
from pipelines.extract.state import prepare_state
from resources.home import Home
from resources.salesforce import ConnectionRecord, Credentials, Identity, RetryPolicy, SalesforceOrg, TokenStore
from resources.salesforce.auth import Grant
from resources.salesforce.denials import APP
from resources.salesforce.session import OrgSession
from resources.salesforce.token_store import now_text
from resources.salesforce.web_flow import CALLBACK_PORT, SIGN_IN_SECONDS, Loopback, SignIn
from resources.warehouse import Warehouse

#: Shows a person the address to open, and the callback URL that the app must have.
Show = Callable[[str, str], None]


@dataclass(frozen=True)
class Browser:
    """How a person signs in: who shows the address, where the answer arrives, how long we wait."""

    show: Show
    port: int = CALLBACK_PORT
    seconds: float = SIGN_IN_SECONDS


def connect(
    home: Home,
    settings: Settings,
    environ: Mapping[str, str],
    browser: Browser,
    *,
    again: bool = False,
    policy: RetryPolicy | None = None,
) -> ConnectionRecord:
    """Sign in, check the org, keep the token and who connected; ``again`` asks for a new sign-in in any case.

    Raises AuthenticationError saying what an admin must click, OrgMismatchError naming both orgs, HomeBusyError
    while something else works in the home. Then nothing is kept, and a token just obtained is revoked.
    """
    store = TokenStore(home.root)
    with home.lock("crosswalk connect"):
        before = store.record()
        if before is not None and before.state == "disconnecting":
            store.require_connected()
        session = _session(settings, environ, store, policy)
        org = SalesforceOrg.over(session, settings.connection)
        forced = again or (before is not None and before.state == "disconnected")
        grant = _sign_in(session, browser, again=again, forced=forced)
        identity = _identify(home, settings, org, grant)
        if grant is not None and grant.refresh_token is not None:
            with store.locked():
                store.save_token(session.tokens.stored(grant.refresh_token))
        record = ConnectionRecord(
            state="connected",
            org_id=identity.org_id,
            user_id=identity.user_id,
            username=identity.username,
            instance_url=session.tokens.current().instance_url,
            grant=session.tokens.credentials.grant,
            scopes=session.tokens.scopes,
            at=now_text(),
        )
        store.save_record(record)
        return record


def pinned_org(home: Home, settings: Settings) -> str:
    """Return the id of the org whose data the warehouse holds; empty before the first sync."""
    if not home.warehouse.is_file():
        return ""
    with Warehouse(home.warehouse, settings.limits.memory).connect() as con:
        prepare_state(con)
        return _pin(con)


def _session(
    settings: Settings, environ: Mapping[str, str], store: TokenStore, policy: RetryPolicy | None
) -> OrgSession:
    connection = settings.connection
    credentials = Credentials.from_environment(
        environ, instance_url=connection.instance_url, login_url=connection.login_url, store=store, signing_in=True
    )
    return OrgSession(credentials, timeout=connection.timeout_seconds, policy=policy, store=store)


def _sign_in(session: OrgSession, browser: Browser, *, again: bool, forced: bool) -> Grant | None:
    """Sign in without a person where that works; else by the browser, and return what it gave."""
    credentials = session.tokens.credentials
    by_person = credentials.grant == "refresh_token" and not credentials.refresh_origin
    if not by_person or (credentials.refresh_token is not None and not again):
        try:
            session.tokens.current()
        except AuthenticationError as error:
            if not by_person or error.code != "invalid_grant":
                raise
        else:
            return None
    return _ask_person(session, browser, forced=forced)


def _ask_person(session: OrgSession, browser: Browser, *, forced: bool) -> Grant:
    credentials = session.tokens.credentials
    with Loopback(browser.port) as loopback:
        sign_in = SignIn(credentials.login_url, credentials.client_id, loopback.redirect_uri, forced)
        browser.show(sign_in.address(), loopback.redirect_uri)
        form = loopback.wait(sign_in, browser.seconds)
    grant = session.tokens.redeem(form)
    if grant.refresh_token is None:
        raise AuthenticationError(
            "Salesforce gave no refresh token",
            why="the app's refresh token policy or scopes do not allow one, so no sync could run without a person",
            next_step=f"{APP} > Settings > OAuth Settings > Scopes: add 'Perform requests at any time (refresh_token, "
            "offline_access)', then run: crosswalk connect",
        )
    return grant


def _identify(home: Home, settings: Settings, org: SalesforceOrg, grant: Grant | None) -> Identity:
    """Ask who we are, and refuse another org than the one whose data is here."""
    try:
        identity = org.identity()
        pinned = pinned_org(home, settings)
        if pinned and pinned != identity.org_id:
            raise OrgMismatchError(
                f"you signed in to org {identity.org_id}, and this home holds data of org {pinned}",
                why="records of two orgs are never mixed",
                next_step=f"sign in to {pinned}, or use another CROSSWALK_HOME, or archive what is here first: "
                "crosswalk disconnect",
            )
    except SalesforceError:
        if grant is not None:
            _give_back(org)
        raise
    return identity


def _give_back(org: SalesforceOrg) -> None:
    """Revoke a token that will not be kept; that it could not be told is no news beside what went wrong."""
    try:
        org.session.tokens.revoke()
    except SalesforceError:
        return


def _pin(con: duckdb.DuckDBPyConnection) -> str:
    rows = con.execute("SELECT org_id FROM _state.org").fetchall()
    return str(rows[0][0]) if rows else ""
