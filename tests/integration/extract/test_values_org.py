"""What people typed into the org is what DuckDB has, by Bulk and by REST: one table, equal to what went in."""

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipelines.extract import submit
from tests.support.demo_org_client import Scripted, V, serve_scripted, write_csv
from tests.support.mirror import Mirror, settings_for

#: Field, Salesforce type, further attributes of its describe, DuckDB type expected.
FIELDS: list[tuple[str, str, dict[str, Any], str]] = [
    ("Text__c", "string", {}, "VARCHAR"),
    ("Long__c", "textarea", {}, "VARCHAR"),
    ("Mail__c", "email", {}, "VARCHAR"),
    ("Pick__c", "picklist", {}, "VARCHAR"),
    ("Picks__c", "multipicklist", {}, "VARCHAR"),
    ("Money__c", "currency", {"precision": 18, "scale": 2}, "DECIMAL(18,2)"),
    ("Share__c", "percent", {"precision": 5, "scale": 2}, "DECIMAL(18,2)"),
    ("Fine__c", "double", {"precision": 18, "scale": 8}, "DECIMAL(18,8)"),
    ("Whole__c", "double", {"precision": 18, "scale": 0}, "DECIMAL(18,0)"),
    ("Count__c", "int", {}, "BIGINT"),
    ("Flag__c", "boolean", {}, "BOOLEAN"),
    ("Day__c", "date", {}, "DATE"),
    ("Moment__c", "datetime", {}, "TIMESTAMP"),
]
NAMES = [name for name, *_ in FIELDS]
BATCH = itertools.count(1)


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    data = tmp_path_factory.mktemp("things")
    write_csv(data / "Thing__c.csv", ["Name", "Batch__c"], [["first", "none"]])
    with serve_scripted(data, tmp_path_factory.mktemp("scripted")) as served:
        for name, kind, attributes, _ in FIELDS:
            body = {"do": "add_field", "object": "Thing__c", "name": name, "type": kind, **attributes}
            assert served.client("POST", "/__demo__/execute", json=body).status_code == 200
        yield served


def _numbers(places: int, digits: int) -> st.SearchStrategy[Decimal]:
    """The org keeps numbers as Salesforce does: up to fifteen digits are exact."""
    largest = 10 ** (digits - places) - 1
    return st.decimals(-largest, largest, places=places, allow_nan=False, allow_infinity=False)


TRICKY = [
    "NA", "N/A", "None", "null", "NULL", "nan", "NaN", "true", "0012", "00901", "1E5", "9.9213206E7", "0015g00000AbCdE",
    "0015g00000AbCdEAAV", "a\x00b", "\\N", "\\", '"', '""', "a,b", "first\nsecond", "first\r\nsecond", "a\rb",
    "\ufeffx",
    "a\u2028b", "a\u0085b", "\U0001f3e2", "e\u0301", "'", "=1+1", "#N/A", "-", "2026-01-01", "\t",
]  # fmt: skip
TEXT = st.one_of(
    st.sampled_from(TRICKY),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
)
ROW = st.fixed_dictionaries(
    {
        "Text__c": st.none() | TEXT,
        "Long__c": st.none() | TEXT,
        "Mail__c": st.sampled_from([None, "o'neil+x@example.com"]),
        "Pick__c": st.sampled_from([None, "NA", "None", "Größe; klein"]),
        "Picks__c": st.sampled_from([None, "A", "A;B", "NA;None"]),
        "Money__c": st.none() | _numbers(2, 15),
        "Share__c": st.none() | _numbers(2, 5),
        "Fine__c": st.none() | _numbers(8, 15),
        "Whole__c": st.none() | _numbers(0, 15),
        "Count__c": st.none() | st.integers(-(2**31), 2**31 - 1),
        "Flag__c": st.booleans(),
        "Day__c": st.none() | st.dates(date(1700, 1, 1), date(4000, 12, 31)),
        "Moment__c": st.none()
        | st.datetimes(datetime.fromisoformat("1700-01-01"), datetime.fromisoformat("4000-12-31")),
    }
)


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def _stored(value: Any) -> Any:
    """The value as the org keeps it: a moment to the millisecond, a text without blanks around it."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, datetime):
        return value.replace(microsecond=value.microsecond // 1000 * 1000)
    return value


def _created(org: Scripted, batch: str, rows: list[dict[str, Any]]) -> list[str]:
    ids = []
    for row in rows:
        values = {name: _json(value) for name, value in row.items()}
        answer = org.client("POST", f"{V}/sobjects/Thing__c", json={"Name": "thing", "Batch__c": batch, **values})
        assert answer.status_code == 201, (answer.text, row)
        ids.append(str(answer.json()["id"]))
    return ids


def _mirrored(org: Scripted, home: Path, batch: str) -> Mirror:
    chosen = {"Thing__c": {"selection": {"mode": "condition", "condition": f"Batch__c = '{batch}'"}}}
    m = Mirror(org.org, home, settings_for(objects=chosen))
    result = m.sync("full")["Thing__c"]
    assert result.rejected == 0
    return m


def _rows(m: Mirror, what: str = "*") -> list[tuple[Any, ...]]:
    return m.rows(f'SELECT {what} FROM salesforce.thing__c ORDER BY "Id"')


def _differences(found: list[tuple[Any, ...]], wanted: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Name the cells that differ: field, what is there, what went in."""
    assert len(found) == len(wanted)
    return [
        (name, is_there, went_in)
        for pair in zip(found, wanted, strict=True)
        for name, is_there, went_in in zip(["Id", *NAMES], *pair, strict=True)
        if is_there != went_in
    ]


# Not shrunk: every attempt is two syncs.
@settings(max_examples=5, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(rows=st.lists(ROW, min_size=8, max_size=20))
def test_what_went_in_is_in_duckdb_by_both_transports(
    rows: list[dict[str, Any]], org: Scripted, tmp_path_factory: pytest.TempPathFactory
) -> None:
    batch, listed = f"b{next(BATCH)}", ", ".join(f'"{name}"' for name in ["Id", *NAMES])
    ids = _created(org, batch, rows)
    wanted = sorted((record, *(_stored(row[name]) for name in NAMES)) for record, row in zip(ids, rows, strict=True))
    by_rest = _mirrored(org, tmp_path_factory.mktemp("rest"), batch)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(submit, "REST_ROWS", -1)
        by_bulk = _mirrored(org, tmp_path_factory.mktemp("bulk"), batch)
    assert _differences(_rows(by_rest, listed), wanted) == []
    assert _differences(_rows(by_bulk, listed), wanted) == []
    everything = "* EXCLUDE (_synced_at, _run_id)"
    assert _rows(by_rest, everything) == _rows(by_bulk, everything)
    types = dict(by_bulk.rows("SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'thing__c'"))
    assert {name: types[name] for name in NAMES} == {name: kind for name, *_, kind in FIELDS}


def test_the_longest_text_area_and_numbers_from_ten_million_on(org: Scripted, tmp_path: Path) -> None:
    text = "".join(itertools.islice(itertools.cycle('Ü"\n\\,x'), 131_072))
    row = {"Long__c": text, "Money__c": Decimal("99213206.00"), "Whole__c": Decimal("9.9E7"), "Flag__c": False}
    _created(org, "long", [row])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(submit, "REST_ROWS", -1)
        m = _mirrored(org, tmp_path, "long")
    assert _rows(m, '"Long__c", "Money__c", "Whole__c"') == [(text, Decimal("99213206.00"), Decimal(99_000_000))]
