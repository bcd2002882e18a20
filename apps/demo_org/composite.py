"""Composite, composite graph and composite batch: several requests in one body.

Belongs here: order, limits, all or none. One subrequest is ``composite_steps.py``, records with their children in
one body ``composite_tree.py``. A composite or a graph counts as one call, of a batch every subrequest counts.
"""

from collections.abc import Sequence
from typing import Any, Final

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.demo_org.composite_steps import Outcome, Step, UnknownReference, run_step
from apps.demo_org.errors import ApiError, request_limit_exceeded
from apps.demo_org.exchange import answer, exchange_of, json_of, state_of

MAX_STEPS: Final = 25
MAX_QUERIES: Final = 5
MAX_GRAPHS: Final = 75
MAX_NODES: Final = 500
_UNDONE: Final = [
    {
        "errorCode": "PROCESSING_HALTED",
        "message": "The transaction was rolled back since another operation in the same transaction failed.",
    }
]
_HALTED: Final = [{"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per request"}]


async def composite(request: Request) -> Response:
    """Run up to 25 subrequests in order; later ones may refer to the answers of earlier ones."""
    body = json_of(request)
    steps = _steps(body.get("compositeRequest"), MAX_STEPS)
    queries = sum(step.is_query_or_collection for step in steps)
    if queries > MAX_QUERIES:
        raise _too_many("query and sObject collection subrequests", MAX_QUERIES, queries)
    outcomes = await _run(request, steps, all_or_none=body.get("allOrNone") is True)
    exchange_of(request).rows = sum(outcome.rows for outcome in outcomes)
    return answer({"compositeResponse": _told(steps, outcomes)})


async def graph(request: Request) -> Response:
    """Run several graphs of subrequests, each all or none."""
    given = json_of(request).get("graphs")
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise ApiError(400, "JSON_PARSER_ERROR", "graphs must be an array of objects")
    if len(given) > MAX_GRAPHS:
        raise _too_many("graphs", MAX_GRAPHS, len(given))
    graphs = [(str(each.get("graphId")), _steps(each.get("compositeRequest"), MAX_NODES)) for each in given]
    nodes = sum(len(steps) for _, steps in graphs)
    if nodes > MAX_NODES:
        raise _too_many("nodes", MAX_NODES, nodes)
    found = []
    for graph_id, steps in graphs:
        outcomes = await _run(request, steps, all_or_none=True)
        found.append(
            {
                "graphId": graph_id,
                "graphResponse": {"compositeResponse": _told(steps, outcomes)},
                "isSuccessful": all(outcome.succeeded for outcome in outcomes),
            }
        )
    return answer({"graphs": found})


async def batch(request: Request) -> Response:
    """Run up to 25 independent subrequests; each counts as a call."""
    body = json_of(request)
    steps = _steps(body.get("batchRequests"), MAX_STEPS)
    results: list[dict[str, Any]] = []
    failed = False
    for number, step in enumerate(steps):
        if failed and body.get("haltOnError") is True:
            results.append({"statusCode": 412, "result": _HALTED})
            continue
        url = step.url if step.url.startswith("/services/") else f"/services/data/{step.url.lstrip('/')}"
        outcome = await _counted(request, Step(step.method, url, step.reference, step.body), counted=number > 0)
        failed |= not outcome.succeeded
        results.append({"statusCode": outcome.status, "result": outcome.body})
    return answer({"hasErrors": failed, "results": results})


async def _counted(request: Request, step: Step, *, counted: bool) -> Outcome:
    """Run one of a batch; the first is the call that was counted already."""
    if counted and not state_of(request).usage.call():
        return Outcome(403, request_limit_exceeded().body(), {})
    return await run_step(request, step)


async def _run(request: Request, steps: Sequence[Step], *, all_or_none: bool) -> list[Outcome]:
    """Run subrequests in order; with ``all_or_none`` in a transaction that one failure undoes."""
    if not all_or_none:
        return await _in_order(request, steps, halt=False)
    transactions = state_of(request).store.transactions
    name = await run_sync(transactions.begin)
    done = False
    try:
        with transactions.within(name):
            outcomes = await _in_order(request, steps, halt=True)
        done = all(outcome.succeeded for outcome in outcomes)
    finally:
        await run_sync(transactions.commit if done else transactions.rollback, name)
    if done:
        return outcomes
    return [outcome if not outcome.succeeded else Outcome(400, _UNDONE, {}) for outcome in outcomes]


async def _in_order(request: Request, steps: Sequence[Step], *, halt: bool) -> list[Outcome]:
    answers: dict[str, Any] = {}
    outcomes: list[Outcome] = []
    failed = False
    for step in steps:
        if failed and halt:
            outcomes.append(Outcome(400, _UNDONE, {}))
            continue
        try:
            outcome = await run_step(request, step.resolved(answers))
        except UnknownReference as error:
            outcome = Outcome(400, [{"errorCode": "PROCESSING_HALTED", "message": str(error)}], {})
        if outcome.succeeded:
            answers[step.reference] = outcome.body
        failed |= not outcome.succeeded
        outcomes.append(outcome)
    return outcomes


def _told(steps: Sequence[Step], outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    return [
        {
            "body": outcome.body,
            "httpHeaders": outcome.headers,
            "httpStatusCode": outcome.status,
            "referenceId": step.reference,
        }
        for step, outcome in zip(steps, outcomes, strict=True)
    ]


def _steps(given: Any, at_most: int) -> list[Step]:
    if not isinstance(given, list) or not given:
        raise ApiError(400, "JSON_PARSER_ERROR", "The request needs an array of subrequests")
    if len(given) > at_most:
        raise _too_many("subrequests", at_most, len(given))
    steps = [Step.read(each, number) for number, each in enumerate(given)]
    names = [step.reference for step in steps]
    if len(set(names)) < len(names):
        raise ApiError(400, "INVALID_INPUT", "Duplicate referenceId in the request")
    return steps


def _too_many(what: str, at_most: int, count: int) -> ApiError:
    return ApiError(400, "LIMIT_EXCEEDED", f"Limit exceeded: at most {at_most} {what} are allowed, {count} were sent")


_COMPOSITE = "/services/data/v{version}/composite"

routes = [
    Route(_COMPOSITE, composite, methods=["POST"]),
    Route(f"{_COMPOSITE}/graph", graph, methods=["POST"]),
    Route(f"{_COMPOSITE}/batch", batch, methods=["POST"]),
]
