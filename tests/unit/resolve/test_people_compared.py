"""What two people's values say: a name alone, an address misspelt, a letter off; level by level, veto by veto."""

from typing import Any

import duckdb
import pytest

from pipelines.resolve.comparisons import COMPARISONS
from pipelines.resolve.scripts import run_script
from pipelines.resolve.vetoes import VETOES

TEXTS = ("first_squashed", "last_squashed", "email_clean", "mailbox", "birthdate")
TEXTS += ("employer_id", "employer_domain", "employer_key")
LISTS = ("name_tokens", "first_name_canonical")


def _side(con: duckdb.DuckDBPyConnection, table: str, row: dict[str, Any]) -> None:
    texts = [f"${name}::VARCHAR AS {name}" for name in TEXTS]
    lists = [f"${name}::VARCHAR[] AS {name}" for name in LISTS]
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {', '.join(texts + lists)}, "
        "1.0 AS last_weight, 1.0 AS first_weight",
        {name: row.get(name) for name in (*TEXTS, *LISTS)},
    )


def person(
    first: str | None, last: str | None, email: str | None = None, employer: str | None = None
) -> dict[str, Any]:
    names = [name for name in (first, last) if name]
    return {"first_squashed": first, "last_squashed": last, "email_clean": email, "employer_domain": employer,
            "name_tokens": sorted(names), "first_name_canonical": [first] if first else None}  # fmt: skip


def asked(sql: str, left: dict[str, Any], right: dict[str, Any], *, suffixes: bool) -> Any:
    with duckdb.connect() as con:
        run_script(con, "similarity.sql")
        _side(con, "l", left)
        _side(con, "r", right)
        if suffixes:
            names = (*TEXTS, *LISTS, "last_weight", "first_weight")
            both = ", ".join(f"l.{name} AS {name}_l, r.{name} AS {name}_r" for name in names)
            return con.execute(f"SELECT {sql} FROM (SELECT {both} FROM l, r)").fetchall()[0][0]
        return con.execute(f"SELECT {sql} FROM l, r").fetchall()[0][0]


def level(name: str, left: dict[str, Any], right: dict[str, Any]) -> str:
    comparison = next(c for c in COMPARISONS["person"] if c.name == name)
    cases = " ".join(f"WHEN {each.condition} THEN '{each.label}'" for each in comparison.levels)
    sql = f"CASE WHEN {comparison.absent} THEN 'absent' {cases} ELSE 'nothing' END"
    found: str = asked(sql, left, right, suffixes=True)
    return found


def veto(left: dict[str, Any], right: dict[str, Any]) -> str | None:
    found: str | None = asked(VETOES["person"], left, right, suffixes=False)
    return found


EXCHANGED = "first and last name exchanged"


@pytest.mark.parametrize(
    ("left", "right", "said"),
    [
        ((None, "benazech"), ("charles", "benazech"), "same, rare"),
        (("benazech", None), ("charles", "benazech"), EXCHANGED),
        (("charles", "benazech"), ("benazech", None), EXCHANGED),
        (("charles", None), ("charles", "benazech"), "absent"),
        # He may be Charles Charles; his first name says it already.
        (("charles", None), ("charles", "charles"), "absent"),
        (("maria", None), ("charles", "benazech"), "absent"),
        ((None, None), ("charles", "benazech"), "absent"),
        (("benazech", "charles"), ("charles", "benazech"), EXCHANGED),
        (("charles", "smith"), ("charles", "benazech"), "nothing"),
    ],
)
def test_a_name_alone_may_be_either_name(left: Any, right: Any, said: str) -> None:
    assert level("last_name", person(*left), person(*right)) == said
    assert level("last_name", person(*right), person(*left)) == said
    if said == EXCHANGED:
        assert level("first_name", person(*left), person(*right)) == EXCHANGED, "which weighs nothing"
        assert level("first_name", person(*right), person(*left)) == EXCHANGED


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("noah.l@villa-jimenez.com", "noah.l@vill-jimenez.com", "nearly the same"),
        ("jo.brown@acme.com", "jo.brown@globex.com", "absent"),
        ("sopheg4@cook-blel.net", "sgopheg4@cook-bell.net", "nearly the same"),
        # Three letters of 28 are a slip or two, three of 12 another address.
        ("margaretwilliamson@baker.biz", "margartwillimson@baker.bzi", "nearly the same"),
        ("ab@thorn.com", "cd@thorm.com", "nothing"),
        ("jo.brown1@acme.com", "jo.brown2@acme.com", "same domain"),
        ("ann@schneider-electric-industries.com", "bob@schneider-electric-industries.com", "same domain"),
        ("ann.li@globalfoundries.com", "bob.li@globalfoundries.com", "same domain"),
        ("jo.brown@gmx.de", "jo.brown@gmx.at", "absent"),
        ("jo.brown@me.com", "jo.brown@mac.com", "absent"),
        ("jo.brown@sap.com", "jo.brown@gap.com", "absent"),
    ],
)
def test_an_address_misspelt_is_one_address(one: str, other: str, said: str) -> None:
    assert level("email", person("jo", "brown", one), person("jo", "brown", other)) == said
    assert level("email", person("jo", "brown", other), person("jo", "brown", one)) == said


@pytest.mark.parametrize(
    ("left", "right", "barred"),
    [
        (("charlie", "fox"), ("charlie", "fxo"), False),
        (("wei", "li"), ("wei", "lu"), True),
        (("charlie", "fox"), ("charlie", "brown"), True),
        ((None, "burk"), ("oscar", None), False),
        (("harrison", "davies"), ("harrison", None), False),
        (("harrison", "davies"), ("oscar", None), True),
        (("jack", "read"), ("jcak", "read"), False),
        (("amy", "brown"), ("may", "brown"), True),
        (("charles", "benazech"), ("benazach", None), False),
    ],
)
def test_a_veto_needs_names_on_both_sides_and_more_than_a_letter(left: Any, right: Any, barred: bool) -> None:
    mine = person(*left, employer="acme.com")
    assert (veto(mine, person(*right)) is not None) is barred
    assert (veto(person(*right, employer="acme.com"), person(*left)) is not None) is barred
