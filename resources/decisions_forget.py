"""Forgetting a record in the decisions store: its judgements with their evidence, its proposals, its name in the audit.

Who did what and when stays in the audit, without the record it was about. Which records are one person is
``pipelines.forget_subject``.
"""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from resources.decisions import DecisionStore
from resources.decisions_schema import AUDIT, BULK, CREATION, DECISION, METADATA, USER_MAPPING

ERASED = "[erased]"


def kept_texts(store: DecisionStore, ids: Collection[str]) -> list[str]:
    """Return the JSON documents kept with decisions and proposals about these records or entities."""
    found: list[str] = []
    queries = (
        sa.select(DECISION.c.evidence_record).where(DECISION.c.salesforce_id.in_(list(ids))),
        sa.select(DECISION.c.evidence_entity).where(DECISION.c.reference_id.in_(list(ids))),
        sa.select(CREATION.c.values_json).where(
            CREATION.c.salesforce_id.in_(list(ids)) | CREATION.c.reference_id.in_(list(ids))
        ),
    )
    with store.begin() as connection:
        for query in queries:
            found += [text for text in connection.execute(query).scalars() if text]
    return found


def forget_decisions(
    store: DecisionStore, ids: Collection[str], entities: Collection[str], pattern: str
) -> dict[str, int]:
    """Erase what the store holds of records and entities; return rows by table.

    ``pattern`` is a regular expression of values that only this person has: elsewhere they are replaced. The space of
    what was erased is written over (SQLite) or given back (PostgreSQL).
    """
    gone: dict[str, int] = {}
    listed, made = list(ids), list(entities)
    with store.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        for table in METADATA.sorted_tables:
            # The audit stays without the record; the users of a CRM are not whom somebody asks to forget.
            if table in (AUDIT, USER_MAPPING) or "salesforce_id" not in table.c:
                continue
            about = [table.c.salesforce_id.in_(listed)]
            about += [table.c.reference_id.in_(made)] if "reference_id" in table.c else []
            gone[table.name] = connection.execute(sa.delete(table).where(sa.or_(*about))).rowcount
        mine = AUDIT.c.salesforce_id.in_(listed) | AUDIT.c.reference_id.in_(made)
        nameless = {"salesforce_id": None, "reference_id": None, "detail": None}
        gone[AUDIT.name] = connection.execute(sa.update(AUDIT).where(mine).values(nameless)).rowcount
        gone[BULK.name] = _forget_samples(connection, {*listed, *made})
        gone["texts"] = _replace_texts(connection, re.compile(pattern)) if pattern else 0
    store.reclaim()
    return {name: count for name, count in gone.items() if count}


def _forget_samples(connection: sa.Connection, ids: set[str]) -> int:
    changed = 0
    for key, text in connection.execute(sa.select(BULK.c.id, BULK.c.sample_json)).all():
        pairs = json.loads(text)
        kept = [pair for pair in pairs if not ids & set(pair)]
        if len(kept) < len(pairs):
            values = {"sample_json": json.dumps(kept)}
            connection.execute(sa.update(BULK).where(BULK.c.id == key).values(values))
            changed += 1
    return changed


def _replace_texts(connection: sa.Connection, pattern: re.Pattern[str]) -> int:
    """Replace the person's values in every text of the store; one row at a time, for they are few."""
    changed = 0
    for table in METADATA.sorted_tables:
        texts = [column for column in table.c if isinstance(column.type, sa.String | sa.Text)]
        keys = list(table.primary_key)
        if not texts or not keys:
            continue
        for row in connection.execute(sa.select(*keys, *(text for text in texts if text not in keys))).mappings().all():
            new = _without(row, [text.name for text in texts if text not in keys], pattern)
            if new:
                where = [key == row[key.name] for key in keys]
                connection.execute(sa.update(table).where(*where).values(new))
                changed += 1
    return changed


def _without(row: Mapping[Any, Any], names: list[str], pattern: re.Pattern[str]) -> dict[str, str]:
    new = {name: pattern.sub(ERASED, row[name]) for name in names if row[name]}
    return {name: text for name, text in new.items() if text != row[name]}
