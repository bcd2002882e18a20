"""Reading all members of a report although one run returns 2,000 rows: slices, and the proof that nothing is lost.

The slices are ``axis < a``, ``a <= axis < b``, …, ``axis >= z``: whatever order the org compares by, they are disjoint
and cover everything. A slice that is truncated is cut again; the sum of their row counts is held to the report's own.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data_contracts.errors import ExtractionError, QuotaError
from pipelines.extract.report_shape import MOST_ROWS, ROW_COUNT, Axis, ReportShape

#: Rows a slice is cut for: below the most a run returns, as records are not spread evenly.
AIM = 1_500
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

Run = Callable[[Mapping[str, Any]], Mapping[str, Any]]
#: The object's values of a field, sorted: where slices can begin.
Ladder = Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class _Rows:
    """One run: the Ids in it, all rows the org counts, and whether it returned them all."""

    ids: frozenset[str]
    count: int
    complete: bool


@dataclass(frozen=True)
class _Slice:
    """``low <= axis < high`` as positions on the ladder; None is an open end."""

    low: int | None
    high: int | None


class ReportReader:
    """Reads one report; ``runs_left`` is asked once it is known to be truncated."""

    def __init__(self, shape: ReportShape, run: Run, ladder: Ladder, runs_left: Callable[[], int]) -> None:
        self.shape, self._run, self._ladder, self._runs_left = shape, run, ladder, runs_left
        self.runs = 0

    def members(self) -> Iterator[frozenset[str]]:
        """Yield the Ids of the report's records, 18 characters, slice by slice; no Id comes twice.

        Raises SettingsError or ExtractionError when a complete answer cannot be had, QuotaError when this hour's runs
        do not suffice.
        """
        whole = self._ask(self.shape.ask())
        if whole.complete:
            yield whole.ids
            return
        axis = self.shape.axis()
        steps = sorted(set(self._ladder(axis.field)))
        self._afford(math.ceil(whole.count / AIM) + 1)
        seen = 0
        for ids, count in self._cut(axis, steps, _Slice(None, None), whole.count):
            seen += count
            yield ids
        if seen != whole.count:
            self._explain(seen, whole.count)

    def _cut(self, axis: Axis, steps: Sequence[str], part: _Slice, rows: int) -> Iterator[tuple[frozenset[str], int]]:
        low, high = part.low or 0, len(steps) if part.high is None else part.high
        pieces = min(max(2, math.ceil(rows / AIM)), high - low)
        if pieces < 2:
            raise self._uncuttable(axis, rows)
        edges = [low + (high - low) * piece // pieces for piece in range(1, pieces)]
        lows: list[int | None] = [part.low, *edges]
        for begin, end in zip(lows, [*edges, part.high], strict=True):
            piece = _Slice(begin, end)
            found = self._ask(self.shape.ask(self._at(steps, begin), self._at(steps, end), axis))
            if found.complete or self._is_one_record(axis, steps, piece, found):
                yield found.ids, found.count
            else:
                yield from self._cut(axis, steps, piece, found.count)

    def _at(self, steps: Sequence[str], position: int | None) -> str | None:
        return None if position is None else steps[position]

    def _is_one_record(self, axis: Axis, steps: Sequence[str], part: _Slice, found: _Rows) -> bool:
        """A record on more rows than a run returns (a report of its children) is known all the same."""
        if axis.field != "Id" or part.low is None or part.high is None or part.high - part.low > 1:
            return False
        return found.ids == {steps[part.low]}

    def _ask(self, metadata: Mapping[str, Any]) -> _Rows:
        body = self._run(metadata)
        self.runs += 1
        return _read(self.shape, body)

    def _afford(self, needed: int) -> None:
        left = self._runs_left()
        if needed > left:
            raise QuotaError(
                f"report {self.shape.report.name} needs about {needed:,} runs and this hour allows {left:,} more",
                why=f"one run returns {MOST_ROWS:,} rows, and the org runs a limited number of reports an hour",
                next_step="use a list view with the same filter (it has no such limit), or try again in an hour",
            )

    def _explain(self, seen: int, before: int) -> None:
        """Accept a difference that the report itself made in the meantime; else the slices lost or doubled rows."""
        after = self._ask(self.shape.ask()).count
        if min(before, after) <= seen <= max(before, after):
            return
        raise ExtractionError(
            f"report {self.shape.report.name}: its slices hold {seen:,} rows and the report counts {after:,}",
            why="the filters of the slices and of the report do not combine as they should",
            next_step="use a list view with the same filter; the last good data stays",
        )

    def _uncuttable(self, axis: Axis, rows: int) -> ExtractionError:
        return ExtractionError(
            f"report {self.shape.report.name} has a slice of {rows:,} rows that cannot be cut along {axis.column}",
            why=f"one run returns {MOST_ROWS:,} rows, and nothing parts the records of this slice",
            next_step="narrow the report, or use a list view with the same filter; the last good data stays",
        )


def row_count(shape: ReportShape, body: Mapping[str, Any]) -> int:
    """Return how many rows one run says the report has, truncated or not."""
    return _read(shape, body).count


def _read(shape: ReportShape, body: Mapping[str, Any]) -> _Rows:
    """Take the Ids out of every cell of the fact map: tabular, summary and matrix reports keep rows in the leaves."""
    rows = [row for cell in (body.get("factMap") or {}).values() for row in cell.get("rows") or ()]
    position = _position(shape, body)
    ids = [found for row in rows if (found := _id(shape, row, position)) is not None]
    count, complete = _count(body), bool(body.get("allData"))
    if complete and count is not None and count != len(rows):
        raise ExtractionError(
            f"report {shape.report.name} counts {count:,} rows and returned {len(rows):,} as all of them",
            why="the answer was cut on the way, or the report hides details",
            next_step="run the command again; the last good data stays",
        )
    return _Rows(frozenset(ids), len(rows) if count is None else count, complete)


def _count(body: Mapping[str, Any]) -> int | None:
    """Return the org's own number of rows, truncated or not."""
    names = (body.get("reportMetadata") or {}).get("aggregates") or ()
    total = ((body.get("factMap") or {}).get("T!T") or {}).get("aggregates") or ()
    if ROW_COUNT not in names or len(total) != len(names):
        return None
    value = total[list(names).index(ROW_COUNT)].get("value")
    return int(value) if value is not None else None


def _position(shape: ReportShape, body: Mapping[str, Any]) -> int:
    """Return which cell of a row is the Id: columns the user may not read have no cell."""
    columns = (body.get("reportMetadata") or shape.metadata).get("detailColumns") or ()
    shown = (body.get("reportExtendedMetadata") or {}).get("detailColumnInfo") or columns
    there = [name for name in columns if name in shown]
    if shape.id_column in there:
        return there.index(shape.id_column)
    raise ExtractionError(
        f"report {shape.report.name} came without its column {shape.id_column}",
        why="the report was changed, or the user's access to the field withdrawn, while it was read",
        next_step="run the command again; the last good data stays",
    )


def _id(shape: ReportShape, row: Mapping[str, Any], position: int) -> str | None:
    """Return the 18-character Id of a row, None where the row has no record of this object."""
    cells = row.get("dataCells") or ()
    value = cells[position].get("value") if position < len(cells) else None
    if value in (None, "", "-"):
        return None
    text = str(value)
    if len(text) not in (15, 18) or not text.isalnum() or not text.startswith(shape.key_prefix):
        raise ExtractionError(
            f"report {shape.report.name} has something else than Ids of {shape.object_name} in its Id column",
            why=f"they would begin with {shape.key_prefix}",
            next_step=f"name the report under another object, or add the Id column of {shape.object_name} to it",
        )
    return id18(text)


def id18(text: str) -> str:
    """Return the 18-character form of an Id of 15 or 18 characters."""
    if len(text) != 15:
        return text
    groups = (text[:5], text[5:10], text[10:])
    return text + "".join(
        _SUFFIX[sum(1 << place for place, letter in enumerate(group) if "A" <= letter <= "Z")] for group in groups
    )
