"""The user mapping: which of the organisation's own users a CRM user is; people see it here and correct it."""

from typing import Any

from starlette.responses import Response

from apps.review.exchange import Exchange, act, page
from apps.review.filters import row_number
from data_contracts.errors import CrosswalkError
from pipelines.review.users import SHOWN, Shown, are_configured, correct_user, crm_user, crm_users, search_own_users
from resources.user_mappings import Act

USER_ROWS = 100
_ACTS: dict[str, Act] = {"map": "mapped", "unmap": "unmapped", "release": "released"}
_TOLD = {
    "mapped": "{user} is {own} from the next run on.",
    "unmapped": "{user} is none of ours from the next run on.",
    "released": "The next run finds {user} by e-mail address and name again.",
}


def show_users(exchange: Exchange) -> Response:
    """Show a page of users, those that wait for a person first."""
    asked, text = exchange.asked("show", 20), exchange.asked("q")
    shown: Shown = next((name for name in SHOWN if name == asked), "all" if text else "waiting")
    number = max(row_number(exchange.asked("page", 6)) or 1, 1)
    with exchange.services.snapshot.connect() as con:
        rows, total = crm_users(
            con, exchange.services.store, shown, text, offset=(number - 1) * USER_ROWS, limit=USER_ROWS
        )
        configured = are_configured(con)
    values: dict[str, Any] = {
        "rows": rows,
        "total": total,
        "shown": shown,
        "choices": SHOWN,
        "q": text,
    }
    following = number + 1 if total > number * USER_ROWS else None
    return exchange.render("users.html", **values, number=number, following=following, configured=configured)


def show_user(exchange: Exchange) -> Response:
    """Show one user, whom it could be, and what was said of it so far."""
    services, text = exchange.services, exchange.asked("q")
    with services.snapshot.connect() as con:
        view = crm_user(con, services.store, services.settings, exchange.path("salesforce_id"))
        found = search_own_users(con, text) if text and not view.masked else None
    known = {user.user_id for user in view.candidates}
    more = tuple(user for user in found or () if user.user_id not in known)
    return exchange.render("user.html", view=view, found=found, more=more, q=text)


def correct(exchange: Exchange) -> Response:
    """Keep what a person says of a user."""
    services, said = exchange.services, _ACTS.get(exchange.sent("act", 10))
    seen = exchange.sent("version", 10)
    if said is None or not (seen.isascii() and seen.isdigit()):
        raise CrosswalkError("the form is not complete", next_step="open the user again")
    own_id, reason = exchange.sent("own_id", 500) or None, exchange.sent("reason", 1000) or None
    with services.snapshot.connect() as con:
        made = correct_user(
            con,
            services.store,
            services.settings,
            exchange.user.name,
            exchange.path("salesforce_id"),
            said,
            own_id=own_id,
            reason=reason,
            seen=int(seen),
        )
    return exchange.redirect("/users", _TOLD[said].format(user=made.salesforce_id, own=made.own_id))


routes = [
    page("/users", show_users),
    page("/users/{salesforce_id}", show_user),
    act("/users/{salesforce_id}", correct),
]
