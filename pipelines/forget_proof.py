"""The proof that nothing of a forgotten person is left: every file of the home is searched, packed ones unpacked.

Tables are asked column by column, since DuckDB and Parquet pack their texts; every file is also read byte by byte.
Other databases (``CROSSWALK_DATABASE_URL``, a Dagster instance on PostgreSQL) are not files of the home.
"""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import duckdb

from data_contracts.contracts import literal, quoted
from pipelines.forget_subject import Subject, pattern_of
from resources.home import Home

#: Shorter texts turn up in packed bytes by chance.
SHORTEST_BYTES = 7
CHUNK = 1 << 20
_SEARCHED = ("VARCHAR", "VARCHAR[]", "JSON")


@dataclass(frozen=True)
class Proof:
    """What was searched and in which files something was found; ``left`` names files, never values."""

    files: int
    bytes: int
    texts: int
    left: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is left."""
        return not self.left


def prove(home: Home, subject: Subject) -> Proof:
    """Search every file of the home for the ids and the values only this person has."""
    files = [path for path in sorted(home.root.rglob("*")) if path.is_file() and not path.is_symlink()]
    left = [str(path.relative_to(home.root)) for path in files if mentions(path, subject)]
    size = sum(path.stat().st_size for path in files)
    return Proof(len(files), size, len(subject.values) + len(subject.all_ids), tuple(left))


def mentions(path: Path, subject: Subject) -> bool:
    """Whether a file holds an id or a value of the person: in a table of it, or anywhere in its bytes."""
    kind = kind_of(path)
    if kind == "duckdb" and _in_tables(path, subject):
        return True
    if kind == "parquet" and _in_parquet(path, subject):
        return True
    needles = sorted({text for text in subject.values | subject.all_ids if len(text.encode()) >= SHORTEST_BYTES})
    lowered = [text.lower().encode() for text in subject.values if text in needles]
    exact = [text.encode() for text in subject.all_ids if text in needles]
    return any(_in_stream(stream, lowered, exact) for stream in _streams(path, kind))


def kind_of(path: Path) -> str:
    """Return duckdb, parquet, sqlite, gzip or other, by the first bytes of a file."""
    with path.open("rb") as handle:
        head = handle.read(16)
    if head[8:12] == b"DUCK":
        return "duckdb"
    if head[:4] == b"PAR1":
        return "parquet"
    return "gzip" if head[:2] == b"\x1f\x8b" else "sqlite" if head.startswith(b"SQLite format 3") else "other"


def _in_tables(path: Path, subject: Subject) -> bool:
    with duckdb.connect(str(path), read_only=True) as con:
        rows = con.sql(
            "SELECT schema_name, table_name, list((column_name, data_type)) FROM duckdb_columns() "
            "WHERE database_name = current_database() AND NOT internal GROUP BY ALL"
        ).fetchall()
        return any(
            _in_relation(con, f"{quoted(schema)}.{quoted(table)}", dict(columns), subject)
            for schema, table, columns in rows
        )


def _in_parquet(path: Path, subject: Subject) -> bool:
    with duckdb.connect() as con:
        source = f"read_parquet({literal(str(path))})"
        columns = {row[0]: row[1] for row in con.sql(f"DESCRIBE FROM {source}").fetchall()}
        return _in_relation(con, source, columns, subject)


def _in_relation(con: duckdb.DuckDBPyConnection, source: str, columns: dict[str, str], subject: Subject) -> bool:
    pattern = pattern_of(subject)
    tests = [
        f"regexp_matches({quoted(name)}::VARCHAR, '{pattern}')" for name, kind in columns.items() if kind in _SEARCHED
    ]
    if not tests or not pattern:
        return False
    return bool(con.sql(f"SELECT 1 FROM {source} WHERE {' OR '.join(tests)} LIMIT 1").fetchall())


def _streams(path: Path, kind: str) -> Iterator[IO[bytes]]:
    with path.open("rb") as handle:
        yield handle
    if kind == "gzip":
        with gzip.open(path, "rb") as handle:
            yield cast(IO[bytes], handle)


def _in_stream(stream: IO[bytes], lowered: list[bytes], exact: list[bytes]) -> bool:
    overlap = max((len(needle) for needle in (*lowered, *exact)), default=0)
    before = b""
    try:
        while chunk := stream.read(CHUNK):
            window = before + chunk
            small = window.lower()
            if any(needle in small for needle in lowered) or any(needle in window for needle in exact):
                return True
            before = window[-overlap:] if overlap else b""
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return False
    return False
