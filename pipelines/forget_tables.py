"""Forgetting a person in a DuckDB or Parquet file: written anew without the person, and put in the old one's place.

Deleting rows would leave their bytes in free blocks of the file; a new file has none.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from data_contracts.contracts import literal, quoted
from pipelines.extract.forgotten import ABOUT, POINTERS, personal_fields
from pipelines.forget_subject import ENTITY_KEY, SUBJECT, Subject, pattern_of
from resources.files import sync_file, sync_folder

ERASED = "[erased]"
_TEXT = ("VARCHAR", "JSON")
#: What the next run compares with, as hashes of values, or mirrors anew: without it that run looks at everything.
_KEPT = ("_kept_", "kept_index", "decision_evidence")


@dataclass
class Erasure:
    """Rows removed and values blanked or replaced, by place (a table or a file), in the order they were found."""

    rows: dict[str, int] = field(default_factory=dict)
    cells: dict[str, int] = field(default_factory=dict)

    def add(self, place: str, rows: int, cells: int) -> None:
        """Count what was done in a place."""
        if rows:
            self.rows[place] = self.rows.get(place, 0) + rows
        if cells:
            self.cells[place] = self.cells.get(place, 0) + cells


def forget_in_duckdb(path: Path, subject: Subject, told: Erasure, place: str, spill: Path, memory: str) -> None:
    """Write the database at ``path`` anew without the person; nobody may have it open for writing."""
    new = path.with_name(f"{path.name}.{os.getpid()}.forgetting")
    new.unlink(missing_ok=True)
    with duckdb.connect(config={"memory_limit": memory, "temp_directory": str(spill)}) as con:
        con.execute(f"ATTACH {literal(str(path))} AS old (READ_ONLY)")
        version = con.sql(
            "SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = 'old'"
        ).fetchall()
        wanted = str(version[0][0] or "").rstrip("+")
        con.execute(f"ATTACH {literal(str(new))} AS new" + (f" (STORAGE_VERSION {literal(wanted)})" if wanted else ""))
        con.execute("BEGIN")
        con.execute("COPY FROM DATABASE old TO new (SCHEMA)")
        for schema, table, columns, required in _tables(con):
            removed, cells = _copy(con, schema, table, columns, required, subject)
            told.add(f"{place}{schema}.{table}", removed, cells)
        con.execute("COMMIT")
        con.execute("CHECKPOINT new")
        con.execute("DETACH new")
        con.execute("DETACH old")
    _take_place(new, path)


def forget_in_parquet(path: Path, subject: Subject, told: Erasure, place: str) -> None:
    """Write a Parquet file anew without the person, where it holds anything of it."""
    source = f"read_parquet({literal(str(path))})"
    with duckdb.connect() as con:
        columns = {row[0]: row[1] for row in con.sql(f"DESCRIBE FROM {source}").fetchall()}
        # Statistics of a model say what a value is worth, one row per value.
        values_go = path.parent.suffix == ".statistics"
        kept, shown, changed = _plan(path.parent.name, path.stem, columns, subject, values_go=values_go)
        total, gone, cells = _counts(con, source, kept, changed)
        if not gone and not cells:
            return
        new = path.with_name(f"{path.name}.{os.getpid()}.forgetting")
        con.execute(f"COPY (SELECT {shown} FROM {source} WHERE {kept}) TO {literal(str(new))} (FORMAT parquet)")
    told.add(place, gone, cells)
    _take_place(new, path)


def _tables(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, dict[str, str], set[str]]]:
    """Return schema, name, columns with their types, and the columns that are never empty, of the old database."""
    rows = con.sql(
        "SELECT c.schema_name, c.table_name, c.column_name, c.data_type, c.is_nullable FROM duckdb_columns() c "
        "JOIN duckdb_tables() t USING (database_oid, schema_oid, table_oid) WHERE c.database_name = 'old' "
        "AND NOT c.internal ORDER BY c.schema_name, c.table_name, c.column_index"
    ).fetchall()
    found: dict[tuple[str, str], tuple[dict[str, str], set[str]]] = {}
    for schema, table, column, kind, nullable in rows:
        columns, required = found.setdefault((schema, table), ({}, set()))
        columns[column] = kind
        if not nullable:
            required.add(column)
    return [(*name, *columns) for name, columns in found.items()]


def _copy(
    con: duckdb.DuckDBPyConnection, schema: str, table: str, columns: dict[str, str], required: set[str], who: Subject
) -> tuple[int, int]:
    relation = f"{quoted(schema)}.{quoted(table)}"
    if schema == "_state" and any(part in table for part in _KEPT):
        return 0, 0
    kept, shown, changed = _plan(schema, table, columns, who, required=required)
    _, gone, cells = _counts(con, f"old.{relation}", kept, changed)
    con.execute(f"INSERT INTO new.{relation} SELECT {shown} FROM old.{relation} WHERE {kept}").fetchall()
    return gone, cells


def _counts(con: duckdb.DuckDBPyConnection, source: str, kept: str, changed: str) -> tuple[int, int, int]:
    query = (
        f"SELECT count(*), count(*) FILTER (NOT ({kept})), coalesce(sum({changed}) FILTER ({kept}), 0) FROM {source}"
    )
    total, gone, cells = con.sql(query).fetchall()[0]
    return int(total), int(gone), int(cells)


def _plan(
    schema: str,
    table: str,
    columns: dict[str, str],
    subject: Subject,
    *,
    required: set[str] | frozenset[str] = frozenset(),
    values_go: bool = False,
) -> tuple[str, str, str]:
    """Return SQL: which rows stay, what is shown of them, and how many of a row's cells are changed."""
    ids = ", ".join(map(literal, sorted(subject.all_ids))) or "''"
    kept = [f"{quoted(c)} NOT IN ({ids})" for c in _keys(schema, table, columns, subject) if columns[c] == "VARCHAR"]
    if (schema, table) in (("imports", "company"), ("imports", "person")):
        own = subject.linked.get(table, set()) | subject.entities.get(table, set())
        kept.append(f"reference_id NOT IN ({', '.join(map(literal, sorted(own))) or literal('')})")
    pattern = pattern_of(subject)
    values = ", ".join(literal(value.lower()) for value in sorted(subject.values)) or "''"
    if values_go:
        kept += [f"lower({quoted(c)}) NOT IN ({values})" for c, kind in columns.items() if kind == "VARCHAR"]
    about = schema == "salesforce" and table in ABOUT
    pointing = [f"coalesce({quoted(c)} IN ({ids}), false)" for c in POINTERS if about and c in columns]
    personal = personal_fields(table, (c for c in columns if c not in required)) if pointing else frozenset()
    shown, changed = [], ["0"]
    for name, kind in columns.items():
        column = quoted(name)
        new = _cell(column, kind, ids, values, pattern, required=name in required)
        if name in personal:
            new = f"CASE WHEN {' OR '.join(pointing)} THEN NULL ELSE {new} END"
        shown.append(f"{new} AS {column}")
        if new != column:
            changed.append(f"({new} IS DISTINCT FROM {column})::INTEGER")
    stays = " AND ".join(f"coalesce({part}, true)" for part in kept) or "true"
    return stays, ", ".join(shown), " + ".join(changed)


def _keys(schema: str, table: str, columns: dict[str, str], subject: Subject) -> list[str]:
    keys = [name for name in columns if name in SUBJECT]
    if schema in ("reference", "standard") and table in subject.entities:
        keys.append(ENTITY_KEY[table])
    return [name for name in keys if name in columns]


def _cell(column: str, kind: str, ids: str, values: str, pattern: str, *, required: bool) -> str:
    """Return SQL of a cell: empty where it is an id or a value of the person, without them where it mentions them."""
    empty = literal(ERASED) if required else "NULL"
    if kind == "VARCHAR[]":
        return f"list_filter({column}, lambda x: x NOT IN ({ids}) AND lower(x) NOT IN ({values}))"
    if kind not in _TEXT:
        return column
    text = f"CASE WHEN {column} IN ({ids}) OR lower({column}) IN ({values}) THEN {empty}"
    if kind == "JSON":
        text = "CASE WHEN false THEN NULL"
    replaced = f"regexp_replace({column}::VARCHAR, '{pattern}', '{ERASED}', 'g')" if pattern else column
    return f"{text} ELSE {replaced}{'::JSON' if kind == 'JSON' else ''} END"


def _take_place(new: Path, path: Path) -> None:
    mode, stamp = path.stat().st_mode & 0o777, path.stat()
    new.chmod(mode)
    # The date of a snapshot is the time of its publishing.
    os.utime(new, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    sync_file(new)
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
    new.replace(path)
    sync_folder(path.parent)
