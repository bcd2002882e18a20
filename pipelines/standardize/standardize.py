"""Writes ``standard.<table>`` from its source; cleaning is in ``macros.sql``, the columns in the other SQL files."""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import duckdb

from data_contracts.contracts import load_contract
from data_contracts.errors import ReferenceDataError
from data_contracts.settings import Settings
from pipelines.run import RunContext
from pipelines.standardize import lookups, values
from pipelines.standardize.sources import SOURCES, read_sql

Table = Literal["account", "contact", "lead", "company", "person"]
TABLES: tuple[Table, ...] = get_args(Table)
_SQL = Path(__file__).parent
_SCRATCH = ("_raw", "_in", "_ascii", "_domain", "_shared_domain", "_country", "_dialling", "_nickname")


@dataclass(frozen=True)
class StandardResult:
    """What was written: rows, rows with a usable name, seconds."""

    table: str
    rows: int
    named: int
    seconds: float


def standardize(con: duckdb.DuckDBPyConnection, table: Table, settings: Settings, run: RunContext) -> StandardResult:
    """Rewrite ``standard.<table>`` from ``salesforce.<table>`` or ``reference.<table>``, deleted records left out.

    A source column that does not exist is NULL; a source table that does not exist gives an empty table.
    Rows carry no run id: a value depends on its source row alone.
    """
    began = time.monotonic()
    contract = load_contract(f"standard.{table}")
    con.execute(contract.ddl(replace=True))
    select = read_sql(con, table, settings.matching.reference_id_fields.get(table))
    if select is not None:
        _fill(con, table, select)
    for statement in contract.comments():
        con.execute(statement)
    named = "name_clean" if table in ("account", "company") else "coalesce(last_name_clean, first_name_clean)"
    rows, with_name = con.sql(f"SELECT count(*), count({named}) FROM {contract.relation}").fetchall()[0]
    return StandardResult(table, rows, with_name, time.monotonic() - began)


def define_macros(con: duckdb.DuckDBPyConnection) -> None:
    """Create the cleaning macros of ``macros.sql`` as temporary macros of this connection."""
    types = "|".join(sorted(lookups.street_words("street_type") | lookups.street_words("direction"), key=len)[::-1])
    text = (
        (_SQL / "macros.sql")
        .read_text(encoding="utf-8")
        .format(
            without_forms=_nested("x", [(pattern, " ") for pattern in lookups.legal_form_patterns()]),
            legal_end=lookups.edge_pattern("end"),
            legal_start=lookups.edge_pattern("start"),
            ordinals=_nested("x", [(rf"\b{word}\b", digit) for word, digit in lookups.street_words("ordinal").items()]),
            street_words=rf"\b(?:{types})\b",
            honorifics=lookups.HONORIFICS,
            name_suffixes=lookups.NAME_SUFFIXES,
        )
    )
    for statement in re.split(r";\s*\n", text):
        if "CREATE" in statement:
            con.execute(statement)


def _fill(con: duckdb.DuckDBPyConnection, table: Table, select: str) -> None:
    key = SOURCES[table].key
    define_macros(con)
    lookups.load_lookups(con)
    con.execute(f"CREATE OR REPLACE TEMP TABLE _raw AS {select}")
    _refuse_bad_keys(con, table, key)
    values.transliterate(con)
    values.load_domains(con)
    file = "company.sql" if table in ("account", "company") else "person.sql"
    query = (_SQL / file).read_text(encoding="utf-8").replace("{key}", "salesforce_id" if key == "Id" else key)
    query = query.replace("{parent}", "company_id" if table == "person" else "account_id")
    con.execute(f"INSERT INTO standard.{table} BY NAME {query}")
    for name in _SCRATCH:
        con.execute(f"DROP TABLE IF EXISTS {name}")


def _refuse_bad_keys(con: duckdb.DuckDBPyConnection, table: Table, key: str) -> None:
    missing, repeated = con.sql(
        "SELECT count(*) FILTER (key IS NULL OR key = ''), count(key) - count(DISTINCT key) FROM _raw"
    ).fetchall()[0]
    if missing or repeated:
        raise ReferenceDataError(
            f"{SOURCES[table].relation} has {missing} rows without {key} and {repeated} repeated ones",
            why="every row needs a key of its own to be matched",
            next_step=f"make {key} present and unique in the source, then run: crosswalk sync --full",
        )


def _nested(start: str, replacements: list[tuple[str, str]]) -> str:
    """Return SQL that applies the replacements one after another."""
    expression = start
    for pattern, replacement in replacements:
        expression = f"regexp_replace({expression}, '{pattern}', '{replacement}', 'g')"
    return expression
