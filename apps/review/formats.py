"""How values look on a page: one text per value. No markup is made here; templates escape what they show."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from pipelines.review.rows import MappedField

NOTHING = "–"
#: Characters that turn the text around them and are not seen: a name with them reads as another one.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def value(given: Any) -> str:
    """Return any value as text; nothing is a dash."""
    if given is None or given == "" or given == []:
        return NOTHING
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, list | tuple | set):
        return ", ".join(str(item) for item in given if item is not None)
    if isinstance(given, datetime):
        return moment(given)
    if isinstance(given, float | Decimal):
        return f"{given:,.2f}".removesuffix(".00")
    return given.isoformat() if isinstance(given, date) else _seen(str(given))


def _seen(text: str) -> str:
    """Return text with the characters that turn it around written out."""
    return _TURNING.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)


def share(given: float | None) -> str:
    """Return a probability; one that is not 1 never looks like it."""
    if given is None:
        return NOTHING
    return f"{min(given, 0.9999):.4f}" if 0.9995 <= given < 1 else f"{given:.3f}"


def bits(given: float | None) -> str:
    """Return a match weight with its sign and a true minus."""
    return NOTHING if given is None else f"{given:+.1f}".replace("-", "−")


def money(amount: float | None, currency: str | None) -> str:
    """Return an amount; an org of one currency does not name it."""
    if not amount:
        return NOTHING
    return f"{currency} {amount:,.0f}" if currency else f"{amount:,.0f}"


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def moment(at: datetime | None) -> str:
    """Return a time in UTC to the minute."""
    return NOTHING if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def query(values: Mapping[str, Any], **more: Any) -> str:
    """Return ``values`` as the query of an address, ``more`` put over them, what is empty left out."""
    return urlencode({name: item for name, item in {**values, **more}.items() if item not in (None, "", False)})


def words(code: str | Iterable[str]) -> str:
    """Return a code with underscores as words."""
    return (code if isinstance(code, str) else " ".join(code)).replace("_", " ")


def filled(fields: Iterable[MappedField]) -> list[MappedField]:
    """Return the mapped fields that hold anything, now or then."""
    return [field for field in fields if any(value(v) != NOTHING for v in (field.reference, field.before, field.after))]


def called(standard: Mapping[str, Any]) -> str:
    """Return the name among a record's or entity's standard values, empty when there is none."""
    person = " ".join(str(part) for name in ("first_name", "last_name") if (part := standard.get(name)))
    return _seen(str(standard.get("name_raw") or person or standard.get("name_clean") or ""))
