"""Create missing: what the reference lacks, proposed from a record; accepted, it becomes an entity and a link."""

from collections.abc import Iterable

from starlette.responses import Response

from apps.review.exchange import Exchange, act, page
from apps.review.filters import OBJECTS, chosen
from apps.review.next_pair import record_path
from apps.review.page_pair import object_of, show_stale
from pipelines.review import Stale, Version, create_missing, proposal, proposals, reject_proposal


def show_proposals(exchange: Exchange) -> Response:
    """Show a page of proposals nobody has decided."""
    wanted = chosen(exchange.request.query_params)
    with exchange.services.snapshot.connect() as con:
        rows, next_key = proposals(con, exchange.services.store, wanted.filters.object, wanted.after)
    return exchange.render("missing.html", rows=rows, next_key=next_key, chosen=wanted, objects=OBJECTS)


def show_proposal(exchange: Exchange) -> Response:
    """Show what a record would become, beside entities that look like it."""
    name, record = object_of(exchange), exchange.path("salesforce_id")
    with exchange.services.snapshot.connect() as con:
        shown, version = proposal(con, exchange.services.store, name, record)
    return exchange.render("proposal.html", proposal=shown, version=version)


def decide_proposal(exchange: Exchange) -> Response:
    """Accept or reject a proposal."""
    name, record = object_of(exchange), exchange.path("salesforce_id")
    store, user, reason = exchange.services.store, exchange.user.name, exchange.sent("reason") or None
    version = Version.parse(exchange.sent("version"))
    path = f"/missing/{name}/{record}"
    with exchange.services.snapshot.connect() as con:
        if exchange.sent("judgement") == "reject":
            outcome = reject_proposal(con, store, user, name, record, version, reason=reason)
            told = "Not worth creating; it is not proposed again."
        else:
            shown, _ = proposal(con, store, name, record)
            values = _values(exchange, shown.values)
            outcome_made = create_missing(con, store, user, name, record, version, values=values, reason=reason)
            outcome = outcome_made if isinstance(outcome_made, Stale) else None
            told = f"{record} becomes an entity of the reference, and is linked to it, with the next run."
    if outcome is not None:
        return show_stale(exchange, outcome, path)
    return exchange.redirect(record_path(name, record), told)


def _values(exchange: Exchange, names: Iterable[str]) -> dict[str, str | None]:
    """Return the values the form holds, by canonical column; columns it does not show stay as they are.

    A browser sends the lines of a street with carriage returns, which Salesforce and the reference do not have.
    """
    sent = {name: exchange.sent(f"value.{name}", 550) for name in names if f"value.{name}" in exchange.form}
    return {name: text.replace("\r\n", "\n")[:500] or None for name, text in sent.items()}


routes = [
    page("/missing", show_proposals),
    page("/missing/{object}/{salesforce_id}", show_proposal),
    act("/missing/{object}/{salesforce_id}", decide_proposal),
]
