import csv
import gzip
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.demo_org.bulk_pages import Page, ResultPages

HEADER = ["Id", "Name"]
CELLS = st.text(alphabet='ab",\n\r é', max_size=6)


def write(folder: Path, rows: list[list[str]], size: int) -> ResultPages:
    pages = []
    for number, at in enumerate(range(0, max(1, len(rows)), size)):
        path = folder / f"page-{number}.csv.gz"
        with gzip.open(path, "wt", newline="", encoding="utf-8") as out:
            csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([HEADER, *rows[at : at + size]])
        pages.append((path, len(rows[at : at + size])))
    return ResultPages(pages, folder)


def read(page: Page) -> list[list[str]]:
    text = gzip.decompress(page.path.read_bytes()).decode()
    assert text.endswith("\n")
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert header == HEADER
    return rows


@given(
    rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=12),
    size=st.integers(1, 5),
    at_most=st.none() | st.integers(1, 7),
)
def test_pages_of_any_size_give_every_record_once(rows: list[list[str]], size: int, at_most: int | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pages = write(Path(folder), rows, size)
        got: list[list[str]] = []
        at: int | None = 0
        while at is not None:
            page = pages.at(at, at_most)
            found = read(page)
            assert len(found) == page.rows <= (at_most or size)
            got, at = got + found, page.next_row
        assert got == rows


def test_a_shortened_page_lacks_its_last_records_only(tmp_path: Path) -> None:
    pages = write(tmp_path, [["1", "a\nb"], ["2", 'c"'], ["3", "d"]], 3)
    assert read(pages.shortened(pages.at(0), 2)) == [["1", "a\nb"]]
    assert read(pages.at(0)) == [["1", "a\nb"], ["2", 'c"'], ["3", "d"]]


def test_an_emptied_result_is_one_page_with_the_header(tmp_path: Path) -> None:
    pages = write(tmp_path, [["1", "a"], ["2", "b"]], 1).emptied()
    assert (pages.rows, pages.starts(), read(pages.at(0)), pages.at(0).next_row) == (0, [0], [], None)


def test_beyond_the_end_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(LookupError):
        write(tmp_path, [["1", "a"]], 1).at(1)
