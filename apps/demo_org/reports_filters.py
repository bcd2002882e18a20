"""Report filters as a SOQL condition: operators, comma-separated values, filter logic, date ranges, scope.

Belongs here: the grammar of filters and its refusals, with the messages of the Reports and Dashboards REST API
guide (§ Report Error Codes). Not here: columns, running.
"""

import csv
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from apps.demo_org.errors import ApiError
from apps.demo_org.reports_columns import Column, ReportType
from apps.demo_org.store import is_id

MAX_FILTERS: Final = 20
_COMPARE: Final = {
    "equals": "=",
    "notEqual": "!=",
    "lessThan": "<",
    "greaterThan": ">",
    "lessOrEqual": "<=",
    "greaterOrEqual": ">=",
}
_TEXT: Final = {"contains": "%{}%", "notContain": "%{}%", "startsWith": "{}%"}
_ORDERED: Final = tuple(_COMPARE)
_ANY: Final = (*_COMPARE, *_TEXT)
_NUMBERS: Final = frozenset({"double", "currency", "percent", "int", "long"})
#: Operators per type, as describe tells them.
OPERATORS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("string", "picklist", "phone", "email", "url", "textarea", "encryptedstring", "id"), _ANY),
    **dict.fromkeys((*sorted(_NUMBERS), "date", "datetime"), _ORDERED),
    "boolean": ("equals", "notEqual"),
    "multipicklist": ("equals", "notEqual", "includes", "excludes"),
}
_LITERAL = re.compile(
    r"TODAY|YESTERDAY|TOMORROW|(LAST|THIS|NEXT)_(FISCAL_)?(WEEK|MONTH|QUARTER|YEAR)|(LAST|NEXT)_90_DAYS"
    r"|(LAST|NEXT)_N_(FISCAL_)?(DAYS|WEEKS|MONTHS|QUARTERS|YEARS):\d+|N_(DAYS|WEEKS|MONTHS|QUARTERS|YEARS)_AGO:\d+"
)
_LOGIC = re.compile(r"\s*(\(|\)|AND\b|OR\b|NOT\b|\d+)", re.IGNORECASE)
_WRONG_DATE = "Filter the date in the correct format. Accepted formats are yyyy-MM-dd'T'HH:mm:ss'Z' and yyyy-MM-dd."
#: Durations of a standard date filter whose SOQL literal has another name.
_DURATIONS: Final = {
    "CURRENT_QUARTER": "THIS_QUARTER",
    "CURRENT_YEAR": "THIS_YEAR",
    "PREVIOUS_QUARTER": "LAST_QUARTER",
    "PREVIOUS_YEAR": "LAST_YEAR",
}


def refused(message: str) -> ApiError:
    """A report request that is not valid: 400 BAD_REQUEST."""
    return ApiError(400, "BAD_REQUEST", message)


def condition(kind: ReportType, metadata: dict[str, Any], user_id: str) -> str:
    """The WHERE of a report, with filters, logic, date range and scope; empty where it takes everything."""
    filters = metadata.get("reportFilters") or []
    if len(filters) > MAX_FILTERS:
        raise refused(f"A report can have at most {MAX_FILTERS} field filters.")
    conditions = [_filter(kind, each) for each in filters]
    parts = [_joined(metadata.get("reportBooleanFilter"), conditions)] if conditions else []
    parts += _dates(kind, metadata.get("standardDateFilter") or {})
    if metadata.get("scope") in ("user", "mine") and kind.kind.find("OwnerId"):
        parts.append(f"OwnerId = '{user_id}'")
    return " AND ".join(f"({part})" for part in parts)


def _joined(logic: Any, conditions: list[str]) -> str:
    if not logic:
        return " AND ".join(f"({each})" for each in conditions)
    words = _LOGIC.findall(str(logic))
    used = {int(word) for word in words if word.isdigit()}
    if "".join(words) != re.sub(r"\s", "", str(logic)) or used != set(range(1, len(conditions) + 1)):
        raise refused(f"The filter logic {logic} is invalid: it must use each filter number from 1 once or more.")
    return " ".join(f"({conditions[int(word) - 1]})" if word.isdigit() else word.upper() for word in words)


def _filter(kind: ReportType, given: Any) -> str:
    if not isinstance(given, dict):
        raise refused("The request is invalid because there are no filters.")
    name, operator = str(given.get("column")), str(given.get("operator"))
    column = kind.find(name)
    if column is None or not column.field.describe["filterable"]:
        raise refused(f"Specify a valid filterable column because {name} is invalid.")
    if operator not in OPERATORS.get(column.data_type, _ANY):
        raise refused(f"Specify a valid condition because {operator} is invalid.")
    text = given.get("value")
    values = _values("" if text is None else str(text))
    inside = " OR ".join(f"({_one(column, operator, value)})" for value in values)
    if operator not in ("notEqual", "notContain", "excludes"):
        return inside
    # A blank is unequal to every value but the blank one.
    return f"NOT ({inside})" if "" in values else f"(NOT ({inside})) OR ({column.path} = null)"


def _values(text: str) -> list[str]:
    """Comma-separated alternatives; quotes keep a comma."""
    row = next(csv.reader([text.replace("\r", " ").replace("\n", " ")], skipinitialspace=True), [])
    return [value.strip() for value in row] or [""]


def _one(column: Column, operator: str, value: str) -> str:
    """One alternative, in the positive: ``notEqual`` is negated by the caller."""
    path, kind = column.path, column.data_type
    if operator in ("includes", "excludes"):
        return f"{path} INCLUDES ({_text(value)})"
    if operator in _TEXT:
        if kind == "id":
            return _id_text(path, operator, value)
        return f"{path} LIKE '{_TEXT[operator].format(_pattern(value))}'"
    sign = "=" if operator == "notEqual" else _COMPARE[operator]
    if value == "":
        return f"{path} = null"
    if kind in ("date", "datetime"):
        return _time(path, kind, sign, value)
    return f"{path} {sign} {_plain(kind, value)}"


def _plain(kind: str, value: str) -> str:
    if kind == "boolean":
        if value.lower() not in ("true", "false", "1", "0"):
            raise refused(f"Specify a valid filter value because {value} is invalid.")
        return "true" if value.lower() in ("true", "1") else "false"
    if kind in _NUMBERS:
        try:
            return format(float(value.replace(",", "")), ".15g")
        except ValueError as error:
            raise refused(f"The filter value {value} must be a number.") from error
    if kind == "id" and not is_id(value):
        message = f"The filter value for ID {value} is incorrect. Specify an ID that is 15 or 18 characters long,"
        raise refused(message + " such as 006D000000CrRLw or 005U0000000Rg2CIAS.")
    return _text(value)


def _id_text(path: str, operator: str, value: str) -> str:
    """Ids take no LIKE: what starts with a text lies between two padded ids."""
    if operator != "startsWith" or not re.fullmatch(r"[0-9A-Za-z]{1,15}", value):
        raise refused(f"Specify a valid condition because {operator} is invalid.")
    return f"({path} >= '{value.ljust(15, '0')}' AND {path} <= '{value.ljust(15, 'z')}')"


def _time(path: str, kind: str, sign: str, value: str) -> str:
    word = value.upper().replace(" ", "_")
    if _LITERAL.fullmatch(word):
        return f"{path} {sign} {word}"
    try:
        if "T" not in value and len(value) == 10:
            return _day(path, kind, sign, date.fromisoformat(value))
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise refused(_WRONG_DATE) from error
    if kind == "date":
        return f"{path} {sign} {moment.date()}"
    return f"{path} {sign} {moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _day(path: str, kind: str, sign: str, day: date) -> str:
    """A whole day: of an instant, from its midnight (UTC) to the next."""
    if kind == "date":
        return f"{path} {sign} {day}"
    start, end = f"{day}T00:00:00Z", f"{day + timedelta(days=1)}T00:00:00Z"
    if sign == "=":
        return f"({path} >= {start} AND {path} < {end})"
    return {"<": f"{path} < {start}", ">": f"{path} >= {end}", "<=": f"{path} < {end}", ">=": f"{path} >= {start}"}[
        sign
    ]


def _dates(kind: ReportType, given: dict[str, Any]) -> list[str]:
    """The conditions of a standard date filter; a start or end alone is open at the other side."""
    name, duration = given.get("column"), str(given.get("durationValue") or "CUSTOM")
    ends = {key: given.get(key) for key in ("startDate", "endDate") if given.get(key)}
    if not name or (duration == "CUSTOM" and not ends):
        return []
    column = kind.find(str(name))
    if column is None:
        raise refused(f"The column {name} specified for the standard date filter is invalid.")
    if column.data_type not in ("date", "datetime"):
        raise refused(f"The column {name} cannot be a standard date filter because it is not a date column.")
    if duration != "CUSTOM":
        word = _DURATIONS.get(duration, re.sub(r"^(LAST|NEXT)_N_DAYS_?(\d+)$", r"\1_N_DAYS:\2", duration))
        if not _LITERAL.fullmatch(word):
            raise refused(f"The duration {duration} specified for the standard date filter is invalid.")
        return [f"{column.path} = {word}"]
    return [_bound(column, key, str(value)) for key, value in ends.items()]


def _bound(column: Column, key: str, value: str) -> str:
    try:
        day = date.fromisoformat(value[:10])
    except ValueError as error:
        which = "start" if key == "startDate" else "end"
        message = f"The specified {which} date of {column.name} specified for the standard date filter is invalid."
        raise refused(message) from error
    return _day(column.path, column.data_type, ">=" if key == "startDate" else "<=", day)


def _pattern(value: str) -> str:
    """The inside of a LIKE string that takes every character as it is."""
    doubled = value.replace("\\", "\\\\")
    return doubled.replace("%", "\\%").replace("_", "\\_").replace("'", "\\'")


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
