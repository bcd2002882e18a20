"""What users of other tools report of mangled values: one test per complaint, the thread in its docstring."""

import gzip
import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data_contracts.errors import ExtractionError
from pipelines.extract.fields import FieldSpec
from pipelines.extract.rest_pages import write_rest_pages
from resources.landing import LandedField
from tests.support.landed_pages import LandedPages, csv_page

MODSTAMP = "2026-01-01T00:00:00.000Z"


def loaded(folder: Path, kind: str, cells: Sequence[object], pages: int = 1) -> list[Any]:
    """Load one column of type ``kind`` whose cells are spread over pages; return the column in order."""
    fields = [
        LandedField(name="Id", type="VARCHAR"),
        LandedField(name="X__c", type=kind),
        LandedField(name="Empty__c", type="DATE"),
        LandedField(name="SystemModstamp", type="TIMESTAMP"),
    ]
    made = LandedPages(folder, fields)
    rows = [(f"{number:05d}", cell, None, MODSTAMP) for number, cell in enumerate(cells)]
    size = -(-len(rows) // pages)
    names = [field.name for field in fields]
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    with made.warehouse.connect() as con:
        made.load(con, made.land([(csv_page(names, part), len(part)) for part in parts]))
        return [row[0] for row in con.execute('SELECT "X__c" FROM salesforce.thing__c ORDER BY "Id"').fetchall()]


def test_digit_strings_stay_text(tmp_path: Path) -> None:
    """airbyte#25350, #25794: text fields of digits arrived as floats, "01234" as "1234.0"; posf made Int64 of them."""
    cells = ["01234", "00901", "1234", "1234.0", "+4912", "1E5", "0x10", "12345678901234567890"]
    assert loaded(tmp_path, "VARCHAR", cells) == cells


def test_na_and_none_are_values(tmp_path: Path) -> None:
    """Airbyte's Bulk path (preserve_na_values, 2026): "NA", "None", "null", "nan" became null; lht wrote 'nan'."""
    cells = ["NA", "N/A", "None", "none", "null", "NULL", "nan", "NaN", "#N/A", "-", "\\N", "undefined"]
    assert loaded(tmp_path, "VARCHAR", [*cells, None]) == [*cells, None]


def test_exponents_are_exact_numbers(tmp_path: Path) -> None:
    """forcedotcom/dataloader#161, #1204, forcedotcom/cli#3367: Bulk prints 99,213,206 as 9.9213206E7."""
    found = loaded(tmp_path, "DECIMAL(18,2)", ["9.9213206E7", "9.9E7", "1.0E-2", "1.23456789012E11"])
    assert found == [Decimal("99213206"), Decimal("99000000"), Decimal("0.01"), Decimal("123456789012")]


def test_money_is_not_rounded(tmp_path: Path) -> None:
    """jsforce#1048, salesforcer#40; Airbyte, dlt, singer: currency as float loses what is beyond 2^53."""
    cells = ["9007199254740993.17", "0.1", "-0.01", "1234567890123456.78"]
    assert loaded(tmp_path, "DECIMAL(18,2)", cells) == [Decimal(cell) for cell in cells]


def test_long_whole_numbers_are_exact(tmp_path: Path) -> None:
    """Airbyte: every number is a JSON float; 9007199254740993 came back as ...992."""
    assert loaded(tmp_path, "BIGINT", ["9007199254740993", "-9223372036854775808"]) == [2**53 + 1, -(2**63)]


def test_null_bytes_stay(tmp_path: Path) -> None:
    """airbyte#8300, tap-salesforce#21: null bytes broke the reader, or were stripped from the values."""
    assert loaded(tmp_path, "VARCHAR", ["a\x00b", "\x00", "c"]) == ["a\x00b", "\x00", "c"]


def test_half_of_a_surrogate_pair_does_not_end_the_job(tmp_path: Path) -> None:
    """A text cut inside an emoji: JSON carries the half as \\ud83c, UTF-8 cannot; Java writes a question mark."""
    target = tmp_path / "page.csv.gz"
    records = json.loads('[{"Id": "1", "X__c": "a\\ud83c"}, {"Id": "2", "X__c": "\\ud83c\\udfe2"}]')
    write_rest_pages(target, NAMES, [records])
    made = LandedPages(tmp_path / "home", [LandedField(name=name, type="VARCHAR") for name in NAMES])
    with made.warehouse.connect() as con:
        made.load(con, made.land([(gzip.decompress(target.read_bytes()), 2)]))
        rows = con.execute('SELECT "X__c" FROM salesforce.thing__c ORDER BY "Id"').fetchall()
    assert rows == [("a?",), ("\U0001f3e2",)]


def test_newlines_do_not_split_rows(tmp_path: Path) -> None:
    """springml/spark-salesforce#53, RForcecom#59: a newline inside a value made two records of one."""
    cells = ["one\ntwo", "one\r\ntwo", "one\rtwo", "\n", '"\n"', "one\u2028two", "one\u0085two", 'a","b', "\\\n"]
    assert loaded(tmp_path, "VARCHAR", cells) == cells


def test_long_texts_are_whole(tmp_path: Path) -> None:
    """springml/spark-salesforce: columns are cut at 4,096 characters unless told otherwise."""
    text = "Ü" * 131_072
    assert loaded(tmp_path, "VARCHAR", [text, "short"]) == [text, "short"]


def test_empty_dates_and_numbers_are_null(tmp_path: Path) -> None:
    """lht: empty dates became 1900-01-01 and empty numbers 0."""
    assert loaded(tmp_path / "a", "DATE", [None, "2024-02-29"]) == [None, date(2024, 2, 29)]
    assert loaded(tmp_path / "b", "DECIMAL(18,2)", [None, "0"]) == [None, Decimal(0)]


def test_a_column_without_any_value_exists_with_its_type(tmp_path: Path) -> None:
    """dlt, ingestr: types are inferred from values, so a field that is always empty had no column."""
    made = LandedPages(tmp_path, [LandedField(name="Id", type="VARCHAR"), LandedField(name="E__c", type="DATE")])
    with made.warehouse.connect() as con:
        made.load(con, made.land([(csv_page(["Id", "E__c"], [("1", None)]), 1)]))
        types = con.execute("SELECT data_type FROM duckdb_columns() WHERE column_name = 'E__c'").fetchall()
    assert types == [("DATE",)]


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ({"type": "currency", "precision": 18, "scale": 2}, "DECIMAL(18,2)"),
        ({"type": "currency", "precision": 18, "scale": 4}, "DECIMAL(18,4)"),
        ({"type": "double", "precision": 18, "scale": 0}, "DECIMAL(18,0)"),
        ({"type": "date"}, "DATE"),
        ({"type": "datetime"}, "TIMESTAMP"),
        ({"type": "boolean"}, "BOOLEAN"),
        ({"type": "int"}, "BIGINT"),
        ({"type": "long"}, "BIGINT"),
        ({"type": "time"}, "TIME"),
        ({"type": "multipicklist", "length": 4099}, "VARCHAR"),
        ({"type": "anyType"}, "VARCHAR"),
    ],
)
def test_custom_fields_have_the_types_of_their_describe(kind: dict[str, Any], wanted: str) -> None:
    """Estuary emits every custom field as a string; dlt makes a date a VARCHAR and a currency a DOUBLE."""
    assert FieldSpec.from_describe({"name": "X__c", **kind}).duckdb_type == wanted


def test_datetimes_are_utc_whatever_their_offset(tmp_path: Path) -> None:
    """gurglefish compares local times with UTC ones; AppFlow writes dates differently by transport."""
    noon = datetime.fromisoformat("2026-06-01T12:00")
    cells = ["2026-06-01T12:00:00.000Z", "2026-06-01T12:00:00.000+0000", "2026-06-01T17:30:00.000+0530"]
    assert loaded(tmp_path, "TIMESTAMP", cells) == [noon] * 3


def test_each_page_has_its_own_header(tmp_path: Path) -> None:
    """posf joins the texts of all pages, headers included: past one page it fails or corrupts."""
    cells = [str(number) for number in range(100)]
    assert loaded(tmp_path, "VARCHAR", cells, pages=7) == cells


def test_a_record_loaded_twice_is_one_row(tmp_path: Path) -> None:
    """dlt's Salesforce source merges without a primary key and appends; airbyte#20471, #29455: rows twice."""
    fields = [LandedField(name="Id", type="VARCHAR"), LandedField(name="SystemModstamp", type="TIMESTAMP")]
    made, page = LandedPages(tmp_path, fields), csv_page(["Id", "SystemModstamp"], [("a", MODSTAMP), ("b", MODSTAMP)])
    with made.warehouse.connect() as con:
        for kind in ("full", "delta", "full", "delta"):
            made.load(con, made.land([(page, 2)], kind="full" if kind == "full" else "delta"))
        assert con.execute('SELECT "Id" FROM salesforce.thing__c ORDER BY ALL').fetchall() == [("a",), ("b",)]


NAMES = ["Id", "X__c"]
GOOD = csv_page(NAMES, [("1", "a"), ("2", "b")])
PAGES: dict[str, list[tuple[bytes, int]]] = {
    "cut at a row's end": [(csv_page(NAMES, [("1", "a")]), 2)],
    "cut inside a value": [(GOOD[:-3], 2)],
    "cut inside a row": [(GOOD[:-5], 2)],
    "empty body": [(b"", 2)],
    "header alone": [(csv_page(NAMES, []), 2)],
    "columns in another order": [(csv_page(NAMES[::-1], [("a", "1"), ("b", "2")]), 2)],
    "no header": [(GOOD.partition(b"\n")[2], 2)],
    "header twice": [(csv_page(NAMES, [NAMES, ("2", "b")]), 1)],
    "header in place of a record": [(GOOD, 2), (csv_page(NAMES, [NAMES, ("4", "d")]), 2), (GOOD, 2)],
    "page sent twice": [(GOOD, 2), (GOOD, 2)],
    "one more value in a row": [(csv_page(NAMES, [("1", "a", "x"), ("2", "b")]), 2)],
    "one value less in a row": [(csv_page(NAMES, [("1",), ("2", "b")]), 2)],
    "not UTF-8": [(GOOD.replace(b"b", b"\xff"), 2)],
    "half of a character": [(GOOD.replace(b"b", "Ü".encode()[:1]), 2)],
    "a row without Id": [(csv_page(NAMES, [("1", "a"), (None, "b")]), 2)],
    "a sign-in page of HTML": [(b"<html><body>Log in</body></html>\n", 2)],
}


@pytest.mark.parametrize("name", PAGES)
def test_a_damaged_page_never_becomes_a_table(name: str, tmp_path: Path) -> None:
    """aio-sf logs a CSV error and drops the rest of the page; airbyte#17503, #19947, #86347: green with rows lost."""
    made = LandedPages(tmp_path, [LandedField(name="Id", type="VARCHAR"), LandedField(name="X__c", type="VARCHAR")])
    with made.warehouse.connect() as con:
        made.load(con, made.land([(csv_page(NAMES, [("0", "kept")]), 1)]))
        landing = made.land(PAGES[name])
        with pytest.raises(ExtractionError) as caught:
            made.load(con, landing)
        assert "Next:" in str(caught.value)
        assert con.execute('SELECT "Id", "X__c" FROM salesforce.thing__c').fetchall() == [("0", "kept")]


def test_a_cell_that_does_not_convert_costs_neither_its_row_nor_its_job(tmp_path: Path) -> None:
    """DuckDB's store_rejects and aio-sf drop the whole row; lht removes fields until the query goes through."""
    fields = [LandedField(name="Id", type="VARCHAR"), LandedField(name="A__c", type="BIGINT"),
              LandedField(name="B__c", type="VARCHAR")]  # fmt: skip
    made = LandedPages(tmp_path, fields)
    with made.warehouse.connect() as con:
        page = csv_page(["Id", "A__c", "B__c"], [("1", "secret", "kept"), ("2", "7", "kept")])
        assert made.load(con, made.land([(page, 2)])).rejected == 1
        rows = con.execute('SELECT "Id", "A__c", "B__c" FROM salesforce.thing__c ORDER BY 1').fetchall()
        rejects = con.execute("SELECT * EXCLUDE (run_id, rejected_at) FROM ops.reject").fetchall()
    assert rows == [("1", None, "kept"), ("2", 7, "kept")]
    assert rejects == [("thing__c", "1", "A__c", "not a BIGINT; the column is NULL")], "the value itself is not kept"
