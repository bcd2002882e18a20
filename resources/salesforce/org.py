"""The public face of Salesforce: one connected org, read-only.

Everything a pipeline asks of Salesforce is a method here; how it is asked is ``rest``, ``bulk`` and ``session``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from data_contracts.settings import Connection
from resources.salesforce.auth import Identity
from resources.salesforce.budget import RequestBudget
from resources.salesforce.bulk import BulkApi
from resources.salesforce.credentials import Credentials
from resources.salesforce.replication import ReplicationApi
from resources.salesforce.reports import ReportsApi
from resources.salesforce.rest import ListView, ListViewQuery, RestApi
from resources.salesforce.session import OrgSession, RetryPolicy, not_salesforce
from resources.salesforce.token_store import TokenStore
from resources.salesforce.usage import OrgLimits, Usage


@dataclass
class SalesforceOrg:
    """A Salesforce org we are signed in to."""

    session: OrgSession = field(repr=False)
    api_version: str
    rest: RestApi = field(repr=False)
    bulk: BulkApi = field(repr=False)
    _identity: Identity | None = field(default=None, repr=False)

    @classmethod
    def connect(
        cls,
        connection: Connection,
        environ: Mapping[str, str],
        *,
        store: TokenStore | None,
        policy: RetryPolicy | None = None,
        budget: RequestBudget | None = None,
    ) -> "SalesforceOrg":
        """Sign in with what ``SALESFORCE_*`` and the home's token store hold; None is for work outside any home.

        Every request but signing in waits for ``budget`` to admit it, where one is given.

        Raises SettingsError naming a missing variable, AuthenticationError saying what an admin must click or that
        the home was disconnected, OrgUnreachableError when the host does not answer.
        """
        if store is not None:
            store.require_connected()
        credentials = Credentials.from_environment(
            environ, instance_url=connection.instance_url, login_url=connection.login_url, store=store
        )
        session = OrgSession(
            credentials,
            timeout=connection.timeout_seconds,
            policy=policy,
            store=store,
            budget=budget,
            limits_path=f"/services/data/v{connection.api_version}/limits",
        )
        org = cls.over(session, connection)
        org.session.tokens.current()
        return org

    @classmethod
    def over(cls, session: OrgSession, connection: Connection) -> "SalesforceOrg":
        """Return the org behind ``session``, which need not have signed in yet."""
        version = connection.api_version
        return cls(session, version, RestApi(session, version), BulkApi(session, version))

    @property
    def reports(self) -> ReportsApi:
        """Its reports."""
        return ReportsApi(self.rest)

    @property
    def usage(self) -> Usage:
        """Calls, bytes and rows so far."""
        return self.session.usage

    def identity(self) -> Identity:
        """Who we are, in which org; asked once. Raises SalesforceError where no org answers."""
        if self._identity is None:
            body = self.session.read_json("/services/oauth2/userinfo", "say who we are")
            if not isinstance(body, dict) or not body.get("organization_id"):
                # Without it the home could not be pinned to its org.
                raise not_salesforce(self.session.url(""))
            self._identity = Identity.from_userinfo(body)
        return self._identity

    def limits(self) -> OrgLimits:
        """The org's limits now."""
        return self.rest.limits()

    def server_time(self) -> datetime:
        """The org's clock, whole seconds UTC."""
        return self.session.server_time()

    def describe_global(self) -> list[dict[str, Any]]:
        """One entry per object the user may see."""
        return self.rest.describe_global()

    def describe(self, object_api_name: str) -> dict[str, Any]:
        """The describe of one object."""
        return self.rest.describe(object_api_name)

    def count(self, object_api_name: str, where: str | None = None, *, include_deleted: bool = False) -> int:
        """``SELECT COUNT()`` of an object."""
        return self.rest.count(object_api_name, where, include_deleted=include_deleted)

    def query(self, soql: str, *, include_deleted: bool = False) -> Iterator[list[dict[str, Any]]]:
        """The pages of a query, each a list of records."""
        return self.rest.query(soql, include_deleted=include_deleted)

    @property
    def replication(self) -> ReplicationApi:
        """What the org tells about changes and deletes."""
        return ReplicationApi(self.session, self.api_version)

    def list_views(self, object_api_name: str) -> list[ListView]:
        """Every list view of an object the user may see."""
        return self.rest.list_views(object_api_name)

    def list_view_soql(self, object_api_name: str, list_view_id: str) -> str:
        """The SOQL behind a list view."""
        return self.rest.list_view_soql(object_api_name, list_view_id)

    def list_view_query(self, object_api_name: str, list_view_id: str) -> ListViewQuery:
        """Scope and condition of a list view."""
        return ListViewQuery.parse(self.list_view_soql(object_api_name, list_view_id))
