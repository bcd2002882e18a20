"""``imports.value`` (where each value came from) and ``imports.change`` (the ordered feed of changes).

Both are brought up to the survivors of this run field by field; the same data again writes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from data_contracts.contracts import literal, load_contract, quoted
from data_contracts.mapping import Entity, ObjectMapping
from pipelines.run import RunContext
from pipelines.succession import departed_records
from pipelines.tables import ensure_table, scalar

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class ValueCounts:
    """Values that stand now, and those this run brought, changed or took away; ``changes`` is what the feed gained."""

    standing: int
    written: int
    removed: int
    changes: int


def merge_values(
    con: duckdb.DuckDBPyConnection,
    kind: Entity,
    mappings: Sequence[ObjectMapping],
    fields: Sequence[str],
    run: RunContext,
) -> ValueCounts:
    """Bring both tables up to ``import_survivor``.

    The first import of an entity kind is the baseline: the feed of changes starts after it.
    """
    for name in ("imports.value", "imports.change"):
        ensure_table(con, load_contract(name))
    known = con.execute("SELECT DISTINCT field FROM imports.value WHERE entity = ? ORDER BY 1", [kind]).fetchall()
    if not known:
        return _baseline(con, kind, mappings, fields, run)
    gone = [field for (field,) in known if field not in fields]
    written = removed = changes = 0
    _withdrawn(con, mappings)
    for field in (*fields, *gone):
        _delta(con, kind, field, _now(field, mappings) if field in fields else _NOTHING)
        counts = con.execute(
            "SELECT count(*) FILTER (new_value IS NOT NULL AND new_value IS DISTINCT FROM old_value), "
            "count(*) FILTER (new_value IS NULL), count(*) FROM import_delta"
        ).fetchall()[0]
        if counts[2]:
            changes += _apply(con, kind, field, run, retired=field in gone)
        written, removed = written + counts[0], removed + counts[1]
    for table in ("import_delta", "import_withdrawn"):
        con.execute(f"DROP TABLE IF EXISTS {table}")
    standing = scalar(con, "SELECT count(*) FROM imports.value WHERE entity = ?", [kind])
    return ValueCounts(standing, written, removed, changes)


_NOTHING = (
    "SELECT NULL::VARCHAR AS reference_id, NULL::VARCHAR AS value, NULL::VARCHAR AS object, "
    "NULL::VARCHAR AS salesforce_id, NULL::VARCHAR AS source_field WHERE FALSE"
)


def _baseline(
    con: duckdb.DuckDBPyConnection,
    kind: Entity,
    mappings: Sequence[ObjectMapping],
    fields: Sequence[str],
    run: RunContext,
) -> ValueCounts:
    """Write the first import of an entity kind."""
    for field in fields:
        con.execute(
            "INSERT INTO imports.value BY NAME SELECT $entity AS entity, $field AS field, *, $run_id AS run_id, "
            f"$at::TIMESTAMP AS changed_at FROM ({_now(field, mappings)})",
            {"entity": kind, "field": field, **_stamp(run)},
        )
    standing = scalar(con, "SELECT count(*) FROM imports.value WHERE entity = ?", [kind])
    return ValueCounts(standing, standing, 0, 0)


def _stamp(run: RunContext) -> dict[str, object]:
    return {"run_id": run.run_id, "at": run.started_at.replace(tzinfo=None)}


def _now(field: str, mappings: Sequence[ObjectMapping]) -> str:
    """The query of what a field is now: value as text, record and source field it came from."""
    origin = quoted(f"{field}__from")
    cases = " ".join(
        f"WHEN {literal(mapping.object)} THEN [{', '.join(map(literal, target.sources))}][{origin}.choice]"
        for mapping in mappings
        for target in mapping.targets
        if target.name == field and target.sources
    )
    source = f"CASE {origin}.object {cases} END" if cases else "NULL::VARCHAR"
    return (
        f"SELECT reference_id, {quoted(field)}::VARCHAR AS value, {origin}.object AS object, "
        f"{origin}.salesforce_id AS salesforce_id, {source} AS source_field "
        f"FROM import_survivor WHERE {quoted(field)} IS NOT NULL"
    )


def _delta(con: duckdb.DuckDBPyConnection, kind: Entity, field: str, now: str) -> None:
    """Make ``import_delta``: the entities whose value of the field, or its origin, is another than before."""
    query = (_FOLDER / "value_delta.sql").read_text(encoding="utf-8")
    con.execute(f"CREATE OR REPLACE TEMP TABLE import_now AS {now}")
    con.execute(query, {"entity": kind, "field": field})
    con.execute("DROP TABLE import_now")


def _withdrawn(con: duckdb.DuckDBPyConnection, mappings: Sequence[ObjectMapping]) -> None:
    """Make ``import_withdrawn``: the records that no longer speak for an entity, and why."""
    parts = ["SELECT NULL::VARCHAR AS object, NULL::VARCHAR AS salesforce_id, NULL::VARCHAR AS cause WHERE FALSE"]
    for mapping in mappings:
        departed = departed_records(con, mapping.object)
        parts.append(
            f"SELECT {literal(mapping.object)} AS object, c.salesforce_id, coalesce(d.departure, 'link') AS cause "
            f"FROM crosswalk.{quoted(mapping.object)} AS c LEFT JOIN ({departed}) AS d USING (salesforce_id) "
            "WHERE c.status <> 'linked'"
        )
    con.execute(f"CREATE OR REPLACE TEMP TABLE import_withdrawn AS {' UNION ALL '.join(parts)}")


def _apply(con: duckdb.DuckDBPyConnection, kind: Entity, field: str, run: RunContext, *, retired: bool) -> int:
    """Write one field's delta to the feed and to the standing values; return how many changes the feed gained."""
    key = {"entity": kind, "field": field}
    before = scalar(con, "SELECT count(*) FROM imports.change")
    con.execute((_FOLDER / "change_append.sql").read_text(encoding="utf-8"), key | _stamp(run) | {"retired": retired})
    con.execute(
        "DELETE FROM imports.value USING import_delta AS d "
        "WHERE value.entity = $entity AND value.field = $field AND value.reference_id = d.reference_id",
        key,
    )
    con.execute((_FOLDER / "value_insert.sql").read_text(encoding="utf-8"), key | _stamp(run))
    return scalar(con, "SELECT count(*) FROM imports.change") - before
