"""Import again: what is asked for and waits for the next run, and the buttons that ask for it."""

from starlette.responses import Response

from apps.review.exchange import Exchange, act, page
from apps.review.filters import OBJECTS
from apps.review.next_pair import record_path
from apps.review.page_pair import object_of
from data_contracts.errors import CrosswalkError
from pipelines.imports.reimport import EVERYTHING, ask_again
from resources.decisions_reimports import waiting_reimports

#: Wishes that are listed; the rest is counted.
SHOWN = 200


def show_reimports(exchange: Exchange) -> Response:
    """Show what waits to be imported again, and ask for an object or everything."""
    rows = waiting_reimports(exchange.services.store)
    return exchange.render("reimport.html", rows=rows[:SHOWN], total=len(rows), objects=OBJECTS, everything=EVERYTHING)


def ask_record(exchange: Exchange) -> Response:
    """Ask for one record."""
    name, record = object_of(exchange), exchange.path("salesforce_id")
    asked = ask_again(exchange.services.store, name, [record], exchange.user.name)
    told = "The next run reads it from Salesforce and imports it again."
    return exchange.redirect(record_path(name, record), told if asked else "It waits for the next run already.")


def ask_object(exchange: Exchange) -> Response:
    """Ask for one object, or for everything."""
    target = exchange.sent("object", 20)
    if target not in (*OBJECTS, EVERYTHING):
        raise CrosswalkError("the form names no object", why=f"it is one of {', '.join((*OBJECTS, EVERYTHING))}")
    asked = ask_again(exchange.services.store, target, (), exchange.user.name)
    told = f"The next run reads {target} from Salesforce in full and imports it again."
    return exchange.redirect("/reimport", told if asked else "It waits for the next run already.")


routes = [
    page("/reimport", show_reimports),
    act("/reimport", ask_object, "bulk"),
    act("/record/{object}/{salesforce_id}/reimport", ask_record),
]
