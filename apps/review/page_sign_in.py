"""Signing in and out. These routes have no session yet: each does its own CSRF and rate checks."""

import logging

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from apps.review.accounts import User
from apps.review.exchange import Exchange, act, local_path, read_form
from apps.review.services import Services
from apps.review.sessions import same
from resources.decisions_acts import add_audit

log = logging.getLogger(__name__)

WRONG = "Name and password do not belong together."


async def show(request: Request) -> Response:
    """Show the form; who is signed in already goes on."""
    services: Services = request.app.state.services
    wanted = local_path(request.query_params.get("next", "/"))
    if services.door.identify(request) is not None:
        return RedirectResponse(wanted, 303)
    return _form(request, services, wanted, ticket=request.query_params.get("ticket", "")[:100])


async def sign_in(request: Request) -> Response:
    """Check name and password, or the link's ticket, and begin a new session."""
    services: Services = request.app.state.services
    try:
        form = {name: value for name, value in (await read_form(request)).items() if isinstance(value, str)}
    except HTTPException as error:
        return _form(request, services, "/", error.detail, error.status_code)
    wanted = local_path(form.get("next", "/"))
    token = services.sessions.form_token(request.cookies.get(services.door.form_name))
    if token is None or not same(form.get("csrf"), token):
        return _form(request, services, wanted, "The form was too old. Please try again.", 403)
    if form.get("ticket"):
        user = services.accounts.local if services.ticket.take(form["ticket"]) else None
        if user is None:
            told = "This link was used before, or is not the one that was printed. Start the page again."
            return _form(request, services, wanted, told, 403)
        return await _admit(request, services, user, wanted)
    return await _by_password(request, services, form, wanted)


async def _by_password(request: Request, services: Services, form: dict[str, str], wanted: str) -> Response:
    name, address = form.get("name", "").strip()[:100], request.client.host if request.client else "unknown"
    wait = services.throttle.begin(name, address)
    if wait:
        log.warning("sign-in refused: too many failures")
        told = f"Too many failed attempts. Try again in {-(-wait // 60)} minutes."
        answer = _form(request, services, wanted, told, 429)
        answer.headers["retry-after"] = str(wait)
        return answer
    user = await run_in_threadpool(_checked, services, name, form.get("password", ""))
    if user is None:
        log.warning("sign-in failed")
        # An unknown name may be a password typed into the wrong field: it is not kept.
        known = services.accounts.find(name)
        await run_in_threadpool(add_audit, services.store, known.name if known else "unknown", "sign_in_failed")
        return _form(request, services, wanted, WRONG, 401)
    services.throttle.succeeded(name, address)
    return await _admit(request, services, user, wanted)


def _checked(services: Services, name: str, password: str) -> User | None:
    with services.guesses:
        return services.accounts.sign_in(name, password)


async def _admit(request: Request, services: Services, user: User, wanted: str) -> Response:
    before = services.sessions.find(request.cookies.get(services.door.session_name))
    if before is not None:
        services.sessions.end(before)
    await run_in_threadpool(add_audit, services.store, user.name, "sign_in")
    response = RedirectResponse(wanted, 303)
    services.door.admit(response, services.sessions.begin(user.name))
    return response


def sign_out(exchange: Exchange) -> Response:
    """End the session."""
    exchange.services.sessions.end(exchange.session)
    add_audit(exchange.services.store, exchange.user.name, "sign_out")
    response = RedirectResponse("/sign-in", 303)
    exchange.services.door.dismiss(response)
    return response


def _form(
    request: Request, services: Services, wanted: str, error: str = "", status: int = 200, ticket: str = ""
) -> Response:
    cookie = request.cookies.get(services.door.form_name)
    token = services.sessions.form_token(cookie)
    if token is None:
        cookie = services.sessions.form_cookie()
        token = services.sessions.form_token(cookie)
    local = services.accounts.local
    shown = services.render(
        "sign_in.html",
        user=None,
        session=None,
        here="/",
        csrf=token,
        wanted=wanted,
        error=error,
        ticket=ticket if local else "",
        local=local,
        with_password=services.accounts.with_password,
    )
    response = HTMLResponse(shown, status)
    services.door.set_form(response, cookie or "")
    return response


routes = [
    Route("/sign-in", show, methods=["GET"]),
    Route("/sign-in", sign_in, methods=["POST"]),
    act("/sign-out", sign_out, "see"),
]
