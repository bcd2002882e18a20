"""Importing again what somebody asked for: one record, one object or everything, whether it changed or not.

A wish is kept in the decisions store until a run has done it. That run reads the record from Salesforce, or the object
in full, and imports it anew; what turns out to be the same is written nowhere.
"""

from collections.abc import Collection, Sequence
from typing import cast

import duckdb

from data_contracts.errors import SettingsError
from data_contracts.mapping import MappedObject
from pipelines.imports.kept import prepare_state
from pipelines.run import OBJECTS, RunContext
from resources.decisions import DecisionStore
from resources.decisions_reimports import ask_reimports, serve_reimports, waiting_reimports

#: Above so many records of an object it is read in full: a query has a longest length.
MOST_RECORDS = 200
#: How a user says all of the mapped objects.
EVERYTHING = "everything"

_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_TABLE = """
CREATE TABLE IF NOT EXISTS _state.reimport (
    run_id VARCHAR NOT NULL, wish BIGINT NOT NULL, object VARCHAR NOT NULL, salesforce_id VARCHAR
)"""


def full_id(text: str) -> str:
    """Return a Salesforce Id with its 18 characters; raises SettingsError for what is no Id."""
    record = text.strip()
    if not (record.isascii() and record.isalnum() and len(record) in (15, 18)):
        raise SettingsError(
            f"{text!r} is no Salesforce Id",
            why="an Id has 15 or 18 letters and digits",
            next_step="copy it from the record's address in Salesforce",
        )
    if len(record) == 18:
        return record
    parts = [record[start : start + 5] for start in (0, 5, 10)]
    return record + "".join(
        _DIGITS[sum(character.isupper() << place for place, character in enumerate(part))] for part in parts
    )


def ask_again(store: DecisionStore, target: str, ids: Sequence[str], user: str) -> int:
    """Keep the wish that records of an object, all of it, or with ``everything`` every mapped object be imported again.

    Returns how many wishes are new. Raises SettingsError for what is no object or no Id, keeping nothing.
    """
    if target == EVERYTHING and not ids:
        return sum(ask_reimports(store, name, (), user) for name in OBJECTS)
    if target not in OBJECTS:
        raise SettingsError(
            f"{target!r} cannot be imported again" + (" by Ids" if target == EVERYTHING else ""),
            why=f"it is one of {', '.join(OBJECTS)}, or {EVERYTHING} without Ids",
            next_step="crosswalk reimport account",
        )
    return ask_reimports(store, target, [full_id(text) for text in ids], user)


def note_reimports(
    con: duckdb.DuckDBPyConnection, store: DecisionStore, run: RunContext, names: Collection[str]
) -> dict[MappedObject, tuple[str, ...] | None]:
    """Take up what is asked for of the objects ``names``, for the steps of this run: object → Ids, None for all."""
    con.execute(_TABLE)
    waiting = [wish for wish in waiting_reimports(store) if wish.object in names]
    con.execute("DELETE FROM _state.reimport WHERE run_id <> ?", [run.run_id])
    taken = {row[0] for row in con.execute("SELECT wish FROM _state.reimport").fetchall()}
    for wish in waiting:
        if wish.id not in taken:
            row = [run.run_id, wish.id, wish.object, wish.salesforce_id]
            con.execute("INSERT INTO _state.reimport VALUES (?, ?, ?, ?)", row)
    found = {name: asked_again(con, run, name) for name in OBJECTS}
    return {name: ids for name, ids in found.items() if ids is None or ids}


def asked_again(con: duckdb.DuckDBPyConnection, run: RunContext, name: MappedObject) -> tuple[str, ...] | None:
    """Return the Ids of an object that this run imports again, None for all of it."""
    prepare_state(con)
    con.execute(_TABLE)
    query = "SELECT DISTINCT salesforce_id FROM _state.reimport WHERE run_id = ? AND object = ? ORDER BY 1"
    ids = [record for (record,) in con.execute(query, [run.run_id, name]).fetchall()]
    return None if None in ids or len(ids) > MOST_RECORDS else tuple(cast("list[str]", ids))


def close_reimports(con: duckdb.DuckDBPyConnection, store: DecisionStore, run: RunContext) -> int:
    """Note in the store what this run, which has published, took up; return how many wishes that were."""
    con.execute(_TABLE)
    rows = con.execute("SELECT DISTINCT wish FROM _state.reimport WHERE run_id = ?", [run.run_id]).fetchall()
    serve_reimports(store, [wish for (wish,) in rows], run.run_id)
    return len(rows)
