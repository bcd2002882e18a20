"""Keeps ``standard.<table>`` beside its source; cleaning is in ``macros.sql``, the columns in the other SQL files.

A row is standardised once and kept until one of its inputs changes, or the way of cleaning does: its ``_input_hash``
says what it was made of.
"""

import hashlib
import importlib.metadata
import re
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import duckdb

from data_contracts.contracts import TableContract, literal, load_contract, quoted
from data_contracts.errors import ReferenceDataError
from data_contracts.settings import Settings
from pipelines.run import RunContext
from pipelines.standardize import lookups, stamps, values
from pipelines.standardize.sources import SOURCES, read_columns, read_keys, read_sql
from pipelines.tables import replace_table, table_columns, transaction

Table = Literal["account", "contact", "lead", "company", "person"]
TABLES: tuple[Table, ...] = get_args(Table)
_SQL = Path(__file__).parent
_SCRATCH = (
    "_raw",
    "_gone",
    "_in",
    "_ascii",
    "_domain",
    "_host",
    "_rare_domain",
    "_shared_domain",
    "_country",
    "_dialling",
    "_nickname",
    "_city",
    "_state",
    "_other_name",
    "_place",
    "_street",
    "_street_name",
    "_name_part",
    "_title",
    "_birthdate",
)


#: Libraries whose word lists and rules decide what a value becomes.
_LIBRARIES = ("anyascii", "publicsuffixlist", "phonenumbers", "nicknames")


@dataclass(frozen=True)
class StandardResult:
    """What the table holds now: rows, rows with a usable name; rows standardised anew and taken out; seconds."""

    table: str
    rows: int
    named: int
    changed: int
    gone: int
    seconds: float


def standardize(con: duckdb.DuckDBPyConnection, table: Table, settings: Settings, run: RunContext) -> StandardResult:
    """Bring ``standard.<table>`` up to ``salesforce.<table>`` or ``reference.<table>``, deleted records left out.

    Only rows whose inputs changed are cleaned, in one transaction. A source column that does not exist is NULL; a
    source table that does not exist gives an empty table. Raises ReferenceDataError when a key is missing or repeated.
    """
    began = time.monotonic()
    contract = load_contract(f"standard.{table}")
    field = settings.matching.reference_id_fields.get(table)
    with transaction(con):
        _same_columns(con, contract)
        if read_columns(con, table, field):
            changed, gone = _update(con, table, contract, field, run)
        else:
            changed, gone = 0, 0
            replace_table(con, contract)
    named = "name_clean" if table in ("account", "company") else "coalesce(last_name_clean, first_name_clean)"
    rows, with_name = con.sql(f"SELECT count(*), count({named}) FROM {contract.relation}").fetchall()[0]
    return StandardResult(table, rows, with_name, changed, gone, time.monotonic() - began)


@cache
def cleaning_version() -> str:
    """Return a fingerprint of everything that decides how a value is cleaned: this folder and the libraries it uses."""
    digest = hashlib.sha256()
    for path in sorted(file for file in _SQL.rglob("*") if file.suffix in (".py", ".sql", ".csv")):
        digest.update(path.name.encode() + path.read_bytes())
    digest.update(" ".join(importlib.metadata.version(name) for name in _LIBRARIES).encode())
    return digest.hexdigest()[:16]


def define_macros(con: duckdb.DuckDBPyConnection) -> None:
    """Create the cleaning macros of ``macros.sql`` as temporary macros of this connection."""
    text = (_SQL / "macros.sql").read_text(encoding="utf-8").format(**_patterns())
    for statement in re.split(r";\s*\n", text):
        if "CREATE" in statement:
            con.execute(statement)


def _patterns() -> dict[str, str]:
    """Return what stands in curly braces in ``macros.sql``: patterns and maps made of the word lists."""
    types = "|".join(sorted(lookups.street_words("street_type") | lookups.street_words("direction"), key=len)[::-1])
    ordinals = lookups.street_words("ordinal")
    words = lookups.name_words("abbreviation") | lookups.name_words("translation")
    numbers, roman = lookups.name_words("number") | lookups.name_words("ordinal"), lookups.name_words("roman")
    return {
        "without_forms": _nested("x", [(pattern, " ") for pattern in lookups.legal_form_patterns()]),
        "legal_end": lookups.edge_pattern("end"),
        "legal_start": lookups.edge_pattern("start"),
        "legal_edge": lookups.any_edge_pattern(),
        "other_name": lookups.OTHER_NAME,
        "word_pattern": "|".join(words),
        "word_map": _map(words),
        "number_pattern": "|".join(numbers | roman),
        "number_map": _map(numbers),
        "roman_map": _map(roman),
        "ordinals": _nested("x", [(rf"\b{word}\b", digit) for word, digit in ordinals.items()]),
        "ordinal_pattern": "|".join(ordinals),
        "unit_words": lookups.UNIT_WORDS,
        "counted_units": lookups.COUNTED_UNITS,
        "street_words": rf"\b(?:{types})\b",
        "honorifics": lookups.HONORIFICS,
        "name_suffixes": lookups.NAME_SUFFIXES,
    }


def _same_columns(con: duckdb.DuckDBPyConnection, contract: TableContract) -> None:
    """Make the table, or make it anew and empty where its columns are those of another version."""
    if table_columns(con, contract.name) != {column.name: column.type for column in contract.columns}:
        replace_table(con, contract)


def _update(
    con: duckdb.DuckDBPyConnection, table: Table, contract: TableContract, field: str | None, run: RunContext
) -> tuple[int, int]:
    """Clean the rows that changed, drop those that are gone; return how many of each."""
    source, keys = SOURCES[table].relation, read_keys(con, table)
    signature = f"{cleaning_version()} {read_columns(con, table, field)}"
    written = stamps.changed_since(con, source, signature, run)
    changed, gone = _replace(con, table, contract, field, written or "true")
    key = contract.columns[0].name
    if _digest(con, keys) != _digest(con, f"SELECT {key} AS key FROM {contract.relation}"):
        if written:
            # The table is not what the stamps were noted for.
            more = _replace(con, table, contract, field, "true")
            changed, gone = changed + more[0], gone + more[1]
        # A second row of a kept key is not among the changed ones when the first is the same.
        _refuse_bad_keys(con, table, f"({keys})")
    if stamps.has_stamps(con, source):
        stamps.note_stamps(con, source, signature)
    for name in _SCRATCH:
        con.execute(f"DROP TABLE IF EXISTS {name}")
    return changed, gone


def _replace(
    con: duckdb.DuckDBPyConnection, table: Table, contract: TableContract, field: str | None, written: str
) -> tuple[int, int]:
    """Do what ``_update`` does, looking for changes among the rows where condition ``written`` holds."""
    key, keys = contract.columns[0].name, read_keys(con, table)
    # Only what is read of a row is hashed, and compared as a number: its inputs are made of the changed rows alone.
    values = ", ".join(quoted(name) for name in read_columns(con, table, field))
    hashed = (
        f"(SELECT *, (hash({literal(cleaning_version())}, {values}) >> 1)::BIGINT AS _input_hash "
        f"FROM {SOURCES[table].relation} WHERE {written})"
    )
    others = f"(FROM {hashed} ANTI JOIN (SELECT _input_hash FROM {contract.relation}) USING (_input_hash))"
    select = read_sql(con, table, field, rows=others, also="_input_hash")
    con.execute(f"CREATE OR REPLACE TEMP TABLE _raw AS {select}").fetchall()
    kept = f"SELECT {key} AS key FROM {contract.relation}"
    there, new = _digest(con, kept), _digest(con, f"SELECT key FROM _raw ANTI JOIN ({kept}) USING (key)")
    together = (there[0] + new[0], there[1] ^ new[1])
    left = "true" if together != _digest(con, keys) else "false"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE _gone AS FROM ({kept}) ANTI JOIN ({keys}) USING (key) WHERE {left}"
    ).fetchall()
    changed, gone = con.sql("SELECT (SELECT count(*) FROM _raw), (SELECT count(*) FROM _gone)").fetchall()[0]
    if changed or gone:
        con.execute(
            f"DELETE FROM {contract.relation} USING (SELECT key FROM _raw UNION ALL FROM _gone) d WHERE {key} = d.key"
        ).fetchall()
    if changed:
        _refuse_bad_keys(con, table, "_raw")
        _fill(con, table)
    return changed, gone


def _digest(con: duckdb.DuckDBPyConnection, keys: str) -> tuple[int, int]:
    """Return how many keys a query gives, and a number that is another one where they are others."""
    count, mark = con.sql(f"SELECT count(*), bit_xor(hash(key)) FROM ({keys})").fetchall()[0]
    return int(count), int(mark or 0)


def _fill(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Add the rows of ``_raw`` to the standard table, cleaned."""
    define_macros(con)
    lookups.load_lookups(con)
    values.transliterate(con)
    values.load_domains(con)
    is_company, key = table in ("account", "company"), SOURCES[table].key
    if is_company:
        parts = "SELECT key, unnest(other_names(name, other_names)) AS name_text FROM _in WHERE other_names IS NOT NULL"
        parts += " OR has_other_name(lower(name))"
        con.execute(_sql("other_names", names=_sql("company_names", rows=parts))).fetchall()
        rows = "SELECT *, coalesce(name, concat_ws(' ', first_name, last_name)) AS name_text FROM _in"
    else:
        rows = _sql("person_inputs", name_suffixes=lookups.NAME_SUFFIXES, particles=lookups.PARTICLES)
        _run(con, _sql("person_parts", rows=rows))
    for name in ("places", "streets", "street_names"):
        _run(con, _sql(name))
    names = _sql("company_names", rows=rows)
    query = _sql(
        "company" if is_company else "person",
        names=names,
        key="salesforce_id" if key == "Id" else key,
        parent="company_id" if table == "person" else "account_id",
    )
    con.execute(f"INSERT INTO standard.{table} BY NAME {query}").fetchall()


def _run(con: duckdb.DuckDBPyConnection, script: str) -> None:
    """Run the statements of a SQL file."""
    for statement in script.split(";\n"):
        con.execute(statement).fetchall()


def _sql(name: str, **parts: str) -> str:
    """Return the text of a SQL file of this folder without its comments, the names in curly braces replaced."""
    text = re.sub(r"^--.*\n", "", (_SQL / f"{name}.sql").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for part, value in parts.items():
        text = text.replace("{" + part + "}", value)
    return text


def clean_company_name(con: duckdb.DuckDBPyConnection, name: str) -> tuple[str | None, str | None]:
    """Return one name (ASCII) cleaned, and its core; ``define_macros`` was called. For tests and explanations."""
    query = _sql("company_names", rows="SELECT $name AS name_text")
    row = con.execute(f"SELECT name_clean, core FROM ({query})", {"name": name}).fetchall()[0]
    return row[0], row[1]


def _refuse_bad_keys(con: duckdb.DuckDBPyConnection, table: Table, relation: str) -> None:
    missing, repeated = con.sql(
        f"SELECT count(*) FILTER (key IS NULL OR key = ''), count(key) - count(DISTINCT key) FROM {relation}"
    ).fetchall()[0]
    if missing or repeated:
        source = SOURCES[table]
        raise ReferenceDataError(
            f"{source.relation} has {missing} rows without {source.key} and {repeated} repeated ones",
            why="every row needs a key of its own to be matched",
            next_step=f"make {source.key} present and unique in the source, then run: crosswalk sync --full",
        )


def _nested(start: str, replacements: list[tuple[str, str]]) -> str:
    """Return SQL that applies the replacements one after another."""
    expression = start
    for pattern, replacement in replacements:
        expression = f"regexp_replace({expression}, '{pattern}', '{replacement}', 'g')"
    return expression


def _map(words: dict[str, str]) -> str:
    """Return a map of SQL."""
    return "MAP {" + ", ".join(f"{literal(word)}: {literal(standard)}" for word, standard in words.items()) + "}"
