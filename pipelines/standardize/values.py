"""What SQL cannot do to a value: transliteration and registrable domains, once per distinct value, through Arrow."""

import importlib.resources
from functools import cache

import duckdb
import pyarrow as pa
from anyascii import anyascii
from publicsuffixlist import PublicSuffixList

from pipelines.standardize.lookups import legal_forms

#: Inputs that are transliterated; addresses of the network and numbers are not.
TEXT_INPUTS = (
    "name",
    "first_name",
    "last_name",
    "company_name",
    "other_names",
    "street",
    "city",
    "state",
    "country",
    "title",
)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def to_ascii(text: str) -> str:
    """Return ``text`` in ASCII letters; legal forms of scripts without spaces become a word of their own."""
    for form in legal_forms("script"):
        if form in text:
            text = text.replace(form, " ltd ")
    return anyascii(text)


def registrable_domain(host: str) -> str | None:
    """Return the registrable domain of ``host`` by the public suffix list, or None for a bare suffix or nonsense."""
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return None
    found = _suffixes().privatesuffix(ascii_host.strip("."))
    return str(found) if found else None


def transliterate(con: duckdb.DuckDBPyConnection) -> None:
    """Replace the text inputs of ``_raw`` by their ASCII form and leave the result in ``_in``.

    The raw name and website stay beside it as ``name_raw`` and ``website_raw``.
    """
    union = " UNION ".join(f"SELECT {c} AS v FROM _raw WHERE length({c}) <> strlen({c})" for c in TEXT_INPUTS)
    values = [row[0] for row in con.sql(union).fetchall()]
    _register_pairs(con, "_ascii", {"v": values, "a": [to_ascii(value) for value in values]})
    columns = ", ".join(f"coalesce(x_{c}.a, r.{c}) AS {c}" for c in TEXT_INPUTS) if values else ""
    joins = "\n".join(f"LEFT JOIN _ascii x_{c} ON x_{c}.v = r.{c}" for c in TEXT_INPUTS) if values else ""
    replaced = f"REPLACE ({columns})" if values else ""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE _in AS SELECT r.* {replaced}, "
        "coalesce(r.name, nullif(concat_ws(' ', r.first_name, r.last_name), '')) AS name_raw, r.website AS website_raw "
        f"FROM _raw r {joins}"
    )


def load_domains(con: duckdb.DuckDBPyConnection) -> None:
    """Create ``_domain`` (host, registrable) for every host of a website or e-mail address in ``_in``.

    Most hosts are one label before a plain public suffix (acme.com, acme.co.uk), which a join finds; the list's own
    rules, wildcards and exceptions are asked for the rest, one by one, which costs twenty times as much.
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _host AS "
        "SELECT DISTINCT host FROM (SELECT web_host(website) AS host FROM _in WHERE website IS NOT NULL "
        "UNION ALL SELECT split_part(clean_email(email), '@', 2) FROM _in WHERE email IS NOT NULL) WHERE host <> ''"
    ).fetchall()
    names = suffixes()
    con.register("_rule_arrow", pa.table({"rule": list(names), "plain": list(names.values())}))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _domain AS SELECT host, host AS registrable FROM _host "
        "SEMI JOIN _rule_arrow s ON s.plain AND s.rule = host[strpos(host, '.') + 1:] "
        "ANTI JOIN _rule_arrow r ON r.rule = host "
        "WHERE regexp_full_match(host, '[a-z0-9-]+(?:\\.[a-z0-9-]+)+')"
    ).fetchall()
    con.unregister("_rule_arrow")
    rest = con.sql("SELECT host FROM _host ANTI JOIN _domain USING (host)").fetchall()
    found = [(host, registrable_domain(host)) for (host,) in rest]
    kept = [(host, name) for host, name in found if name]
    _register_pairs(con, "_rare_domain", {"host": [h for h, _ in kept], "registrable": [n for _, n in kept]})
    con.execute("INSERT INTO _domain FROM _rare_domain").fetchall()


@cache
def suffixes() -> dict[str, bool]:
    """Return the names of the public suffix list; true for a suffix below which no wildcard or exception stands."""
    text = (importlib.resources.files("publicsuffixlist") / "public_suffix_list.dat").read_text(encoding="utf-8")
    rules = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("//")]
    special = {rule.lstrip("!*.") for rule in rules if rule[0] in "!*"}
    return {name: name not in special for name in (*(rule.lstrip("!*.") for rule in rules), *special)}


def _register_pairs(con: duckdb.DuckDBPyConnection, name: str, columns: dict[str, list[str]]) -> None:
    con.register("_pairs_arrow", pa.table({key: pa.array(values, pa.string()) for key, values in columns.items()}))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM _pairs_arrow")
    con.unregister("_pairs_arrow")
