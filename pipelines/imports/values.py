"""``imports.value`` (where each value came from) and ``imports.change`` (the ordered feed of changes).

Both are brought up to the survivors of this run field by field; the same data again writes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from data_contracts.contracts import literal, quoted
from data_contracts.mapping import Entity, ObjectMapping
from pipelines.imports.feed import advance, close_feed, last_sequence
from pipelines.run import RunContext
from pipelines.succession import departed_records
from pipelines.tables import scalar

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
    scope: str | None,
    *,
    first: bool,
) -> ValueCounts:
    """Bring both tables up to ``import_survivor``, for the entities of ``scope`` (a table of reference_id) or for all.

    The first import of an entity kind is the baseline: the feed of changes starts after it.
    """
    known = con.execute("SELECT DISTINCT field FROM imports.value WHERE entity = ? ORDER BY 1", [kind]).fetchall()
    if not known and first:
        return _baseline(con, kind, mappings, fields, run)
    gone = [field for (field,) in known if field not in fields]
    everything = [*fields, *gone]
    # All entities: a field at a time, to bound the memory. A few: all fields at once, each statement has its price.
    parts = [everything] if scope and everything else [[field] for field in everything]
    written = removed = changes = 0
    for part in parts:
        _delta(con, kind, part, fields, mappings, scope)
        counts = con.execute(
            "SELECT count(*) FILTER (new_value IS NOT NULL AND new_value IS DISTINCT FROM old_value), "
            "count(*) FILTER (new_value IS NULL), count(*) FROM import_delta"
        ).fetchall()[0]
        if counts[2]:
            if not first:
                changes += _feed(con, kind, part, gone, mappings, run)
            _apply(con, kind, run)
        written, removed = written + counts[0], removed + counts[1]
    for table in ("import_delta", "import_withdrawn"):
        con.execute(f"DROP TABLE IF EXISTS {table}")
    close_feed(con, run)
    standing = scalar(con, "SELECT count(*) FROM imports.value WHERE entity = ?", [kind])
    return ValueCounts(standing, written, removed, changes)


_NOTHING = (
    "SELECT NULL::VARCHAR AS field, NULL::VARCHAR AS reference_id, NULL::VARCHAR AS value, NULL::VARCHAR AS object, "
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
            "INSERT INTO imports.value BY NAME SELECT $entity AS entity, *, $run_id AS run_id, "
            f"$at::TIMESTAMP AS changed_at FROM ({_now(field, mappings)})",
            {"entity": kind, **_stamp(run)},
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
        f"SELECT {literal(field)} AS field, reference_id, {quoted(field)}::VARCHAR AS value, "
        f"{origin}.object AS object, {origin}.salesforce_id AS salesforce_id, {source} AS source_field "
        f"FROM import_survivor WHERE {quoted(field)} IS NOT NULL"
    )


def _delta(
    con: duckdb.DuckDBPyConnection,
    kind: Entity,
    part: Sequence[str],
    fields: Sequence[str],
    mappings: Sequence[ObjectMapping],
    scope: str | None,
) -> None:
    """Make ``import_delta``: where the value of a field, or its origin, is another than before."""
    now = " UNION ALL ".join([_now(field, mappings) for field in part if field in fields] or [_NOTHING])
    within = f"AND reference_id IN (SELECT reference_id FROM {scope})" if scope else ""
    query = (_FOLDER / "value_delta.sql").read_text(encoding="utf-8")
    for name, text in {"now": now, "part": ", ".join(map(literal, part)), "within": within}.items():
        query = query.replace("{" + name + "}", text)
    con.execute(query, {"entity": kind})


def _withdrawn(con: duckdb.DuckDBPyConnection, mappings: Sequence[ObjectMapping]) -> None:
    """Make ``import_withdrawn``, if it is not there yet: the records that no longer speak for an entity, and why."""
    parts = ["SELECT NULL::VARCHAR AS object, NULL::VARCHAR AS salesforce_id, NULL::VARCHAR AS cause WHERE FALSE"]
    for mapping in mappings:
        departed = departed_records(con, mapping.object)
        parts.append(
            f"SELECT {literal(mapping.object)} AS object, c.salesforce_id, coalesce(d.departure, 'link') AS cause "
            f"FROM crosswalk.{quoted(mapping.object)} AS c LEFT JOIN ({departed}) AS d USING (salesforce_id) "
            "WHERE c.status <> 'linked'"
        )
    con.execute(f"CREATE TEMP TABLE IF NOT EXISTS import_withdrawn AS {' UNION ALL '.join(parts)}")


def _feed(
    con: duckdb.DuckDBPyConnection,
    kind: Entity,
    part: Sequence[str],
    gone: Sequence[str],
    mappings: Sequence[ObjectMapping],
    run: RunContext,
) -> int:
    """Append the delta to the feed and return how many rows it gained."""
    if scalar(con, "SELECT count(*) FROM import_delta WHERE new_value IS DISTINCT FROM old_value") == 0:
        return 0
    _withdrawn(con, mappings)
    values = {"entity": kind, "fields": list(part), "gone": list(gone), "last": last_sequence(con)} | _stamp(run)
    appended = con.execute((_FOLDER / "change_append.sql").read_text(encoding="utf-8"), values).fetchall()[0][0]
    advance(con, int(appended))
    return int(appended)


def _apply(con: duckdb.DuckDBPyConnection, kind: Entity, run: RunContext) -> None:
    """Write the delta to the standing values."""
    con.execute(
        "DELETE FROM imports.value USING import_delta AS d "
        "WHERE value.entity = $entity AND value.field = d.field AND value.reference_id = d.reference_id",
        {"entity": kind},
    )
    con.execute((_FOLDER / "value_insert.sql").read_text(encoding="utf-8"), {"entity": kind} | _stamp(run))
