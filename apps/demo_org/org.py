"""The state of a running demo org that its endpoints share.

Belongs here: one object holding the store, the sessions, the counters, the faults and the jobs, and the
few look-ups that several endpoints need.
"""

import hmac
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from apps.demo_org.bulk_jobs import BulkJobs
from apps.demo_org.clock import OrgClock
from apps.demo_org.connected_app import ConnectedApp, OrgSecurity, random_word
from apps.demo_org.cursors import Cursors
from apps.demo_org.fault_file import FaultFile
from apps.demo_org.permissions import Permissions
from apps.demo_org.reports_catalog import ReportCatalog
from apps.demo_org.request_log import RequestLog
from apps.demo_org.sessions import Sessions
from apps.demo_org.store import OrgStore, SoqlError, Visibility
from apps.demo_org.usage import Usage

#: Id of the user whose request is being answered; the gateway sets it.
current_user: ContextVar[str | None] = ContextVar("current_user", default=None)


if TYPE_CHECKING:
    from apps.demo_org.bulk1_jobs import Bulk1Jobs
    from apps.demo_org.ingest_jobs import IngestJobs


@dataclass(frozen=True)
class DemoOrgState:
    """Everything an endpoint may need."""

    store: OrgStore
    sessions: Sessions
    app: ConnectedApp
    usage: Usage
    faults: FaultFile
    log: RequestLog
    jobs: BulkJobs
    cursors: Cursors
    permissions: Permissions
    reports: ReportCatalog
    ingest: "IngestJobs"
    bulk1: "Bulk1Jobs"
    clock: OrgClock = field(default_factory=OrgClock)
    security: OrgSecurity = field(default_factory=OrgSecurity)
    #: The apps the org knows by consumer key; ``app`` is one of them.
    apps: dict[str, ConnectedApp] = field(default_factory=dict)
    #: Every user's; a client may add the security token.
    password: str = field(default_factory=lambda: random_word(16), repr=False)
    security_token: str = field(default_factory=lambda: random_word(24), repr=False)

    @property
    def org_id(self) -> str:
        """Return the 18-character id of the org."""
        return self.store.org_id

    def visibility(self) -> Visibility:
        """Return what is hidden from whoever makes this request, by permissions and by the faults in force."""
        user = current_user.get()
        return self.faults.visibility() if user is None else self.visibility_for(user)

    def visibility_for(self, user_id: str) -> Visibility:
        """Return what is hidden from a user, by permissions and by the faults in force."""
        return self.permissions.of(user_id).visibility | self.faults.visibility()

    def is_password(self, given: str) -> bool:
        """Tell whether this is the users' password, alone or with the security token behind it."""
        right = (self.password, self.password + self.security_token)
        return any(hmac.compare_digest(given.encode(), each.encode()) for each in right)

    def organization(self) -> dict[str, Any]:
        """Return the Organization record."""
        return self.store.get("Organization", self.org_id, ["Id", "Name", "IsSandbox"])

    def license_of(self, user_id: str) -> str | None:
        """Return the name of the user's licence."""
        return self.permissions.of(user_id).license

    def has_permission(self, user_id: str, permission: str) -> bool:
        """Tell whether a user has a system permission, such as ``PermissionsApiEnabled``."""
        return permission in self.permissions.of(user_id).system

    def groups_of(self, user_id: str) -> set[str]:
        """Return the names and ids of the user's profile and permission sets."""
        return set(self.permissions.of(user_id).groups)

    def object_of_job(self, job_id: str) -> str | None:
        """Return the API name of the object a Bulk job reads, or None."""
        if job := self.jobs.find(job_id):
            return job.object
        written = self.ingest.find(job_id) or self.bulk1.find(job_id)
        return written.request.object if written else None

    def find_user(self, who: str) -> dict[str, Any] | None:
        """Return the User record with this username or id, or None."""
        quoted = who.replace("\\", "\\\\").replace("'", "\\'")
        field = "Username" if "@" in who else "Id"
        try:
            found = self.store.query(f"SELECT FIELDS(ALL) FROM User WHERE {field} = '{quoted}' LIMIT 1")
        except SoqlError:
            return None
        try:
            return next(iter(found.records(0, 1)), None)
        finally:
            found.close()
