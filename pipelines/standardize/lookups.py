"""The word lists standardization looks values up in, as temporary tables and regular expressions.

Every list is a small CSV beside this module (sources and licences: ``data/README.md``) or comes from a library
that ships it; nothing is downloaded. How a value is cleaned with them is written in the SQL files.
"""

import csv
from functools import cache
from pathlib import Path

import duckdb
import phonenumbers
import pyarrow as pa
from nicknames import NickNamer

DATA = Path(__file__).parent / "data"
#: RE2 builds a small, fast automaton for about this many alternatives; one of thousands is a hundred times slower.
ALTERNATIVES_PER_PATTERN = 400
#: Words around a person's name, as alternatives of a pattern.
HONORIFICS = (
    "mr|mrs|ms|miss|mx|dr|prof|sir|dame|rev|fr|hon|herr|frau|mme|mlle|sr|sra|dott|ing|dipl|mag|hc|doctor|professor"
)
#: What stands between two names of one company.
OTHER_NAME = (
    "d/b/a|dba|doing business as|t/a|trading as|a/k/a|aka|also known as|f/k/a|fka|formerly known as|formerly|"
    "previously known as|vormals|ehemals|anciennement|antes|voorheen"
)
NAME_SUFFIXES = "jr|sr|ii|iii|iv|phd|md|mba|esq|cpa|msc|bsc|dds|ret|junior|senior"


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


def load_lookups(con: duckdb.DuckDBPyConnection) -> None:
    """Create the temporary look-up tables: shared domains, countries, cities, dialling codes, nicknames."""
    _table(
        con,
        "_shared_domain",
        {"domain": [r["domain"] for r in rows("shared_domains")]}
        | {"kind": [r["kind"] for r in rows("shared_domains")]},
    )
    names = {row["name"]: row["country_code"] for row in rows("countries")}
    _table(con, "_country", {"name": list(names), "code": list(names.values())})
    cities = {row["name"]: row["city"] for row in rows("cities")}
    _table(con, "_city", {"name": list(cities), "city": list(cities.values())})
    _table(con, "_dialling", _dialling())
    _table(con, "_nickname", _nicknames())


def name_words(kind: str) -> dict[str, str]:
    """Return word of a company's name → how it is written, of one ``kind``.

    Kinds are ``abbreviation``, ``translation``, ``number``, ``ordinal`` and ``roman``.
    """
    return {row["word"]: row["standard"] for row in rows("name_words") if row["kind"] == kind}


def street_words(kind: str) -> dict[str, str]:
    """Return abbreviation → one spelling, of one ``kind`` (``street_type``, ``direction`` or ``ordinal``)."""
    return {row["word"]: row["standard"] for row in rows("street_words") if row["kind"] == kind}


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
    """Return first name → the sorted canonical names it may stand for, itself among them."""
    namer = NickNamer()
    canonicals: dict[str, set[str]] = {}
    for canonical, nicknames in namer._nickname_lookup.items():  # the library has no public listing
        canonicals.setdefault(canonical, {canonical})
        for nickname in nicknames:
            canonicals.setdefault(nickname, {nickname}).add(canonical)
    return {"name": list(canonicals), "canonical": [sorted(found) for found in canonicals.values()]}


def _table(con: duckdb.DuckDBPyConnection, name: str, columns: dict[str, list[object]] | dict[str, list[str]]) -> None:
    table = pa.table(columns)
    con.register("_lookup_arrow", table)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM _lookup_arrow")
    con.unregister("_lookup_arrow")
