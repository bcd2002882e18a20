"""Puts the demo org together: the state, the routes, the errors, the gateway round it all."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from apps.demo_org import (
    admin,
    bulk,
    bulk1,
    composite,
    composite_tree,
    ingest,
    list_views,
    oauth,
    oauth_authorize,
    oauth_identity,
    records,
    replication,
    reports,
    rest,
    search,
    soap_login,
    sobject_collections,
    tooling,
)
from apps.demo_org.bulk1_jobs import Bulk1Jobs
from apps.demo_org.bulk1_wire import AsyncError, refusal
from apps.demo_org.bulk_jobs import BulkJobs
from apps.demo_org.clock import OrgClock
from apps.demo_org.conditional import SeenMetadata
from apps.demo_org.connected_app import ConnectedApp, OrgSecurity
from apps.demo_org.cursors import Cursors
from apps.demo_org.errors import ApiError, DemoOrgError, OAuthError, method_not_allowed, not_found
from apps.demo_org.exchange import answer, api_error, oauth_error
from apps.demo_org.fault_file import FaultFile
from apps.demo_org.gateway import Gateway
from apps.demo_org.ingest_jobs import IngestJobs
from apps.demo_org.org import DemoOrgState
from apps.demo_org.permissions import Permissions
from apps.demo_org.reports_catalog import ReportCatalog
from apps.demo_org.request_log import RequestLog
from apps.demo_org.sessions import Sessions
from apps.demo_org.store import OrgStore, SObjectError, SoqlError
from apps.demo_org.store.duplicates import DuplicatesDetected
from apps.demo_org.usage import Usage

_log = logging.getLogger(__name__)


@contextmanager
def open_org(
    data: Path | None,
    directory: Path,
    public_key: RSAPublicKey,
    *,
    faults: Path | None = None,
    request_log: Path | None = None,
) -> Iterator[DemoOrgState]:
    """Load ``data`` into a store in ``directory`` and yield the org; closes everything afterwards.

    Raises ``CrosswalkError`` for data, a faults file or a log that cannot be used.
    """
    with ExitStack() as stack:
        fault_file = FaultFile(faults)
        log = _open_log(request_log)
        stack.callback(log.close)
        clock = OrgClock()
        store = OrgStore.load(data, directory / "org.duckdb", clock=clock.stamp)
        stack.callback(store.close)
        for issue in store.load_report:
            _log.warning("%s.%s: %d values of the wrong type became null", issue.object, issue.field, issue.count)
        usage = Usage(clock.timestamp)
        usage.measure("DataStorageMB", store.storage_megabytes)
        permissions = Permissions(store)
        store.access = lambda user: permissions.of(user).visibility
        jobs = BulkJobs(
            store, usage, directory / "bulk", lambda user: permissions.of(user).visibility | fault_file.visibility()
        )
        stack.callback(jobs.close)
        app = ConnectedApp.make(public_key, run_as=_default_username(store))
        ingest_jobs = IngestJobs(usage, directory / "ingest", store.now)
        stack.callback(ingest_jobs.close)
        bulk1_jobs = Bulk1Jobs(store, usage, directory / "bulk1")
        stack.callback(bulk1_jobs.close)
        catalog = ReportCatalog(store)
        stack.callback(catalog.close)
        security = OrgSecurity()
        yield DemoOrgState(
            store=store,
            sessions=Sessions(store.org_id, security),
            app=app,
            usage=usage,
            faults=fault_file,
            log=log,
            jobs=jobs,
            cursors=Cursors(),
            permissions=permissions,
            reports=catalog,
            ingest=ingest_jobs,
            bulk1=bulk1_jobs,
            clock=clock,
            security=security,
            apps={each.client_id: each for each in (app, ConnectedApp.cli())},
        )


def _open_log(path: Path | None) -> RequestLog:
    try:
        return RequestLog(path)
    except OSError as error:
        raise DemoOrgError(
            f"The request log {path} cannot be written.", why=str(error), next_step="Give another file."
        ) from error


def _default_username(store: OrgStore) -> str:
    return str(store.get("User", store.default_user_id, ["Username"])["Username"])


def make_app(org: DemoOrgState) -> ASGIApp:
    """Return the ASGI application that serves ``org``."""
    app = Starlette(
        routes=[
            *oauth.routes,
            *oauth_authorize.routes,
            *oauth_identity.routes,
            *soap_login.routes,
            *tooling.routes,
            *rest.routes,
            *search.routes,
            *bulk.routes,
            *bulk1.routes,
            *ingest.routes,
            *reports.routes,
            *sobject_collections.routes,
            *composite.routes,
            *composite_tree.routes,
            *list_views.routes,
            *replication.routes,
            *records.routes,
            *admin.routes,
        ],
        exception_handlers={
            ApiError: _on_api_error,
            AsyncError: _on_async_error,
            OAuthError: _on_oauth_error,
            SoqlError: _on_soql_error,
            SObjectError: _on_sobject_error,
            records.SeveralRecords: _on_several_records,
            HTTPException: _on_http_exception,
            Exception: _on_anything_else,
        },
    )
    app.router.redirect_slashes = False
    app.state.org = org
    app.state.seen_metadata = SeenMetadata()
    return Gateway(app, org)


def _on_api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return api_error(error)


def _on_async_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AsyncError)
    return refusal(request, error)


def _on_oauth_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, OAuthError)
    return oauth_error(error)


def _on_soql_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, SoqlError)
    return api_error(ApiError(400, error.code, error.message))


def _on_sobject_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, SObjectError)
    if isinstance(error, DuplicatesDetected):
        error.version = f"v{request.path_params.get('version', '66.0')}"
    return answer([error.body()], error.status)


def _on_several_records(request: Request, error: Exception) -> Response:
    assert isinstance(error, records.SeveralRecords)
    return answer(error.addresses, 300)


def _on_http_exception(request: Request, error: Exception) -> Response:
    """Answer what the router refuses in Salesforce's shape."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return api_error(method_not_allowed(request.method, (error.headers or {}).get("Allow", "")))
    return api_error(not_found())


def _on_anything_else(request: Request, error: Exception) -> Response:
    """Answer a defect of the demo org itself; the stack trace goes to standard error."""
    _log.error("%s %s broke", request.method, request.url.path, exc_info=error)
    return api_error(ApiError(500, "UNKNOWN_EXCEPTION", f"An unexpected error occurred: {type(error).__name__}"))
