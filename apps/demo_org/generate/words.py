"""Reading the word lists beside this file into DuckDB: lists as variables, places and countries as tables."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

FOLDER = Path(__file__).parent / "words"
#: Letters that do not decompose, as their bearers write them in ASCII.
PLAIN = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ı": "i", "æ": "ae", "đ": "d", "’": "'"})
#: Slots per thousand of country weight; a city gets its share, each slot one postal code.
PLACES = 24_000


@dataclass
class WordList:
    """One flat list of words; each culture owns a stretch of it."""

    native: list[str] = field(default_factory=list)
    latin: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    stretches: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, owner: str, entries: list[tuple[str, str, str]]) -> None:
        """Append a stretch; several lines of one owner must follow one another."""
        start, length = self.stretches.get(owner, (len(self.native), 0))
        for native, latin, extra in entries:
            self.native.append(native)
            self.latin.append(latin)
            self.extra.append(extra)
        self.stretches[owner] = (start, length + len(entries))


def load_words(con: duckdb.DuckDBPyConnection) -> None:
    """Set one variable per word list and create ``culture``, ``country`` and ``place``."""
    given, family, street = _given(), _family(), _streets()
    branch, legal = _branches(), _legal()
    lists = {"given": given, "family": family, "street": street, "branch": branch, "legal": legal}
    for name, words in lists.items():
        for part in ("native", "latin", "extra"):
            con.execute(f"SET VARIABLE {name}_{part} = ?", [getattr(words, part)])
    for kind, entries in _heads().items():
        con.execute(f"SET VARIABLE head_{kind} = ?", [entries])
    titles = [_split(line, "=") for line in _lines("titles.txt")]
    con.execute("SET VARIABLE title = ?", [[title for title, _ in titles]])
    con.execute("SET VARIABLE title_extra = ?", [[spellings for _, spellings in titles]])
    _create_cultures(con, given, family, street, branch)
    _create_countries(con, legal)
    _create_places(con)


def plain(text: str) -> str:
    """The text without accents, as people without that keyboard type it."""
    decomposed = unicodedata.normalize("NFKD", text.translate(PLAIN))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _lines(name: str) -> Iterator[str]:
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line


def _split(text: str, by: str) -> tuple[str, str]:
    first, _, second = text.partition(by)
    return first, second


def _word(text: str) -> tuple[str, str]:
    """``native=latin``, or the accented word alone."""
    native, latin = _split(text, "=")
    return native, latin or plain(native)


def _given() -> WordList:
    words = WordList()
    for line in _lines("given.txt"):
        culture, gender, *entries = line.split(" ")
        parsed = []
        for entry in entries:
            name, nicknames = _split(entry.replace("_", " "), ":")
            parsed.append((*_word(name), nicknames))
        words.add(f"{culture}_{gender}", parsed)
    return words


def _family() -> WordList:
    words = WordList()
    for line in _lines("family.txt"):
        culture, *entries = line.split(" ")
        words.add(culture, [(*_word(entry.replace("_", " ")), "") for entry in entries])
    return words


def _streets() -> WordList:
    """Names with their ending; ``extra`` says where the house number goes."""
    words = WordList()
    for line in _lines("streets.txt"):
        culture, form, names, endings = line.split("|")
        pairs = [_word(name) for name in names.split(";")]
        streets = [
            (_join(native, ending), plain(_join(latin, ending)), form)
            for ending in endings.split(";")
            for native, latin in pairs
        ]
        words.add(culture, streets)
    return words


def _join(name: str, ending: str) -> str:
    if ending == "~":
        return name
    return ending.replace(">", name) if ">" in ending else name + ending


def _branches() -> WordList:
    words = WordList()
    for line in _lines("branches.txt"):
        culture, industry, entries = line.split("|")
        words.add(culture, [(*_word(entry), industry) for entry in entries.split(";")])
    return words


def _legal() -> WordList:
    """Registered forms, repeated by weight; ``extra`` holds the other spellings."""
    words = WordList()
    for line in _lines("legal.txt"):
        country, forms, weight = line.split("|")
        form, spellings = _split(forms, "=")
        words.add(country, [(form, plain(form), spellings)] * int(weight))
    return words


def _heads() -> dict[str, list[str]]:
    heads = {}
    for line in _lines("heads.txt"):
        kind, *entries = line.split(" ")
        heads[kind] = ["" if entry == "~" else entry for entry in entries]
    return heads


def _create_cultures(
    con: duckdb.DuckDBPyConnection, given: WordList, family: WordList, street: WordList, branch: WordList
) -> None:
    con.execute(
        "CREATE TABLE culture (culture VARCHAR, male_at INT, male_n INT, female_at INT, female_n INT, family_at INT,"
        " family_n INT, street_at INT, street_n INT, branch_at INT, branch_n INT)"
    )
    rows = [
        (
            culture,
            *given.stretches[f"{culture}_m"],
            *given.stretches[f"{culture}_f"],
            *family.stretches[culture],
            *street.stretches[culture],
            *branch.stretches[culture],
        )
        for culture in family.stretches
    ]
    con.executemany("INSERT INTO culture VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _create_countries(con: duckdb.DuckDBPyConnection, legal: WordList) -> None:
    con.execute(
        "CREATE TABLE country (country VARCHAR, country_name VARCHAR, spellings VARCHAR[], culture VARCHAR,"
        " dial VARCHAR, trunk VARCHAR, tld VARCHAR, currency VARCHAR, mail_hosts VARCHAR[], legal_at INT, legal_n INT)"
    )
    rows = []
    for line in _lines("countries.txt"):
        code, name, spellings, culture, _, dial, trunk, _, tld, currency, hosts = line.split("|")
        row = (code, name, spellings.split(";"), culture, dial, trunk, tld, currency, hosts.split(" "))
        rows.append((*row, *legal.stretches[code]))
    con.executemany("INSERT INTO country VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _create_places(con: duckdb.DuckDBPyConnection) -> None:
    """One row per (city, postal code) slot; a slot drawn at random is a city in proportion to its weight."""
    con.execute(
        "CREATE TABLE place (place INT, country VARCHAR, state VARCHAR, state_latin VARCHAR, city VARCHAR,"
        " city_latin VARCHAR, postal_code VARCHAR, area VARCHAR, digits INT, city_at INT, city_n INT)"
    )
    tails = {line.split("|")[0]: line.split("|")[7] for line in _lines("countries.txt")}
    rows: list[tuple[object, ...]] = []
    for city, slots in _city_slots():
        country, state, name, _, area, digits, heads = city.split("|")
        start = len(rows)
        for slot in range(slots):
            code = _postal_code(tails[country], heads.split(" "), slot)
            row = (start + slot, country, *_word(state), *_word(name), code, area, int(digits), start, slots)
            rows.append(tuple(value if value != "" else None for value in row))
    columns = list(zip(*rows, strict=True))
    con.execute(
        "INSERT INTO place SELECT " + ", ".join("unnest(?)" for _ in columns), [list(column) for column in columns]
    )
    con.execute("SET VARIABLE places = ?", [len(rows)])


def _city_slots() -> Iterator[tuple[str, int]]:
    cities = list(_lines("cities.txt"))
    country_weight = {line.split("|")[0]: int(line.split("|")[4]) for line in _lines("countries.txt")}
    in_country: dict[str, int] = {}
    for city in cities:
        code = city.split("|")[0]
        in_country[code] = in_country.get(code, 0) + int(city.split("|")[3])
    total = sum(country_weight.values())
    for city in cities:
        code, weight = city.split("|")[0], int(city.split("|")[3])
        share = country_weight[code] / total * weight / in_country[code]
        yield city, max(1, round(PLACES * share))


def _postal_code(tail: str, heads: list[str], slot: int) -> str:
    mixed = slot * 7919 + 4177
    code = heads[slot % len(heads)]
    for letter in tail if code else "":
        if letter == "#":
            code += str(mixed % 10)
        elif letter == "@":
            code += "ABDEFGHJLNPQRSTUWXYZ"[mixed % 20]
        else:
            code += letter
        mixed //= 7
    return code
