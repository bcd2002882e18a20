"""The off-hours window, as pure functions of the settings and a time. Which object is due in a night is in ``due``.

No clock is read here and no Dagster is imported: the caller says what time it is. Times come and go as aware
datetimes; what is returned is UTC. A *night* is the local date of the evening on which the window opened.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from data_contracts.settings import Window


def opening(window: Window, night: date) -> datetime:
    """Return when the window of ``night`` opens (UTC)."""
    return _first_instant(datetime.combine(night, window.opens), window.zone)


def closing(window: Window, night: date) -> datetime:
    """Return when the window of ``night`` closes (UTC); at ``opens`` of the next day if both times are equal."""
    day = night if window.closes > window.opens else night + timedelta(days=1)
    return _first_instant(datetime.combine(day, window.closes), window.zone)


def night_of(window: Window, at: datetime) -> date | None:
    """Return the night ``at`` lies in: the local date of the evening on which it began; None outside the window."""
    today = _aware(at).astimezone(window.zone).date()
    nights = (today, today - timedelta(days=1))
    return next((night for night in nights if opening(window, night) <= at < closing(window, night)), None)


def is_open(window: Window, at: datetime) -> bool:
    """Return whether scheduled work may be done at ``at``."""
    return night_of(window, at) is not None


def closes_at(window: Window, at: datetime) -> datetime | None:
    """Return when the window that is open at ``at`` closes (UTC); None when it is not open."""
    night = night_of(window, at)
    return closing(window, night) if night else None


def in_words(window: Window) -> str:
    """Return the window for people: ``20:00-06:00 America/New_York``."""
    return f"{window.opens:%H:%M}-{window.closes:%H:%M} {window.time_zone}"


def next_opening(window: Window, at: datetime) -> datetime:
    """Return the first opening at or after ``at`` (UTC)."""
    today = _aware(at).astimezone(window.zone).date()
    openings = (opening(window, today + timedelta(days=days)) for days in range(-1, 3))
    return next(moment for moment in openings if moment >= at)


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a time without a zone cannot be placed in a window")
    return at


def _first_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment at which clocks in ``zone`` show ``local`` or later (UTC).

    A time that comes twice (clocks go back) is its first coming; one that is skipped (clocks go forward) is the
    moment of the change, so a window never loses or repeats time by more than the change itself.
    """
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _shown(first, zone) == local:
        return first
    # In a gap fold=1 reckons with the offset after the change and lands before it, fold=0 the other way round.
    before = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    low, high = int(before.timestamp()), int(first.timestamp())
    while low < high:
        middle = (low + high) // 2
        if _shown(datetime.fromtimestamp(middle, UTC), zone) >= local:
            high = middle
        else:
            low = middle + 1
    return datetime.fromtimestamp(low, UTC)


def _shown(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)
