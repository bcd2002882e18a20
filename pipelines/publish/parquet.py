"""The published tables as Parquet files, one per table, for tools that do not read DuckDB.

They are written from the snapshot, so that they show what it shows, and take the place of the last ones as a whole.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb

from data_contracts.contracts import literal, quoted
from data_contracts.errors import WarehouseError
from resources.files import sync_folder
from resources.home import Home

FOLDER = "parquet"


@dataclass(frozen=True)
class ParquetExport:
    """Where the files lie, how many tables and rows they hold, and the run that published them."""

    path: Path
    tables: int
    rows: int
    run_id: str


def export_parquet(home: Home, target: Path | None = None) -> ParquetExport:
    """Write every published table to ``<target>/<schema>/<table>.parquet``; default is ``published/parquet``.

    The folder is written beside the old one and renamed over it. Raises WarehouseError when nothing is published, the
    folder holds something else, or there is no room.
    """
    target = target or home.published.parent / FOLDER
    if not home.published.is_file():
        raise WarehouseError("nothing is published yet", next_step="run: crosswalk sync --full")
    _refuse_foreign(target)
    draft, old = target.with_name(f"{target.name}.tmp"), target.with_name(f"{target.name}.old")
    for folder in (draft, old):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        tables, rows, run_id = _write(home, draft)
        if target.exists():
            target.rename(old)
        draft.rename(target)
        sync_folder(target.parent)
    except (OSError, duckdb.Error) as error:
        raise WarehouseError(
            f"the Parquet files cannot be written to {target}: {str(error).splitlines()[0]}",
            why="the disk may be full or the folder not writable; the last files stay",
            next_step="free space or permissions, then run: crosswalk export parquet",
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    return ParquetExport(target, tables, rows, run_id)


def _write(home: Home, draft: Path) -> tuple[int, int, str]:
    rows = 0
    with duckdb.connect(str(home.published), read_only=True) as con:
        run_id = str(con.sql("SELECT run_id FROM main._meta").fetchall()[0][0])
        names = con.sql(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE schema_name <> 'main' ORDER BY ALL"
        ).fetchall()
        for schema, table in names:
            folder = draft / schema
            folder.mkdir(parents=True, exist_ok=True)
            file = folder / f"{table}.parquet"
            source = f"{quoted(schema)}.{quoted(table)}"
            written = con.execute(
                f"COPY {source} TO {literal(str(file))} (FORMAT parquet, COMPRESSION zstd)"
            ).fetchall()
            rows += int(written[0][0])
    for path in (draft, *draft.rglob("*")):
        # Analysts' own accounts read them, as they read the snapshot.
        path.chmod(0o755 if path.is_dir() else 0o644)
    return len(names), rows, run_id


def _refuse_foreign(target: Path) -> None:
    foreign = [path for path in target.rglob("*") if path.is_file() and path.suffix != ".parquet"]
    if foreign or target.is_file():
        raise WarehouseError(
            f"{target} holds files that are not Parquet ones",
            why="the whole folder is replaced by every export",
            next_step="name a folder of its own: crosswalk export parquet --to DIR",
        )
