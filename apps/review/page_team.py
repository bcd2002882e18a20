"""What a team needs beside the queue: decisions the next run will replay, the audit, and how to read a page."""

from typing import Any

from starlette.responses import Response

from apps.review.exchange import Exchange, page
from apps.review.filters import OBJECTS, SORTS, WAITING, chosen
from apps.review.page_queue import ROWS
from pipelines.review.queue import queue
from resources.decisions_acts import audit_rows

AUDIT_ROWS = 100


def show_pending(exchange: Exchange) -> Response:
    """Show what is decided and not yet replayed by a run."""
    wanted = chosen({**exchange.request.query_params, "pending": "1"})
    with exchange.services.snapshot.connect() as con:
        found = queue(con, exchange.services.store, wanted.filters, wanted.sort, wanted.after, ROWS)
    return exchange.render(
        "queue.html", page=found, chosen=wanted, objects=OBJECTS, waiting=WAITING, sorts=SORTS, pending=True
    )


def show_audit(exchange: Exchange) -> Response:
    """Show who did what, newest first."""
    before = exchange.asked("before", 12)
    older = int(before) if before.isascii() and before.isdigit() else None
    user, record = exchange.asked("user") or None, exchange.asked("record") or None
    rows = audit_rows(exchange.services.store, user=user, salesforce_id=record, before_id=older, limit=AUDIT_ROWS + 1)
    following = rows[AUDIT_ROWS - 1].id if len(rows) > AUDIT_ROWS else None
    values: dict[str, Any] = {"rows": rows[:AUDIT_ROWS], "following": following, "of_user": user, "of_record": record}
    return exchange.render("audit.html", **values)


def show_help(exchange: Exchange) -> Response:
    """Explain keys, colours and words."""
    return exchange.render("help.html")


routes = [page("/pending", show_pending), page("/help", show_help), page("/audit", show_audit, "audit")]
