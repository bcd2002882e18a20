"""Search of the reference for another entity than the candidates: bounded in time and in hits."""

import re
import threading
import time
import unicodedata
from typing import Any

import duckdb

from pipelines.review.published import KEYS, rows_of
from pipelines.review.rows import Found, Hit, Kind

#: Words of a search that are looked for; more only cost time.
MOST_WORDS = 6
_HAY = {
    "company": "coalesce(s.name_clean, '')",
    "person": "coalesce(s.first_name_clean, '') || ' ' || coalesce(s.last_name_clean, '')",
}
_MENTIONS = {
    "company": "contains(s.name_clean, ${word})",
    "person": "contains(s.last_name_clean, ${word}) OR contains(s.first_name_clean, ${word})",
}
#: What a person types that is no name: equal values only.
_EXACT = {
    "company": ("s.company_id = $typed", "s.domain = $host", "s.phone = $phone"),
    "person": ("s.person_id = $typed", "s.email_clean = $lower", "s.phone = $phone", "s.mobile = $phone"),
}


def search(con: duckdb.DuckDBPyConnection, kind: Kind, text: str, *, limit: int = 20, seconds: float = 2.0) -> Found:
    """Return reference entities whose id, name, domain, e-mail or phone ``text`` names, best first.

    Every word must be in the name, as a whole or as the beginning of a word; where no name has them all, the longest
    must, since standard names lack legal forms and the like. At most ``limit`` hits. After ``seconds`` what was found
    by id, domain, e-mail or phone is returned, and ``slow`` is True.
    """
    typed = text.strip()[:200]
    if not typed:
        return Found((), cut=False, slow=False)
    exact, words, until = _exact(con, kind, typed, limit), _words(typed), time.monotonic() + seconds
    named, slow = _within(con, until, *_by_name(kind, words, words, limit))
    if not named and not slow and len(words) > 1:
        # The longest word alone, so that "Acme GmbH" finds Acme.
        named, slow = _within(con, until, *_by_name(kind, words, [max(words, key=len)], limit))
    known = {row["id"] for row in exact}
    rows = [*exact, *(row for row in named if row["id"] not in known)]
    return Found(tuple(_hit(kind, row) for row in rows[:limit]), cut=len(rows) > limit, slow=slow)


def _words(typed: str) -> list[str]:
    """Return the words as the standard names have them: plain lower-case letters and digits."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", typed.lower()) if not unicodedata.combining(c))
    return re.findall(r"\w+", plain.replace("'", "").replace("’", ""))[:MOST_WORDS]


def _exact(con: duckdb.DuckDBPyConnection, kind: Kind, typed: str, limit: int) -> list[dict[str, Any]]:
    host = re.sub(r"^(?:[a-z]+://)?(?:www\.)?", "", typed.lower()).split("/")[0]
    digits = re.sub(r"[^0-9]", "", typed)
    given = {"typed": typed, "host": host, "lower": typed.lower(), "phone": ("+" if typed[0] == "+" else "") + digits}
    condition = " OR ".join(_EXACT[kind])
    used = {name: value for name, value in given.items() if f"${name}" in condition}
    query = f"SELECT {_shown(kind)}, 3.0 AS matched FROM {_from(kind)} WHERE {condition} ORDER BY 1 LIMIT $most"
    return rows_of(con, query, used | {"most": limit + 1})


def _by_name(kind: Kind, words: list[str], needed: list[str], limit: int) -> tuple[str, dict[str, Any]]:
    """Return the query of entities with all the ``needed`` words in their names, whole words and short names first."""
    if not words:
        return "", {}
    names = {f"w{number}": word for number, word in enumerate(words)}
    must = [name for name, word in names.items() if word in needed]
    # The plain test first: it is all that two million names have to go through.
    where = [f"({_MENTIONS[kind].format(word=name)})" for name in must]
    where += [f"contains(' ' || {_HAY[kind]}, ' ' || ${name})" for name in must]
    tests = [f"contains(hay, ' ' || ${name}{end})" for name in names for end in ("", " || ' '")]
    score = " + ".join(f"CASE WHEN {test} THEN 1 ELSE 0 END" for test in tests)
    inner = (
        f"SELECT s.{KEYS[kind]} AS key, ' ' || {_HAY[kind]} || ' ' AS hay FROM standard.{kind} AS s "
        f"WHERE {' AND '.join(where)}"
    )
    best = (
        f"SELECT key, ({score}) / {len(tests)}.0 AS matched, length(hay) AS size FROM ({inner}) "
        "ORDER BY matched DESC, size, key LIMIT $most"
    )
    query = (
        f"SELECT {_shown(kind)}, b.matched FROM ({best}) AS b JOIN {_from(kind)} ON s.{KEYS[kind]} = b.key "
        "ORDER BY b.matched DESC, b.size, b.key"
    )
    return query, names | {"most": limit + 1}


def _shown(kind: Kind) -> str:
    told = ("r.city", "r.country", "s.domain") if kind == "company" else ("s.email_clean", "r.city", "c.name_raw")
    return f"s.{KEYS[kind]} AS id, s.name_raw AS name, r.origin, concat_ws(' · ', {', '.join(told)}) AS detail"


def _from(kind: Kind) -> str:
    key = KEYS[kind]
    employer = " LEFT JOIN standard.company AS c ON c.company_id = s.company_id" if kind == "person" else ""
    return f"standard.{kind} AS s LEFT JOIN reference.{kind} AS r ON r.{key} = s.{key}{employer}"


def _within(
    con: duckdb.DuckDBPyConnection, until: float, query: str, parameters: dict[str, Any]
) -> tuple[list[dict[str, Any]], bool]:
    """Return the rows, or none and True when the time was over."""
    if not query:
        return [], False
    left = until - time.monotonic()
    if left < 0.01:
        return [], True
    watch = threading.Timer(left, con.interrupt)
    watch.start()
    try:
        return rows_of(con, query, parameters), False
    except duckdb.InterruptException:
        return [], True
    finally:
        watch.cancel()


def _hit(kind: Kind, row: dict[str, Any]) -> Hit:
    return Hit(kind, row["id"], row["name"], row["detail"], row["origin"] or "source", float(row["matched"]))
