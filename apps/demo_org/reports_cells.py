"""Values of a report as its cells show them: raw value and label.

Belongs here: one value at a time, in the recorded forms (English labels). Not here: rows, groups.
"""

from datetime import date, datetime, timedelta
from typing import Any, Final

from apps.demo_org.reports_columns import Column

EMPTY: Final = {"label": "-", "value": None}


def cell(column: Column, value: Any, record_id: Any = None, currency: Any = None) -> dict[str, Any]:
    """The cell of one value; a name's raw value is the id of the record it names."""
    if value is None or value == "":
        return dict(EMPTY)
    if column.id_path is not None:
        return {"label": str(value), "value": record_id}
    kind = column.data_type
    if kind == "currency":
        amount = {"amount": _number(value), "currency": currency}
        return {"label": money(value, _scale(column), currency), "value": amount}
    if kind == "id":
        # A report shows ids with 15 characters, as its page does.
        return {"label": str(value)[:15], "value": str(value)[:15]}
    if kind == "boolean":
        return {"label": "true" if value else "false", "value": bool(value)}
    if isinstance(value, datetime):
        return _instant(column, value)
    if isinstance(value, date):
        return {"label": _day_label(value), "value": value.isoformat()}
    if isinstance(value, int | float):
        return {"label": figure(value, _scale(column)) + ("%" if kind == "percent" else ""), "value": _number(value)}
    text = str(value).replace("\r\n", "\n").replace("\n", "<br>")
    return {"label": text, "value": text}


def _instant(column: Column, value: datetime) -> dict[str, Any]:
    if column.is_day:
        return {"label": _day_label(value), "value": value.date().isoformat()}
    hour = value.hour % 12 or 12
    label = f"{_day_label(value)}, {hour}:{value:%M %p}"
    return {"label": label, "value": f"{value:%Y-%m-%dT%H:%M:%SZ}"}


def group(column: Column, granularity: str, value: Any, record_id: Any = None) -> dict[str, Any]:
    """The label and value under which a row is grouped."""
    if granularity in ("None", "Day") or not isinstance(value, date):
        found = cell(column, value, record_id)
        if isinstance(found["value"], dict):
            found["value"] = found["value"]["amount"]
        if isinstance(value, datetime):
            found = {"label": _day_label(value), "value": value.date().isoformat()}
        return found
    day = value.date() if isinstance(value, datetime) else value
    start, label = _period(day, granularity)
    return {"label": label, "value": start.isoformat()}


def _period(day: date, granularity: str) -> tuple[date, str]:
    """First day and label of the period a day lies in; weeks begin on Sunday."""
    if granularity == "Week":
        start = day - timedelta(days=(day.weekday() + 1) % 7)
        return start, f"{_day_label(start)} - {_day_label(start + timedelta(days=6))}"
    if granularity == "Month":
        return day.replace(day=1), f"{day:%B} {day.year}"
    if granularity == "Quarter":
        quarter = (day.month + 2) // 3
        return date(day.year, 3 * quarter - 2, 1), f"Q{quarter} CY{day.year}"
    return date(day.year, 1, 1), f"CY{day.year}"


def _day_label(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year}"


def total(column: Column | None, value: Any) -> dict[str, Any]:
    """An aggregate's label and value."""
    if value is None:
        return dict(EMPTY)
    if column is not None and column.data_type == "currency":
        return {"label": money(value, _scale(column), None), "value": _number(value)}
    if isinstance(value, datetime | date):
        return {"label": _day_label(value), "value": value.isoformat()}
    return {"label": figure(value, _scale(column) if column else 0), "value": _number(value)}


def money(value: float, scale: int, currency: Any) -> str:
    """An amount as a report prints it: the org's dollars, or another currency by its code."""
    return f"{currency} {figure(value, scale)}" if currency else f"${figure(value, scale)}"


def figure(value: float, scale: int) -> str:
    """A number with thousands separators and the field's decimals."""
    return f"{value:,.{scale}f}"


def _scale(column: Column) -> int:
    return int(column.field.describe["scale"] or 0)


def _number(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value
