"""Accepting many pairs above a threshold, after a person has checked a sample of them."""

from starlette.responses import Response

from apps.review.exchange import Exchange, act, page
from apps.review.filters import OBJECTS, chosen, row_number
from apps.review.next_pair import decided, pair_path
from data_contracts.errors import CrosswalkError
from data_contracts.mapping import MappedObject
from pipelines.review import bulk_accept, bulk_sample, bulk_state, bulk_undo
from pipelines.review.names import entity_names, record_names


def show_bulk_start(exchange: Exchange) -> Response:
    """Ask for the object and the threshold."""
    link = exchange.services.settings.matching.thresholds.link
    return exchange.render("bulk_start.html", objects=OBJECTS, threshold=link)


def draw_sample(exchange: Exchange) -> Response:
    """Draw the sample and show it."""
    wanted = chosen({"object": exchange.sent("object"), "min": exchange.sent("threshold")}).filters
    object_name: MappedObject | None = wanted.object
    if object_name is None or wanted.min_probability is None or not 0 < wanted.min_probability <= 1:
        raise CrosswalkError(
            "a bulk acceptance needs an object and a threshold", why="the threshold is a probability between 0 and 1"
        )
    with exchange.services.snapshot.connect() as con:
        made = bulk_sample(con, exchange.services.store, exchange.user.name, object_name, wanted.min_probability)
    return exchange.redirect(f"/bulk/{made.id}")


def show_bulk(exchange: Exchange) -> Response:
    """Show how far the sample is checked."""
    store = exchange.services.store
    with exchange.services.snapshot.connect() as con:
        state = bulk_state(con, store, _number(exchange))
        records = record_names(con, state.object, (key.salesforce_id for key in state.sample))
        entities = entity_names(con, state.object, (key.reference_id for key in state.sample))
    rows = [(key, pair_path(key, {"bulk": str(state.id)}), decided(store, key)) for key in state.sample]
    return exchange.render("bulk.html", bulk=state, rows=rows, records=records, entities=entities)


def accept_bulk(exchange: Exchange) -> Response:
    """Accept what the checked sample stands for."""
    number = _number(exchange)
    with exchange.services.snapshot.connect() as con:
        accepted = bulk_accept(con, exchange.services.store, exchange.user.name, number)
    return exchange.redirect(f"/bulk/{number}", f"{accepted:,} pairs accepted. They count from the next run on.")


def undo_bulk(exchange: Exchange) -> Response:
    """Take back what a bulk accepted."""
    number = _number(exchange)
    taken = bulk_undo(exchange.services.store, exchange.user.name, number)
    return exchange.redirect(f"/bulk/{number}", f"{taken:,} acceptances taken back.")


def _number(exchange: Exchange) -> int:
    number = row_number(exchange.path("number"))
    if number is None:
        raise CrosswalkError("there is no such bulk", next_step="draw a sample on the bulk page")
    return number


routes = [
    page("/bulk", show_bulk_start, "bulk"),
    act("/bulk", draw_sample, "bulk"),
    page("/bulk/{number}", show_bulk, "bulk"),
    act("/bulk/{number}/accept", accept_bulk, "bulk"),
    act("/bulk/{number}/undo", undo_bulk, "bulk"),
]
