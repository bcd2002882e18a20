"""The web application of the review page: its routes put together behind the guard."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from apps.review import (
    page_bulk,
    page_missing,
    page_pair,
    page_queue,
    page_records,
    page_reimport,
    page_sign_in,
    page_team,
    page_users,
)
from apps.review.guard import Guard
from apps.review.services import STATIC, Services


def make_app(services: Services) -> Starlette:
    """Return the application over ``services``."""
    app = Starlette(
        routes=[
            Mount("/static", StaticFiles(directory=STATIC)),
            *page_sign_in.routes,
            *page_queue.routes,
            *page_pair.routes,
            *page_bulk.routes,
            *page_missing.routes,
            *page_records.routes,
            *page_reimport.routes,
            *page_team.routes,
            *page_users.routes,
        ],
        middleware=[Middleware(Guard, origins=services.origins)],
        exception_handlers={HTTPException: _not_found},
    )
    app.state.services = services
    return app


async def _not_found(request: Request, error: Exception) -> Response:
    """Answer for an address that is none; it says nothing about what exists."""
    services: Services = request.app.state.services
    status = error.status_code if isinstance(error, HTTPException) else 500
    what = "There is no such page." if status == 404 else "This cannot be done here."
    shown = services.render("error.html", user=None, session=None, here="/", what=what, why="", next_step="")
    return HTMLResponse(shown, status)
