"""What went into the org is what DuckDB has: every kind of value, through pages and through the org itself."""

import csv
import gzip
import io
import string
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.errors import ExtractionError
from pipelines.extract.cells import fault, reasons, typed
from pipelines.extract.pages import check_headers, read_csv
from pipelines.extract.rest_pages import write_rest_pages
from resources.landing import LandedField, LandedPage, LandingFolder, Manifest

FIELDS = [
    LandedField(name="Id", type="VARCHAR"),
    LandedField(name="Text__c", type="VARCHAR"),
    LandedField(name="Amount", type="DECIMAL(18,2)"),
    LandedField(name="Wide__c", type="DECIMAL(30,10)"),
    LandedField(name="Count__c", type="BIGINT"),
    LandedField(name="Ratio__c", type="DOUBLE"),
    LandedField(name="IsActive", type="BOOLEAN"),
    LandedField(name="CloseDate", type="DATE"),
    LandedField(name="SystemModstamp", type="TIMESTAMP"),
    LandedField(name="Opens__c", type="TIME"),
]
NAMES = [field.name for field in FIELDS]

EARLIEST, LATEST = datetime.fromisoformat("1700-01-01"), datetime.fromisoformat("4000-12-31")


def _decimals(places: int, digits: int) -> st.SearchStrategy[Decimal]:
    largest = 10 ** (digits - places) - 1
    return st.decimals(-largest, largest, places=places, allow_nan=False, allow_infinity=False)


def _salesforce_number(value: Decimal, exponent: bool) -> str:
    """As Bulk prints it: from ten million on with an exponent."""
    return f"{value:E}" if exponent else f"{value:f}"


TEXT = st.one_of(
    st.sampled_from(
        ["NA", "None", "null", "nan", "N/A", "TRUE", "0012", "1E5", "\x00", "a\x00b", " lead", "trail ", "\\", '"']
    ),
    st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=60),
    st.text(string.printable + "\u2028\ufeff", min_size=1, max_size=40),
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "Text__c": st.none() | TEXT,
            "Amount": st.none() | _decimals(2, 18),
            "Wide__c": st.none() | _decimals(10, 30),
            "Count__c": st.none() | st.integers(-(2**63), 2**63 - 1),
            "Ratio__c": st.none() | st.floats(allow_nan=False, allow_infinity=False),
            "IsActive": st.none() | st.booleans(),
            "CloseDate": st.none() | st.dates(date(1700, 1, 1), date(4000, 12, 31)),
            "SystemModstamp": st.none() | st.datetimes(EARLIEST, LATEST),
            "Opens__c": st.none() | st.times(),
            "exponent": st.booleans(),
        }
    ),
    min_size=1,
    max_size=8,
)


def _expected(row: dict[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in row.items() if name != "exponent"}
    for name in ("SystemModstamp", "Opens__c"):
        if values[name] is not None:
            values[name] = values[name].replace(microsecond=values[name].microsecond // 1000 * 1000)
    return values


def _sent(row: dict[str, Any]) -> dict[str, str | None]:
    """The row as Bulk API 2.0 writes its cells."""
    cells: dict[str, str | None] = {}
    for name, value in _expected(row).items():
        if value is None:
            cells[name] = None
        elif isinstance(value, bool):
            cells[name] = "true" if value else "false"
        elif isinstance(value, Decimal):
            cells[name] = _salesforce_number(value, row["exponent"])
        elif isinstance(value, datetime):
            cells[name] = value.replace(tzinfo=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        elif isinstance(value, time):
            cells[name] = value.isoformat(timespec="milliseconds") + "Z"
        else:
            cells[name] = repr(value) if isinstance(value, float) else str(value)
    return cells


def _page(path: Path, rows: list[dict[str, str | None]]) -> Path:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(NAMES)
    for number, row in enumerate(rows):
        writer.writerow([str(number), *(row[name] or "" for name in NAMES[1:])])
    path.write_bytes(gzip.compress(text.getvalue().encode()))
    return path


def _read(con: duckdb.DuckDBPyConnection, files: list[Path]) -> list[dict[str, Any]]:
    select = ", ".join(f'{typed(field)} AS "{field.name}"' for field in FIELDS)
    bad = " OR ".join(text for field in FIELDS if (text := fault(field)))
    table = con.sql(f"SELECT {select}, {bad} AS bad FROM {read_csv(files, FIELDS)} AS page ORDER BY Id::INT").fetchall()
    return [dict(zip([*NAMES, "bad"], row, strict=True)) for row in table]


@settings(max_examples=40, deadline=None)
@given(rows=ROWS)
def test_values_arrive_exactly(rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> None:
    page = _page(tmp_path_factory.mktemp("pages") / "page.csv.gz", [_sent(row) for row in rows])
    with duckdb.connect() as con:
        found = _read(con, [page])
    assert [{**row, "Id": str(number), "bad": False} for number, row in enumerate(map(_expected, rows))] == found


@settings(max_examples=25, deadline=None)
@given(rows=ROWS)
def test_rest_pages_read_as_bulk_pages(rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("pages")
    sent = [_sent(row) for row in rows]
    bulk = _page(folder / "bulk.csv.gz", sent)
    records = [{**cells, "Id": str(number), "attributes": {"type": "X"}} for number, cells in enumerate(sent)]
    rest = folder / "rest.csv.gz"
    assert write_rest_pages(rest, NAMES, [records]) == len(rows)
    assert gzip.decompress(rest.read_bytes()) == gzip.decompress(bulk.read_bytes())


@pytest.mark.parametrize(
    ("name", "cell", "value", "reason"),
    [
        ("Amount", "12,50", None, "not a DECIMAL(18,2); the column is NULL"),
        ("Amount", "1E40", None, "not a DECIMAL(18,2); the column is NULL"),
        ("Amount", "1.005", Decimal("1.01"), "more decimals than DECIMAL(18,2) holds; the column is rounded"),
        ("Count__c", "12.5", 13, "more decimals than BIGINT holds; the column is rounded"),
        ("CloseDate", "2026-02-30", None, "not a DATE; the column is NULL"),
        ("SystemModstamp", "yesterday", None, "not a TIMESTAMP; the column is NULL"),
        ("SystemModstamp", "2026-01-01T00:00:00.000+0000", datetime.fromisoformat("2026-01-01"), None),
        ("SystemModstamp", "2026-01-01T00:00:00.000+0500", datetime.fromisoformat("2025-12-31T19:00"), None),
        ("SystemModstamp", "2026-01-01T00:00:00.000-08:00", datetime.fromisoformat("2026-01-01T08:00"), None),
        ("CloseDate", "2026-02-28T10:00:00.000Z", None, "not a DATE; the column is NULL"),
        ("IsActive", "maybe", None, "not a BOOLEAN; the column is NULL"),
        ("Wide__c", "1E18", Decimal(10**18), None),
        ("Wide__c", "99999999999999999999.5", Decimal("99999999999999999999.5"), None),
        (
            "Wide__c",
            "0.00000000005",
            Decimal("0.0000000001"),
            "more decimals than DECIMAL(30,10) holds; the column is rounded",
        ),
        ("Amount", "9.9213206E7", Decimal("99213206.00"), None),
        ("Amount", "5.10", Decimal("5.10"), None),
        ("Count__c", "1.2E3", 1200, None),
    ],
)
def test_a_cell_that_does_not_convert_leaves_its_row(
    name: str, cell: str, value: object, reason: str | None, tmp_path: Path
) -> None:
    blank: dict[str, str | None] = dict.fromkeys(NAMES)
    page = _page(tmp_path / "page.csv.gz", [{**blank, "Text__c": "kept", name: cell}])
    field = next(field for field in FIELDS if field.name == name)
    with duckdb.connect() as con:
        (row,) = _read(con, [page])
        found = con.sql(f"SELECT {reasons(field)} FROM {read_csv([page], FIELDS)} AS page").fetchall()
    assert (row[name], row["Text__c"], row["bad"]) == (value, "kept", reason is not None)
    assert found == [(reason,)]


def _folder(path: Path, body: bytes, rows: int) -> LandingFolder:
    now = datetime.now(UTC)
    manifest = Manifest(
        org_id="00D", object="x", api_name="X", purpose="records", kind="full", transport="bulk", soql="",
        fields=FIELDS,
        api_version="62.0", match_key="k", restricted=False, since=None, until=now, eligible=rows, created_at=now,
        selection_key="s",
    )  # fmt: skip
    folder = LandingFolder.create(path, manifest)
    (folder.path / "page.csv").write_bytes(body)
    page = LandedPage(file="page.csv", locator="", next_locator="", rows=rows, bytes=len(body), sha256="")
    folder.add_page(page)
    return folder


HEADER = ",".join(f'"{name}"' for name in NAMES)
DAMAGE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty body": (lambda: b"", "0 instead of 10"),
    "reordered header": (lambda: ",".join(reversed(HEADER.split(","))).encode() + b"\n", "another order"),
    "one column less": (lambda: HEADER.rpartition(",")[0].encode() + b"\n", "9 instead of 10"),
    "another column": (lambda: HEADER.replace("Amount", "Umsatz").encode() + b"\n", "Umsatz"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_page_with_another_header_is_refused(name: str, tmp_path: Path) -> None:
    body, words = DAMAGE[name]
    with pytest.raises(ExtractionError, match=words):
        check_headers(_folder(tmp_path, body(), 1))


def test_a_header_in_another_case_is_the_same_header(tmp_path: Path) -> None:
    assert len(check_headers(_folder(tmp_path, HEADER.upper().encode() + b"\n", 1))) == 1


def test_a_record_of_the_longest_text_areas_is_read(tmp_path: Path) -> None:
    fields = [
        LandedField(name="Id", type="VARCHAR"),
        *(LandedField(name=f"T{n}", type="VARCHAR", length=131_072) for n in range(12)),
    ]
    text = "\U0001f3e2" * 131_072
    page = tmp_path / "page.csv"
    with page.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out, quoting=csv.QUOTE_ALL).writerows([[field.name for field in fields], ["1"] + [text] * 12])
    with duckdb.connect() as con:
        found = con.sql(f"SELECT length(T0), length(T11) FROM {read_csv([page], fields)}").fetchall()
    assert found == [(131_072, 131_072)]
