"""Decisions that name what the last snapshot does not have: told when they are imported, kept all the same."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.resolve.sides import kind_of
from pipelines.review.published import columns_of
from pipelines.run import OBJECTS

#: Ids that are named; the rest is counted.
SHOWN = 5


def unknown_pairs(con: duckdb.DuckDBPyConnection, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one sentence per object and side with ids that are not in the snapshot."""
    told: list[str] = []
    for name in OBJECTS:
        mine = [row for row in rows if row["object"] == name and row["withdrawn_at"] is None]
        kind = kind_of(name)
        for ids, table, key, what in (
            ({row["salesforce_id"] for row in mine}, f"crosswalk.{name}", "salesforce_id", f"{name} records"),
            ({row["reference_id"] for row in mine}, f"reference.{kind}", f"{kind}_id", f"{kind} entities"),
        ):
            missing = _missing(con, ids, table, key) if ids else []
            if missing:
                more = ", …" if len(missing) > SHOWN else ""
                told.append(f"{len(missing):,} {what} are not in the last snapshot: {', '.join(missing[:SHOWN])}{more}")
    return told


def _missing(con: duckdb.DuckDBPyConnection, ids: set[str], table: str, key: str) -> list[str]:
    if key not in columns_of(con, table):
        return []
    con.register("_named", pa.table({"id": pa.array(sorted(ids), pa.string())}))
    rows = con.execute(f"SELECT id FROM _named ANTI JOIN {table} AS t ON t.{key} = id ORDER BY id").fetchall()
    con.unregister("_named")
    return [row[0] for row in rows]
