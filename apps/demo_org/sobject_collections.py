"""sObject Collections: up to 200 records created, changed, deleted, upserted or read in one call.

Belongs here: the HTTP side of ``/composite/sobjects``. One call counts as one, whatever its records.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.demo_org.dml import Dml, Saved, external_id, split_id
from apps.demo_org.errors import ApiError
from apps.demo_org.exchange import answer, exchange_of, json_of, session_of, state_of, version_of
from apps.demo_org.store import is_id, normal_id

MAX_RECORDS: Final = 200
MAX_READ: Final = 2_000
MAX_CHUNKS: Final = 10


def create(request: Request) -> Response:
    """Create records; the results come in the order of the records."""
    dml, (records, all_or_none) = Dml.of(request), _records(request)
    work = [partial(dml.insert, _type_of(each), _values(each)) for each in records]
    return _save(request, dml, work, all_or_none)


def update(request: Request) -> Response:
    """Change records by their ids."""
    dml, (records, all_or_none) = Dml.of(request), _records(request)
    work = [partial(dml.update, _type_of(each), _values(each)) for each in records]
    return _save(request, dml, work, all_or_none, ids=[split_id(each)[0] for each in records])


def delete(request: Request) -> Response:
    """Delete the records named in ``ids``."""
    dml, ids = Dml.of(request), _ids(request.query_params.get("ids", ""))
    _check_count(len(ids), MAX_RECORDS)
    _check_chunks([each[:3] for each in ids])
    all_or_none = request.query_params.get("allOrNone", "false").lower() == "true"
    return _save(request, dml, [partial(dml.delete_any, each) for each in ids], all_or_none)


def upsert(request: Request) -> Response:
    """Change or create records of one object by an external id."""
    dml, (records, all_or_none) = Dml.of(request), _records(request)
    path = request.path_params
    kind = dml.kind(path["object"])
    field = external_id(kind, path["field"])
    if any(_type_of(each).lower() != kind.name.lower() for each in records):
        raise ApiError(400, "INVALID_TYPE", f"All records must be of type {kind.name}")
    work = [partial(dml.upsert, kind.name, field.name, _values(each)) for each in records]
    return _save(request, dml, work, all_or_none, upsert=True)


def read(request: Request) -> Response:
    """Read records by ``ids``, ``fields`` of each; one that cannot be had is null."""
    parameters = request.query_params
    return _read(request, _ids(parameters.get("ids", "")), _ids(parameters.get("fields", "")), MAX_READ)


def read_posted(request: Request) -> Response:
    """The same with ids and fields in the body, for more than an address may hold."""
    body = json_of(request)
    lists = [body.get(key) for key in ("ids", "fields")]
    if not all(isinstance(each, list) for each in lists):
        raise ApiError(400, "JSON_PARSER_ERROR", "ids and fields must be arrays")
    ids, fields = ([str(value) for value in each or []] for each in lists)
    return _read(request, ids, fields, MAX_READ)


def _read(request: Request, ids: list[str], fields: list[str], at_most: int) -> Response:
    org = state_of(request)
    kind = org.store.object_type(request.path_params["object"], org.visibility())
    _check_count(len(ids), at_most)
    if not ids or not fields:
        raise ApiError(400, "MISSING_ARGUMENT", f"{'fields' if ids else 'ids'} must be specified")
    for each in ids:
        if not is_id(each) or not each.startswith(kind.key_prefix):
            raise ApiError(400, "MALFORMED_ID", f"malformed id {each}", [])
    wanted = [normal_id(each) for each in ids]
    names = list(dict.fromkeys([*fields, *([] if "id" in (name.lower() for name in fields) else ["Id"])]))
    listed = ", ".join(f"'{each}'" for each in dict.fromkeys(wanted))
    soql = f"SELECT {', '.join(names)} FROM {kind.name} WHERE Id IN ({listed})"
    query = org.store.query(soql, visibility=org.visibility(), user=session_of(request).user_id)
    try:
        found = {each["Id"]: each for each in query.records(0, at_most, f"v{version_of(request)}")}
    finally:
        query.close()
    exchange_of(request).rows = len(found)
    return answer([found.get(each) for each in wanted])


def _save(
    request: Request,
    dml: Dml,
    work: Sequence[Callable[[], Saved]],
    all_or_none: bool,
    *,
    upsert: bool = False,
    ids: list[str] | None = None,
) -> Response:
    """Do the work and answer its results; ``ids`` names the records that were to be changed."""
    found = (dml.all_or_none if all_or_none else dml.each)(work, creating=upsert)
    exchange_of(request).rows = sum(saved.error is None for saved in found)
    results = [saved.as_result(upsert=upsert) for saved in found]
    for result, record_id in zip(results, ids or [], strict=False):
        if record_id and "id" not in result:
            result["id"] = record_id
    return answer(results)


def _records(request: Request) -> tuple[list[dict[str, Any]], bool]:
    """The records of a body and whether all or none are to be saved; raises 400."""
    body = json_of(request)
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise ApiError(400, "JSON_PARSER_ERROR", "records must be an array of objects")
    _check_count(len(records), MAX_RECORDS)
    _check_chunks([_type_of(each) for each in records])
    return records, body.get("allOrNone") in (True, "true")


def _type_of(record: dict[str, Any]) -> str:
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(name, str) or not name:
        raise ApiError(400, "INVALID_TYPE", "sObject type is missing: each record needs attributes with a type")
    return name


def _values(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "attributes"}


def _ids(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _check_count(count: int, at_most: int) -> None:
    if count > at_most:
        message = f"record limit reached. cannot submit more than {at_most} records into this call"
        raise ApiError(400, "EXCEEDED_ID_LIMIT", message)


def _check_chunks(types: list[str]) -> None:
    """Records of one type next to each other are a chunk; a call takes ten."""
    if sum(1 for _ in groupby(each.lower() for each in types)) > MAX_CHUNKS:
        message = f"Cannot have more than {MAX_CHUNKS} chunks in a single operation."
        raise ApiError(400, "LIMIT_EXCEEDED", f"{message} Please rearrange the data to reduce chunking.")


_COLLECTIONS = "/services/data/v{version}/composite/sobjects"

routes = [
    Route(_COLLECTIONS, create, methods=["POST"]),
    Route(_COLLECTIONS, update, methods=["PATCH"]),
    Route(_COLLECTIONS, delete, methods=["DELETE"]),
    Route(f"{_COLLECTIONS}/{{object}}", read, methods=["GET"]),
    Route(f"{_COLLECTIONS}/{{object}}", read_posted, methods=["POST"]),
    Route(f"{_COLLECTIONS}/{{object}}/{{field}}", upsert, methods=["PATCH"]),
]
