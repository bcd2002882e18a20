"""The queue: what waits for a person, what is decided and waits for the next run."""

from starlette.responses import RedirectResponse, Response

from apps.review.exchange import Exchange, act, local_path, page
from apps.review.filters import OBJECTS, SORTS, WAITING, chosen
from pipelines.review.queue import queue

ROWS = 50


def front(exchange: Exchange) -> Response:
    """Go to the queue."""
    return RedirectResponse("/queue", 303)


def show_queue(exchange: Exchange) -> Response:
    """Show one page of the queue."""
    wanted = chosen(exchange.request.query_params)
    with exchange.services.snapshot.connect() as con:
        found = queue(con, exchange.services.store, wanted.filters, wanted.sort, wanted.after, ROWS)
    return exchange.render("queue.html", page=found, chosen=wanted, objects=OBJECTS, waiting=WAITING, sorts=SORTS)


def preferences(exchange: Exchange) -> Response:
    """Switch blind mode or the one-key shortcuts on or off, for this session."""
    name, on = exchange.sent("name"), exchange.sent("on") == "1"
    if name == "blind":
        exchange.session.blind = on
    elif name == "shortcuts":
        exchange.session.shortcuts = on
    return exchange.redirect(local_path(exchange.sent("back")))


routes = [
    page("/", front),
    page("/queue", show_queue),
    act("/preferences", preferences, "see"),
]
