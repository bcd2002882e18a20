"""Which schedules are on, what the clock says of missed nights, and that one Dagster instance serves one home."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data_contracts.errors import SettingsError
from data_contracts.settings import Settings
from pipelines.alarms.standing import Standing, read_standing
from pipelines.publish.completed import Completed, read_completed
from resources.home import Home
from resources.instance_claim import claim
from schedules.overdue import overdue
from schedules.state import ScheduleState, note_state, read_state

AT = datetime(2026, 1, 8, 15, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


def test_the_daemon_says_since_when_a_schedule_is_on(home: Home) -> None:
    assert read_state(home) == ScheduleState()
    note_state(home, {"daily_sync"}, AT)
    state = note_state(home, {"daily_sync", "weekly_full_sync"}, AT + DAY)
    assert read_state(home) == state
    assert state.on == {"daily_sync": AT, "weekly_full_sync": AT + DAY}
    assert state.since() == AT
    assert state.is_seen(AT + DAY)
    assert not state.is_seen(AT + 2 * DAY), "the daemon is not running"
    assert note_state(home, set(), AT + 2 * DAY).since() is None
    home.schedules.write_text("{", encoding="utf-8")
    assert read_state(home) == ScheduleState()


def test_missed_nights_are_told_while_a_schedule_is_on() -> None:
    settings = Settings.model_validate({"objects": {"lead": {"frequency": "manual"}, "task": {"enabled": False}}})
    done = {name: Completed(AT - DAY) for name in settings.objects if name != "account"}
    done["account"] = Completed(AT - 3 * DAY)
    on = ScheduleState({"daily_sync": AT - 10 * DAY}, AT)
    (alarm,) = [
        item for item in overdue(settings, done | {"contact": Completed(AT)}, on, AT) if item.object == "account"
    ]
    assert alarm.code == "window_missed"
    assert "2026-01-05" in alarm.message, "the first of the nights that were missed"
    found = {item.object for item in overdue(settings, done, on, AT)}
    assert found == {name for name in settings.objects if name not in ("lead", "task")}
    assert overdue(settings, done, ScheduleState({}, AT), AT) == [], "no schedule is on"
    lately = ScheduleState({"daily_sync": AT - timedelta(hours=1)}, AT)
    assert overdue(settings, done, lately, AT) == [], "they were switched on an hour ago"
    off = settings.model_copy(update={"connection": settings.connection.model_copy(update={"enabled": False})})
    assert overdue(off, done, on, AT) == []


def test_a_snapshot_that_nobody_renews_is_told_with_or_without_schedules() -> None:
    done = {"account": Completed(AT - 8 * DAY), "lead": Completed(AT - 9 * DAY)}
    (alarm,) = overdue(Settings(), done, ScheduleState(), AT)
    assert (alarm.code, alarm.object, alarm.measured, alarm.threshold) == ("no_data_changed", "*", 8.0, 7.0)
    assert overdue(Settings(), {}, ScheduleState(), AT) == [], "a home in which nothing was ever published"


def test_files_that_are_not_there_or_not_whole(home: Home) -> None:
    assert read_completed(home) == {}
    assert read_standing(home) == Standing()
    home.standing.write_text("[]", encoding="utf-8")
    assert read_standing(home) == Standing()


class Instance:
    """Where a Dagster instance keeps small values."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get_cursor_values(self, keys: set[str]) -> dict[str, str]:
        return {key: value for key, value in self.kept.items() if key in keys}

    def set_cursor_values(self, pairs: dict[str, str]) -> None:
        self.kept |= pairs


def _other(tmp_path: Path) -> Home:
    other = Home(tmp_path / "other")
    other.prepare()
    return other


def test_a_second_home_is_refused_while_the_first_is_there(home: Home, tmp_path: Path) -> None:
    instance, shared, other = Instance(), str(tmp_path / "dagster"), _other(tmp_path)
    claim(instance, home, shared)
    claim(instance, home, shared)
    with pytest.raises(SettingsError, match="belongs to the home") as refused:
        claim(instance, other, shared)
    assert str(home.root) in str(refused.value)
    # Each has the embedded instance to itself, and none needs a claim.
    claim(instance, other, str(other.dagster))
    claim(instance, other, None)
    home.root.rename(tmp_path / "gone")
    claim(instance, other, shared)
    with pytest.raises(SettingsError):
        claim(instance, Home(tmp_path / "gone"), shared)


def test_a_home_that_moved_to_another_machine_keeps_its_claim_and_a_stranger_there_does_not(
    home: Home, tmp_path: Path
) -> None:
    instance, shared = Instance(), str(tmp_path / "dagster")
    claim(instance, home, shared)
    (key,) = instance.kept
    instance.kept[key] = json.dumps(json.loads(instance.kept[key]) | {"host": "elsewhere"})
    with pytest.raises(SettingsError, match="elsewhere"):
        claim(instance, _other(tmp_path), shared)
    claim(instance, home, shared)
    assert "elsewhere" not in instance.kept[key]
