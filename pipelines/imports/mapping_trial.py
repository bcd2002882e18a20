"""Testing a mapping: one real record through it, before and after side by side; no table is written.

What passes is noted by ``mapping_gate``. The record is read from the mirror; ``mapping_live`` brings one from the org.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import duckdb

from data_contracts.contracts import literal, quoted
from data_contracts.errors import SettingsError
from data_contracts.mapping import ENTITY, MappedObject, ObjectMapping, Target
from data_contracts.mapping_rules import resolve_mapping
from data_contracts.settings import Settings
from pipelines.imports.expressions import choice_name, record_query
from pipelines.imports.mapping_fields import mirrored_types
from pipelines.imports.mapping_gate import current_hash, fields_read
from pipelines.tables import table_columns

Effect = Literal["same", "new", "changed", "gone", "empty"]


@dataclass(frozen=True)
class TrialRow:
    """One target of the record: the choice that won, what was imported before, what would be now, what is known.

    ``reference`` is what the linked entity holds; ``kept`` says that the mode would leave it there.
    """

    target: str
    choices: str
    won: str | None
    before: str | None
    after: str | None
    effect: Effect
    reference: str | None
    mode: str
    kept: bool


@dataclass(frozen=True)
class MappingTrial:
    """What came of testing a mapping on one record; with ``problems`` it has not passed."""

    object: MappedObject
    mapping_hash: str
    salesforce_id: str | None
    rows: tuple[TrialRow, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    fields: Mapping[str, str]

    @property
    def passed(self) -> bool:
        """Whether the mapping may be used."""
        return not self.problems


def try_mapping(
    con: duckdb.DuckDBPyConnection, object_name: MappedObject, settings: Settings, record_id: str | None = None
) -> MappingTrial:
    """Return one record through the mapping of the settings; without ``record_id`` the one that fills most of it.

    Needs ``salesforce.<object>``; ``imports.*``, ``crosswalk.*`` and ``reference.*`` are looked at where they are.
    """
    digest, types = current_hash(settings, object_name), mirrored_types(con, object_name)
    try:
        mapping = resolve_mapping(settings, object_name, types)
    except SettingsError as error:
        told = "; ".join(filter(None, [error.what, error.why, error.next_step]))
        return MappingTrial(object_name, digest, None, (), (told,), (), {})
    found = _record(con, mapping, record_id)
    if found is None:
        told = f"the mirror has no live {object_name} {record_id}" if record_id else f"the mirror has no {object_name}"
        return MappingTrial(object_name, digest, None, (), (told,), mapping.notes, {})
    rows = _rows(con, mapping, found)
    problems = _problems(mapping, found)
    return MappingTrial(
        object_name, digest, found["salesforce_id"], rows, problems, mapping.notes, fields_read(mapping, types)
    )


def _record(con: duckdb.DuckDBPyConnection, mapping: ObjectMapping, record_id: str | None) -> dict[str, Any] | None:
    """Return the record's values and choices under the mapping, by name."""
    table = f"salesforce.{quoted(mapping.object)}"
    columns = table_columns(con, f"salesforce.{mapping.object}")
    if record_id:
        # An Id has 15 characters, and three more that only check them.
        chosen = f"SELECT Id FROM {table} WHERE NOT _is_deleted AND left(Id, 15) = left({literal(record_id)}, 15)"
    else:
        sources = sorted({name for target in mapping.targets for name in target.sources if name in columns})
        filled = " + ".join(f"({quoted(name)} IS NOT NULL)::INTEGER" for name in sources) or "0"
        chosen = f"SELECT Id FROM {table} WHERE NOT _is_deleted ORDER BY {filled} DESC, Id LIMIT 1"
    ids = con.execute(chosen).fetchall()
    if not ids:
        return None
    query = f"SELECT * FROM ({record_query(mapping, columns)}) WHERE salesforce_id = ?"
    answer = con.execute(query, [ids[0][0]])
    names = [item[0] for item in answer.description or ()]
    return dict(zip(names, answer.fetchall()[0], strict=True))


def _rows(con: duckdb.DuckDBPyConnection, mapping: ObjectMapping, record: Mapping[str, Any]) -> tuple[TrialRow, ...]:
    salesforce_id = record["salesforce_id"]
    before = _one(con, f"imports.{mapping.object}", "salesforce_id", salesforce_id)
    link = _one(con, f"crosswalk.{mapping.object}", "salesforce_id", salesforce_id)
    entity = ENTITY[mapping.object]
    linked = link.get("reference_id") if link.get("status") == "linked" else None
    known = _one(con, f"reference.{entity}", f"{entity}_id", linked) if linked else {}
    return tuple(_row(target, record, before, known) for target in mapping.targets)


def _one(con: duckdb.DuckDBPyConnection, table: str, key: str, value: object) -> dict[str, Any]:
    if key not in table_columns(con, table):
        return {}
    schema, _, name = table.partition(".")
    answer = con.execute(f"SELECT * FROM {quoted(schema)}.{quoted(name)} WHERE {quoted(key)} = ?", [value])
    names = [item[0] for item in answer.description or ()]
    rows = answer.fetchall()
    return dict(zip(names, rows[0], strict=True)) if rows else {}


def _row(target: Target, record: Mapping[str, Any], before: Mapping[str, Any], known: Mapping[str, Any]) -> TrialRow:
    choice = record[choice_name(target)]
    won = None if choice is None else f"{choice} {target.sources[choice - 1]}" if choice else "static"
    old, new, held = (_text(values.get(target.name)) for values in (before, record, known))
    kept = target.mode == "fill_if_blank" and held is not None
    return TrialRow(target.name, target.choices, won, old, new, _effect(old, new), held, target.mode, kept)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _effect(old: str | None, new: str | None) -> Effect:
    if old == new:
        return "same" if new is not None else "empty"
    if old is None:
        return "new"
    return "gone" if new is None else "changed"


def _problems(mapping: ObjectMapping, record: Mapping[str, Any]) -> tuple[str, ...]:
    """Say what this record cannot bring through the mapping; no value is quoted."""
    found = []
    for target in mapping.targets:
        choice, value = record[choice_name(target)], record[target.name]
        if choice is not None and value is None and (target.type != "VARCHAR" or target.transform != "none"):
            source = target.sources[choice - 1] if choice else "the static value"
            # Another part of a group may have had the value that decided for this choice.
            if target.group is None:
                found.append(f"{target.name}: {_lost(target)} of what {source} holds in this record")
        if target.required and value is None:
            found.append(
                f"{target.name} is required and empty in this record, which would be left out; test one that has it: "
                f"crosswalk mapping test {mapping.object} ID"
            )
    if mapping.targets and all(record[target.name] is None for target in mapping.targets):
        found.append("nothing of this record comes through the mapping; test another one")
    return tuple(found)


def _lost(target: Target) -> str:
    if target.transform != "none":
        return f"the transform {target.transform} leaves nothing"
    return f"nothing fits the type {target.type}"
