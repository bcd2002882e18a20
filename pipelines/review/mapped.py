"""The mapped fields of an entity before and after a record would be linked to it, as the imports would have them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import duckdb

from data_contracts.contracts import literal, quoted
from data_contracts.mapping import Entity, Target
from data_contracts.settings import Settings
from pipelines.imports.entities import SPEAKERS
from pipelines.imports.primary import primary_keys, primary_order
from pipelines.imports.records import object_mapping
from pipelines.imports.survivorship import orders, speaker_keys, speaking_order, trusted_owner_ids
from pipelines.resolve.sides import kind_of
from pipelines.review.published import KEYS, columns_of, row_of, rows_of
from pipelines.review.rows import MappedField, PairKey

#: Records of one entity that are looked at; the primary ones come first.
MOST = 50


def mapped_fields(con: duckdb.DuckDBPyConnection, key: PairKey, settings: Settings) -> tuple[MappedField, ...]:
    """Return every mapped field: what the reference holds, what the imports hold now, and were the pair accepted.

    The record that the survivorship names speaks first, the next ones fill its blanks, a group moves as a whole.
    """
    kind = kind_of(key.object)
    if not columns_of(con, f"imports.{key.object}") or not columns_of(con, f"salesforce.{key.object}"):
        return ()
    targets = object_mapping(con, key.object, settings).targets
    reference = row_of(con, f"reference.{kind}", KEYS[kind], key.reference_id)
    before = row_of(con, f"imports.{kind}", "reference_id", key.reference_id)
    after = _surviving(targets, _speakers(con, kind, key, settings), settings)
    return tuple(
        MappedField(t.name, t.description, reference.get(t.name), before.get(t.name), *after[t.name]) for t in targets
    )


def _speakers(con: duckdb.DuckDBPyConnection, kind: Entity, key: PairKey, settings: Settings) -> list[dict[str, Any]]:
    """Return the mapped rows of the entity's records, the one of ``key`` among them, with the keys of their order."""
    found: list[dict[str, Any]] = []
    trusted = trusted_owner_ids(con, settings)
    for turn, name in enumerate(SPEAKERS[kind]):
        if not columns_of(con, f"imports.{name}") or not columns_of(con, f"salesforce.{name}"):
            continue
        mine = f"OR i.salesforce_id = {literal(key.salesforce_id)}" if name == key.object else ""
        rows = f"SELECT * FROM imports.{quoted(name)} AS i WHERE i.reference_id = {literal(key.reference_id)} {mine}"
        mapping, there = object_mapping(con, name, settings), columns_of(con, f"imports.{name}")
        # What the snapshot's run did not map counts for no record.
        mapping = replace(mapping, targets=type(mapping.targets)(t for t in mapping.targets if t.name in there))
        keys = speaker_keys(con, mapping, trusted, "i", "s")
        primary = f"SELECT * FROM ({primary_keys(con, name)}) WHERE salesforce_id IN (SELECT salesforce_id FROM found)"
        source = f"salesforce.{quoted(name)} AS s ON s.Id = i.salesforce_id"
        found += rows_of(
            con,
            f"WITH found AS ({rows}), k AS (SELECT {turn} AS turn, p.*, {keys} FROM found AS i "
            f"JOIN ({primary}) AS p USING (salesforce_id) JOIN {source}) "
            f"SELECT found.*, k AS {_KEYS} FROM found JOIN k USING (salesforce_id) "
            f"ORDER BY {primary_order(settings, 'k')} LIMIT {MOST}",
        )
    return found


#: Where a row holds what its place in an order comes from; no target begins with an underscore.
_KEYS = "_keys"


def _surviving(
    targets: Sequence[Target], speakers: Sequence[dict[str, Any]], settings: Settings
) -> dict[str, tuple[Any, str | None]]:
    """Return target → its surviving value and the record it comes from."""
    found: dict[str, tuple[Any, str | None]] = {}
    rules = orders(settings, targets)
    for target in targets:
        columns = speaking_order(settings, rules[target.name]).split(", ")
        together = [t.name for t in targets if target.group and t.group == target.group] or [target.name]
        heard = [row for row in speakers if any(row.get(name) is not None for name in together)]
        first = min(heard, key=lambda row: [row[_KEYS][column] for column in columns], default=None)
        found[target.name] = (first.get(target.name), first["salesforce_id"]) if first else (None, None)
    return found
