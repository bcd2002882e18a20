"""The reference's keys as an earlier run kept them, for a run that looks at every record against the same reference.

Making the keys of a whole reference costs more than finding the candidates of all records with them. They depend on
its rows, on the statistics frozen with the model, on the rungs and on this folder's code: a run after other thresholds
or a cleared crosswalk reads them. What a small change needs of them is ``incremental.py``.
"""

import hashlib
from pathlib import Path

import duckdb

from pipelines.resolve.rungs import Rung
from pipelines.resolve.scripts import code_version, run_script
from pipelines.resolve.sides import Object
from pipelines.tables import table_columns

_INDEX = "_state.kept_reference"
_PARTS = ("entity", "entity_key", "entity_rung")


def reference_signature(model: Path | None, rungs: tuple[Rung, ...]) -> str:
    """Return what the kept keys must have been made with: the model and its statistics, the rungs and the code."""
    parts = [model.name if model else "", *(rung.code for rung in rungs), code_version()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def reference_is_kept(con: duckdb.DuckDBPyConnection, name: Object, signature: str) -> bool:
    """Whether the kept keys are those of exactly the entities of ``_every_right``."""
    if not all(table_columns(con, table) for table in (_INDEX, *_tables(name))):
        return False
    kept = con.execute(f"FROM {_INDEX} WHERE object = $object", {"object": name}).fetchall()
    return kept == [(name, signature, _mark(con, "_marked_right"), *_counts(con, name))]


def read_reference(con: duckdb.DuckDBPyConnection, name: Object) -> None:
    """Create ``_right_key`` and ``_right_rung_key`` as they were kept; no row is copied."""
    for table, kept in (("_right_key", "h, kind, n FROM {}_key"), ("_right_rung_key", "step, h, n FROM {}_rung")):
        con.execute(f"DROP TABLE IF EXISTS {table}")
        con.execute(f"CREATE TEMP VIEW {table} AS SELECT {kept.format(_tables(name)[0])}")


def keep_reference(con: duckdb.DuckDBPyConnection, name: Object, signature: str, script: str | None) -> None:
    """Note that the kept keys are those of the reference as it is, after ``script`` has written them.

    ``keep_reference.sql`` writes all of them; none where they were read, or brought up to date already.
    """
    con.execute(
        f"CREATE TABLE IF NOT EXISTS {_INDEX} "
        "(object VARCHAR, signature VARCHAR, mark UBIGINT, entities BIGINT, keys BIGINT, rung_keys BIGINT)"
    )
    if script:
        run_script(con, script, replace={"object": name})
    con.execute(f"DELETE FROM {_INDEX} WHERE object = $object", {"object": name})
    values = [name, signature, _mark(con, "_marked_right"), *_counts(con, name)]
    con.execute(f"INSERT INTO {_INDEX} VALUES (?, ?, ?, ?, ?, ?)", values)


def _tables(name: Object) -> tuple[str, ...]:
    return tuple(f"_state.{name}_kept_{part}" for part in _PARTS)


def _counts(con: duckdb.DuckDBPyConnection, name: Object) -> tuple[int, ...]:
    return tuple(con.sql(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in _tables(name))


def _mark(con: duckdb.DuckDBPyConnection, rows: str) -> int | None:
    # Hashed twice: the hash of two values is linear in them, and rows that exchange their ids would look the same.
    found: int | None = con.sql(f"SELECT bit_xor(hash(hash(id, mark))) FROM {rows}").fetchall()[0][0]
    return found
