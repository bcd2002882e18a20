"""sObject Tree: records with their children in one body, saved all or none.

Belongs here: ``/composite/tree/X``. At most 200 records, five levels deep, of five types.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.demo_org.dml import ROLLED_BACK, Dml, Saved
from apps.demo_org.errors import ApiError
from apps.demo_org.exchange import answer, exchange_of, json_of
from apps.demo_org.store import ObjectType, SObjectError

MAX_RECORDS: Final = 200
MAX_DEPTH: Final = 5
MAX_TYPES: Final = 5


@dataclass(frozen=True)
class Node:
    """One record of a tree; ``parent`` is the place of its parent in the list and the field that points to it."""

    object: str
    reference: str
    values: dict[str, Any]
    parent: tuple[int, str] | None


def create(request: Request) -> Response:
    """Create records with their children: 201, or 400 with the records refused."""
    dml = Dml.of(request)
    nodes: list[Node] = []
    _collect(dml, dml.kind(request.path_params["object"]), json_of(request).get("records"), None, nodes, 1)
    _check(nodes)
    ids: list[str] = []
    results = dml.all_or_none(_work(dml, nodes, ids))
    wrong = [
        {"referenceId": node.reference, "errors": saved.as_result()["errors"]}
        for node, saved in zip(nodes, results, strict=True)
        if saved.error is not None and saved.error.code not in (ROLLED_BACK, _ORPHAN)
    ]
    if wrong:
        return answer({"hasErrors": True, "results": wrong}, 400)
    exchange_of(request).rows = len(nodes)
    saved_as = [{"referenceId": node.reference, "id": saved.id} for node, saved in zip(nodes, results, strict=True)]
    return answer({"hasErrors": False, "results": saved_as}, 201)


#: Marks a child whose parent was refused: only the parent is told.
_ORPHAN: Final = "PARENT_WAS_REFUSED"


def _work(dml: Dml, nodes: list[Node], ids: list[str]) -> Iterator[Any]:
    """One piece of work for each record, parents before children; ``ids`` fills as it goes."""
    for node in nodes:

        def save(node: Node = node) -> Saved:
            values = dict(node.values)
            if node.parent is not None:
                number, field = node.parent
                if not ids[number]:
                    ids.append("")
                    raise SObjectError(400, _ORPHAN, "the parent was refused", [])
                values[field] = ids[number]
            try:
                saved = dml.insert(node.object, values)
            except SObjectError:
                ids.append("")
                raise
            ids.append(saved.id or "")
            return saved

        yield save


def _collect(
    dml: Dml, kind: ObjectType, records: Any, parent: tuple[int, str] | None, nodes: list[Node], depth: int
) -> None:
    """List the records of a level and, below each, its children."""
    if not isinstance(records, list) or not records or not all(isinstance(each, dict) for each in records):
        raise ApiError(400, "JSON_PARSER_ERROR", "records must be an array of objects")
    if depth > MAX_DEPTH:
        raise ApiError(400, "LIMIT_EXCEEDED", f"A tree can be at most {MAX_DEPTH} levels deep")
    for record in records:
        attributes = record.get("attributes") or {}
        reference, name = attributes.get("referenceId"), str(attributes.get("type", ""))
        if not reference or name.lower() != kind.name.lower():
            raise ApiError(400, "INVALID_INPUT", f"Each record needs attributes with type {kind.name} and referenceId")
        children = {key: value["records"] for key, value in record.items() if _is_children(value)}
        values = {k: v for k, v in record.items() if k not in children and k != "attributes"}
        nodes.append(Node(kind.name, str(reference), values, parent))
        place = len(nodes) - 1
        for relationship, below in children.items():
            child = next((c for c in kind.children if c.get("relationshipName") == relationship), None)
            if child is None:
                raise ApiError(
                    400, "INVALID_FIELD", f"No such relation '{relationship}' on sobject of type {kind.name}"
                )
            _collect(dml, dml.kind(child["childSObject"]), below, (place, child["field"]), nodes, depth + 1)


def _is_children(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("records"), list)


def _check(nodes: list[Node]) -> None:
    references = [node.reference for node in nodes]
    if len(nodes) > MAX_RECORDS:
        raise ApiError(400, "LIMIT_EXCEEDED", f"A tree can have at most {MAX_RECORDS} records")
    if len({node.object for node in nodes}) > MAX_TYPES:
        raise ApiError(400, "LIMIT_EXCEEDED", f"A tree can have records of at most {MAX_TYPES} types")
    if len(set(references)) < len(references):
        raise ApiError(400, "INVALID_INPUT", "Duplicate ReferenceId provided in the request.")


routes = [Route("/services/data/v{version}/composite/tree/{object}", create, methods=["POST"])]
