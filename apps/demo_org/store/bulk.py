"""Bulk API 2.0 query results: CSV pages on disk, written by DuckDB without passing through Python.

Belongs here: the CSV a Bulk job serves (every value quoted, header on each page, newline at each end).
Not here: jobs, locators, HTTP.
"""

import gzip
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from queue import Queue
from typing import Any, Final

import duckdb

from apps.demo_org.store.soql.compiled import Compiled, ResultColumn
from apps.demo_org.store.text import identifier, literal

_EXPONENT = (
    "CASE WHEN contains(s, 'e') THEN "
    "split_part(s, 'e', 1) || CASE WHEN contains(s, '.') THEN '' ELSE '.0' END || 'E' "
    "|| CAST(CAST(split_part(s, 'e', 2) AS INT) AS VARCHAR) "
    "WHEN a >= 1 THEN left(digits, 1) || '.' || "
    "coalesce(nullif(rtrim(substr(digits, 2), '0'), ''), '0') || 'E' "
    "|| CAST(length(split_part(s, '.', 1)) - 1 AS VARCHAR) "
    "ELSE left(small, 1) || '.' || coalesce(nullif(substr(small, 2), ''), '0') || 'E-' "
    "|| CAST(length(split_part(s, '.', 2)) - length(small) + 1 AS VARCHAR) END"
)
#: double_text(x): a number as Java prints a double, which is how Bulk prints numbers: 12.0, 9.9213206E7.
BULK_MACROS: Final = (
    "CREATE OR REPLACE MACRO exponent_text(a, s, digits, small) AS " + _EXPONENT,
    "CREATE OR REPLACE MACRO double_text(x) AS CASE WHEN x = 0 OR (abs(x) >= 0.001 AND abs(x) < 10000000) "
    "THEN CAST(x AS VARCHAR) ELSE CASE WHEN x < 0 THEN '-' ELSE '' END || exponent_text(abs(x), "
    "CAST(abs(x) AS VARCHAR), replace(CAST(abs(x) AS VARCHAR), '.', ''), "
    "ltrim(replace(CAST(abs(x) AS VARCHAR), '.', ''), '0')) END",
)
_WRITERS: Final = 2


@dataclass(frozen=True)
class BulkPage:
    """One page of a result: its file, its records (header not counted) and its size in bytes."""

    path: Path
    rows: int
    bytes: int


@dataclass(frozen=True)
class PageFormat:
    """How pages are cut and encoded; ``gzip_level`` None leaves them plain."""

    page_rows: int = 100_000
    gzip_level: int | None = None
    line_ending: str = "LF"


def write_pages(
    connect: Callable[[], duckdb.DuckDBPyConnection],
    compiled: Compiled,
    folder: Path,
    form: PageFormat,
    no_writes: AbstractContextManager[Any],
) -> list[BulkPage]:
    """Write the result as pages ``page-00000.csv`` and on; at least one, with the header alone for no rows.

    ``no_writes`` keeps writers out for the moment in which the connections take their common snapshot.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cuttable = _is_cuttable(compiled)
    connections = [connect() for _ in range(_WRITERS if cuttable else 1)]
    try:
        if cuttable:
            with no_writes:
                for con in connections:
                    con.execute("BEGIN TRANSACTION").fetchall()
                    con.execute(f"SELECT 1 FROM {identifier(compiled.object_type.name)} LIMIT 1").fetchall()
        selects = (_in_place if cuttable else _staged)(connections[0], compiled, form)
        return _write_all(connections, selects, folder, form)
    finally:
        for con in connections:
            con.close()


def _write_all(
    connections: list[duckdb.DuckDBPyConnection], selects: list[str], folder: Path, form: PageFormat
) -> list[BulkPage]:
    free: Queue[duckdb.DuckDBPyConnection] = Queue()
    for con in connections:
        free.put(con)

    def write(number: int, select: str) -> BulkPage:
        path = folder / f"page-{number:05d}.csv"
        con = free.get()
        try:
            rows = int(con.execute(_copy_sql(select, path)).fetchall()[0][0])
        finally:
            free.put(con)
        return _finish(path, rows, form)

    with ThreadPoolExecutor(_WRITERS) as pool:
        return list(pool.map(write, range(len(selects)), selects))


def _is_cuttable(compiled: Compiled) -> bool:
    """Whether pages can be ranges of the queried table's rows: no order and no limit."""
    return not compiled.order and compiled.limit is None and compiled.offset is None


def _in_place(con: duckdb.DuckDBPyConnection, compiled: Compiled, form: PageFormat) -> list[str]:
    """Cut by row number of the queried table: nothing is copied before it is written."""
    listed = [f"{_cell(c)} AS {identifier('.'.join(c.path))}" for c in compiled.columns]
    row = f"{compiled.scope.alias}.rowid"
    numbered = compiled.select_sql([f"{row} AS r", f"row_number() OVER (ORDER BY {row}) AS n"])
    starts = f"SELECT r FROM ({numbered}) WHERE (n - 1) % {form.page_rows} = 0 ORDER BY r"
    cuts = [r[0] for r in con.execute(starts).fetchall()]
    if not cuts:
        return [compiled.select_sql(listed, extra="false")]
    ranges = [f"{row} >= {a} AND {row} < {b}" for a, b in pairwise(cuts)] + [f"{row} >= {cuts[-1]}"]
    return [compiled.select_sql(listed, extra=extra) for extra in ranges]


def _staged(con: duckdb.DuckDBPyConnection, compiled: Compiled, form: PageFormat) -> list[str]:
    """Keep an ordered or limited result in a temporary table, which DuckDB spills to disk, and cut that."""
    # Committed at once: rows of an open transaction have no row numbers from 0 yet.
    staged = [f"{c.sql} AS c{i}" for i, c in enumerate(compiled.columns)]
    con.execute(f"CREATE TEMP TABLE staged AS {compiled.select_sql(staged)}").fetchall()
    total = int(con.execute("SELECT count(*) FROM staged").fetchall()[0][0])
    listed = ", ".join(f"{_cell(c, f'c{i}')} AS {identifier('.'.join(c.path))}" for i, c in enumerate(compiled.columns))
    return [
        f"SELECT {listed} FROM staged WHERE rowid >= {start} AND rowid < {start + form.page_rows} ORDER BY rowid"
        for start in range(0, max(total, 1), form.page_rows)
    ]


def _cell(column: ResultColumn, sql: str | None = None) -> str:
    """SQL of a value's text; null is the empty text."""
    value = sql or column.sql
    kind = column.field.sql_type if column.field else "VARCHAR"
    if kind == "TIMESTAMP":
        text = f"strftime({value}, '%Y-%m-%dT%H:%M:%S.%gZ')"
    elif kind == "DOUBLE":
        text = f"double_text({value})"
    else:
        text = value if kind == "VARCHAR" else f"CAST({value} AS VARCHAR)"
    return f"coalesce({text}, '')"


def _copy_sql(select: str, path: Path) -> str:
    return (
        f"COPY ({select}) TO {literal(str(path))} "
        "(FORMAT csv, HEADER true, FORCE_QUOTE *, DELIMITER ',', QUOTE '\"', ESCAPE '\"')"
    )


def _finish(path: Path, rows: int, form: PageFormat) -> BulkPage:
    if form.line_ending == "CRLF":
        _carriage_returns(path)
    if form.gzip_level is not None:
        packed = path.with_name(path.name + ".gz")
        with path.open("rb") as plain, gzip.open(packed, "wb", compresslevel=form.gzip_level) as stream:
            shutil.copyfileobj(plain, stream, 1 << 20)
        path.unlink()
        path = packed
    return BulkPage(path, rows, path.stat().st_size)


def _carriage_returns(path: Path) -> None:
    """End records with CRLF; newlines inside quoted values stay as they are."""
    pieces = path.read_bytes().split(b'"')
    # Every value is quoted and quotes are doubled, so even pieces lie outside values.
    pieces[::2] = [piece.replace(b"\n", b"\r\n") for piece in pieces[::2]]
    path.write_bytes(b'"'.join(pieces))
