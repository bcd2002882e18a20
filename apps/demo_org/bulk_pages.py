"""The pages of one Bulk result on disk, and smaller ones cut from them.

Belongs here: finding the page that starts at a row, and cutting CSV at record boundaries. The pages are
gzip files that each start with the header and end with a newline.
"""

import csv
import gzip
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class Page:
    """One page as it is served: a gzip file, its records, and the row that follows it (None at the end)."""

    path: Path
    rows: int
    next_row: int | None


class ResultPages:
    """The result of a job. Safe to use from several threads."""

    def __init__(self, pages: list[tuple[Path, int]], folder: Path) -> None:
        self._pages, self._folder = pages, folder
        self._lock = threading.Lock()
        #: Records in the whole result.
        self.rows = sum(rows for _, rows in pages)

    def emptied(self) -> "ResultPages":
        """Return the same result without its records: one page with the header alone."""
        path = self._folder / "empty.csv.gz"
        _cut(self._pages[0][0], 0, 0, path)
        return ResultPages([(path, 0)], self._folder)

    def starts(self) -> list[int]:
        """Return the row at which each page starts."""
        starts, row = [], 0
        for _, rows in self._pages:
            starts.append(row)
            row += rows
        return starts

    def at(self, row: int, at_most: int | None = None) -> Page:
        """Return the page that starts at ``row``, of ``at_most`` records; raises ``LookupError`` beyond the end.

        A page never reaches over the end of the server's own page, so it may be shorter than asked for.
        """
        start = 0
        for path, rows in self._pages:
            if row < start + rows or (row == start and rows == self.rows):
                return self._part(path, start, rows, row, at_most)
            start += rows
        raise LookupError(row)

    def shortened(self, page: Page, rows: int) -> Page:
        """Return a page without its last ``rows`` records (for a fault)."""
        kept = max(0, page.rows - rows)
        path = self._folder / f"{page.path.name.removesuffix('.csv.gz')}-short-{kept}.csv.gz"
        with self._lock:
            _cut(page.path, 0, kept, path)
        return Page(path, kept, page.next_row)

    def with_header(self, page: Page, kind: str) -> Page:
        """Return a page whose header is ``missing``, ``repeated`` or ``reversed`` (for a fault)."""
        path = self._folder / f"{page.path.name.removesuffix('.csv.gz')}-{kind}.csv.gz"
        with gzip.open(page.path, "rt", encoding="utf-8", newline="") as text:
            header, *rows = csv.reader(text)
        if kind == "reversed":
            lines = [header[::-1], *(row[::-1] for row in rows)]
        else:
            lines = rows if kind == "missing" else [header, *rows[:-1], header, *rows[-1:]]
        with self._lock, gzip.open(path, "wt", encoding="utf-8", newline="") as out:
            csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(lines)
        return Page(path, page.rows, page.next_row)

    def _part(self, path: Path, start: int, rows: int, row: int, at_most: int | None) -> Page:
        skipped = row - start
        taken = rows - skipped if at_most is None else min(at_most, rows - skipped)
        following = row + taken if row + taken < self.rows else None
        if skipped == 0 and taken == rows:
            return Page(path, rows, following)
        part = self._folder / f"part-{row}-{taken}.csv.gz"
        with self._lock:
            if not part.exists():
                _cut(path, skipped, taken, part)
        return Page(part, taken, following)


def _cut(source: Path, skip: int, take: int, target: Path) -> None:
    """Write the header and ``take`` records after ``skip`` of ``source`` to ``target``."""
    unfinished = target.with_suffix(".part")
    with gzip.open(source, "rb") as lines, gzip.open(unfinished, "wb", compresslevel=1) as out:
        records = _records(lines)
        out.write(next(records))
        out.writelines(islice(records, skip, skip + take))
    unfinished.rename(target)


def _records(lines: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    """Yield whole CSV records: a newline inside quotes does not end one."""
    record = b""
    for line in lines:
        record += line
        if record.count(b'"') % 2 == 0:
            yield record
            record = b""
