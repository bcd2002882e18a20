"""Statistics a link depends on beside its own values, frozen with the model that was trained on them.

Document frequencies, how rare a person's names are, names, numbers and domains that several share, the size of the
reference, the precision of the rungs. They lie beside the model's file as one Parquet file per table. A run that
reuses a model reads them instead of counting anew, so that a link moves only when its own record, its candidates or a
decision do.
"""

import shutil
from pathlib import Path

import duckdb

from data_contracts.errors import ResolutionError

#: Temporary tables that are frozen, where they exist.
TABLES = (
    *("_word", "_rare_last", "_rare_first", "_crowd", "_left_phone", "_right_phone", "_number"),
    *("_rung_precision",),
)


def folder_of(model: Path) -> Path:
    """Return the folder of a model's statistics."""
    return model.with_suffix(".statistics")


def start_counting(con: duckdb.DuckDBPyConnection, model: Path | None) -> bool:
    """Create the tables of ``TABLES`` as they were frozen with ``model``; return whether there are any.

    Without a model, or for one without statistics, no table is created: each is counted where it is needed.
    Raises ResolutionError for a file that cannot be read.
    """
    for name in TABLES:
        con.execute(f"DROP TABLE IF EXISTS temp.{name}").fetchall()
    if model is None or not folder_of(model).is_dir():
        return False
    for file in sorted(folder_of(model).glob("*.parquet")):
        try:
            con.execute(f"CREATE TEMP TABLE {file.stem} AS SELECT * FROM read_parquet($file)", {"file": str(file)})
        except duckdb.Error as error:
            raise ResolutionError(
                f"the statistics {file.name} of the matching model {model.name} cannot be read",
                why=str(error).splitlines()[0],
                next_step="delete the model's file and its folder, then run: crosswalk sync --full",
            ) from error
    return True


def freeze(con: duckdb.DuckDBPyConnection, model: Path) -> Path:
    """Write the statistics beside ``model``, all or nothing; return the folder."""
    folder, partial = folder_of(model), model.with_suffix(".partial-statistics")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name in TABLES:
        if is_counted(con, name):
            con.execute(f"COPY (FROM {name} ORDER BY ALL) TO '{partial / name}.parquet' (FORMAT parquet)").fetchall()
    shutil.rmtree(folder, ignore_errors=True)
    partial.replace(folder)
    return folder


def is_counted(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether a table of ``TABLES`` is there already."""
    return bool(
        con.execute(
            "SELECT 1 FROM duckdb_tables() WHERE temporary AND table_name = $table", {"table": table}
        ).fetchall()
    )


def number(con: duckdb.DuckDBPyConnection, name: str, now: float) -> float:
    """Return the frozen number ``name``; where there is none, ``now``, which is noted to be frozen."""
    con.execute("CREATE TEMP TABLE IF NOT EXISTS _number (name VARCHAR, value DOUBLE)").fetchall()
    found = con.execute("SELECT value FROM _number WHERE name = $name", {"name": name}).fetchall()
    if not found:
        con.execute("INSERT INTO _number VALUES ($name, $value)", {"name": name, "value": now}).fetchall()
    return float(found[0][0]) if found else now
