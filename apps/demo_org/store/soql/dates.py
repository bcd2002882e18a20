"""Date literals such as LAST_N_DAYS:30 as half-open ranges of days.

Belongs here: the calendar. Weeks start on Sunday as in a US org, the fiscal year in January, days in UTC.
Not here: comparing a field with a range.
"""

import re
from datetime import date, timedelta
from typing import Final

_UNITS: Final = {"DAY": "D", "WEEK": "W", "MONTH": "M", "QUARTER": "Q", "YEAR": "Y"}
_FIXED: Final = {"TODAY": ("D", 0), "YESTERDAY": ("D", -1), "TOMORROW": ("D", 1)}
_RELATIVE: Final = re.compile(r"(LAST|THIS|NEXT)_(FISCAL_)?(WEEK|MONTH|QUARTER|YEAR)")
_COUNTED: Final = re.compile(r"(LAST|NEXT)_N_(FISCAL_)?(DAY|WEEK|MONTH|QUARTER|YEAR)S")
_AGO: Final = re.compile(r"N_(FISCAL_)?(DAY|WEEK|MONTH|QUARTER|YEAR)S_AGO")

Range = tuple[date, date]


def date_range(name: str, count: int | None, today: date) -> Range | None:
    """First day and day after the last of a date literal; None if there is no such literal."""
    if count is None:
        return _plain_range(name, today)
    counted = _COUNTED.fullmatch(name)
    if counted:
        return _counted_range(counted.group(1), _UNITS[counted.group(3)], count, today)
    ago = _AGO.fullmatch(name)
    if ago:
        return _unit_range(_UNITS[ago.group(2)], -count, today)
    return None


def _plain_range(name: str, today: date) -> Range | None:
    if name in _FIXED:
        return _unit_range(*_FIXED[name], today)
    if name == "LAST_90_DAYS":
        return today - timedelta(days=90), today + timedelta(days=1)
    if name == "NEXT_90_DAYS":
        return today + timedelta(days=1), today + timedelta(days=91)
    relative = _RELATIVE.fullmatch(name)
    if not relative:
        return None
    return _unit_range(_UNITS[relative.group(3)], {"LAST": -1, "THIS": 0, "NEXT": 1}[relative.group(1)], today)


def _counted_range(direction: str, unit: str, count: int, today: date) -> Range:
    """LAST_N_DAYS includes today; longer units leave the current one out, as does NEXT_N."""
    if direction == "LAST" and unit == "D":
        return today - timedelta(days=count), today + timedelta(days=1)
    if direction == "LAST":
        return _start(unit, -count, today), _start(unit, 0, today)
    return _start(unit, 1, today), _start(unit, count + 1, today)


def _unit_range(unit: str, offset: int, today: date) -> Range:
    return _start(unit, offset, today), _start(unit, offset + 1, today)


def _start(unit: str, offset: int, today: date) -> date:
    """First day of the unit ``offset`` units from the current one."""
    if unit == "D":
        return today + timedelta(days=offset)
    if unit == "W":
        return today - timedelta(days=(today.weekday() + 1) % 7) + timedelta(weeks=offset)
    size = {"M": 1, "Q": 3, "Y": 12}[unit]
    months = today.year * 12 + (today.month - 1) // size * size + offset * size
    return date(months // 12, months % 12 + 1, 1)
