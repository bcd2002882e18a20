from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.demo_org.store.soql.dates import date_range

TODAY = date(2026, 2, 18)  # a Wednesday


@pytest.mark.parametrize(
    ("name", "count", "first", "after"),
    [
        ("TODAY", None, date(2026, 2, 18), date(2026, 2, 19)),
        ("YESTERDAY", None, date(2026, 2, 17), date(2026, 2, 18)),
        ("TOMORROW", None, date(2026, 2, 19), date(2026, 2, 20)),
        ("THIS_WEEK", None, date(2026, 2, 15), date(2026, 2, 22)),
        ("LAST_WEEK", None, date(2026, 2, 8), date(2026, 2, 15)),
        ("LAST_MONTH", None, date(2026, 1, 1), date(2026, 2, 1)),
        ("NEXT_MONTH", None, date(2026, 3, 1), date(2026, 4, 1)),
        ("LAST_QUARTER", None, date(2025, 10, 1), date(2026, 1, 1)),
        ("THIS_FISCAL_YEAR", None, date(2026, 1, 1), date(2027, 1, 1)),
        ("LAST_FISCAL_QUARTER", None, date(2025, 10, 1), date(2026, 1, 1)),
        ("LAST_90_DAYS", None, date(2025, 11, 20), date(2026, 2, 19)),
        ("LAST_N_DAYS", 7, date(2026, 2, 11), date(2026, 2, 19)),
        ("NEXT_N_DAYS", 7, date(2026, 2, 19), date(2026, 2, 26)),
        ("LAST_N_MONTHS", 2, date(2025, 12, 1), date(2026, 2, 1)),
        ("NEXT_N_QUARTERS", 1, date(2026, 4, 1), date(2026, 7, 1)),
        ("LAST_N_YEARS", 3, date(2023, 1, 1), date(2026, 1, 1)),
        ("N_DAYS_AGO", 10, date(2026, 2, 8), date(2026, 2, 9)),
        ("N_MONTHS_AGO", 14, date(2024, 12, 1), date(2025, 1, 1)),
    ],
)
def test_known_ranges(name: str, count: int | None, first: date, after: date) -> None:
    assert date_range(name, count, TODAY) == (first, after)


@pytest.mark.parametrize(("name", "count"), [("SOMEDAY", None), ("LAST_N_DAYS", None), ("TODAY", 3)])
def test_unknown_literals(name: str, count: int | None) -> None:
    assert date_range(name, count, TODAY) is None


@given(
    st.dates(min_value=date(1990, 1, 1), max_value=date(2090, 1, 1)),
    st.sampled_from(["WEEK", "MONTH", "QUARTER", "YEAR"]),
)
def test_last_this_next_are_adjacent_and_hold_the_day(today: date, unit: str) -> None:
    last, this, following = (date_range(f"{w}_{unit}", None, today) for w in ("LAST", "THIS", "NEXT"))
    assert last is not None
    assert this is not None
    assert following is not None
    assert this[0] <= today < this[1]
    assert (last[1], this[1]) == (this[0], following[0])
    assert timedelta(days=7) <= this[1] - this[0] <= timedelta(days=366)
