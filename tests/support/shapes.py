"""The shape of a JSON value, and how two answers differ.

Belongs here: key sets, JSON types and the few values that are part of the protocol (error codes, flags).
Does not belong here: HTTP, and how an org comes to give an answer.
"""

import re
from collections.abc import Iterator
from typing import Any

#: A shape: JSON type names of what was seen, the shape under each key, and the merged shape of all elements.
Shape = dict[str, Any]

#: Values under these keys belong to the protocol and are compared as they are, ids apart.
PROTOCOL_KEYS = frozenset(
    {
        "created",
        "done",
        "encoding",
        "errorCode",
        "expr0",
        "fields",
        "graphId",
        "httpStatusCode",
        "isSuccessful",
        "location",
        "maxBatchSize",
        "message",
        "referenceId",
        "statusCode",
        "success",
        "totalSize",
        "type",
    }
)
_ID = re.compile(r"\b[a-zA-Z0-9]{18}\b")
_UNRECORDED = ": answered, not recorded"
_VERSION = re.compile(r"/v(?:\d\d|xx)\.0/")


def json_type(value: Any) -> str:
    """Name the JSON type of a value: object, array, string, number, boolean or null."""
    if value is None:
        return "null"
    names = {bool: "boolean", int: "number", float: "number", str: "string", dict: "object", list: "array"}
    return names[type(value)]


def shape_of(value: Any) -> Shape:
    """Return the shape of one value."""
    shape: Shape = {"types": {json_type(value)}}
    if isinstance(value, dict):
        shape["keys"] = {key: shape_of(each) for key, each in value.items()}
        shape["always"] = set(value)
    if isinstance(value, list) and value:
        shape["elements"] = merged([shape_of(each) for each in value])
    return shape


def merged(shapes: list[Shape]) -> Shape:
    """Return the shape that covers all of ``shapes``: an element's key may then be there or not."""
    result: Shape = {"types": set().union(*(shape["types"] for shape in shapes))}
    objects = [shape for shape in shapes if "keys" in shape]
    if objects:
        names = {name for shape in objects for name in shape["keys"]}
        result["keys"] = {
            name: merged([shape["keys"][name] for shape in objects if name in shape["keys"]]) for name in names
        }
        result["always"] = set.intersection(*(shape["always"] for shape in objects))
    elements = [shape["elements"] for shape in shapes if "elements" in shape]
    if elements:
        result["elements"] = merged(elements)
    return result


def differences(expected: Any, actual: Any, *, metadata: bool = False, cut: bool = False) -> list[str]:
    """Say where ``actual`` has another shape than ``expected``; empty where they agree.

    ``cut`` is for recordings that lost keys: more of them may be answered. ``metadata`` is for describe answers: an
    attribute may then have fewer of the recorded types (another org's fields differ), never one not recorded.
    """
    found = _differences(shape_of(expected), shape_of(actual), "$", metadata)
    return [each for each in found if not (cut and each.endswith(_UNRECORDED))]


def _differences(expected: Shape, actual: Shape, at: str, metadata: bool) -> Iterator[str]:
    types_agree = actual["types"] <= expected["types"] if metadata else actual["types"] == expected["types"]
    if not types_agree:
        yield f"{at}: recorded {_listed(expected['types'])}, answered {_listed(actual['types'])}"
        return
    for key in sorted(expected.get("always", set()) - actual.get("always", set())) if "keys" in actual else ():
        yield f"{at}.{key}: recorded, not answered"
    if "keys" in expected and "keys" in actual:
        for key in sorted(actual["keys"].keys() - expected["keys"].keys()):
            yield f"{at}.{key}{_UNRECORDED}"
        for key in sorted(actual["keys"].keys() & expected["keys"].keys()):
            yield from _differences(expected["keys"][key], actual["keys"][key], f"{at}.{key}", metadata)
    if "elements" in expected and "elements" in actual:
        yield from _differences(expected["elements"], actual["elements"], f"{at}[]", metadata)
    elif not metadata and ("elements" in expected) != ("elements" in actual):
        yield f"{at}: one array is empty, the other is not"


def _listed(types: set[str]) -> str:
    return "|".join(sorted(types))


def protocol_values(body: Any) -> dict[str, Any]:
    """Return the values of ``PROTOCOL_KEYS`` by their place, ids and API versions blotted out."""
    return {at: _blotted(value) for at, key, value in _leaves(body, "$") if key in PROTOCOL_KEYS}


def _leaves(value: Any, at: str) -> Iterator[tuple[str, str, Any]]:
    if isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, dict | list):
                if key == "fields" and each and all(isinstance(name, str) for name in each):
                    yield f"{at}.{key}", key, each
                yield from _leaves(each, f"{at}.{key}")
            else:
                yield f"{at}.{key}", key, each
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _leaves(each, f"{at}[{number}]")


def _blotted(value: Any) -> Any:
    return _VERSION.sub("/vN/", _ID.sub("<id>", value)) if isinstance(value, str) else value


def thinned(value: Any) -> Any:
    """Return ``value`` without the array elements that add nothing to its shape."""
    if isinstance(value, dict):
        # The parts of a composite answer belong to those of its request.
        kept_whole = {"compositeResponse"} & value.keys()
        return {key: [*map(thinned, each)] if key in kept_whole else thinned(each) for key, each in value.items()}
    if not isinstance(value, list):
        return value
    kept: list[Any] = []
    seen: Shape | None = None
    for each in (thinned(each) for each in value):
        together = shape_of(each) if seen is None else merged([seen, shape_of(each)])
        if together != seen:
            kept.append(each)
            seen = together
    return kept
