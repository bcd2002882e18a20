"""The off-hours window against an oracle that steps through real time minute by minute."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.settings import Window
from schedules.window import closes_at, closing, is_open, next_opening, night_of, opening

ZONES = (
    *("America/New_York", "Europe/Oslo", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "UTC"),
    *("Pacific/Chatham", "Asia/Beirut", "Pacific/Apia", "America/Santiago"),
)
windows = st.builds(
    Window,
    time_zone=st.sampled_from(ZONES),
    opens=st.times().map(lambda value: value.replace(second=0, microsecond=0)),
    closes=st.times().map(lambda value: value.replace(second=0, microsecond=0)),
)
moments = st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
NEW_YORK = Window()


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _first_minute_showing(window: Window, local: datetime) -> datetime:
    """The oracle: walk from a day before until the wall clock shows ``local`` or later."""
    at = local.replace(tzinfo=UTC) - timedelta(hours=28)
    while at.astimezone(window.zone).replace(tzinfo=None) < local:
        at += timedelta(minutes=1)
    return at


@settings(max_examples=60, deadline=None)
@given(windows, st.dates(date(2010, 1, 1), date(2030, 1, 1)))
def test_a_night_opens_and_closes_when_the_wall_clock_first_says_so(window: Window, night: date):
    last = night if window.closes > window.opens else night + timedelta(days=1)
    assert opening(window, night) == _first_minute_showing(window, datetime.combine(night, window.opens))
    assert closing(window, night) == _first_minute_showing(window, datetime.combine(last, window.closes))


@settings(max_examples=300, deadline=None)
@given(windows, moments)
def test_the_functions_agree_with_each_other(window: Window, at: datetime):
    night = night_of(window, at)
    assert is_open(window, at) == (night is not None)
    assert next_opening(window, at) >= at
    if night is None:
        assert closes_at(window, at) is None
        # Closed until the next opening, and open from then on unless the clocks swallowed the whole window.
        assert not is_open(window, next_opening(window, at) - timedelta(microseconds=1))
    else:
        closes = closes_at(window, at)
        assert closes is not None
        assert opening(window, night) <= at < closes
        assert night_of(window, closes - timedelta(microseconds=1)) == night


@pytest.mark.parametrize("zone", ZONES)
def test_every_night_of_twenty_years_comes_once_and_none_overlap(zone: str):
    window = Window(time_zone=zone)
    nights = [date(2010, 1, 1) + timedelta(days=day) for day in range(7305)]
    edges = [edge for night in nights for edge in (opening(window, night), closing(window, night))]
    assert edges == sorted(edges)


@pytest.mark.parametrize(
    ("night", "hours"),
    [("2026-03-07", 9), ("2026-03-08", 10), ("2026-10-31", 11), ("2026-11-01", 10)],
    ids=["spring forward", "after it", "fall back", "after it too"],
)
def test_the_default_window_on_the_days_the_clocks_change(night: str, hours: int):
    day = date.fromisoformat(night)
    assert closing(NEW_YORK, day) - opening(NEW_YORK, day) == timedelta(hours=hours)


def test_a_night_belongs_to_the_evening_on_which_it_began():
    assert night_of(NEW_YORK, _utc("2026-01-06 00:59")) is None
    assert night_of(NEW_YORK, _utc("2026-01-06 01:00")) == date(2026, 1, 5)
    assert night_of(NEW_YORK, _utc("2026-01-06 10:59")) == date(2026, 1, 5)
    assert night_of(NEW_YORK, _utc("2026-01-06 11:00")) is None
    assert next_opening(NEW_YORK, _utc("2026-01-06 11:00")) == _utc("2026-01-07 01:00")


def test_half_hour_zones():
    window = Window(time_zone="Asia/Kolkata")
    assert opening(window, date(2026, 1, 5)) == _utc("2026-01-05 14:30")
    assert closing(window, date(2026, 1, 5)) == _utc("2026-01-06 00:30")


def test_a_window_within_one_day_and_one_that_never_closes():
    noon = Window(opens=time(12), closes=time(13), time_zone="UTC")
    assert [is_open(noon, _utc(f"2026-01-05 {hour}")) for hour in ("11:59", "12:00", "12:59", "13:00")] == [
        *(False, True, True, False)
    ]
    always = Window(opens=time(0), closes=time(0), time_zone="UTC")
    assert is_open(always, _utc("2026-01-05 00:00"))
    assert is_open(always, _utc("2026-01-05 23:59"))


def test_a_skipped_opening_is_the_moment_of_the_change():
    window = Window(opens=time(2, 30), closes=time(6))
    assert opening(window, date(2026, 3, 8)) == _utc("2026-03-08 07:00")


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="without a zone"):
        is_open(NEW_YORK, datetime(2026, 1, 1))  # noqa: DTZ001
