"""Over what a surviving value may go: fill_if_blank, tracked, overwrite, per field and for an address as a whole.

The reference is what is written to, by whoever takes up the imports; what was imported before stands in
``imports.value``. A value that the mode holds back is not imported: the reference keeps its own.
"""

from collections.abc import Iterator, Mapping, Sequence

import duckdb

from data_contracts.contracts import literal, quoted
from data_contracts.mapping import Entity, ObjectMapping, Target
from pipelines.tables import table_columns

#: What a unit's mode makes of it, as a column of the query.
_NOW, _KEEP, _HOLD = "'now'", "'keep'", "'hold'"


def apply_modes(
    con: duckdb.DuckDBPyConnection, kind: Entity, mappings: Sequence[ObjectMapping], targets: Sequence[Target]
) -> None:
    """Bring ``import_survivor`` to what the modes of its targets let through, and make ``import_held``.

    ``import_held`` (reference_id, field) are the values that were held back. A target that the reference has no column
    for is blank until it was imported.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE import_held (reference_id VARCHAR, field VARCHAR)")
    offered = table_columns(con, f"reference.{kind}")
    units = [unit for unit in _units(targets) if _restrains(unit, offered)]
    for number, unit in enumerate(units):
        verdict = quoted(f"_verdict_{number}")
        con.execute(_judged(kind, unit, offered, verdict))
        values = ", ".join(_replaced(target, verdict, mappings) for target in unit)
        lasts = "".join(f" LEFT JOIN {_last(kind, target)} USING (reference_id)" for target in unit)
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE import_survivor AS SELECT s.* EXCLUDE ({verdict}) REPLACE ({values}) "
            f"FROM import_judged AS s{lasts}"
        )
        fields = ", ".join(literal(target.name) for target in unit)
        con.execute(
            f"INSERT INTO import_held SELECT reference_id, unnest([{fields}]) FROM import_judged "
            f"WHERE {verdict} = {_HOLD}"
        )
    con.execute("DROP TABLE IF EXISTS import_judged")


def _units(targets: Sequence[Target]) -> Iterator[list[Target]]:
    """Targets that are judged together: a group, or one."""
    groups: dict[str, list[Target]] = {}
    for target in targets:
        groups.setdefault(target.group or f"={target.name}", []).append(target)
    yield from groups.values()


def _restrains(unit: Sequence[Target], offered: Mapping[str, str]) -> bool:
    known = any(target.name in offered for target in unit)
    return unit[0].mode == "fill_if_blank" or (unit[0].mode == "tracked" and known)


def _judged(kind: Entity, unit: Sequence[Target], offered: Mapping[str, str], verdict: str) -> str:
    """Return the statement that makes ``import_judged``: the survivors with the verdict on one unit."""
    known = [target for target in unit if target.name in offered]
    lasts = "".join(f" LEFT JOIN {_last(kind, target)} USING (reference_id)" for target in unit)
    reference = f" LEFT JOIN reference.{kind} AS r ON r.{kind}_id = s.reference_id" if known else ""
    before = " OR ".join(f"{_alias(target)}.value IS NOT NULL" for target in unit)
    if not known:
        rule = f"CASE WHEN {before} THEN {_KEEP} ELSE {_NOW} END"
    else:
        blank = " AND ".join(f"{_held(target)} IS NULL" for target in known)
        same = " AND ".join(
            f"{_held(target)} IS NOT DISTINCT FROM {_text(f's.{quoted(target.name)}')}" for target in known
        )
        # What was imported may not have been taken up yet: the value before it is ours as well.
        ours = " OR ".join(
            "(" + " AND ".join(f"{_held(t)} IS NOT DISTINCT FROM {_text(f'{_alias(t)}.{column}')}" for t in known) + ")"
            for column in ("value", "previous_value")
        )
        written = f"({before}) AND ({ours})"
        if unit[0].mode == "tracked":
            rule = f"CASE WHEN ({blank}) OR ({same}) OR ({written}) THEN {_NOW} ELSE {_HOLD} END"
        else:
            rule = f"CASE WHEN {blank} THEN {_NOW} WHEN {written} THEN {_KEEP} ELSE {_HOLD} END"
    return (
        f"CREATE OR REPLACE TEMP TABLE import_judged AS SELECT s.*, {rule} AS {verdict} "
        f"FROM import_survivor AS s{lasts}{reference}"
    )


def _alias(target: Target) -> str:
    return quoted(f"last {target.name}")


def _last(kind: Entity, target: Target) -> str:
    """What was imported of a target before, by entity."""
    return (
        "(SELECT reference_id, value, previous_value, object, salesforce_id, source_field FROM imports.value "
        f"WHERE entity = {literal(kind)} AND field = {literal(target.name)}) AS {_alias(target)}"
    )


def _held(target: Target) -> str:
    """What the reference holds, written as an imported value is."""
    return _text(f"TRY_CAST(r.{quoted(target.name)} AS {target.type})")


def _text(value: str) -> str:
    return f"nullif(trim(CAST({value} AS VARCHAR)), '')"


def _replaced(target: Target, verdict: str, mappings: Sequence[ObjectMapping]) -> str:
    """A target's value and its origin under the verdict, as items of REPLACE."""
    value, origin, last = quoted(target.name), quoted(f"{target.name}__from"), _alias(target)
    lists = {
        mapping.object: next((item.sources for item in mapping.targets if item.name == target.name), ())
        for mapping in mappings
    }
    cases = " ".join(
        f"WHEN {literal(name)} THEN list_position([{', '.join(map(literal, sources))}]::VARCHAR[], {last}.source_field)"
        for name, sources in lists.items()
    )
    choice = f"CAST(coalesce(CASE {last}.object {cases} END, 0) AS TINYINT)" if cases else "0::TINYINT"
    kept = f"{{'object': {last}.object, 'salesforce_id': {last}.salesforce_id, 'choice': {choice}}}"
    return (
        f"CASE {verdict} WHEN {_NOW} THEN s.{value} WHEN {_KEEP} THEN TRY_CAST({last}.value AS {target.type}) END "
        f"AS {value}, CASE {verdict} WHEN {_NOW} THEN s.{origin} WHEN {_KEEP} THEN {kept} END AS {origin}"
    )
