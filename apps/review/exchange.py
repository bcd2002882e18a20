"""One request and its answer, as a page sees them: who asks, the checked form, templates, redirects, errors.

Every route is made by ``page`` or ``act``, so that none can forget the sign-in, the role or the CSRF token.
"""

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from apps.review.accounts import Right, User
from apps.review.identity import Identity
from apps.review.services import Services
from apps.review.sessions import Session, same
from data_contracts.errors import CrosswalkError
from resources.decisions_acts import add_audit

log = logging.getLogger(__name__)

#: The only type a form of ours has; another site's script could send others without asking first.
FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Exchange:
    """A signed-in person's request."""

    request: Request
    services: Services
    user: User
    session: Session
    form: FormData = field(default_factory=FormData)

    def asked(self, name: str, most: int = 200) -> str:
        """Return a parameter of the address, trimmed and cut; empty when it is not there."""
        return self.request.query_params.get(name, "").strip()[:most]

    def sent(self, name: str, most: int = 2000) -> str:
        """Return a field of the form, trimmed and cut; empty when it is not there."""
        value = self.form.get(name, "")
        return value.strip()[:most] if isinstance(value, str) else ""

    def path(self, name: str) -> str:
        """Return a part of the path."""
        return str(self.request.path_params[name])

    def render(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """Return a page."""
        shown = self.services.render(template, user=self.user, session=self.session, here=self.here, **values)
        return HTMLResponse(shown, status)

    def redirect(self, path: str, notice: str | None = None, **query: str) -> Response:
        """Send the browser on with a GET, so that reloading repeats nothing; ``notice`` is told there once."""
        if notice:
            self.session.notice = notice
        wanted = {name: value for name, value in query.items() if value}
        return RedirectResponse(f"{path}?{urlencode(wanted)}" if wanted else path, 303)

    @property
    def here(self) -> str:
        """The path and query of this request, to come back to."""
        url = self.request.url
        return f"{url.path}?{url.query}" if url.query else url.path


Handler = Callable[[Exchange], Response]


def page(path: str, handler: Handler, right: Right = "see") -> Route:
    """Return the route of a page that shows something and changes nothing."""

    async def endpoint(request: Request) -> Response:
        return await _answer(request, handler, right)

    return Route(path, endpoint, methods=["GET"], name=handler.__name__)


def act(path: str, handler: Handler, right: Right = "decide") -> Route:
    """Return the route of a form that changes something: it needs the session's CSRF token."""

    async def endpoint(request: Request) -> Response:
        return await _answer(request, handler, right)

    return Route(path, endpoint, methods=["POST"], name=handler.__name__)


def local_path(path: str) -> str:
    """Return ``path`` when it leads to a page of ours, else the front page: a link cannot send people elsewhere."""
    sound = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if sound and len(path) < 2000 else "/"


async def read_form(request: Request) -> FormData:
    """Return the fields of a form; raises HTTPException for what is none."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise HTTPException(415, "This is not a form of this page.")
    try:
        return await request.form(max_files=0, max_fields=400)
    except ClientDisconnect as error:
        raise HTTPException(413, "The form is too large.") from error


async def _answer(request: Request, handler: Handler, right: Right) -> Response:
    services: Services = request.app.state.services
    identity = services.door.identify(request)
    if identity is None:
        return _sign_in_first(request, services)
    response = await _as(identity, request, services, handler, right)
    if identity.fresh:
        services.door.admit(response, identity.session)
    return response


async def _as(identity: Identity, request: Request, services: Services, handler: Handler, right: Right) -> Response:
    exchange = Exchange(request, services, identity.user, identity.session)
    try:
        if not identity.user.may(right):
            await run_in_threadpool(_refused, exchange)
            raise HTTPException(403, f"The role {identity.user.role} may not do this.")
        if request.method == "POST":
            form = await read_form(request)
            exchange = Exchange(request, services, identity.user, identity.session, form)
            if not same(exchange.sent("csrf"), identity.session.csrf):
                raise HTTPException(403, "The form is not of this session. Open the page again and repeat.")
        return await run_in_threadpool(handler, exchange)
    except HTTPException as error:
        return exchange.render("error.html", status=error.status_code, what=error.detail, why="", next_step="")
    except CrosswalkError as error:
        shown = {"what": error.what, "why": error.why, "next_step": error.next_step}
        return exchange.render("error.html", status=409 if request.method == "POST" else 404, **shown)
    except Exception as error:  # noqa: BLE001
        _log_failure(request, error)
        what = "Something went wrong in Crosswalk itself; the page's log says where."
        return exchange.render("error.html", status=500, what=what, why="", next_step="")


def _refused(exchange: Exchange) -> None:
    if exchange.request.method == "POST":
        add_audit(exchange.services.store, exchange.user.name, "refused", detail=exchange.request.url.path[:200])


def _log_failure(request: Request, error: Exception) -> None:
    """Log where it happened. Not the message: it may repeat a value of a record."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s %s failed with %s\n%s", request.method, request.scope["path"], type(error).__name__, frames)


def _sign_in_first(request: Request, services: Services) -> Response:
    if request.method == "GET":
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?next={quote(wanted, safe='')}", 303)
    shown = services.render("signed_out.html", user=None, session=None, here="/")
    return HTMLResponse(shown, 401)
