"""The queue's filters as they stand in an address, and back: every value is checked, a wrong one filters nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast, get_args
from urllib.parse import parse_qsl

from data_contracts.mapping import MappedObject
from pipelines.review.rows import Filters, Sort, Waiting

OBJECTS: tuple[MappedObject, ...] = get_args(MappedObject)
WAITING: tuple[Waiting, ...] = get_args(Waiting)
SORTS: Mapping[Sort, str] = {
    "value": "teaching value × worth",
    "teaching": "what teaches most",
    "worth": "worth",
    "probability": "probability",
    "name": "name",
}
_NAMES = (
    *("object", "waiting", "min", "max", "rule", "country", "owner", "text", "worth", "pending", "sort"),
    *("after", "bulk"),
)

_Chosen = TypeVar("_Chosen", bound=str)


@dataclass(frozen=True)
class Chosen:
    """What a person chose of the queue; ``query`` is how it stands in an address."""

    filters: Filters
    sort: Sort
    after: str | None
    bulk: int | None
    query: dict[str, str]

    @property
    def without_place(self) -> dict[str, str]:
        """The query without the place in the queue."""
        return {name: value for name, value in self.query.items() if name != "after"}


def chosen(values: Mapping[str, str]) -> Chosen:
    """Return what the fields of an address or form ask for."""
    given = {name: values[name].strip()[:200] for name in _NAMES if values.get(name, "").strip()}
    filters = Filters(
        object=_one_of(given.get("object"), OBJECTS),
        waiting=_one_of(given.get("waiting"), WAITING),
        min_probability=_share(given.get("min")),
        max_probability=_share(given.get("max")),
        rule_code=given.get("rule"),
        country=given.get("country"),
        owner_id=given.get("owner"),
        text=given.get("text", ""),
        with_worth=given.get("worth") == "1",
        pending={"1": True, "all": None}.get(given.get("pending", ""), False),
    )
    sort = _one_of(given.get("sort"), tuple(SORTS)) or "value"
    return Chosen(filters, sort, given.get("after"), row_number(given.get("bulk", "")), given)


def chosen_of(query: str) -> Chosen:
    """Return what the query of an address, carried in a form, asks for."""
    return chosen(
        cast(dict[str, Any], dict(parse_qsl(query[:4000], max_num_fields=40) if query.count("&") < 40 else ()))
    )


def row_number(text: str) -> int | None:
    """Return the number of a row of the decisions store, None for a text that cannot be one there."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None
    return number if number is not None and number < 2**31 else None


def _one_of(given: str | None, allowed: tuple[_Chosen, ...]) -> _Chosen | None:
    return next((word for word in allowed if word == given), None)


def _share(given: str | None) -> float | None:
    return _number(float, given)


def _number(kind: Callable[[str], float], given: str | None) -> float | None:
    try:
        number = kind((given or "").replace(",", "."))
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None
