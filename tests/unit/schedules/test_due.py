"""Which object is due in which night, against an oracle that lives through years of nights and outages one by one."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from data_contracts.settings import Frequency, ObjectSettings, Settings, Window
from pipelines.publish.completed import Completed
from schedules.calendar import as_markdown, next_runs
from schedules.due import missed_since, owed, run_kind_for
from schedules.window import closing, night_of, opening

FREQUENCIES: tuple[Frequency, ...] = ("daily", "weekly", "biweekly", "monthly", "manual")
ZONES = (
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Europe/Oslo",
    "America/St_Johns",
)
QUARTERS = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30, 45)))
windows = st.builds(Window, time_zone=st.sampled_from(ZONES), opens=QUARTERS, closes=QUARTERS)
START = date(2026, 1, 1)


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(st.dates(date(2024, 1, 1), date(2028, 1, 1)), st.dates(date(2028, 1, 2), date(2040, 1, 1)))
def test_a_daily_object_has_one_full_run_in_any_seven_nights(set_up_on: date, first: date):
    daily = ObjectSettings(set_up_on=set_up_on)
    week = [first + timedelta(days=day) for day in range(7)]
    kinds = {night: run_kind_for(daily, night) for night in week}
    assert [night.weekday() for night in week if kinds[night] == "full"] == [set_up_on.weekday()]
    assert list(kinds.values()).count("delta") == 6


@given(st.dates(date(2024, 1, 1), date(2028, 1, 1)), st.integers(2024, 2035))
def test_monthly_comes_twelve_times_a_year(set_up_on: date, year: int):
    monthly = ObjectSettings(frequency="monthly", set_up_on=set_up_on)
    nights = [date(year, 1, 1) + timedelta(days=day) for day in range(366)]
    due = [night for night in nights if night.year == year and run_kind_for(monthly, night) == "full"]
    expected = 12 if year > set_up_on.year else sum(1 for night in due if night >= set_up_on)
    assert len(due) == expected
    assert len({night.month for night in due}) == len(due)


def test_weekly_biweekly_manual_and_off():
    anchor = date(2026, 1, 5)
    due = {
        frequency: [
            day
            for day in range(-7, 35)
            if run_kind_for(ObjectSettings(frequency=frequency, set_up_on=anchor), anchor + timedelta(days=day))
        ]
        for frequency in ("weekly", "biweekly", "manual")
    }
    assert due == {"weekly": [0, 7, 14, 21, 28], "biweekly": [0, 14, 28], "manual": []}
    assert run_kind_for(ObjectSettings(enabled=False, set_up_on=anchor), anchor) is None
    assert run_kind_for(ObjectSettings(), date(2026, 1, 4)) == "full", "a Sunday, when set_up_on is not written"


class Clockwork:
    """The oracle: lives through a stretch of time in steps of a quarter of an hour, looking at the wall clock only.

    It knows nothing of nights but that one begins when the clock on the wall first shows the opening time of a new
    date. That a full run is due it remembers with a flag, set on a planned day, taken down by a run that ends well.
    """

    def __init__(self, window: Window, frequency: Frequency, anchor: date) -> None:
        self.window, self.frequency, self.anchor = window, frequency, anchor
        self.opened: set[date] = set()
        self.closed: set[date] = set()
        self.full_is_due = False

    def nights(self, first: datetime, last: datetime) -> Iterator[tuple[date, datetime]]:
        """Yield every night of the calendar with the moment at which it opens, unless it closes at the same moment."""
        at = first
        while at < last:
            local = at.astimezone(self.window.zone).replace(tzinfo=None)
            yesterday = local.date() - timedelta(days=1)
            overnight = self.window.closes <= self.window.opens
            for night in (yesterday, local.date()):
                ends = night + timedelta(days=overnight)
                if local >= datetime.combine(ends, self.window.closes):
                    self.closed.add(night)
                if night not in self.opened and local >= datetime.combine(night, self.window.opens):
                    self.opened.add(night)
                    if night not in self.closed:
                        yield night, at
            at += timedelta(minutes=15)

    def plan(self, night: date) -> str | None:
        """Say what the object needs in a night: a full run that is planned or still due, or else a delta."""
        if self.frequency == "manual" or night < self.anchor:
            return None
        self.full_is_due = self.full_is_due or self._planned(night)
        return "full" if self.full_is_due else "delta" if self.frequency == "daily" else None

    def _planned(self, night: date) -> bool:
        if self.frequency == "monthly":
            tomorrow = night + timedelta(days=1)
            return night.day == self.anchor.day or (tomorrow.day == 1 and night.day < self.anchor.day)
        weeks = 2 if self.frequency == "biweekly" else 1
        day = self.anchor
        while day < night:
            day += timedelta(weeks=weeks)
        return day == night


# A failing example is shown as it was found: making it smaller would take minutes.
@settings(max_examples=10, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(windows, st.sampled_from(FREQUENCIES), st.integers(1, 60), st.integers(0, 999), st.sampled_from((0, 0.1, 0.7)))
def test_years_of_nights_with_outages(window: Window, frequency: Frequency, shift: int, seed: int, trouble: float):
    """What is owed is what somebody who lives through the nights would do, and a missed night is caught up once."""
    anchor = START + timedelta(days=shift)
    item = ObjectSettings(frequency=frequency, set_up_on=anchor)
    clock = Clockwork(window, frequency, anchor)
    chance = Random(seed)
    done, planned, ran = Completed(), 0, 0
    first = datetime.combine(START, time(0), UTC)
    for night, opens in clock.nights(first, first + timedelta(days=430)):
        assert night_of(window, opens) == night
        expected = clock.plan(night)
        assert owed(item, window, night, done) == expected
        planned += run_kind_for(item, night) == "full"
        went_well = chance.random() >= trouble
        if expected and went_well:
            clock.full_is_due = False
            ran += expected == "full"
            done = replace(done, last=opens, full=opens if expected == "full" else done.full)
            assert owed(item, window, night, done) is None, "a night is worked off once"
    assert ran <= planned
    assert trouble or ran == planned


def test_three_missed_weeks_are_caught_up_by_one_full_run():
    weekly, window = ObjectSettings(frequency="weekly", set_up_on=date(2026, 1, 5)), Window()
    done = Completed(opening(window, date(2026, 1, 5)), opening(window, date(2026, 1, 5)))
    assert owed(weekly, window, date(2026, 1, 11), done) is None
    assert [owed(weekly, window, date(2026, 1, 28), done)] == ["full"]
    caught_up = Completed(opening(window, date(2026, 1, 28)), opening(window, date(2026, 1, 28)))
    nights = [date(2026, 1, 29) + timedelta(days=day) for day in range(5)]
    assert [night.day for night in nights if owed(weekly, window, night, caught_up)] == [2], "the next one planned"


def test_a_full_run_that_paused_goes_on_as_a_full_run():
    daily, window = ObjectSettings(set_up_on=date(2026, 1, 5)), Window()
    done = Completed(opening(window, date(2026, 1, 4)), opening(window, date(2025, 12, 29)))
    assert owed(daily, window, date(2026, 1, 5), done) == "full"
    assert owed(daily, window, date(2026, 1, 6), done) == "full", "nothing was published in the night before"
    after = Completed(opening(window, date(2026, 1, 6)), opening(window, date(2026, 1, 6)))
    assert owed(daily, window, date(2026, 1, 7), after) == "delta"


def test_what_was_run_by_hand_in_the_night_is_not_run_again():
    daily, window = ObjectSettings(set_up_on=date(2026, 1, 5)), Window()
    by_hand = opening(window, date(2026, 1, 6)) + timedelta(hours=1)
    full = opening(window, date(2026, 1, 5))
    assert owed(daily, window, date(2026, 1, 6), Completed(by_hand, full)) is None
    assert owed(daily, window, date(2026, 1, 6), Completed(by_hand - timedelta(hours=2), full)) == "delta"


@pytest.mark.parametrize(
    ("last", "at", "missed"),
    [
        ("2026-01-06 02:00", "2026-01-07 10:59", None),
        ("2026-01-06 02:00", "2026-01-07 11:00", date(2026, 1, 6)),
        ("2026-01-06 02:00", "2026-01-12 11:00", date(2026, 1, 6)),
        ("2026-01-07 18:00", "2026-01-08 10:00", None),
        ("2026-01-07 18:00", "2026-01-08 11:00", date(2026, 1, 7)),
        (None, "2026-01-06 12:00", date(2026, 1, 5)),
    ],
)
def test_a_night_is_missed_when_it_is_over_and_nothing_was_published_since(
    last: str | None, at: str, missed: date | None
):
    daily = ObjectSettings(set_up_on=date(2026, 1, 1))
    done = Completed(_utc(last)) if last else None
    assert missed_since(daily, Window(), done, since=_utc("2026-01-05 12:00"), at=_utc(at)) == missed


def test_the_calendar_holds_the_next_fourteen_runs_and_says_what_is_caught_up():
    chosen = Settings.model_validate(
        {"objects": {"account": {"set_up_on": date(2026, 1, 7)}, "lead": {"frequency": "manual"}}}
    )
    at = _utc("2026-01-08 12:00")  # a Thursday; the full run of the night before has not been published
    done = {name: Completed(_utc("2026-01-07 01:00"), _utc("2026-01-05 02:00")) for name in chosen.objects}
    runs = next_runs(chosen, at, done)
    assert [run.night for run in runs] == [date(2026, 1, 8) + timedelta(days=day) for day in range(14)]
    assert runs[0].full == runs[0].late == ("account",)
    assert [run.night.weekday() for run in runs[1:] if "account" in run.full] == [2, 2]
    assert all("lead" not in (*run.full, *run.delta) for run in runs)
    assert all(run.closes == closing(chosen.window, run.night) for run in runs)
    told = as_markdown(runs, chosen).splitlines()
    assert len(told) == 2 + 14
    assert told[2].startswith("| Thu 2026-01-08 20:00 | Fri 06:00 | account (catching up) |")


def test_a_calendar_of_what_never_runs_is_empty():
    by_hand = Settings.model_validate({"objects": {name: {"frequency": "manual"} for name in Settings().objects}})
    assert next_runs(by_hand, _utc("2026-01-08 12:00"), {}) == []
    assert "by hand" in as_markdown([], by_hand)
