"""Who is to be forgotten: the records that are one person, and the values that only this person has.

What is done with them is ``pipelines.forget``. Values stay in memory: no message and no file ever holds one.
"""

import json
import re
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from data_contracts.contracts import contract_names, load_contract, quoted
from data_contracts.errors import SettingsError
from data_contracts.mapping import ENTITY
from pipelines.extract.forgotten import POINTERS
from pipelines.publish.masking import TEXT_TYPES, class_of_field
from pipelines.tables import table_columns
from resources.tombstones import short

#: Shorter values are in other words all over, and say nothing alone.
SHORTEST = 4
_WORD = re.compile(r"[^\W\d_]+")
#: Columns whose value is the record a row is about: such a row goes.
SUBJECT = frozenset({"Id", "salesforce_id", "id"})
#: Schemas whose columns hold values of records and entities.
_HOLDING = ("salesforce", "imports", "standard", "reference")
#: Where a record says that a contact is the same person: a lead that was converted, a person account.
_SAME = (("lead", "ConvertedContactId"), ("account", "PersonContactId"))
ENTITY_KEY = {"company": "company_id", "person": "person_id"}


@dataclass
class Subject:
    """One person: ids by object (18 characters as a rule), reference entities that go too, and values."""

    ids: dict[str, set[str]] = field(default_factory=dict)
    entities: dict[str, set[str]] = field(default_factory=dict)
    linked: dict[str, set[str]] = field(default_factory=dict)
    values: set[str] = field(default_factory=set)
    shared: int = 0

    @property
    def all_ids(self) -> set[str]:
        """Every id, in its long and its short form."""
        found = {identifier for part in (self.ids, self.entities) for ids in part.values() for identifier in ids}
        return found | {short(identifier) for identifier in found}

    def add(self, other: "Subject") -> None:
        """Take up what another file knows of the same person."""
        for mine, theirs in ((self.ids, other.ids), (self.entities, other.entities), (self.linked, other.linked)):
            for name, ids in theirs.items():
                mine.setdefault(name, set()).update(ids)
        self.values |= other.values


def check_id(object_name: str, identifier: str) -> str:
    """Return the id; raises SettingsError for one that cannot be an id of Salesforce."""
    if object_name in ENTITY and not re.fullmatch(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?", identifier):
        raise SettingsError(
            f"{identifier[:40]!r} is not an id of Salesforce",
            why="it has 15 or 18 letters and digits, as in the address of the record's page",
            next_step=f"crosswalk forget {object_name} ID",
        )
    return identifier


def same_person(con: duckdb.DuckDBPyConnection, object_name: str, identifier: str) -> Subject:
    """Return the record with what was merged into it or converted from and to it, and the entities it alone made.

    ``object_name`` is account, contact, lead, or company and person for an entity of the reference.
    """
    if object_name in ENTITY_KEY:
        return Subject(entities={object_name: {identifier}})
    found: dict[str, set[str]] = {object_name: {identifier}}
    while True:
        before = sum(map(len, found.values()))
        for name in ("account", "contact", "lead"):
            _merged(con, name, found)
        for source, pointer in _SAME:
            _also(con, source, pointer, found)
        if sum(map(len, found.values())) == before:
            break
    subject = Subject(ids=found)
    for name, ids in found.items():
        _linked(con, name, ids, subject)
    return subject


def _merged(con: duckdb.DuckDBPyConnection, name: str, found: dict[str, set[str]]) -> None:
    ids = found.get(name, set())
    if not ids or "Id" not in (columns := table_columns(con, f"salesforce.{name}")):
        return
    conditions = ['left("Id", 15) IN (SELECT unnest($ids))']
    if "MasterRecordId" in columns:
        conditions.append('left("MasterRecordId", 15) IN (SELECT unnest($ids))')
        conditions.append(f'left("Id", 15) IN (SELECT left("MasterRecordId", 15) FROM salesforce.{name} '
                          'WHERE left("Id", 15) IN (SELECT unnest($ids)))')  # fmt: skip
    query = f'SELECT "Id" FROM salesforce.{name} WHERE {" OR ".join(conditions)}'
    more = {row[0] for row in con.execute(query, {"ids": [short(item) for item in ids]}).fetchall()}
    # The long form takes the place of the short one somebody typed.
    found[name] = more | {item for item in ids if short(item) not in {short(one) for one in more}}


def _also(con: duckdb.DuckDBPyConnection, source: str, pointer: str, found: dict[str, set[str]]) -> None:
    """Add the contact a record points at as the same person, and the records that point at the contact so."""
    if pointer not in table_columns(con, f"salesforce.{source}"):
        return
    rows = con.execute(
        f'SELECT "Id", {quoted(pointer)} FROM salesforce.{source} WHERE {quoted(pointer)} IS NOT NULL AND '
        f'("Id" IN (SELECT unnest($mine)) OR {quoted(pointer)} IN (SELECT unnest($contacts)))',
        {"mine": sorted(found.get(source, ())), "contacts": sorted(found.get("contact", ()))},
    ).fetchall()
    for record, contact in rows:
        found.setdefault(source, set()).add(record)
        found.setdefault("contact", set()).add(contact)


def _linked(con: duckdb.DuckDBPyConnection, name: str, ids: set[str], subject: Subject) -> None:
    """Note the entities the records are linked to; one that was created from the record goes with it."""
    kind = ENTITY[name]  # type: ignore[index]
    if "reference_id" not in table_columns(con, f"crosswalk.{name}"):
        return
    rows = con.execute(
        f"SELECT DISTINCT reference_id FROM crosswalk.{name} WHERE reference_id IS NOT NULL "
        "AND salesforce_id IN (SELECT unnest(?))",
        [sorted(ids)],
    ).fetchall()
    subject.linked.setdefault(kind, set()).update(row[0] for row in rows)
    if "origin" in table_columns(con, f"reference.{kind}") and rows:
        key = ENTITY_KEY[kind]
        made = con.execute(
            f"SELECT {key} FROM reference.{kind} WHERE origin = 'created' AND {key} IN (SELECT unnest(?))",
            [[row[0] for row in rows]],
        ).fetchall()
        subject.entities.setdefault(kind, set()).update(row[0] for row in made)


def read_values(con: duckdb.DuckDBPyConnection, subject: Subject) -> set[str]:
    """Return every personal value the database behind ``con`` holds in rows about the person."""
    values: set[str] = set()
    for table, key in subject_tables(con, subject):
        columns = personal_columns(con, table)
        if not columns:
            continue
        ids = sorted(_ids_for(table, subject))
        listed = ", ".join(f"{quoted(name)}::VARCHAR" for name in columns)
        for row in con.execute(
            f"SELECT {listed} FROM {table} WHERE {quoted(key)} IN (SELECT unnest(?))", [ids]
        ).fetchall():
            values.update(value.strip() for value in row if value)
    return values


def values_of_json(text: str | None) -> set[str]:
    """Return the texts of a JSON document (evidence kept with a decision)."""
    found: set[str] = set()

    def walk(item: object) -> None:
        if isinstance(item, dict):
            for inner in item.values():
                walk(inner)
        elif isinstance(item, list):
            for inner in item:
                walk(inner)
        elif isinstance(item, str):
            found.add(item.strip())

    if text:
        try:
            walk(json.loads(text))
        except ValueError:
            return found
    return found


def subject_tables(con: duckdb.DuckDBPyConnection, subject: Subject) -> list[tuple[str, str]]:
    """Return (table, key column) of every table with rows about the records or entities of the person."""
    rows = con.sql(
        "SELECT '\"' || schema_name || '\".\"' || table_name || '\"', schema_name, table_name, column_name "
        "FROM duckdb_columns() WHERE database_name = current_database() AND NOT internal AND data_type = 'VARCHAR'"
    ).fetchall()
    entities = {ENTITY_KEY[kind] for kind in subject.entities}
    found = []
    for relation, schema, table, column in rows:
        record = column in SUBJECT and not (schema == "_state" and table.startswith(("company", "person")))
        entity = column in entities and schema in ("reference", "standard") and table in subject.entities
        about = column == "reference_id" and schema == "imports" and table in ("company", "person")
        if record or entity or about:
            found.append((relation, column))
    return found


def _ids_for(relation: str, subject: Subject) -> set[str]:
    plain = relation.replace('"', "")
    if plain in ("imports.company", "imports.person"):
        kind = plain.partition(".")[2]
        return subject.linked.get(kind, set()) | subject.entities.get(kind, set())
    return subject.all_ids


def personal_columns(con: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    """Return the columns of a table that hold personal values, where no contract knows them by their words."""
    name = relation.replace('"', "")
    promised = {c.name: c for c in load_contract(name).columns} if name in contract_names() else {}
    types = table_columns(con, name)
    found = []
    company = name.endswith((".account", ".company")) and name.partition(".")[0] in _HOLDING
    for column, kind in types.items():
        if column in promised:
            worded = company and kind in TEXT_TYPES and not column.endswith(("Id", "_id"))
            personal = promised[column].personal and promised[column].personal_class != "user"
            if personal or (worded and class_of_field(column) != "other"):
                found.append(column)
        elif kind in TEXT_TYPES and not column.startswith("_") and not column.endswith(("Id", "_id")):
            known = name.startswith(("imports.", "standard.")) or class_of_field(column) != "other"
            if known and name.partition(".")[0] in _HOLDING:
                found.append(column)
    return found


def own_values(con: duckdb.DuckDBPyConnection, subject: Subject) -> None:
    """Leave in ``subject.values`` what only this person has; count what the rows of others hold as well.

    A single word that is part of what others are called, or of what is written about them, is not the person's alone.
    """
    candidates = sorted({value for value in subject.values if len(value) >= SHORTEST})
    con.execute("CREATE OR REPLACE TEMP TABLE _value AS SELECT unnest(?::VARCHAR[]) AS value", [candidates])
    con.execute("CREATE OR REPLACE TEMP TABLE _own AS SELECT unnest(?::VARCHAR[]) AS id", [sorted(subject.all_ids)])
    words = "|".join(re.escape(value) for value in candidates if _WORD.fullmatch(value))
    taken: set[str] = set()
    for table, key in subject_tables(con, _everybody(subject)) if candidates else ():
        others = f"FROM {table} AS t WHERE t.{quoted(key)} NOT IN (SELECT id FROM temp._own)"
        others += _not_linked(table, subject, key) + _not_about(con, table)
        for column in personal_columns(con, table):
            cell = f"lower(t.{quoted(column)}::VARCHAR)"
            same = f"SELECT DISTINCT lower(value) FROM temp._value WHERE lower(value) IN (SELECT {cell} {others})"
            taken |= {row[0] for row in con.execute(same).fetchall()}
            if words:
                parts = f"SELECT DISTINCT unnest(regexp_extract_all({cell}, $words)) {others}"
                taken |= {row[0] for row in con.execute(parts, {"words": words.lower()}).fetchall()}
    con.execute("DROP TABLE temp._value")
    con.execute("DROP TABLE temp._own")
    subject.values = {value for value in candidates if value.lower() not in taken}
    subject.shared = len(candidates) - len(subject.values)


def _not_linked(relation: str, subject: Subject, key: str) -> str:
    """Rows of ``imports.person`` about the entity are this person's too, whoever's values stand in them."""
    plain = relation.replace('"', "")
    if plain not in ("imports.company", "imports.person"):
        return ""
    ids = ", ".join("'" + item.replace("'", "''") + "'" for item in sorted(_ids_for(relation, subject)))
    return f" AND t.{quoted(key)} NOT IN ({ids})" if ids else ""


def _not_about(con: duckdb.DuckDBPyConnection, relation: str) -> str:
    """Activities and memberships that point at the person are about the person, not about others."""
    plain = relation.replace('"', "")
    pointers = (
        [name for name in POINTERS if name in table_columns(con, plain)] if plain.startswith("salesforce.") else []
    )
    return "".join(f" AND coalesce(t.{quoted(name)} NOT IN (SELECT id FROM temp._own), true)" for name in pointers)


def _everybody(subject: Subject) -> Subject:
    return Subject(ids=subject.ids, entities={"company": set(), "person": set()} | subject.entities)


def pattern_of(subject: Subject) -> str:
    """Return a regular expression (RE2, within a SQL literal) of what names the person; empty for nothing.

    Ids are told apart by capitals, values are not.
    """
    values, ids = _alternatives(subject.values), _alternatives(subject.all_ids)
    return "|".join(part for part in (f"(?i:{values})" if values else "", ids) if part)


def _alternatives(texts: Iterable[str]) -> str:
    listed = sorted({text for text in texts if len(text) >= SHORTEST}, key=lambda text: (-len(text), text))
    return "|".join(_whole(text) for text in listed)


def _whole(text: str) -> str:
    """Match a text only where it is not a part of longer words or numbers."""
    escaped = re.escape(text).replace("'", "\\x27").replace("\\ ", " ")
    return (r"\b" if text[0].isalnum() else "") + escaped + (r"\b" if text[-1].isalnum() else "")


def open_readonly(path: Path) -> closing[duckdb.DuckDBPyConnection]:
    """Open a DuckDB file for reading; use it in a ``with`` block."""
    return closing(duckdb.connect(str(path), read_only=True))
