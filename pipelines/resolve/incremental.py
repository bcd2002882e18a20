"""A small change resolved by what earlier runs kept: only the records it can concern are looked at again.

A run that looked at everything keeps the hashed keys of both sides in ``_state``, the block index, and with a frozen
model and frozen statistics a link depends on nothing else but its record, its candidates and its decisions. So the
records that a change can concern are found by a few joins of integers, and go through the same steps as in a whole run.
Whatever makes an index useless (another model, other settings, another version of this folder, tables that somebody
cleared, a change of very many rows) leads to a whole run, never to an error.
"""

import hashlib
from pathlib import Path

import duckdb

from data_contracts.settings import Matching
from pipelines.resolve.candidates import BLOCK, MOST, block_keys, pair_up, weigh_side, weigh_words
from pipelines.resolve.decisions import IN_FORCE
from pipelines.resolve.frozen import number
from pipelines.resolve.gathering import Gathered
from pipelines.resolve.hopeless import weigh_again
from pipelines.resolve.judgements import apply_judgements
from pipelines.resolve.model import Model
from pipelines.resolve.reference_index import keep_reference
from pipelines.resolve.rungs import MOST_ENTITIES_PER_KEY, Rung, climb, rung_keys
from pipelines.resolve.scripts import code_version, run_script
from pipelines.resolve.sides import Object, Sides, describe_sides, fetch_side, kind_of
from pipelines.run import RunContext
from pipelines.succession import passed_on
from pipelines.tables import scalar, table_columns

#: A change of more than this share of a side costs less as a whole run.
TOO_MANY = 0.3
_INDEX = "_state.kept_index"
#: What else the row of a contact or lead in the crosswalk is made of.
_MARKS: dict[Object, str] = {
    "account": "SELECT id, mark FROM _marked_left",
    "contact": "SELECT l.id, hash(l.mark, k) AS mark FROM _every_left l "
    "LEFT JOIN _company_link k ON k.salesforce_id = l.id",
    "lead": "SELECT l.id, hash(l.mark, k, a.account_id) AS mark FROM _every_left l "
    "LEFT JOIN _company_link k ON k.salesforce_id = l.id LEFT JOIN _lead_account a ON a.salesforce_id = l.id",
}


def signature_of(matching: Matching, model: Path | None) -> str:
    """Return what an index must have been made with to be used: the model, the settings and this folder's code."""
    parts = [model.name if model else "", matching.model_dump_json(), code_version()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def gather_changes(
    con: duckdb.DuckDBPyConnection, name: Object, rungs: tuple[Rung, ...], run: RunContext, signature: str, model: Model
) -> Gathered | None:
    """Do what ``gather`` does for the records that changes since the last run can concern; None: gather everything.

    ``_looked_at`` (n, id, is_now) are these records, ``_written`` (id) also the departed ones whose rows are made anew.
    """
    if not _index_fits(con, name, signature):
        return None
    describe_sides(con, name)
    run_script(con, "rarity_of_blocks.sql")
    _note_people(con, name, run)
    sides = _changes(con, name)
    if sides is None:
        return None
    weigh_words(con, sides)
    _changed_entities(con, sides, rungs)
    at_hand: dict[str, str] = {"object": name}
    run_script(con, "gone.sql", replace=at_hand)
    run_script(con, "changed_keys.sql", replace=at_hand, entities=sides.entities, block=BLOCK)
    run_script(con, "concerned.sql", replace=at_hand, most=MOST_ENTITIES_PER_KEY)
    weigh_again(con, sides, model)
    run_script(con, "looked_at.sql", replace=at_hand | {"apart": str(_apart(con, name)).lower()})
    records = scalar(con, "SELECT count(*) FROM _looked_at")
    if records > max(TOO_MANY * sides.left, 1000):
        return None
    fetch_side(con, "left", "SELECT n, id FROM _looked_at WHERE is_now")
    return _look(con, sides, rungs, run, records)


def _look(
    con: duckdb.DuckDBPyConnection, sides: Sides, rungs: tuple[Rung, ...], run: RunContext, records: int
) -> Gathered:
    """Find rung hits and candidates of ``_left`` through the index."""
    at_hand: dict[str, str] = {"object": sides.object}
    weigh_side(con, "left")
    rung_keys(con, rungs, "left")
    decisions = apply_judgements(con, sides, run)
    run_script(con, "needed_rung.sql", replace=at_hand, most=MOST_ENTITIES_PER_KEY)
    _fetch_entities(con, add=False)
    by_rung = climb(con, rungs)
    run_script(con, "residue.sql", seed=0, sample=0)
    block_keys(con, sides, "left")
    run_script(con, "needed_block.sql", replace=at_hand, entities=sides.entities, block=BLOCK)
    found = pair_up(con, sides)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _needed AS SELECT DISTINCT r AS n FROM _pair ANTI JOIN _right ON _right.n = r"
    )
    _fetch_entities(con, add=True)
    con.execute(
        "UPDATE _right SET place = p.place FROM "
        "(SELECT n, row_number() OVER (ORDER BY id)::INTEGER AS place FROM _right) p WHERE p.n = _right.n"
    )
    weigh_side(con, "right")
    return Gathered(sides, found, by_rung, decisions, records, partial=True)


def keep_index(
    con: duckdb.DuckDBPyConnection, seen: Gathered, run: RunContext, signature: str | None, reference: str
) -> None:
    """Keep for later changes what this run found; without a signature (no model) nothing is kept.

    ``reference`` is the signature of the reference's keys. Call it within the transaction that writes the crosswalk.
    """
    name = seen.sides.object
    con.execute(f"CREATE TABLE IF NOT EXISTS {_INDEX} (object VARCHAR, signature VARCHAR, rows BIGINT, pairs BIGINT)")
    con.execute(f"DELETE FROM {_INDEX} WHERE object = $object", {"object": name})
    if signature is None:
        return
    if not seen.partial:
        _note_people(con, name, run)
    marked = "_left" if name == "account" else f"(SELECT l.n, m.* FROM _left l JOIN ({_MARKS[name]}) m ON m.id = l.id)"
    script = "refresh_index.sql" if seen.partial else "keep_index.sql"
    run_script(con, script, replace={"object": name, "marked": marked}, most=MOST)
    keep_reference(con, name, reference, None if seen.partial or seen.reference_kept else "keep_reference.sql")
    con.execute(
        f"INSERT INTO {_INDEX} SELECT '{name}', '{signature}', (SELECT count(*) FROM crosswalk.{name}), "
        f"(SELECT count(*) FROM match.{name}_candidate)"
    )


def _index_fits(con: duckdb.DuckDBPyConnection, name: Object, signature: str) -> bool:
    """Whether there is an index of exactly the tables as they stand."""
    tables = (_INDEX, f"crosswalk.{name}", f"match.{name}_candidate", f"salesforce.{name}")
    if not all(table_columns(con, table) for table in tables):
        return False
    kept = con.sql(f"SELECT signature, rows, pairs FROM {_INDEX} WHERE object = '{name}'").fetchall()
    rows = scalar(con, f"SELECT count(*) FROM crosswalk.{name}")
    pairs = scalar(con, f"SELECT count(*) FROM match.{name}_candidate")
    return kept == [(signature, rows, pairs)]


def _apart(con: duckdb.DuckDBPyConnection, name: Object) -> bool:
    """Whether mirror and crosswalk have other records; told by hashes, which cost less than looking each one up."""
    mirror = con.sql(f'SELECT count(*), bit_xor(hash("Id")) FROM salesforce.{name}').fetchall()
    crosswalk = con.sql(f"SELECT count(*), bit_xor(hash(salesforce_id)) FROM crosswalk.{name}").fetchall()
    return bool(mirror != crosswalk)


def _changes(con: duckdb.DuckDBPyConnection, name: Object) -> Sides | None:
    """Create ``_changed_left`` and ``_changed_right``; return the sides as they are now.

    None where too much changed, or where the reference was or is empty.
    """
    counts = []
    for side, kept, marks in (
        ("left", "record", _MARKS[name]),
        ("right", "entity", "SELECT id, mark FROM _marked_right"),
    ):
        table = f"_state.{name}_kept_{kept}"
        con.execute(f"CREATE OR REPLACE TEMP TABLE _signed AS SELECT id, hash(id, mark) AS sig FROM ({marks})")
        differs = "" if _digest(con, "_signed") != _digest(con, table) else "LIMIT 0"
        run_script(con, "changed_rows.sql", side=side, replace={"kept": table, "differs": differs})
        before = scalar(con, f"SELECT count(*) FROM {table}")
        changed = scalar(con, f"SELECT count(*) FROM _changed_{side}")
        more = scalar(con, f"SELECT sum(is_now::INTEGER - was::INTEGER) FROM _changed_{side}")
        if changed > max(TOO_MANY * before, 1000) or (side == "right" and not (before and before + more)):
            return None
        counts.append(before + more)
    return Sides(name, kind_of(name), counts[0], counts[1], max(int(number(con, "entities", counts[1])), 2))


def _digest(con: duckdb.DuckDBPyConnection, table: str) -> list[tuple[int, ...]]:
    """Return numbers that are others where a table of rows (sig) has others."""
    return con.sql(f"SELECT count(*), bit_xor(sig), sum(sig) FROM {table}").fetchall()


def _changed_entities(con: duckdb.DuckDBPyConnection, sides: Sides, rungs: tuple[Rung, ...]) -> None:
    """Create ``_new_key`` and ``_new_rung_key``, the changed entities' keys, and ``_right_id`` as it is now."""
    fetch_side(con, "right", "SELECT n, id FROM _changed_right WHERE is_now")
    weigh_side(con, "right")
    rung_keys(con, rungs, "right")
    block_keys(con, sides, "right")
    con.execute("CREATE OR REPLACE TEMP TABLE _new_key AS FROM _right_key")
    con.execute("CREATE OR REPLACE TEMP TABLE _new_rung_key AS FROM _right_rung_key")
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW _right_id AS SELECT n, id FROM _state.{sides.object}_kept_entity "
        "ANTI JOIN _changed_right USING (n) UNION ALL SELECT n, id FROM _changed_right WHERE is_now"
    )


def _fetch_entities(con: duckdb.DuckDBPyConnection, *, add: bool) -> None:
    """Create ``_right`` with the entities of ``_needed``, or ``add`` them to it; their places are not known yet."""
    fetch_side(con, "right", "SELECT n, id, 0 AS place FROM _right_id SEMI JOIN _needed USING (n)", add=add)


def _note_people(con: duckdb.DuckDBPyConnection, name: Object, run: RunContext) -> None:
    """Create ``_asked`` (id), the records people decided on, and ``_departed_now`` (id, merged_into, sig)."""
    mirrored = table_columns(con, f"salesforce.{name}")
    nobody = "SELECT NULL::VARCHAR AS object, NULL::VARCHAR AS id, NULL::VARCHAR AS to_id WHERE false"
    parts = {"in_force": IN_FORCE, "passed_on": passed_on(con, name) if mirrored else nobody}
    run_script(con, "asked.sql", replace=parts, object=name, at=run.started_at.replace(tzinfo=None))
