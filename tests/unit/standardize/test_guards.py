"""Cheap questions before dear patterns: where the answer is no, the pattern would not have changed a thing."""

import random
import re
from collections.abc import Iterator

import duckdb
import pytest

from pipelines.standardize.lookups import make_table
from pipelines.standardize.standardize import define_macros
from tests.support.resolution import connect

FRAGMENTS = (
    "acme|Müller|the|and|inc|gmbh|holding|group|ooo|o'|s.a.|a/s|children?s|&|+|`|j p|.com|.co.uk|www.|www2.|http://|"
    "https://|user@|mailto:|.invalid|+news|acme.com|shop.acme.de|ann@x.io|Bo+x@x.io|/|//|:80|?x=1|suite|unit|fl|floor|2nd|"
    "#|4b|3/12|l12|u5|elm st|12|0|(0)|+49|(212)|555-0100|ext 5|x7|poste|or|;|,|.|-|_| |  |\t|12345|00000|INC|Acme"
)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    draw = random.Random(7)
    texts = {draw.choice(("", " ")).join(draw.choices(FRAGMENTS.split("|"), k=draw.randint(1, 5))) for _ in range(3000)}
    with connect() as connection:
        define_macros(connection)
        make_table(connection, "_text", {"x": sorted(texts)})
        yield connection


@pytest.mark.parametrize(
    "wrong",
    [
        "NOT has_mark(lower(x)) AND read_marks(lower(x)) <> lower(x)",
        "NOT has_edge(clean_text(x)) AND without_edges(clean_text(x)) <> clean_text(x)",
        "is_host(bare_host(x)) AND bare_host(x) IS DISTINCT FROM web_host(x)",
        "NOT has_unit(lower(x)) AND street_unit(x) IS NOT NULL",
        "squeeze(x) IS DISTINCT FROM nullif(trim(regexp_replace(x, ' +', ' ', 'g')), '')",
    ],
)
def test_a_question_answered_no_leaves_nothing_to_do(con: duckdb.DuckDBPyConnection, wrong: str) -> None:
    assert con.sql(f"SELECT x FROM _text WHERE {wrong} LIMIT 5").fetchall() == []


def dialled(text: str) -> str:
    """Return what is dialled of a number, written out step by step."""
    text = re.sub(r"^([^/]{7,}\d)[\t\n\f\r ]*/[\t\n\f\r ]*([^/]{7,})\Z", r"\1", text.lower()).replace("(0)", "")
    return re.sub(r"[^0-9+]", "", re.sub(r"(?:ext|x|#|poste|durchwahl|;|,| or ).*\Z", "", text, count=1))


def address(text: str) -> str | None:
    """Return the mailbox of an e-mail address, written out step by step."""
    text = re.sub(r"\+[^@]*@", "@", re.sub(r"\.invalid\Z", "", text.lower().strip(" ")), count=1)
    found = re.match(r'(?:mailto:)?([^@\t\n\f\r ,;<>"]+@[^@\t\n\f\r ,;<>"]+\.[a-z][a-z0-9-]+)\Z', text)
    return found[1] if found else None


def test_numbers_and_addresses_are_read_alike_however_plain(con: duckdb.DuckDBPyConnection) -> None:
    found = con.sql("SELECT x, dialled(x), clean_email(x) FROM _text").fetchall()
    assert [row for row in found if row[1:] != (dialled(row[0]), address(row[0]))] == []
    assert sum(row[2] is not None for row in found) > 20


def test_a_word_said_twice_counts_once_where_it_stood_first(con: duckdb.DuckDBPyConnection) -> None:
    found = con.sql("SELECT w, each_once(w) FROM (SELECT string_split(x, ' ') AS w FROM _text)").fetchall()
    assert [words for words, once in found if list(dict.fromkeys(words)) != once] == []
