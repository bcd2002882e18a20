"""The order of an entity's records, and the values that survive of them, as temporary tables.

Which rule makes which order is ``survivorship``; what is done with the survivors is ``entities`` and ``values``.
"""

from collections.abc import Sequence

import duckdb

from data_contracts.contracts import literal, quoted
from data_contracts.mapping import ObjectMapping, Target
from data_contracts.settings import Settings, SurvivorRule
from pipelines.imports.expressions import choice_name, missing_required
from pipelines.imports.primary import log_primary_order, primary_keys
from pipelines.imports.records import source_view
from pipelines.imports.survivorship import Orders, speaker_keys, speaking_order


def rank_records(
    con: duckdb.DuckDBPyConnection,
    mappings: Sequence[ObjectMapping],
    settings: Settings,
    rules: Orders,
    trusted: Sequence[str],
    scope: str | None,
) -> None:
    """Make ``import_rank``: linked, live, complete records with their place in each order of their entity.

    ``scope`` is a table of the entities that are asked for, None for all. The places are ``_place_1`` and so on, in the
    order of ``places``.
    """
    # Names of our own begin with an underscore, which no target does.
    parts = [_NOBODY]
    for turn, mapping in enumerate(mappings):
        log_primary_order(settings, mapping.object)
        view = source_view(con, mapping, _records(con, mapping, scope))
        keys, join = "", ""
        if any(rule != "primary" for order in places(rules) for rule in order):
            keys = f", {speaker_keys(con, mapping, trusted, 'v', 's')}"
            join = f"JOIN salesforce.{quoted(mapping.object)} AS s ON s.Id = v.salesforce_id\n"
        parts.append(
            f"SELECT c.reference_id, {literal(mapping.object)} AS _object, {turn} AS turn, k.*{keys}\n"
            f"FROM {view} AS v JOIN crosswalk.{quoted(mapping.object)} AS c USING (salesforce_id)\n"
            f"JOIN ({primary_keys(con, mapping.object)}) AS k USING (salesforce_id)\n{join}"
            f"WHERE c.status = 'linked' AND NOT ({missing_required(mapping, 'v')})"
        )
    found = "".join(
        f", row_number() OVER (PARTITION BY reference_id ORDER BY {speaking_order(settings, order)}) AS {place}"
        for order, place in places(rules).items()
    )
    con.execute(f"""
CREATE OR REPLACE TEMP TABLE import_rank AS
SELECT reference_id, _object, salesforce_id, count(*) OVER (PARTITION BY reference_id) AS source_count{found}
FROM ({" UNION ALL BY NAME ".join(parts)})""")


_NOBODY = (
    "SELECT NULL::VARCHAR AS reference_id, NULL::VARCHAR AS _object, 0 AS turn, NULL::VARCHAR AS salesforce_id, "
    "0::DOUBLE AS open_opportunities, 0::DOUBLE AS most_recent_activity, 0::DOUBLE AS most_recent_change, "
    "0::DOUBLE AS oldest, 0::DOUBLE AS changed_last, 0::INTEGER AS filled, 0::INTEGER AS trust WHERE FALSE"
)


def places(rules: Orders) -> dict[tuple[SurvivorRule, ...], str]:
    """Return the column of ``import_rank`` of every order that is in use."""
    return {order: f"_place_{number}" for number, order in enumerate(dict.fromkeys(rules.values()), start=1)}


def _records(con: duckdb.DuckDBPyConnection, mapping: ObjectMapping, scope: str | None) -> str | None:
    """Make the table of the records that are linked to the entities of ``scope``, and return its name."""
    if scope is None:
        return None
    name = f"import_linked_{mapping.object}"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT salesforce_id FROM crosswalk.{quoted(mapping.object)} "
        f"WHERE status = 'linked' AND reference_id IN (SELECT reference_id FROM {scope})"
    )
    return name


def stage_survivors(
    con: duckdb.DuckDBPyConnection, mappings: Sequence[ObjectMapping], targets: Sequence[Target], rules: Orders
) -> None:
    """Make ``import_survivor``: per entity each target's value and, as ``<target>__from``, where it came from.

    And ``import_staged``, the same without the origins. Most entities stand on one record; only the others are
    aggregated.
    """
    columns = [(target, quoted(target.name), quoted(f"{target.name}__from")) for target in targets]
    one = [f"{value}, {_origin(target)} AS {origin}" for target, value, origin in columns]
    many: list[str] = []
    for target, value, origin in columns:
        pair = f"{{'v': {value}, 'f': {_origin(target)}}}"
        place = places(rules)[rules[target.name]]
        kept = f"(arg_min({pair}, {place}) FILTER ({_speaks(target, targets)}))"
        many += [f"{kept}.v AS {value}", f"{kept}.f AS {origin}"]
    records = " UNION ALL BY NAME ".join(
        f"SELECT r.* EXCLUDE (salesforce_id), v.* FROM import_rank AS r "
        f"JOIN import_source_{mapping.object} AS v USING (salesforce_id) WHERE r._object = {literal(mapping.object)}"
        for mapping in mappings
    )
    if not mappings:
        records = "SELECT * FROM import_rank"
    con.execute(f"""
CREATE OR REPLACE TEMP TABLE import_survivor AS
WITH record AS ({records})
SELECT reference_id, source_count{_listed(one)} FROM record WHERE source_count = 1
UNION ALL BY NAME
SELECT reference_id, source_count{_listed(many)} FROM record WHERE source_count > 1 GROUP BY reference_id, source_count
""")
    names = "".join(f", {value}" for _, value, _ in columns)
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW import_staged AS SELECT reference_id, source_count{names} FROM import_survivor"
    )


def _listed(items: Sequence[str]) -> str:
    return "".join(f",\n  {item}" for item in items)


def _origin(target: Target) -> str:
    choice = quoted(choice_name(target))
    return f"{{'object': _object, 'salesforce_id': salesforce_id, 'choice': {choice}}}"


def _speaks(target: Target, targets: Sequence[Target]) -> str:
    """When a record has its say on a target: it has a value, or its group has any."""
    together = [item for item in targets if target.group and item.group == target.group] or [target]
    return " OR ".join(f"{quoted(item.name)} IS NOT NULL" for item in together)
