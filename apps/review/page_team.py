"""What a team needs beside the queue: decisions the next run will replay, the audit, and how to read a page."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from apps.review.exchange import Exchange, page
from apps.review.filters import OBJECTS, row_number
from pipelines.review.names import entity_names, record_names
from pipelines.review.pending import pending_decisions
from resources.decisions import Decision
from resources.decisions_acts import audit_rows

AUDIT_ROWS = PENDING_ROWS = 100


def show_pending(exchange: Exchange) -> Response:
    """Show what is decided and not yet replayed by a run, newest first; records that did not wait among them."""
    before = row_number(exchange.asked("before", 12))
    with exchange.services.snapshot.connect() as con:
        every = [d for mine in pending_decisions(con, exchange.services.store).by_record.values() for d in mine]
        found = sorted((d for d in every if before is None or d.id < before), key=lambda d: -d.id)
        rows = found[:PENDING_ROWS]
        records = {name: record_names(con, name, _of(rows, name, "salesforce_id")) for name in OBJECTS}
        entities = {name: entity_names(con, name, _of(rows, name, "reference_id")) for name in OBJECTS}
    following = rows[-1].id if len(found) > PENDING_ROWS else None
    values: dict[str, Any] = {"rows": rows, "records": records, "entities": entities, "total": len(every)}
    return exchange.render("pending.html", **values, following=following)


def _of(rows: Sequence[Decision], name: str, column: str) -> list[str]:
    return [getattr(made, column) for made in rows if made.object == name]


def show_audit(exchange: Exchange) -> Response:
    """Show who did what, newest first."""
    older = row_number(exchange.asked("before", 12))
    user, record = exchange.asked("user") or None, exchange.asked("record") or None
    rows = audit_rows(exchange.services.store, user=user, salesforce_id=record, before_id=older, limit=AUDIT_ROWS + 1)
    following = rows[AUDIT_ROWS - 1].id if len(rows) > AUDIT_ROWS else None
    values: dict[str, Any] = {"rows": rows[:AUDIT_ROWS], "following": following, "of_user": user, "of_record": record}
    return exchange.render("audit.html", **values)


def show_help(exchange: Exchange) -> Response:
    """Explain keys, colours and words."""
    return exchange.render("help.html")


routes = [page("/pending", show_pending), page("/help", show_help), page("/audit", show_audit, "audit")]
