"""One pair: see it, decide it, take it back, search for another entity."""

import random
from typing import Any

from starlette.responses import Response

from apps.review.exchange import Exchange, act, page
from apps.review.filters import OBJECTS, chosen, chosen_of, row_number
from apps.review.next_pair import next_path, pair_path
from data_contracts.errors import CrosswalkError
from data_contracts.mapping import ENTITY, MappedObject
from pipelines.review import Decided, PairKey, Stale, Version, decide, last_decision, pair, search, undo
from pipelines.review.rows import Outcome
from resources.decisions import JUDGEMENTS, Judgement

#: How a judgement reads when it was kept.
SAID: dict[Judgement, str] = {"positive": "the same", "negative": "not the same", "unsure": "unsure"}


def object_of(exchange: Exchange) -> MappedObject:
    """Return the object the path names; raises CrosswalkError for another word."""
    given = exchange.path("object")
    for name in OBJECTS:
        if name == given:
            return name
    raise CrosswalkError(f"{given[:40]} is not matched", why=f"matched are {', '.join(OBJECTS)}")


def show_pair(exchange: Exchange) -> Response:
    """Show a pair; with ``q`` the entities a search found too."""
    key = PairKey(object_of(exchange), exchange.path("salesforce_id"), exchange.asked("reference_id", 500))
    wanted = chosen(exchange.request.query_params)
    text = exchange.asked("q")
    with exchange.services.snapshot.connect() as con:
        view = pair(con, exchange.services.store, key, exchange.services.settings)
        found = search(con, ENTITY[key.object], text) if text else None
    previous = exchange.session.previous(pair_path(key, wanted.query))
    exchange.session.visit(pair_path(key, wanted.query))
    last = last_decision(exchange.services.store, exchange.user.name)
    candidates = list(view.candidates)
    if exchange.session.blind:
        # Their order would tell which one the model prefers; by pair, so that reloading does not shuffle.
        random.Random(f"{key.salesforce_id}").shuffle(candidates)
    values: dict[str, Any] = {"view": view, "candidates": candidates, "chosen": wanted, "found": found, "q": text}
    return exchange.render("pair.html", **values, previous=previous, last=last, blind=exchange.session.blind)


def decide_pair(exchange: Exchange) -> Response:
    """Keep a judgement and go to the next pair; where somebody was faster, say who and when."""
    key = PairKey(object_of(exchange), exchange.path("salesforce_id"), exchange.sent("reference_id", 500))
    judgement = next((word for word in JUDGEMENTS if word == exchange.sent("judgement")), None)
    if judgement is None:
        raise CrosswalkError("the form carries no judgement", why=f"a judgement is one of {', '.join(JUDGEMENTS)}")
    version = Version.parse(exchange.sent("version"))
    wanted = chosen_of(exchange.sent("back", 4000))
    store = exchange.services.store
    with exchange.services.snapshot.connect() as con:
        outcome = decide(con, store, exchange.user.name, key, judgement, exchange.sent("reason") or None, version)
        if isinstance(outcome, Decided):
            told = f"{key.salesforce_id} and {key.reference_id}: {SAID[judgement]}. It counts from the next run on."
            return exchange.redirect(next_path(con, store, wanted), told)
    return show_stale(exchange, outcome, pair_path(key, wanted.query))


def undo_decision(exchange: Exchange) -> Response:
    """Take a judgement back, the last one of this person unless another is named, and show its pair again."""
    store = exchange.services.store
    number = row_number(exchange.sent("decision_id"))
    if number is None:
        raise CrosswalkError("there is nothing to take back", why="you have not decided anything that still stands")
    outcome = undo(store, exchange.user.name, number, as_admin=exchange.user.may("bulk"))
    wanted = chosen_of(exchange.sent("back", 4000))
    if isinstance(outcome, Stale):
        return show_stale(exchange, outcome, "/queue")
    made = outcome.decision
    key = PairKey(_known(made.object), made.salesforce_id, made.reference_id)
    return exchange.redirect(pair_path(key, wanted.query), f"Taken back: {SAID[made.judgement]}.")


def show_stale(exchange: Exchange, outcome: Outcome | Stale, path: str) -> Response:
    """Say that somebody was faster: nothing was kept."""
    return exchange.render("stale.html", status=409, stale=outcome, path=path)


def _known(name: str) -> MappedObject:
    return next(known for known in OBJECTS if known == name)


routes = [
    page("/pair/{object}/{salesforce_id}", show_pair),
    act("/pair/{object}/{salesforce_id}/decide", decide_pair),
    act("/undo", undo_decision),
]
