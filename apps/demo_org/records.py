"""REST on single records: read, create, update, delete, upsert by external id.

Belongs here: the HTTP side; rules and messages of a write are the store's.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.demo_org.errors import ApiError
from apps.demo_org.exchange import (
    answer,
    base_of,
    exchange_of,
    json_of,
    no_content,
    session_of,
    state_of,
    version_of,
)
from apps.demo_org.store.records import MultipleMatchesError


def create(request: Request) -> Response:
    """Create a record; its address is in ``Location``."""
    org = state_of(request)
    name = org.store.object_type(request.path_params["object"], org.visibility()).name
    record_id = org.store.create(name, _values(request), user=session_of(request).user_id)
    exchange_of(request).rows = 1
    return _created(request, name, record_id, {})


def read(request: Request) -> Response:
    """Read a record, all fields or those in ``fields``."""
    return _read(request, request.path_params["id"])


def file_content(request: Request) -> Response:
    """Answer the bytes of a file."""
    org = state_of(request)
    content = org.store.file_content(request.path_params["id"], org.visibility())
    return Response(content, media_type="application/octetstream")


def update(request: Request) -> Response:
    """Update a record by id: 204 and no body."""
    org, path = state_of(request), request.path_params
    name = org.store.object_type(path["object"], org.visibility()).name
    org.store.update(name, path["id"], _values(request), user=session_of(request).user_id)
    exchange_of(request).rows = 1
    return no_content()


def delete(request: Request) -> Response:
    """Delete a record: it goes to the recycle bin."""
    return _delete(request, request.path_params["id"])


def read_by_external_id(request: Request) -> Response:
    """Read the record that has an external id."""
    return _read(request, _id_by_external(request))


def delete_by_external_id(request: Request) -> Response:
    """Delete the record that has an external id."""
    return _delete(request, _id_by_external(request))


def upsert(request: Request) -> Response:
    """Update the record that has an external id, or create it; the answer says which."""
    org, path = state_of(request), request.path_params
    name = org.store.object_type(path["object"], org.visibility()).name
    try:
        record_id, created = org.store.upsert(
            name, path["field"], path["value"], _values(request), user=session_of(request).user_id
        )
    except MultipleMatchesError as error:
        raise SeveralRecords([f"{base_of(request)}/sobjects/{name}/{each}" for each in error.ids]) from error
    exchange_of(request).rows = 1
    if created:
        return _created(request, name, record_id, {"created": True})
    return answer({"id": record_id, "success": True, "errors": [], "created": False})


def _values(request: Request) -> dict[str, Any]:
    values = json_of(request)
    values.pop("attributes", None)
    return values


def _created(request: Request, name: str, record_id: str, more: dict[str, Any]) -> Response:
    location = {"Location": f"{base_of(request)}/sobjects/{name}/{record_id}"}
    return answer({"id": record_id, "success": True, "errors": [], **more}, 201, location)


def _read(request: Request, record_id: str) -> Response:
    org, path = state_of(request), request.path_params
    fields = request.query_params.get("fields")
    # The id comes along whether asked for or not.
    names = [name.strip() for name in fields.split(",")] if fields else None
    if names is not None and "id" not in (name.lower() for name in names):
        names.append("Id")
    record = org.store.get(
        path["object"],
        record_id,
        names,
        version=f"v{version_of(request)}",
        visibility=org.visibility(),
    )
    exchange_of(request).rows = 1
    return answer(record)


def _delete(request: Request, record_id: str) -> Response:
    org = state_of(request)
    name = org.store.object_type(request.path_params["object"], org.visibility()).name
    org.store.delete(name, record_id, user=session_of(request).user_id)
    exchange_of(request).rows = 1
    return no_content()


def _id_by_external(request: Request) -> str:
    """Find the one record with this external id; 404 for none, 300 for several."""
    org, path = state_of(request), request.path_params
    kind = org.store.object_type(path["object"], org.visibility())
    field = kind.find(path["field"])
    if field is None or not (field.describe["externalId"] or field.describe["idLookup"]):
        message = f"Provided external ID field does not exist or is not accessible: {path['field']}"
        raise ApiError(404, "NOT_FOUND", message)
    quoted = path["value"].replace("\\", "\\\\").replace("'", "\\'")
    literal = quoted if field.type in ("double", "int", "currency", "percent") else f"'{quoted}'"
    found = org.store.query(f"SELECT Id FROM {kind.name} WHERE {field.name} = {literal} LIMIT 2000")
    try:
        ids = [record["Id"] for record in found.records()]
    finally:
        found.close()
    if not ids:
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
    if len(ids) > 1:
        raise SeveralRecords([f"{base_of(request)}/sobjects/{kind.name}/{each}" for each in ids])
    return str(ids[0])


class SeveralRecords(Exception):
    """Answer 300 with the addresses of the records that share an external id."""

    def __init__(self, addresses: list[str]) -> None:
        self.addresses = addresses
        super().__init__(f"{len(addresses)} records")


_OBJECT = "/services/data/v{version}/sobjects/{object}"

routes = [
    Route(_OBJECT, create, methods=["POST"]),
    Route(f"{_OBJECT}/{{id}}", read, methods=["GET"]),
    Route(f"{_OBJECT}/{{id}}", update, methods=["PATCH"]),
    Route(f"{_OBJECT}/{{id}}", delete, methods=["DELETE"]),
    Route("/services/data/v{version}/sobjects/ContentVersion/{id}/VersionData", file_content, methods=["GET"]),
    Route(f"{_OBJECT}/{{field}}/{{value:path}}", read_by_external_id, methods=["GET"]),
    Route(f"{_OBJECT}/{{field}}/{{value:path}}", upsert, methods=["PATCH", "POST"]),
    Route(f"{_OBJECT}/{{field}}/{{value:path}}", delete_by_external_id, methods=["DELETE"]),
]
