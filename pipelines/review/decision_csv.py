"""Decisions as CSV: what a file of them looks like, and what is wrong with one, by line, column and value.

What is done with them is ``resources.decisions_transfer``.
"""

import csv
import difflib
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from data_contracts.errors import CrosswalkError
from pipelines.extract.report_slices import id18
from pipelines.run import OBJECTS
from resources.decisions import JUDGEMENTS, Decision

#: The columns of a file, in their order; the first four must be there.
COLUMNS = (
    *("object", "salesforce_id", "reference_id", "judgement", "reason"),
    *("decided_by", "decided_at", "expires_at", "withdrawn_at"),
)
REQUIRED = COLUMNS[:4]
_TIMES = COLUMNS[6:]
#: Faults that are told at once.
SHOWN = 20
#: A text field may be this long; more is a file that is not what it says.
LONGEST = 10_000


class DecisionFileError(CrosswalkError):
    """A file of decisions cannot be imported; nothing of it was."""


def write_decisions(decisions: Iterable[Decision], file: TextIO) -> int:
    """Write decisions as CSV with a header; times are ISO 8601 in UTC. Returns how many."""
    rows = [list(COLUMNS), *([_cell(getattr(made, name)) for name in COLUMNS] for made in decisions)]
    for row in rows:
        line = io.StringIO()
        # With this terminator a return alone is quoted too; a line ends as lines do here all the same.
        csv.writer(line, lineterminator="\r\n").writerow(row)
        file.write(line.getvalue()[:-2] + "\n")
    return len(rows) - 1


def _cell(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else "" if value is None else str(value)


def read_decisions(path: Path, *, decided_by: str = "", now: datetime | None = None) -> list[dict[str, Any]]:
    """Return the rows of a file, each checked; ``decided_by`` and ``now`` stand in where a row does not say.

    Raises DecisionFileError that names the line, column and value of every fault (the first 20).
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DecisionFileError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DecisionFileError(
            f"{path}, line {line}: not UTF-8",
            why="another encoding, perhaps of a spreadsheet",
            next_step="save it as CSV UTF-8",
        ) from error
    return parse_decisions(text, str(path), decided_by=decided_by, now=now)


def parse_decisions(
    text: str, what: str = "the file", *, decided_by: str = "", now: datetime | None = None
) -> list[dict[str, Any]]:
    """Return the checked rows of a CSV text; see ``read_decisions``."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    moment = now or datetime.now(UTC)
    rows: list[dict[str, Any]] = []
    faults: list[str] = []
    line = 1
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, what)
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found, wrong = _row(
                    dict(zip(header, cells, strict=False)), len(cells) - len(header), decided_by, moment
                )
                rows.append(found)
                faults += [f"line {line}, {told}" for told in wrong]
            line = reader.line_num + 1
    except csv.Error as error:
        faults.append(f"line {line}: {error}")
    if faults:
        raise _refused(what, faults)
    return rows


def _check_header(header: list[str], what: str) -> None:
    for name in header:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            raise DecisionFileError(
                f"{what}, line 1: {name!r} is no column of a file of decisions",
                why=f"did you mean {near[0]!r}?" if near else f"columns are: {', '.join(COLUMNS)}",
                next_step="correct the header; crosswalk decisions export shows one",
            )
    wrong = [f"column {name!r} is missing" for name in REQUIRED if name not in header]
    wrong += [f"column {name!r} is there twice" for name in sorted(set(header)) if header.count(name) > 1]
    if wrong:
        raise DecisionFileError(
            f"{what}, line 1: {wrong[0]}",
            why=f"needed are: {', '.join(REQUIRED)}; possible are: {', '.join(COLUMNS[4:])}",
            next_step="correct the header; crosswalk decisions export shows one",
        )


def _row(cells: Mapping[str, str], surplus: int, decided_by: str, now: datetime) -> tuple[dict[str, Any], list[str]]:
    """Return a row and its faults, each beginning with the column."""
    wrong: list[str] = []
    if surplus:
        wrong.append(f"{abs(surplus)} values {'more' if surplus > 0 else 'fewer'} than the header has columns")
    row: dict[str, Any] = {name: cells.get(name, "").strip() for name in COLUMNS}
    row["reason"] = cells.get("reason", "") or None
    row["decided_by"] = row["decided_by"] or decided_by
    row["salesforce_id"], fault = _record_id(row["salesforce_id"])
    wrong += [*_words(row), *([fault] if fault else [])]
    for name in _TIMES:
        row[name], fault = _time(row[name])
        wrong += [f"column {name}: {fault}"] if fault else []
    row["decided_at"] = row["decided_at"] or now
    return row, wrong


def _words(row: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the values that are words or free text."""
    wrong = [
        f"column {name}: {row[name]!r} is none of {', '.join(allowed)}"
        for name, allowed in (("object", OBJECTS), ("judgement", JUDGEMENTS))
        if row[name] not in allowed
    ]
    if not row["reference_id"]:
        wrong.append("column reference_id: empty")
    if not row["decided_by"]:
        wrong.append("column decided_by: empty, and --decided-by does not say")
    for name in ("reference_id", "reason", "decided_by"):
        if "\0" in (row[name] or "") or len(row[name] or "") > LONGEST:
            wrong.append(f"column {name}: longer than {LONGEST:,} characters, or with a null character")
    return wrong


def _record_id(text: str) -> tuple[str, str]:
    """Return an Id of 18 characters, and what is wrong with it."""
    if len(text) not in (15, 18) or not (text.isascii() and text.isalnum()):
        return text, f"column salesforce_id: {text[:40]!r} is no Salesforce Id (15 or 18 letters and digits)"
    whole = id18(text[:15])
    # Its last three letters say which of the others are capitals: a spreadsheet may have changed them.
    one_case = text in (text.upper(), text.lower()) and any(letter.isalpha() for letter in text[:15])
    if len(text) == 18 and one_case and whole.upper() != text.upper():
        return text, f"column salesforce_id: {text!r} has lost its upper and lower case"
    return (whole if len(text) == 15 else text), ""


def _time(text: str) -> tuple[datetime | None, str]:
    """Return a moment, aware UTC, or what is wrong with it; without a zone it is UTC."""
    if not text:
        return None, ""
    try:
        moment = datetime.fromisoformat(text)
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)), ""
    except (ValueError, OverflowError):
        return None, f"{text[:40]!r} is no date and time like 2026-03-01T12:30:00+00:00"


def _refused(what: str, faults: list[str]) -> DecisionFileError:
    more = f"\n… and {len(faults) - SHOWN:,} more" if len(faults) > SHOWN else ""
    return DecisionFileError(
        f"{what} has {len(faults):,} fault{'s' if len(faults) > 1 else ''}:\n" + "\n".join(faults[:SHOWN]) + more,
        why="nothing of it was imported",
        next_step="correct the file, then run the command again",
    )
