"""The CSV of Bulk 2.0 ingest: reading what was uploaded, writing what became of it.

Belongs here: delimiters, line endings, header names, ``#N/A``. Not here: jobs, saving.
"""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from apps.demo_org.store import Field, ObjectType

DELIMITERS: Final = {
    "COMMA": ",",
    "TAB": "\t",
    "SEMICOLON": ";",
    "PIPE": "|",
    "CARET": "^",
    "BACKQUOTE": "`",
}
LINE_ENDINGS: Final = {"LF": "\n", "CRLF": "\r\n"}
#: What stands for null; an empty value leaves a field as it is.
NULL: Final = "#N/A"
_REFERENCE = re.compile(r"(?:(?P<object>\w+):)?(?P<relationship>\w+)\.(?P<field>\w+)")


class UploadError(Exception):
    """The upload cannot be processed at all: the job fails with this message."""


@dataclass(frozen=True)
class Upload:
    """An upload taken to pieces: its header as it was sent, its column names, its rows."""

    header: str
    names: list[str]
    rows: list[list[str]]


def read_upload(content: bytes, delimiter: str, line_ending: str) -> Upload:
    """Read the uploaded CSV; UploadError where it is no UTF-8, has other line ends or ragged rows."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UploadError("ClientInputError : The data is not UTF-8 text") from error
    first = text.split("\n", 1)[0]
    if "\n" in text and first.endswith("\r") != (line_ending == "CRLF"):
        message = f"LineEnding is invalid on user data. Current LineEnding setting is {line_ending}"
        raise UploadError(f"ClientInputError : {message}")
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[delimiter], strict=True))
    except csv.Error as error:
        raise UploadError(f"InvalidBatch : The CSV cannot be read: {error}") from error
    names, *rows = [line for line in lines if line] or [[]]
    if ragged := next((number for number, row in enumerate(rows, 1) if len(row) != len(names)), None):
        message = f"row {ragged} has {len(rows[ragged - 1])} values for {len(names)} columns"
        raise UploadError(f"InvalidBatch : Field count mismatch: {message}")
    return Upload(first.rstrip("\r"), [name.strip() for name in names], rows)


def check_names(kind: ObjectType, names: Iterable[str], hidden: set[str]) -> None:
    """Refuse a header with a name twice or a name that is no field; one that is hidden is none."""
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise UploadError(f"InvalidBatch : Duplicate field name : {name}")
        seen.add(name.lower())
        reference = _REFERENCE.fullmatch(name)
        known: Field | None = kind.parent(reference["relationship"]) if reference else kind.find(name)
        if known is None or known.name in hidden:
            raise UploadError(f"InvalidBatch : Field name not found : {name}")


def values_of(names: Iterable[str], row: Iterable[str]) -> dict[str, Any]:
    """A row's values as they are saved: empty ones are left out, ``#N/A`` is null, parents go by external id."""
    found: dict[str, Any] = {}
    for name, text in zip(names, row, strict=True):
        if text == "":
            continue
        value = None if text == NULL else text
        reference = _REFERENCE.fullmatch(name)
        if reference is None:
            found[name] = value
        else:
            found[reference["relationship"]] = {reference["field"]: value}
    return found


def write_results(extra: Iterable[str], upload: Upload, rows: Iterable[list[str]], delimiter: str) -> bytes:
    """A result file: the ``sf__`` columns, the uploaded header as it was, every value quoted."""
    mark = DELIMITERS[delimiter]
    head = mark.join([*(f'"{name}"' for name in extra), *([upload.header] if upload.header else [])])
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=mark, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return f"{head}\n{out.getvalue()}".encode()
