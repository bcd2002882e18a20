"""SOQL conditions against an independent evaluation in Python over random records and random conditions."""

import fnmatch
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.demo_org.store import OrgStore

ROWS = 60
TEXTS = ["Acme", "acme", "ACME gmbh", "Zeta", "z", "b_c", "100%", "", "O'Neil"]
Row = dict[str, Any]
Test = tuple[str, Callable[[Row], bool]]


def make_rows() -> list[Row]:
    chance = random.Random(7)
    start = datetime(2026, 1, 1)  # noqa: DTZ001
    return [
        {
            "Name": f"n{i}",
            "Site": chance.choice(TEXTS) or None,
            "AnnualRevenue": chance.choice([None, 0.0, -1.5, 10.0, 10.25, 2e9]),
            "NumberOfEmployees": chance.choice([None, 0, 1, 7]),
            "Flag__c": chance.random() < 0.5,
            "Day__c": chance.choice([None, (start + timedelta(days=chance.randrange(5))).date()]),
            "CreatedDate": start + timedelta(milliseconds=250 * chance.randrange(20)),
        }
        for i in range(ROWS)
    ]


DATA = make_rows()


@pytest.fixture(scope="module")
def store(module_load: Any) -> OrgStore:
    header = list(DATA[0])
    rows = [
        ["" if r[h] is None else r[h].isoformat() if hasattr(r[h], "isoformat") else r[h] for h in header] for r in DATA
    ]
    return module_load(Account=(header, rows))  # type: ignore[no-any-return]


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a is not None and a == b,
    "!=": lambda a, b: a is None or a != b,
    "<": lambda a, b: a is not None and a < b,
    "<=": lambda a, b: a is not None and a <= b,
    ">": lambda a, b: a is not None and a > b,
    ">=": lambda a, b: a is not None and a >= b,
}


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def folded(row: Row) -> str | None:
    value = row["Site"]
    return None if value is None else str(value).lower()


@st.composite
def text_tests(draw: st.DrawFn) -> Test:
    operator, text = draw(st.sampled_from(list(OPERATORS))), draw(st.sampled_from([t for t in TEXTS if t]))
    return f"Site {operator} {quoted(text)}", lambda r: OPERATORS[operator](folded(r), text.lower())


@st.composite
def like_tests(draw: st.DrawFn) -> Test:
    pattern = draw(st.sampled_from(["a%", "%ME%", "_", "%", "b\\_c", "100\\%", "_cm_", "%z"]))
    glob = pattern.lower().replace("\\_", "\0").replace("\\%", "\1").replace("%", "*").replace("_", "?")
    glob = glob.replace("\0", "_").replace("\1", "%")
    return f"Site LIKE '{pattern}'", lambda r: r["Site"] is not None and fnmatch.fnmatchcase(str(folded(r)), glob)


@st.composite
def number_tests(draw: st.DrawFn) -> Test:
    field = draw(st.sampled_from(["AnnualRevenue", "NumberOfEmployees"]))
    operator, number = draw(st.sampled_from(list(OPERATORS))), draw(st.sampled_from([0, 1, -1.5, 10, 10.25, 2e9]))
    return f"{field} {operator} {number}", lambda r: OPERATORS[operator](r[field], number)


@st.composite
def time_tests(draw: st.DrawFn) -> Test:
    operator, seconds = draw(st.sampled_from(list(OPERATORS))), draw(st.integers(0, 5))
    stamp = datetime(2026, 1, 1) + timedelta(seconds=seconds)  # noqa: DTZ001
    shifted = stamp + timedelta(hours=2)
    text = draw(st.sampled_from([f"{stamp.isoformat()}Z", f"{stamp.isoformat()}.999Z", f"{shifted.isoformat()}+02:00"]))
    return f"CreatedDate {operator} {text}", lambda r: OPERATORS[operator](
        r["CreatedDate"].replace(microsecond=0), stamp
    )


@st.composite
def day_tests(draw: st.DrawFn) -> Test:
    operator = draw(st.sampled_from(list(OPERATORS)))
    day = (datetime(2026, 1, 1) + timedelta(days=draw(st.integers(0, 5)))).date()  # noqa: DTZ001
    return f"Day__c {operator} {day}", lambda r: OPERATORS[operator](r["Day__c"], day)


@st.composite
def other_tests(draw: st.DrawFn) -> Test:
    chosen = draw(st.sets(st.sampled_from([t for t in TEXTS if t]), min_size=1))
    listed, low = ", ".join(quoted(t) for t in sorted(chosen)), {t.lower() for t in chosen}
    return draw(
        st.sampled_from(
            [
                ("Flag__c = true", lambda r: r["Flag__c"]),
                ("Flag__c != TRUE", lambda r: not r["Flag__c"]),
                ("Site = null", lambda r: r["Site"] is None),
                ("Day__c != NULL", lambda r: r["Day__c"] is not None),
                (f"Site IN ({listed})", lambda r: folded(r) in low),
                (f"Site NOT IN ({listed})", lambda r: folded(r) not in low),
            ]
        )
    )


SIMPLE = st.one_of(text_tests(), like_tests(), number_tests(), time_tests(), day_tests(), other_tests())


def combine(children: st.SearchStrategy[Test]) -> st.SearchStrategy[Test]:
    def joined(word: str, parts: list[Test], fold: Callable[[list[bool]], bool]) -> Test:
        return f" {word} ".join(f"({p[0]})" for p in parts), lambda r: fold([p[1](r) for p in parts])

    several = st.lists(children, min_size=2, max_size=3)
    return st.one_of(
        several.map(lambda p: joined("AND", p, all)),
        several.map(lambda p: joined("or", p, any)),
        children.map(lambda p: (f"NOT ({p[0]})", lambda r: not p[1](r))),
    )


@settings(max_examples=150, deadline=None)
@given(st.recursive(SIMPLE, combine, max_leaves=6))
def test_conditions_mean_what_soql_says(store: OrgStore, condition: Test) -> None:
    soql, holds = condition
    found = [row[0] for batch in store.query(f"SELECT Name FROM Account WHERE {soql}").batches(1000) for row in batch]
    assert found == [r["Name"] for r in DATA if holds(r)]
