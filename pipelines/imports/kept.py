"""What an import was made from, kept in ``_state``: so that the next one looks only at what changed since.

Per object a hash of everything an imported record depends on; per table the way it was made; and the entities that
records have come to or left since the entities were built last. What is done with them is in ``records`` and
``entities``.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import duckdb

from data_contracts.contracts import quoted
from data_contracts.mapping import ENTITY, Entity, MappedObject, ObjectMapping
from pipelines.imports.feed import restart_feed
from pipelines.imports.primary import open_opportunities
from pipelines.tables import scalar, table_columns

_TABLES = """
CREATE TABLE IF NOT EXISTS _state.import_basis (name VARCHAR NOT NULL, basis VARCHAR, quiet BOOLEAN NOT NULL);
CREATE TABLE IF NOT EXISTS _state.import_touched (entity VARCHAR NOT NULL, reference_id VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS _state.import_mark_account (salesforce_id VARCHAR NOT NULL, mark UBIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS _state.import_mark_contact (salesforce_id VARCHAR NOT NULL, mark UBIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS _state.import_mark_lead (salesforce_id VARCHAR NOT NULL, mark UBIGINT NOT NULL);
"""
#: Fields beside the mapped ones that decide which record speaks for its entity, or tell that a record changed.
_DECIDING = ("OwnerId", "CreatedDate", "LastActivityDate", "LastModifiedDate", "SystemModstamp")


def prepare_state(con: duckdb.DuckDBPyConnection) -> None:
    """Make the kept tables where there are none."""
    for statement in filter(None, map(str.strip, _TABLES.split(";"))):
        con.execute(statement)


def basis_of(*parts: Any) -> str:
    """Return a short hash of what a table is made with, the version of Crosswalk among it."""
    try:
        made_by = version("crosswalk")
    except PackageNotFoundError:
        made_by = "unknown"
    text = json.dumps([made_by, duckdb.__version__, *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def described(con: duckdb.DuckDBPyConnection, mapping: ObjectMapping) -> Sequence[Any]:
    """Return a mapping, and the types of the columns it reads, as parts of a basis."""
    types = table_columns(con, f"salesforce.{mapping.object}")
    used = {field: types.get(field) for target in mapping.targets for field in target.sources}
    return [mapping.object, [asdict(target) for target in mapping.targets], used]


def is_kept(con: duckdb.DuckDBPyConnection, name: str, basis: str) -> bool:
    """Return whether the table ``name`` (an object or a kind of entity) was last made with this basis."""
    kept = con.execute("SELECT basis FROM _state.import_basis WHERE name = ?", [name]).fetchall()
    return kept == [(basis,)]


def are_kept(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> bool:
    """Return whether the tables of these objects are kept up, so that what they note as touched is complete."""
    return all(
        con.execute("SELECT count(basis) FROM _state.import_basis WHERE name = ?", [name]).fetchall() == [(1,)]
        for name in names
    )


def is_first(con: duckdb.DuckDBPyConnection, kind: Entity) -> bool:
    """Return whether this is the first import of a kind, or the first after it was cleared: nothing is fed of it."""
    kept = con.execute("SELECT quiet FROM _state.import_basis WHERE name = ?", [kind]).fetchall()
    if kept:
        return bool(kept[0][0])
    # A home of an earlier version has values and no basis: its feed goes on.
    return scalar(con, "SELECT count(*) FROM (FROM imports.value WHERE entity = ? LIMIT 1)", [kind]) == 0


def keep(con: duckdb.DuckDBPyConnection, name: str, basis: str | None, *, quiet: bool = False) -> None:
    """Note what ``name`` is made with; None: it has to be made anew."""
    con.execute("DELETE FROM _state.import_basis WHERE name = ?", [name])
    con.execute("INSERT INTO _state.import_basis VALUES (?, ?, ?)", [name, basis, quiet])


def start_anew(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Let the next run make ``name`` anew; what is fed of it stays as it was going to be."""
    con.execute("UPDATE _state.import_basis SET basis = NULL WHERE name = ?", [name])


def import_anew(con: duckdb.DuckDBPyConnection, name: MappedObject) -> None:
    """Let the next run make all of an object and its entities anew without feeding it, since it was cleared."""
    prepare_state(con)
    keep(con, name, None)
    keep(con, ENTITY[name], None, quiet=True)
    restart_feed(con)


def forget_marks(con: duckdb.DuckDBPyConnection, name: MappedObject, ids: Iterable[str]) -> None:
    """Let the next run import these records again, changed or not."""
    for record in ids:
        con.execute(f"DELETE FROM _state.import_mark_{name} WHERE salesforce_id = ?", [record])


def mark_records(con: duckdb.DuckDBPyConnection, mapping: ObjectMapping, reference: str) -> None:
    """Make ``import_mark``: every live record and a hash of all that its import and its place depend on.

    ``reference`` is a query of (id, mark): the entities as far as records are compared with them.
    """
    name = mapping.object
    columns = table_columns(con, f"salesforce.{name}")
    fields = {field for target in mapping.targets for field in target.sources} | set(_DECIDING)
    parts = [f"s.{quoted(field)}" for field in sorted(fields & columns.keys())]
    counted, join = "", ""
    if found := open_opportunities(con, name):
        link, counts = found
        counted, join = ", o.open_count", f"LEFT JOIN ({counts}) AS o ON o.account_id = s.{quoted(link)}"
    hashed = ", ".join([*parts, "c.status", "c.reference_id", "c.method", "r.mark"])
    con.execute(f"""
CREATE OR REPLACE TEMP TABLE import_mark AS
SELECT s."Id" AS salesforce_id, hash({hashed}{counted}) AS mark
FROM salesforce.{quoted(name)} AS s
LEFT JOIN crosswalk.{quoted(name)} AS c ON c.salesforce_id = s."Id"
LEFT JOIN ({reference}) AS r ON r.id = c.reference_id
{join}
WHERE NOT s._is_deleted""")


def touched_records(con: duckdb.DuckDBPyConnection, name: MappedObject) -> int:
    """Make ``import_record``: the records whose mark is new, another or gone; return how many there are."""
    con.execute(f"""
CREATE OR REPLACE TEMP TABLE import_record AS
SELECT coalesce(n.salesforce_id, k.salesforce_id) AS salesforce_id
FROM import_mark AS n FULL JOIN _state.import_mark_{name} AS k USING (salesforce_id)
WHERE n.mark IS DISTINCT FROM k.mark""")
    return scalar(con, "SELECT count(*) FROM import_record")


def keep_marks(con: duckdb.DuckDBPyConnection, name: MappedObject, *, all_of_them: bool) -> None:
    """Bring the kept marks up to ``import_mark``, of ``import_record`` only unless all are asked for."""
    kept = f"_state.import_mark_{name}"
    if all_of_them:
        con.execute(f"CREATE OR REPLACE TABLE {kept} (salesforce_id VARCHAR NOT NULL, mark UBIGINT NOT NULL)")
        con.execute(f"INSERT INTO {kept} FROM import_mark")
        return
    con.execute(f"DELETE FROM {kept} USING import_record AS t WHERE t.salesforce_id = import_mark_{name}.salesforce_id")
    con.execute(f"INSERT INTO {kept} FROM import_mark SEMI JOIN import_record USING (salesforce_id)")
