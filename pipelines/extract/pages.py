"""Reading landed pages as SQL: headers, the read_csv call, and the proof that no row is missing or repeated.

What becomes of a cell is ``pipelines.extract.cells``; the transaction around it is ``pipelines.extract.load``.
"""

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from data_contracts.contracts import literal
from data_contracts.errors import ExtractionError
from resources.landing import LandedField, LandedPage, LandingFolder, Manifest

#: DuckDB's own default; a larger one costs a sixth more CPU for the same page.
USUAL_ROW = 2_000_000
LONGEST_HEADER = 1 << 20
#: Where ``load_ids`` puts its Ids.
LANDED_IDS = "temp.landed_id"


def check_headers(folder: LandingFolder) -> list[Path]:
    """Return the files of all pages with rows, each proven to have the header that was asked for.

    DuckDB binds declared columns by position: a page with reordered columns would load without an error.
    """
    wanted = [field.name for field in folder.manifest.fields]
    return [_checked(path, page, wanted) for path, page in folder.page_files()]


def _checked(path: Path, page: LandedPage, wanted: list[str]) -> Path:
    if not path.is_file() or path.stat().st_size != page.bytes:
        raise ExtractionError(
            f"landed page {path.name} is not what was downloaded",
            why="the file was removed, cut or changed after it landed",
            next_step="run the command again: the page is fetched anew",
        )
    header = read_header(path)
    if [name.lower() for name in header] != [name.lower() for name in wanted]:
        odd = [name for name in header if name.lower() not in {want.lower() for want in wanted}]
        raise ExtractionError(
            f"page {path.name} has other columns than were asked for: {len(header)} instead of {len(wanted)}"
            + (f", among them {odd[0][:80]!r}" if odd else ", or in another order"),
            why="the answer does not belong to this query, or was changed on the way",
            next_step="run the command again; the last good data stays",
        )
    return path


def read_header(path: Path) -> list[str]:
    """Return the column names of a page; empty for an empty file. Raises ExtractionError for a damaged one."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as handle:
            line = handle.readline(LONGEST_HEADER).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise ExtractionError(
            f"landed page {path.name} cannot be read",
            why="the compressed body is damaged",
            next_step="run the command again: the page is fetched anew",
        ) from error
    return next(csv.reader([line]), [])


def read_csv(files: Sequence[Path], fields: Sequence[LandedField]) -> str:
    """Return a table function over all pages: every column text, nothing sniffed, '' is NULL."""
    columns = ", ".join(f"{literal(field.name)}: 'VARCHAR'" for field in fields)
    paths = ", ".join(literal(str(path)) for path in files)
    return (
        f"read_csv([{paths}], columns={{{columns}}}, header=true, auto_detect=false, delim=',', quote='\"', "
        f"escape='\"', nullstr='', strict_mode=true, max_line_size={longest_row(fields)}, compression='auto_detect')"
    )


def longest_row(fields: Sequence[LandedField]) -> int:
    """Return the bytes the longest record can take: a character has up to four, a quote is doubled."""
    return max(USUAL_ROW, sum(4 * max(field.length, 40) + 3 for field in fields))


def prove(con: DuckDBPyConnection, relation: str, manifest: Manifest) -> int:
    """Return the rows read into ``relation``; raises ExtractionError when some are missing or repeated."""
    rows, ids = con.execute(f'SELECT count(*), count(DISTINCT "Id") FROM {relation}').fetchall()[0]
    expected = manifest.records or 0
    if rows == expected and ids == rows:
        return int(rows)
    what = f"{rows:,} rows arrived" if rows != expected else f"{rows - ids:,} Ids arrived twice"
    raise ExtractionError(
        f"{manifest.api_name}: {what}, and the org announced {expected:,}",
        why="a page was cut at a row's end, repeated or replaced on the way",
        next_step=f"run: crosswalk sync --object {manifest.object}; the last good data stays",
    )


def load_ids(con: DuckDBPyConnection, folder: LandingFolder) -> None:
    """Fill ``LANDED_IDS`` with the Ids of an Id-only job.

    What is not among them is taken for gone. Raises ExtractionError when rows are missing or repeated, or when none
    arrived although the org counts records.
    """
    files, manifest = check_headers(folder), folder.manifest
    con.execute(f'CREATE OR REPLACE TEMP TABLE {LANDED_IDS.partition(".")[2]} ("Id" VARCHAR)').fetchall()
    if files:
        pages = read_csv(files, manifest.fields)
        con.execute(f'INSERT INTO {LANDED_IDS} SELECT page."Id" FROM {pages} AS page').fetchall()
    if not prove(con, LANDED_IDS, manifest) and manifest.eligible:
        raise arrived_empty(manifest)


def arrived_empty(manifest: Manifest) -> ExtractionError:
    """Return the error for a job without a live record of an object that has some."""
    return ExtractionError(
        f"{manifest.api_name} arrived empty, and the org counts {manifest.eligible:,} records",
        why="the user's access may have been withdrawn while the job ran",
        next_step="check with crosswalk preflight, then run the sync again; the last good data stays",
    )


def distrust(folder: LandingFolder) -> None:
    """After a proof failed: forget the pages that are wrong, or the whole job when each page is as announced."""

    def counted(path: Path) -> int | None:
        try:
            with duckdb.connect() as con:
                rows = con.execute(f"SELECT count(*) FROM {read_csv([path], folder.manifest.fields)}").fetchall()
        except duckdb.Error:
            return None
        return int(rows[0][0])

    if not folder.drop_damaged_pages(counted):
        folder.abandon("its pages are as announced and yet not what the org counts")
