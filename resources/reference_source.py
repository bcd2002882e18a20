"""Opening a reference source: which columns it offers, and a relation DuckDB can read them from.

A CSV or Parquet path, a DuckDB file or a SQLAlchemy URL. What the columns mean, and whether the rows are fit to be a
reference, is ``pipelines.extract.reference``; the text of a CSV is ``resources.reference_csv``.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from data_contracts.contracts import literal, quoted
from data_contracts.errors import ReferenceDataError
from data_contracts.settings import ReferenceSource
from resources.reference_csv import csv_error, csv_relation
from resources.reference_database import open_database

CSV_SUFFIXES = (".csv", ".tsv", ".txt", ".gz")
PARQUET_SUFFIXES = (".parquet", ".pq")
DUCKDB_SUFFIXES = (".duckdb", ".ddb", ".db")

#: Name a DuckDB file has while it is attached.
ALIAS = "_reference_source"


@dataclass(frozen=True)
class SourceTable:
    """An open source: its name for messages, its columns, and a relation over those asked for.

    ``explain`` turns an error of reading the relation into one for people.
    """

    what: str
    columns: tuple[str, ...]
    relation: Callable[[Sequence[str]], str]
    explain: Callable[[duckdb.Error], ReferenceDataError]


@contextmanager
def open_reference(con: duckdb.DuckDBPyConnection, source: ReferenceSource, base_dir: Path) -> Iterator[SourceTable]:
    """Open ``source``; a relative path is relative to ``base_dir``, the folder of the settings file.

    Raises ReferenceDataError when it is missing, of another kind than its name says, locked or unreadable.
    """
    if source.url and not source.path:
        with open_database(con, source) as (what, columns, relation):
            yield SourceTable(what, columns, relation, lambda error: _unreadable(what, error))
        return
    if not source.path or source.url:
        raise ReferenceDataError(
            "a reference needs either path or url",
            why="path is a CSV, Parquet or DuckDB file; url is a SQLAlchemy URL",
            next_step="set one of them under reference in crosswalk.yaml",
        )
    path = _existing(base_dir / Path(source.path).expanduser())
    if path.suffix.lower() in CSV_SUFFIXES:
        columns, text = csv_relation(path)
        yield SourceTable(path.name, columns, lambda names: text, lambda error: csv_error(path, error))
    elif path.suffix.lower() in PARQUET_SUFFIXES:
        yield _parquet(con, path)
    elif path.suffix.lower() in DUCKDB_SUFFIXES:
        with _attached(con, path, source.table) as opened:
            yield opened
    else:
        raise ReferenceDataError(
            f"the kind of reference file {path.name} cannot be told from its name",
            why=f"known endings are {', '.join((*CSV_SUFFIXES, *PARQUET_SUFFIXES, *DUCKDB_SUFFIXES))}",
            next_step="rename the file, or name another one under reference in crosswalk.yaml",
        )


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean X?`` for the nearest of ``known``, or nothing where none is near."""
    near = difflib.get_close_matches(word.lower(), [name.lower() for name in known], n=1, cutoff=0.5)
    return f"; did you mean {next(name for name in known if name.lower() == near[0])}?" if near else ""


def choose_table(wanted: str | None, tables: Sequence[str], what: str) -> str:
    """Return the one of ``tables`` (``schema.table``) that ``wanted`` names; where nothing is wanted, the only one."""
    found = [name for name in tables if wanted in (None, name, name.rpartition(".")[2])]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(tables[:20]) or "none"
    asked = f"has no table {wanted}" if wanted and not found else "has more than one table that fits"
    raise ReferenceDataError(
        f"reference {what} {asked if found or wanted else 'has no table'}{nearest(wanted or '', tables)}",
        why=f"its tables and views are: {listed}",
        next_step="set table (schema.table) under reference in crosswalk.yaml",
    )


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ReferenceDataError(
            f"the reference file {path} does not exist" if not path.exists() else f"{path} is a folder, not a file",
            why="a configured reference must be there; to work without one, remove it from the settings",
            next_step="correct the path under reference in crosswalk.yaml (relative to that file)",
        )
    if path.stat().st_size == 0:
        raise ReferenceDataError(
            f"the reference file {path.name} is empty",
            why="it has 0 bytes; loading it would take every link away",
            next_step="export it again, then run: crosswalk sync",
        )
    return path


def _parquet(con: duckdb.DuckDBPyConnection, path: Path) -> SourceTable:
    relation = f"read_parquet({literal(str(path))})"
    try:
        columns = _columns(con, relation)
    except duckdb.Error as error:
        raise ReferenceDataError(
            f"the reference file {path.name} is not a readable Parquet file",
            why="it is cut off, or another kind of file with this ending",
            next_step="export it again, or name it by what it is (.csv, .duckdb)",
        ) from error
    return SourceTable(path.name, columns, lambda names: relation, lambda error: _unreadable(path.name, error))


@contextmanager
def _attached(con: duckdb.DuckDBPyConnection, path: Path, table: str | None) -> Iterator[SourceTable]:
    try:
        con.execute(f"ATTACH {literal(str(path))} AS {ALIAS} (READ_ONLY, TYPE duckdb)")
    except duckdb.Error as error:
        raise attach_error(path, str(error)) from error
    try:
        tables = con.execute(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = $1 AND NOT internal "
            "UNION ALL SELECT schema_name || '.' || view_name FROM duckdb_views() WHERE database_name = $1 "
            "AND NOT internal ORDER BY 1",
            [ALIAS],
        ).fetchall()
        name = choose_table(table, [row[0] for row in tables], path.name)
        relation = ".".join(quoted(part) for part in (ALIAS, *name.split(".", 1)))
        what = f"{path.name}, table {name}"
        yield SourceTable(what, _columns(con, relation), lambda names: relation, lambda error: _unreadable(what, error))
    finally:
        con.execute(f"DETACH {ALIAS}")


def attach_error(path: Path, told: str) -> ReferenceDataError:
    """Return why the DuckDB file at ``path`` cannot be attached, from what DuckDB told."""
    why, next_step = "it is damaged, or not a DuckDB file at all", "export it again"
    if "set lock" in told.lower():
        why = "another process has it open for writing"
        next_step = "close it there (DuckDB has one writer or many readers), then run: crosswalk sync"
    elif "version number" in told or "newer" in told.lower():
        why = "it was written by a newer DuckDB than the one Crosswalk runs"
        next_step = "write it with ATTACH … (STORAGE_VERSION 'v1.5.0'), or export Parquet"
    elif "already attached" in told.lower() or "different configuration" in told.lower():
        why = "it is already open in this process: the warehouse cannot be its own reference"
        next_step = "name another file under reference in crosswalk.yaml"
    return ReferenceDataError(f"the reference file {path.name} cannot be opened", why=why, next_step=next_step)


def _columns(con: duckdb.DuckDBPyConnection, relation: str) -> tuple[str, ...]:
    return tuple(row[0] for row in con.sql(f"DESCRIBE SELECT * FROM {relation}").fetchall())


def _unreadable(what: str, error: duckdb.Error) -> ReferenceDataError:
    return ReferenceDataError(
        f"reference {what} could not be read to its end",
        why=f"{type(error).__name__}: the file is damaged or cut off, or a view in it fails",
        next_step="export it again, then run: crosswalk sync",
    )
