"""What the batches of Bulk API 1 hold: records to be saved, and what became of them, as CSV, XML or JSON.

Belongs here: reading and writing the three formats. Not here: saving, jobs, HTTP.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final
from xml.etree import ElementTree

from apps.demo_org.bulk1_wire import NAMESPACE, AsyncError, local_name, read_xml, xml_text
from apps.demo_org.dml import Saved, error_row
from apps.demo_org.ingest_csv import UploadError, read_upload, values_of
from apps.demo_org.ingest_jobs import error_text

CONTENT_TYPES: Final = ("CSV", "XML", "JSON")
MEDIA_TYPES: Final = {"CSV": "text/csv", "XML": "application/xml", "JSON": "application/json;charset=UTF-8"}
_NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_CSV_HEAD: Final = ("Id", "Success", "Created", "Error")


def read_records(content: bytes, content_type: str) -> tuple[list[str], list[dict[str, Any]]]:
    """The field names a batch uses and its records; UploadError where it cannot be read."""
    if content_type == "CSV":
        ending = "CRLF" if content.split(b"\n", 1)[0].endswith(b"\r") else "LF"
        upload = read_upload(content, "COMMA", ending)
        return upload.names, [values_of(upload.names, row) for row in upload.rows]
    records = _json_records(content) if content_type == "JSON" else _xml_records(content)
    names: dict[str, None] = {}
    for record in records:
        record.pop("attributes", None)
        for name, value in record.items():
            # A parent is named by an external id: {"Account": {"Number__c": "7"}}.
            names[f"{name}.{next(iter(value), '')}" if isinstance(value, dict) else name] = None
    return list(names), records


def _json_records(content: bytes) -> list[dict[str, Any]]:
    try:
        found = json.loads(content)
    except ValueError as error:
        raise UploadError(f"InvalidBatch : Unable to parse JSON: {error}") from error
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise UploadError("InvalidBatch : A JSON array of objects is wanted")
    return found


def _xml_records(content: bytes) -> list[dict[str, Any]]:
    try:
        root = read_xml(content, "InvalidBatch")
    except AsyncError as error:
        raise UploadError(f"{error.code} : {error.message}") from error
    return [_xml_record(each) for each in root if local_name(each) == "sObject"]


def _xml_record(element: ElementTree.Element) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in element:
        name = local_name(each)
        inner = next((child for child in each if local_name(child) == "sObject"), None)
        if inner is not None:
            found[name] = _xml_record(inner)
        elif each.get(_NIL) == "true":
            found[name] = None
        elif name != "type" and each.text:
            # As in CSV, what is empty stays as it is.
            found[name] = each.text
    return found


def write_saved(saved: Iterable[Saved], content_type: str) -> bytes:
    """What became of each record, in the order of the batch."""
    if content_type == "CSV":
        return _csv(_CSV_HEAD, [[one.id or "", _flag(one), _new(one), _error(one)] for one in saved])
    rows = [{"id": one.id, "success": one.error is None, "created": one.created and one.error is None} for one in saved]
    errors = [[] if one.error is None else [error_row(one.error)] for one in saved]
    if content_type == "JSON":
        told = [{**row, "errors": each} for row, each in zip(rows, errors, strict=True)]
        return json.dumps(told, ensure_ascii=False).encode()
    inner = "".join(_xml_result(row, each) for row, each in zip(rows, errors, strict=True))
    return _xml("results", inner)


def _csv(head: Sequence[str], rows: list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([list(head), *rows])
    return out.getvalue().encode()


def _flag(one: Saved) -> str:
    return "true" if one.error is None else "false"


def _new(one: Saved) -> str:
    return "true" if one.created and one.error is None else "false"


def _error(one: Saved) -> str:
    return "" if one.error is None else error_text(one.error)


def _xml_result(row: dict[str, Any], errors: list[dict[str, Any]]) -> str:
    told = "".join(
        "<errors>"
        + "".join(f"<fields>{xml_text(name)}</fields>" for name in each["fields"])
        + f"<message>{xml_text(each['message'])}</message><statusCode>{each['statusCode']}</statusCode></errors>"
        for each in errors
    )
    named = f"<id>{row['id']}</id>" if row["id"] else ""
    return (
        f"<result>{told}{named}<success>{xml_text(row['success'])}</success>"
        f"<created>{xml_text(row['created'])}</created></result>"
    )


def write_rows(records: Iterable[dict[str, Any]]) -> bytes:
    """The records of a query as XML; those of other formats need no shaping here."""
    return _xml("queryResult", "".join(f'<records xsi:type="sObject">{_fields(each)}</records>' for each in records))


def _fields(record: dict[str, Any]) -> str:
    text = f"<type>{record['attributes']['type']}</type>"
    for name, value in record.items():
        if name == "attributes":
            continue
        if value is None:
            text += f'<{name} xsi:nil="true"/>'
        elif isinstance(value, dict) and "attributes" in value:
            text += f'<{name} xsi:type="sObject">{_fields(value)}</{name}>'
        else:
            text += f"<{name}>{xml_text(value)}</{name}>"
    return text


def _xml(name: str, inner: str) -> bytes:
    spaces = f'xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    return f'<?xml version="1.0" encoding="UTF-8"?><{name} {spaces}>{inner}</{name}>'.encode()
