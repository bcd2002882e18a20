"""The word lists standardization looks values up in, as temporary tables and regular expressions.

Every list is a small CSV beside this module (sources and licences: ``data/README.md``) or comes from a library
that ships it; nothing is downloaded. How a value is cleaned with them is written in the SQL files.
"""

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import duckdb
import phonenumbers
from nicknames import NickNamer

DATA = Path(__file__).parent / "data"
#: RE2 builds a small, fast automaton for about this many alternatives; one of thousands is a hundred times slower.
ALTERNATIVES_PER_PATTERN = 400
#: Words around a person's name, as alternatives of a pattern.
HONORIFICS = (
    "mr and mrs|mr|mrs|ms|miss|mx|dr|prof|sir|dame|rev|fr|hon|herr|frau|mme|mlle|sr|sra|srta|dra|dott|ing|dipl|mag|hc|"
    "doctor|professor|madame|monsieur|lady|lord|capt|shri|smt|datuk|dato|engr|drs|fru|mudr|judr"
)
#: Words before the number or letter of a part of a building, and those that mean it only before a number.
UNIT_WORDS = (
    "suite|ste|apt|apartment|appt|appartement|unit|room|rm|level|lvl|floor|flat|shop|kiosk|depto|dpto|oficina|escalera"
)
COUNTED_UNITS = "office|piso|of|local|lok|kv|korp|etage|planta|puerta|pta|esc|int|sala|conj|loja|top|tur|m|ap"
#: What stands between two names of one company.
OTHER_NAME = (
    "d/b/a|dba|doing business as|t/a|trading as|a/k/a|aka|also known as|f/k/a|fka|formerly known as|formerly|"
    "previously known as|now known as|n/k/a|nka|vormals|ehemals|anciennement|antes|voorheen"
)
#: Particles between a first and a last name, which belong to the last.
PARTICLES = (
    "van|von|der|den|de|del|della|di|da|do|dos|das|du|la|le|lo|el|al|bin|ibn|ben|abu|ter|ten|zu|zum|zur|af|av|st|"
    "mac|mc|o"
)
NAME_SUFFIXES = "cbe|obe|mbe|kbe|dphil|llb|jr|sr|ii|iii|iv|phd|md|mba|esq|cpa|msc|bsc|dds|ret|junior|senior"


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of ``data/<name>.csv``."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return tuple(csv.DictReader(handle))


@cache
def legal_forms(position: str) -> tuple[str, ...]:
    """Return the legal forms of a position in a name, longest first, so that the longest one is removed."""
    forms = {row["form"] for row in rows("legal_forms") if row["position"] == position}
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


@cache
def legal_form_patterns() -> tuple[str, ...]:
    """Return RE2 patterns that together find every ``any`` form, in the order in which to remove them."""
    forms = legal_forms("any")
    chunks = [forms[i : i + ALTERNATIVES_PER_PATTERN] for i in range(0, len(forms), ALTERNATIVES_PER_PATTERN)]
    return tuple(rf"\b(?:{'|'.join(chunk)})\b" for chunk in chunks)


def edge_pattern(position: str) -> str:
    """Return the RE2 pattern of the ``start`` or ``end`` forms, repeated ones too, that leaves at least a word."""
    forms = "|".join(legal_forms(position))
    return rf"^(?:(?:{forms}) )+" if position == "start" else rf"(?: (?:{forms}))+$"


def any_edge_pattern() -> str:
    """Return the RE2 pattern of a name with a ``start`` or ``end`` form, an article or an "and"."""
    return rf"^(?:the|{'|'.join(legal_forms('start'))}) | (?:and|the|{'|'.join(legal_forms('end'))})$"


def load_lookups(con: duckdb.DuckDBPyConnection) -> None:
    """Create the temporary look-up tables: shared domains, countries, states, cities, dialling codes, nicknames."""
    make_table(
        con,
        "_shared_domain",
        {"domain": [r["domain"] for r in rows("shared_domains")]}
        | {"kind": [r["kind"] for r in rows("shared_domains")]},
    )
    names = {row["name"]: row["country_code"] for row in rows("countries")}
    make_table(con, "_country", {"name": list(names), "code": list(names.values())})
    cities = {row["name"]: row["city"] for row in rows("cities")}
    make_table(con, "_city", {"name": list(cities), "city": list(cities.values())})
    make_table(con, "_state", _states())
    make_table(con, "_dialling", _dialling())
    make_table(con, "_nickname", _nicknames())


def name_words(kind: str) -> dict[str, str]:
    """Return word of a company's name → how it is written, of one ``kind``.

    Kinds are ``abbreviation``, ``translation``, ``number``, ``ordinal``, ``roman`` and ``script``.
    """
    return {row["word"]: row["standard"] for row in rows("name_words") if row["kind"] == kind}


@cache
def script_words() -> tuple[tuple[str, str], ...]:
    """Return words of an organisation in a script without spaces and in English, longest first."""
    found = {row["word"]: row["standard"] for row in rows("name_words") if row["kind"] == "script"}
    return tuple(sorted(found.items(), key=lambda item: (-len(item[0]), item[0])))


@cache
def arabic_names() -> dict[str, str]:
    """Return names of people in Arabic script, which writes no short vowels, and how they are mostly spelt in Latin."""
    return {row["word"]: row["standard"] for row in rows("arabic_names")}


def street_words(kind: str) -> dict[str, str]:
    """Return abbreviation → one spelling, of one ``kind`` (``street_type``, ``direction`` or ``ordinal``)."""
    return {row["word"]: row["standard"] for row in rows("street_words") if row["kind"] == kind}


def _states() -> dict[str, list[str]]:
    """Return the names and codes of states per country; country '' for records without one.

    There a name counts where one state has it, a code where one state has it or else as a state of the United States.
    """
    found = [(row["country_code"], row["name"], row["state"]) for row in rows("states")]
    meanings: dict[str, set[str]] = {}
    for _, name, state in found:
        meanings.setdefault(name, set()).add(state)
    own = {name: state for code, name, state in found if code == "US"}
    anywhere = {name: states.copy().pop() for name, states in meanings.items() if len(states) == 1} | own
    found += [("", name, state) for name, state in anywhere.items()]
    return {key: [row[i] for row in found] for i, key in enumerate(("country_code", "name", "state"))}


def _dialling() -> dict[str, list[str]]:
    """Return per country its dialling code and the national (trunk) prefix that is dropped after it."""
    found: dict[str, list[str]] = {"code": [], "dialling": [], "trunk": []}
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
        if metadata is None:
            continue
        trunk = metadata.national_prefix or ""
        found["code"].append(region)
        found["dialling"].append(str(metadata.country_code))
        found["trunk"].append(trunk if trunk.isdigit() else "")
    return found


@cache
def _nicknames() -> dict[str, list[object]]:
    """Return first name → the sorted canonical names it may stand for, itself among them.

    Short forms come from the library; the same name in other languages and transliterations from ``given_names.csv``.
    """
    namer = NickNamer()
    canonicals: dict[str, set[str]] = {}
    for canonical, nicknames in namer._nickname_lookup.items():  # the library has no public listing
        canonicals.setdefault(canonical, {canonical})
        for nickname in nicknames:
            canonicals.setdefault(nickname, {nickname}).add(canonical)
    for row in rows("given_names"):
        # The first spelling stands for the name in all languages.
        first, *others = row["names"].split()
        for name in (first, *others):
            canonicals.setdefault(name, {name}).add(first)
    return {"name": list(canonicals), "canonical": [sorted(found) for found in canonicals.values()]}


def make_table(con: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, Sequence[object]]) -> None:
    """Create temporary table ``name`` with these columns of text, lists of text or truth values.

    As parameters: handing DuckDB an Arrow table imports pandas, which costs more than a small change.
    """
    parts = ", ".join(f"unnest(${column}::{_list_type(values)}) AS {column}" for column, values in columns.items())
    given = {column: list(values) for column, values in columns.items()}
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {parts}", given).fetchall()


def _list_type(values: Sequence[object]) -> str:
    first = values[0] if values else ""
    return "VARCHAR[][]" if isinstance(first, list) else "BOOLEAN[]" if isinstance(first, bool) else "VARCHAR[]"
