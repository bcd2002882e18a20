"""Which of several records of one entity speaks first for a target: the settings' ``imports.survivorship`` as SQL.

Which record is the primary one is ``primary``; what the first one leaves blank is filled in ``entities``.
"""

import logging
from collections.abc import Sequence

import duckdb

from data_contracts.contracts import literal, quoted
from data_contracts.errors import SettingsError
from data_contracts.mapping import ENTITY, ObjectMapping, Target, default_targets
from data_contracts.settings import Settings, SurvivorRule
from data_contracts.settings_words import nearest
from pipelines.imports.primary import primary_order
from pipelines.tables import table_columns

_LOG = logging.getLogger(__name__)
#: Sort columns of each rule, as ``speaker_keys`` gives them; the smallest comes first.
_KEYS: dict[SurvivorRule, str] = {
    "most_recent": "changed_last",
    "most_complete": "filled",
    "trusted_owner": "trust",
}

Orders = dict[str, tuple[SurvivorRule, ...]]


def orders(settings: Settings, targets: Sequence[Target]) -> Orders:
    """Return target → the rules by which its speaker is chosen.

    Raises SettingsError for an order of what no object maps, or of a target that moves with its group.
    """
    chosen = settings.imports.survivorship
    groups = _known(settings)
    for name in chosen.targets:
        words = {group or target for target, group in groups.items()}
        if name in words:
            continue
        group, guess = groups.get(name), nearest(name, sorted(words))
        raise SettingsError(
            f"{settings.where('imports', 'survivorship', 'targets', name)}: "
            + (f"{name} moves with its group" if group else f"no target {name!r} is mapped"),
            why="a street of one record beside the city of another would be a false address"
            if group
            else f"there are {', '.join(sorted(words))}",
            next_step=f"write {group or guess or 'one of them'} instead, then run: crosswalk settings check",
        )
    return {target.name: chosen.targets.get(target.group or target.name, chosen.order) for target in targets}


def _known(settings: Settings) -> dict[str, str | None]:
    """Return every target that some object may map, and its group."""
    found: dict[str, str | None] = {}
    for name in ENTITY:
        found |= {target.name: target.group for target in default_targets(name)}
        found |= {target: found.get(target) for target in settings.imports.mapping.get(name, {})}
    return found


def speaking_order(settings: Settings, rules: Sequence[SurvivorRule]) -> str:
    """Return the ORDER BY list over ``speaker_keys`` and ``primary_keys``; the lowest Id decides what is left."""
    keys: list[str] = []
    for rule in rules:
        if rule == "primary":
            break
        keys.append(_KEYS[rule])
    # Contacts are presented before leads of the same person.
    return ", ".join([*dict.fromkeys(keys), "turn", primary_order(settings)])


def speaker_keys(
    con: duckdb.DuckDBPyConnection, mapping: ObjectMapping, trusted: Sequence[str], record: str, source: str
) -> str:
    """Return the select list of the sort columns over aliases ``record`` (mapped) and ``source`` (of Salesforce)."""
    columns = table_columns(con, f"salesforce.{mapping.object}")
    changed = next((field for field in ("LastModifiedDate", "SystemModstamp") if field in columns), None)
    recent = f"coalesce(-epoch({source}.{quoted(changed)}), 'infinity'::DOUBLE)" if changed else "0::DOUBLE"
    filled = " + ".join(f"({record}.{quoted(target.name)} IS NOT NULL)::INTEGER" for target in mapping.targets)
    owners = "[" + ", ".join(map(literal, trusted)) + "]::VARCHAR[]"
    trust = f"coalesce(list_position({owners}, {source}.OwnerId), {len(trusted) + 1})" if "OwnerId" in columns else "1"
    return f"{recent} AS changed_last, -({filled or 0})::INTEGER AS filled, {trust}::INTEGER AS trust"


def trusted_owner_ids(con: duckdb.DuckDBPyConnection, settings: Settings) -> tuple[str, ...]:
    """Return the user Ids of ``trusted_owners``, the most trusted first; a name nobody has is logged, without it."""
    found: list[str] = []
    columns = table_columns(con, "salesforce.user")
    named = [f"lower({quoted(field)}) = lower($name)" for field in ("Username", "Email") if field in columns]
    for place, name in enumerate(settings.imports.survivorship.trusted_owners, start=1):
        ids: list[str] = []
        if "Id" in columns:
            query = f'SELECT "Id" FROM salesforce."user" WHERE {" OR ".join([*named, _IS_ID])} ORDER BY 1'
            ids = [user for (user,) in con.execute(query, {"name": name}).fetchall()]
        if not ids:
            _LOG.warning("imports.survivorship.trusted_owners: entry %d is no user of the org", place)
        found += [user for user in ids if user not in found]
    return tuple(found)


_IS_ID = 'left("Id", 15) = left($name, 15) AND length($name) IN (15, 18)'
