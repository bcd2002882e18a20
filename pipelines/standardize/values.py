"""What SQL cannot do to a value: transliteration and registrable domains, once per distinct value."""

import importlib.resources
import re
import unicodedata
from functools import cache

import duckdb
from anyascii import anyascii
from publicsuffixlist import PublicSuffixList

from pipelines.standardize.lookups import arabic_names, legal_forms, make_table, script_words

#: Inputs that are transliterated, and how: names of companies and streets have words of their own. Addresses of the
#: network are not, and of numbers the digits are.
TEXT_INPUTS = {
    "name": "name",
    "company_name": "name",
    "other_names": "name",
    "street": "street",
    "first_name": "text",
    "last_name": "text",
    "city": "text",
    "state": "text",
    "country": "text",
    "title": "text",
    "phone": "text",
    "mobile": "text",
    "postal_code": "text",
    "birthdate": "text",
}
#: What people type in their own script when they have nothing to type.
_UNKNOWN = frozenset(
    ("未知", "不明", "なし", "無し", "无", "無", "нет", "неизвестно", "неизвестна", "н/д", "غير معروف", "לא ידוע")
)
_KANJI_DIGITS = {character: str(number) for number, character in enumerate("一二三四五六七八九", 1)}
#: Two letters of Greek that are one sound.
_GREEK = (("ου", "ou"), ("Ου", "Ou"), ("ΟΥ", "OU"), ("ού", "ou"))

#: Last parts of names that lead nowhere: networks of one's own, and what people type where there is no address.
_NOWHERE = frozenset(
    ("corp", "home", "internal", "intranet", "lan", "local", "localdomain", "localhost", "nil", "none", "null")
)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def to_ascii(text: str, kind: str = "name") -> str:
    """Return ``text`` in ASCII letters.

    In a ``name`` legal forms of scripts without spaces become a word of their own, and the words of an organisation
    written in such a script their English one; a ``street`` has its numbers apart. ``text`` is neither.
    """
    if _LATIN.fullmatch(text):
        return anyascii(text.replace("°", "o") if kind == "street" else text)
    return anyascii(_words_apart(text, kind))


def _words_apart(text: str, kind: str) -> str:
    """Return text of any script with what it says in a way of its own said as Latin scripts do."""
    if text.strip() in _UNKNOWN:
        return "unknown"
    text = unicodedata.normalize("NFKC", text) if _WIDE.search(text) else text
    if kind == "street":
        text = _numbers_apart(text)
    else:
        for form in legal_forms("script"):
            if form in text:
                text = text.replace(form, " ltd ")
    if kind == "name" and _UNSPACED.search(text):
        for word, english in script_words():
            if word in text:
                text = text.replace(word, f" {english} ")
    if kind != "street" and _ARABIC.search(text):
        text = " ".join(arabic_names().get(word, word) for word in text.split())
    for greek, latin in _GREEK:
        text = text.replace(greek, latin)
    return text


#: Letters of Latin alphabets: none of the rules for other scripts is about them.
_LATIN = re.compile("[\u0000-\u024f]*")
#: Full-width, half-width and enclosed characters.
_WIDE = re.compile("[\u3200-\u33ff\uff00-\uffef]")
_ARABIC = re.compile("[\u0600-\u06ff]")
#: Chinese characters, kana, Hangul.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_KANJI_NUMBER = re.compile("([一二三四五六七八九])(?=丁目|番|号|條|条)")
_BLOCK = re.compile(r"(\d+)丁目\s*(\d+)(?:番地?の?|[-−ー])(\d+)号?")
_HOUSE = re.compile(r"(\d+)\s*[号號](?:楼|室|院)?")
_BESIDE_NUMBER = re.compile(
    r"(?<=[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])(?=\d)|(?<=\d)(?=[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])"
)


def _numbers_apart(text: str) -> str:
    """Return a street with its numbers apart: 丸の内1丁目2番3号 → 丸の内 1-2-3, 人民路123号 → 人民路 123."""
    text = text.replace("°", "o")
    if not _UNSPACED.search(text):
        return text
    text = _KANJI_NUMBER.sub(lambda found: _KANJI_DIGITS[found[1]], text)
    text = _BLOCK.sub(r"\1-\2-\3 ", text)
    return _BESIDE_NUMBER.sub(" ", _HOUSE.sub(r"\1 ", text))


def registrable_domain(host: str) -> str | None:
    """Return the registrable domain of ``host`` by the public suffix list, or None for a bare suffix or nonsense.

    What ends in no known suffix ends in a new one, by the list's last rule, but for names of no network outside
    (acme.local, RFC 6762) and of nothing at all (none.none, www.acme).
    """
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return None
    found = _suffixes().privatesuffix(ascii_host.strip("."))
    if not found or found.startswith("www.") or found.rpartition(".")[2] in _NOWHERE:
        return None
    return str(found)


def transliterate(con: duckdb.DuckDBPyConnection) -> None:
    """Replace the text inputs of ``_raw`` by their ASCII form and leave the result in ``_in``.

    Beside it stand the raw name as ``name_raw`` and, what several steps ask for, the website's ``host`` and
    ``email_clean``; the macros are defined.
    """
    union = " UNION ".join(
        f"SELECT '{c}' AS input, {c} AS v FROM _raw WHERE length({c}) <> strlen({c})" for c in TEXT_INPUTS
    )
    rows = con.sql(union).fetchall()
    # An input that is ASCII everywhere is not looked up.
    inputs = {name: TEXT_INPUTS[name] for name in TEXT_INPUTS if any(row[0] == name for row in rows)}
    found = sorted({(TEXT_INPUTS[name], value) for name, value in rows})
    ascii_forms = [to_ascii(value, kind) for kind, value in found]
    make_table(con, "_ascii", {"kind": [f[0] for f in found], "v": [f[1] for f in found], "a": ascii_forms})
    columns = ", ".join(f"coalesce(x_{c}.a, r.{c}) AS {c}" for c in inputs)
    joins = [f"LEFT JOIN _ascii x_{c} ON x_{c}.v = r.{c} AND x_{c}.kind = '{kind}'" for c, kind in inputs.items()]
    replaced = f"REPLACE ({columns})" if found else ""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE _in AS SELECT r.* EXCLUDE (bare) {replaced}, "
        "coalesce(r.name, nullif(concat_ws(' ', r.first_name, r.last_name), '')) AS name_raw, "
        "CASE WHEN is_host(bare) THEN bare ELSE web_host(website) END AS host, clean_email(email) AS email_clean "
        f"FROM (SELECT *, bare_host(website) AS bare FROM _raw) r {chr(10).join(joins)}"
    ).fetchall()


def load_domains(con: duckdb.DuckDBPyConnection) -> None:
    """Create ``_domain`` (host, registrable) for every host of a website or e-mail address in ``_in``.

    Most hosts are one label before a plain public suffix (acme.com, acme.co.uk), which a join finds; the list's own
    rules, wildcards and exceptions are asked for the rest, one by one, which costs twenty times as much.
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _host AS "
        "SELECT DISTINCT host FROM (SELECT host FROM _in WHERE host IS NOT NULL "
        "UNION ALL SELECT split_part(email_clean, '@', 2) FROM _in WHERE email_clean IS NOT NULL)"
    ).fetchall()
    names = suffixes()
    make_table(con, "_suffix_rule", {"rule": list(names), "plain": list(names.values())})
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _domain AS SELECT host, host AS registrable FROM _host "
        "SEMI JOIN _suffix_rule s ON s.plain AND s.rule = host[strpos(host, '.') + 1:] "
        "ANTI JOIN _suffix_rule r ON r.rule = host "
        "WHERE regexp_full_match(host, '[a-z0-9-]+(?:\\.[a-z0-9-]+)+')"
    ).fetchall()
    con.execute("DROP TABLE _suffix_rule").fetchall()
    rest = con.sql("SELECT host FROM _host ANTI JOIN _domain USING (host)").fetchall()
    found = [(host, registrable_domain(host)) for (host,) in rest]
    kept = [(host, name) for host, name in found if name]
    make_table(con, "_rare_domain", {"host": [h for h, _ in kept], "registrable": [n for _, n in kept]})
    con.execute("INSERT INTO _domain FROM _rare_domain").fetchall()


@cache
def suffixes() -> dict[str, bool]:
    """Return the names of the public suffix list; true for a suffix below which no wildcard or exception stands."""
    text = (importlib.resources.files("publicsuffixlist") / "public_suffix_list.dat").read_text(encoding="utf-8")
    rules = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("//")]
    special = {rule.lstrip("!*.") for rule in rules if rule[0] in "!*"}
    return {name: name not in special for name in (*(rule.lstrip("!*.") for rule in rules), *special)}
