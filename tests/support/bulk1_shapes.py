"""Answers of Bulk API 1 as values that ``shapes.py`` compares: its XML and CSV as JSON would hold them.

Belongs here: the conversion and which of the values are part of the protocol. Not here: HTTP.
"""

import csv
import io
import json
import re
from typing import Any
from xml.etree import ElementTree

from tests.support.recorded import Recorded

_NAMESPACE = "{http://www.force.com/2009/06/asyncapi/dataload}"
_NUMBER = re.compile(r"\d+(\.\d+)?")
#: Values that must be the recorded ones; of a query the recordings leave out how many records it had.
PROTOCOL = frozenset(
    {
        "apiVersion",
        "concurrencyMode",
        "contentType",
        "externalIdFieldName",
        "numberBatchesCompleted",
        "numberBatchesFailed",
        "numberBatchesInProgress",
        "numberBatchesQueued",
        "numberBatchesTotal",
        "numberRecordsFailed",
        "numberRecordsProcessed",
        "numberRetries",
        "object",
        "operation",
        "state",
        "stateMessage",
    }
)


def value_of(text: str) -> Any:
    """An answer's body: XML by element with the root's name on top, CSV by row, or JSON."""
    if text.startswith("<?xml"):
        root = ElementTree.fromstring(text)
        assert root.tag.startswith(_NAMESPACE)
        return {root.tag.removeprefix(_NAMESPACE): _children(root)}
    if text.startswith('"Id"'):
        return [_typed(row) for row in csv.DictReader(io.StringIO(text))]
    return json.loads(text)


def recorded_value(exchange: Recorded) -> Any:
    """The recorded answer, with the API version that is asked for in place of the blotted-out one."""
    if not isinstance(exchange.body, str):
        return exchange.body
    return value_of(exchange.body.replace("vxx.0", exchange.version))


def ordered_names(value: Any) -> list[str]:
    """Every key in its order: XML elements have one."""
    if isinstance(value, list):
        return [name for each in value for name in ordered_names(each)]
    if not isinstance(value, dict):
        return []
    return [name for key, each in value.items() for name in (key, *ordered_names(each))]


def protocol_of(value: Any, *, is_query: bool) -> dict[str, Any]:
    """The values that are part of the protocol, by their key (the first of each name)."""
    kept = PROTOCOL - {"numberRecordsProcessed"} if is_query else PROTOCOL
    found: dict[str, Any] = {}
    for each in value.values() if isinstance(value, dict) else ():
        if isinstance(each, dict):
            found |= protocol_of(each, is_query=is_query)
    own = {key: each for key, each in value.items() if key in kept} if isinstance(value, dict) else {}
    return found | own


def _children(element: ElementTree.Element) -> Any:
    if len(element) == 0:
        return _leaf(element.text)
    found: dict[str, Any] = {}
    for each in element:
        found.setdefault(each.tag.removeprefix(_NAMESPACE), []).append(_children(each))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _leaf(text: str | None) -> Any:
    text = (text or "").strip()
    if not text:
        return None
    if _NUMBER.fullmatch(text):
        return json.loads(text)
    return text == "true" if text in ("true", "false") else text


def _typed(row: dict[str, str]) -> dict[str, Any]:
    return {name: _leaf(value) for name, value in row.items()}
