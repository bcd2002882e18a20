"""What people do to an org outside the REST API, and knobs for tests: ``/__demo__/...``.

Belongs here: changes that Salesforce makes through its pages, SOAP or Apex (undelete, mass update, a field
added or removed). Clearly outside Salesforce's own paths, without a token, on loopback only.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.demo_org import actions
from apps.demo_org.exchange import answer, body_of, json_of, state_of
from apps.demo_org.oauth_admin import change_security
from apps.demo_org.org import DemoOrgState


def undelete(request: Request) -> Response:
    """Take a record out of the recycle bin: ``{"object", "id"}``."""
    actions.run(state_of(request), {**json_of(request), "do": "undelete"})
    return answer({"success": True})


def execute(request: Request) -> Response:
    """Do one thing to the org: ``{"do": name, ...arguments}``; see ``docs/demo-org.md``."""
    return answer({"success": True, "result": actions.run(state_of(request), json_of(request))})


def settings(request: Request) -> Response:
    """Change page sizes, allocations and the clock; see ``docs/demo-org.md``."""
    org, body = state_of(request), json_of(request)
    if "bulk_page_rows" in body:
        org.jobs.page_rows = max(1, int(body["bulk_page_rows"]))
    if "hold_batches" in body:
        org.bulk1.hold(body["hold_batches"])
    if "rest_page_rows" in body:
        org.cursors.page_rows = body["rest_page_rows"] and max(1, int(body["rest_page_rows"]))
    if "replication_ids" in body:
        org.store.replication.maximum_ids = int(body["replication_ids"])
    if "limit" in body:
        org.usage.set(actions.text(body, "limit"), body.get("used"), body.get("max"))
    if isinstance(body.get("clock"), dict):
        _set_clock(org, body["clock"])
    changed = change_security(org, body) if "app" in body or "security" in body else {}
    return answer({"success": True, "now": org.clock.now().isoformat(), **changed})


def _set_clock(org: DemoOrgState, wanted: dict[str, Any]) -> None:
    if "skew_seconds" in wanted:
        org.clock.skew(float(wanted["skew_seconds"]))
    if "stamp_skew_seconds" in wanted:
        org.clock.skew_stamps(float(wanted["stamp_skew_seconds"]))
    if wanted.get("now"):
        org.clock.fix(actions.moment(wanted, "now"))
    elif "now" in wanted:
        org.clock.run()
    if "advance_seconds" in wanted:
        org.clock.advance(float(wanted["advance_seconds"]))


def expire_sessions(request: Request) -> Response:
    """Make every access token invalid; with ``refresh_tokens`` true those too."""
    sessions, body = state_of(request).sessions, body_of(request)
    sessions.clear()
    if body and json_of(request).get("refresh_tokens"):
        sessions.clear_refresh_tokens()
    return answer({"success": True})


routes = [
    Route("/__demo__/undelete", undelete, methods=["POST"]),
    Route("/__demo__/execute", execute, methods=["POST"]),
    Route("/__demo__/settings", settings, methods=["POST"]),
    Route("/__demo__/expire_sessions", expire_sessions, methods=["POST"]),
]
