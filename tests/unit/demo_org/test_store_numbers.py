from decimal import Decimal

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.demo_org.store.bulk import BULK_MACROS


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    found = duckdb.connect()
    for macro in BULK_MACROS:
        found.execute(macro).fetchall()
    return found


def java_text(value: float) -> str:
    """Double.toString of Java, from Python's shortest digits."""
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        plain = format(Decimal(repr(value)), "f")
        return plain if "." in plain else plain + ".0"
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits)).rstrip("0") or "0"
    power = len(digits) - 1 + exponent
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{power}"


@pytest.mark.parametrize(
    ("value", "text"),
    [(12.0, "12.0"), (99213206.0, "9.9213206E7"), (1e7, "1.0E7"), (9999999.5, "9999999.5"), (-1.5e8, "-1.5E8")],
)
def test_known_texts(con: duckdb.DuckDBPyConnection, value: float, text: str) -> None:
    assert con.execute("SELECT double_text(?::DOUBLE)", [value]).fetchall() == [(text,)]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300), min_size=20))
def test_numbers_print_as_java_prints_them(con: duckdb.DuckDBPyConnection, values: list[float]) -> None:
    normal = [v for v in values if v == 0 or abs(v) > 1e-300]
    rows = con.execute("SELECT double_text(v) FROM (SELECT unnest(?::DOUBLE[]) AS v)", [normal]).fetchall()
    assert [r[0] for r in rows] == [java_text(v + 0.0 if v else v) for v in normal]
