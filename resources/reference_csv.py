"""Reading a CSV reference strictly: UTF-8, one header, every row as wide as the header, every value as text.

Nothing is guessed from the data but the separator, which is taken from the header line. Messages name lines and
columns, never what a line holds.
"""

import codecs
import csv
import gzip
import io
import re
from pathlib import Path
from typing import IO, cast

import duckdb

from data_contracts.contracts import literal
from data_contracts.errors import ReferenceDataError

SEPARATORS = (",", ";", "\t", "|")
CHUNK = 1 << 20


def csv_relation(path: Path) -> tuple[tuple[str, ...], str]:
    """Return the columns of the CSV at ``path`` and the DuckDB relation that reads it as text.

    Raises ReferenceDataError for bytes that are not UTF-8 (with line and offset), no header, or a column named twice.
    """
    check_encoding(path)
    header, separator = _header(path)
    fields = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header)
    options = (
        f"columns = {{{fields}}}, delim = {literal(separator)}, header = true, auto_detect = false, quote = '\"', "
        "escape = '\"', strict_mode = true, null_padding = false, nullstr = ''"
    )
    return header, f"read_csv({literal(str(path))}, {options})"


def check_encoding(path: Path) -> None:
    """Raise ReferenceDataError at the first byte of ``path`` that is not UTF-8 text, with its line and offset."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset, lines = 0, 1
    try:
        with _open(path) as file:
            while chunk := file.read(CHUNK):
                held = len(decoder.getstate()[0])
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError as error:
                    raise _not_utf8(path, chunk, error.start - held, offset, lines) from error
                if b"\0" in chunk:
                    raise _not_text(path, "it holds NUL bytes", offset + chunk.index(b"\0"))
                offset += len(chunk)
                lines += chunk.count(b"\n")
            if decoder.getstate()[0]:
                raise _not_text(path, "it ends in the middle of a character: it is cut off", offset)
    except (OSError, EOFError) as error:
        raise ReferenceDataError(
            f"the reference file {path.name} cannot be read",
            why=f"{type(error).__name__}: no permission, or a compressed file that is cut off",
            next_step="export it again, then run: crosswalk sync",
        ) from error


def csv_error(path: Path, error: duckdb.Error) -> ReferenceDataError:
    """Say what is wrong with which line; DuckDB's own message quotes the line and is not passed on."""
    told = str(error)
    line = re.search(r"CSV Error on Line: (\d+)", told)
    widths = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", told)
    if not isinstance(error, duckdb.InvalidInputException):
        why = f"{type(error).__name__} while reading it"
    elif widths:
        why = f"the row has {widths[2]} values, the header {widths[1]} columns; the file may be cut off there"
    elif "quote" in told.partition("Possible fixes")[0].lower():
        why = "a quotation mark is not closed, or not doubled inside a value; the file may be cut off there"
    elif "Maximum line size" in told:
        why = "the row is longer than 2 MB: usually a quotation mark that is never closed"
    else:
        why = "it does not follow RFC 4180 (one kind of line end, quotes doubled inside quotes)"
    where = f" at line {line[1]}" if line else ""
    return ReferenceDataError(
        f"the reference file {path.name} is not a sound CSV{where}",
        why=why,
        next_step="export it again, then run: crosswalk sync",
    )


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb"))


def _header(path: Path) -> tuple[tuple[str, ...], str]:
    with _open(path) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
        first = text.readline()
        text.seek(0)
        outside = re.sub(r'"[^"]*"', "", first)
        separator = max(SEPARATORS, key=outside.count)
        cells = next(csv.reader(text, delimiter=separator), [])
    names = tuple(cell.strip() or f"column{position}" for position, cell in enumerate(cells, start=1))
    if not any(cell.strip() for cell in cells):
        raise _no_header(path, "its first line is blank")
    twice = sorted({name for name in names if [n.lower() for n in names].count(name.lower()) > 1})
    if twice:
        raise _no_header(path, f"the header names a column more than once: {', '.join(twice)}")
    return names, separator


def _no_header(path: Path, why: str) -> ReferenceDataError:
    return ReferenceDataError(
        f"the reference file {path.name} has no usable header",
        why=why,
        next_step="give each column a name of its own in the first line",
    )


def _not_utf8(path: Path, chunk: bytes, start: int, offset: int, lines: int) -> ReferenceDataError:
    line = lines + chunk[: max(start, 0)].count(b"\n")
    if offset + start == 0 and chunk[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return _not_text(path, "it was saved as UTF-16", 0)
    byte = chunk[start] if start >= 0 else 0
    return ReferenceDataError(
        f"the reference file {path.name} is not UTF-8: line {line}, byte {offset + start + 1:,} of the file"
        + (f" (0x{byte:02X})" if start >= 0 else ""),
        why="it was probably saved as Windows-1252 or Latin-1",
        next_step="save it as UTF-8 (in Excel: CSV UTF-8), then run: crosswalk sync",
    )


def _not_text(path: Path, why: str, offset: int) -> ReferenceDataError:
    return ReferenceDataError(
        f"the reference file {path.name} is not UTF-8 text (byte {offset + 1:,})",
        why=why,
        next_step="save it as UTF-8 CSV, then run: crosswalk sync",
    )
