"""Records by themselves: duplicates inside Salesforce, the history of one, the match an org stores itself."""

from typing import Any

from starlette.responses import Response

from apps.review.exchange import Exchange, page
from apps.review.filters import OBJECTS, chosen
from apps.review.next_pair import record_path
from apps.review.page_pair import object_of
from data_contracts.errors import CrosswalkError
from data_contracts.mapping import ENTITY, MappedObject
from pipelines.resolve import explain
from pipelines.review import duplicate_records, duplicates, history, search, shadow, shadow_fields


def show_duplicates(exchange: Exchange) -> Response:
    """Show entities that several records stand for."""
    wanted = chosen(exchange.request.query_params)
    name: MappedObject = wanted.filters.object or "account"
    with exchange.services.snapshot.connect() as con:
        rows, next_key = duplicates(con, name, wanted.after)
    return exchange.render("duplicates.html", rows=rows, next_key=next_key, object=name, objects=OBJECTS)


def show_duplicate_records(exchange: Exchange) -> Response:
    """Show the records of one entity side by side."""
    name = object_of(exchange)
    with exchange.services.snapshot.connect() as con:
        found = duplicate_records(con, name, exchange.asked("reference_id", 500))
    return exchange.render("duplicate.html", found=found)


def show_record(exchange: Exchange) -> Response:
    """Show a record's link, its history, and with ``q`` entities it could be."""
    name, record, text = object_of(exchange), exchange.path("salesforce_id"), exchange.asked("q")
    with exchange.services.snapshot.connect() as con:
        explained = explain(con, name, record)
        events = history(con, exchange.services.store, name, explained.salesforce_id)
        found = search(con, ENTITY[name], text) if text else None
    blind = exchange.session.blind
    return exchange.render("record.html", explained=explained, events=events, found=found, q=text, blind=blind)


def find_record(exchange: Exchange) -> Response:
    """Go to the record of an Id somebody typed."""
    record = exchange.asked("id", 18)
    object_name = chosen(exchange.request.query_params).filters.object or "account"
    if not record.isalnum() or len(record) not in (15, 18):
        raise CrosswalkError("this is no Salesforce Id", why="an Id has 15 or 18 letters and digits")
    return exchange.redirect(record_path(object_name, record))


def show_shadow(exchange: Exchange) -> Response:
    """Show the match an org stores in a field of its own beside ours."""
    wanted = chosen(exchange.request.query_params)
    name: MappedObject = wanted.filters.object or "account"
    field = exchange.asked("field") or exchange.services.settings.matching.reference_id_fields.get(name, "")
    with exchange.services.snapshot.connect() as con:
        fields = shadow_fields(con, name)
        found = shadow(con, name, field, wanted.after) if field else None
    values: dict[str, Any] = {"object": name, "objects": OBJECTS, "field": field, "fields": fields, "found": found}
    return exchange.render("shadow.html", **values)


routes = [
    page("/duplicates", show_duplicates),
    page("/duplicates/{object}", show_duplicate_records),
    page("/record", find_record),
    page("/record/{object}/{salesforce_id}", show_record),
    page("/shadow", show_shadow),
]
