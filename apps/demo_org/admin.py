"""What people do to an org outside the REST API, and knobs for tests: ``/__demo__/...``.

Belongs here: changes that Salesforce makes through its pages, SOAP or Apex (undelete, mass update, a field
added or removed). Clearly outside Salesforce's own paths, without a token, on loopback only.
"""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.demo_org.errors import ApiError
from apps.demo_org.exchange import answer, json_of, state_of
from apps.demo_org.org import DemoOrgState


def undelete(request: Request) -> Response:
    """Take a record out of the recycle bin: ``{"object", "id"}``."""
    body = json_of(request)
    state_of(request).store.undelete(_text(body, "object"), _text(body, "id"))
    return answer({"success": True})


def execute(request: Request) -> Response:
    """Do one thing to the org: ``{"do": name, ...arguments}``; see ``docs/demo-org.md``."""
    body = json_of(request)
    action = _ACTIONS.get(str(body.pop("do", "")))
    if action is None:
        raise ApiError(400, "INVALID_PARAMETER_VALUE", f"do must be one of: {', '.join(_ACTIONS)}")
    return answer({"success": True, "result": action(state_of(request), body)})


def settings(request: Request) -> Response:
    """Change page sizes and allocations: ``bulk_page_rows``, ``rest_page_rows``, ``limit`` with ``used``, ``max``."""
    org, body = state_of(request), json_of(request)
    if "bulk_page_rows" in body:
        org.jobs.page_rows = max(1, int(body["bulk_page_rows"]))
    if "rest_page_rows" in body:
        org.cursors.page_rows = body["rest_page_rows"] and max(1, int(body["rest_page_rows"]))
    if "limit" in body:
        org.usage.set(_text(body, "limit"), body.get("used"), body.get("max"))
    return answer({"success": True})


def expire_sessions(request: Request) -> Response:
    """Make every access token invalid."""
    state_of(request).sessions.clear()
    return answer({"success": True})


def _text(body: dict[str, Any], key: str) -> str:
    if not isinstance(body.get(key), str):
        raise ApiError(400, "INVALID_PARAMETER_VALUE", f"{key} is missing or not text")
    return str(body[key])


def _hard_delete(org: DemoOrgState, body: dict[str, Any]) -> None:
    org.store.hard_delete(_text(body, "object"), _text(body, "id"))


def _update_where(org: DemoOrgState, body: dict[str, Any]) -> int:
    return org.store.update_where(_text(body, "object"), str(body.get("where", "")), dict(body.get("values", {})))


def _add_field(org: DemoOrgState, body: dict[str, Any]) -> None:
    attributes = {key: value for key, value in body.items() if key not in ("object", "name", "type")}
    org.store.add_field(_text(body, "object"), _text(body, "name"), str(body.get("type", "string")), **attributes)


def _remove_field(org: DemoOrgState, body: dict[str, Any]) -> None:
    org.store.remove_field(_text(body, "object"), _text(body, "name"))


_ACTIONS: dict[str, Callable[[DemoOrgState, dict[str, Any]], object]] = {
    "hard_delete": _hard_delete,
    "update_where": _update_where,
    "add_field": _add_field,
    "remove_field": _remove_field,
}

routes = [
    Route("/__demo__/undelete", undelete, methods=["POST"]),
    Route("/__demo__/execute", execute, methods=["POST"]),
    Route("/__demo__/settings", settings, methods=["POST"]),
    Route("/__demo__/expire_sessions", expire_sessions, methods=["POST"]),
]
