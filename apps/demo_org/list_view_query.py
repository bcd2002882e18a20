"""The parts of a list view's SOQL that describe tells apart: columns, scope, condition, order.

Belongs here: taking a flat query to pieces. Running it is the store's.
"""

import re
from dataclasses import dataclass
from typing import Any

from apps.demo_org.store import ObjectType

_QUERY = re.compile(
    r"\s*SELECT\s+(?P<columns>.+?)\s+FROM\s+\w+(\s+USING\s+SCOPE\s+(?P<scope>\w+))?(\s+WHERE\s+(?P<where>.+?))?"
    r"(\s+ORDER\s+BY\s+(?P<order>.+?))?(\s+LIMIT\s+\d+)?\s*",
    re.IGNORECASE | re.DOTALL,
)
_ORDER = re.compile(r"(?P<field>[\w.]+)(\s+(?P<direction>ASC|DESC))?(\s+NULLS\s+(?P<nulls>FIRST|LAST))?", re.IGNORECASE)
_CONDITION = re.compile(r"(?P<field>[\w.]+)\s*(?P<operator>!=|<>|<=|>=|=|<|>|LIKE)\s*(?P<value>'.*?'|[^\s()]+)", re.I)
_OPERATORS = {
    "=": "equals",
    "!=": "notEquals",
    "<>": "notEquals",
    "<": "lessThan",
    ">": "greaterThan",
    "<=": "lessThanOrEqualTo",
    ">=": "greaterThanOrEqualTo",
    "LIKE": "like",
}


@dataclass(frozen=True)
class ListQuery:
    """A list's query in parts; ``where`` and ``order_by`` as describe tells them."""

    paths: list[str]
    scope: str
    where: dict[str, Any] | None
    order_by: list[dict[str, Any]]


def read_list_query(soql: str) -> ListQuery:
    """Take a query to pieces; one that is not flat keeps its text and has no parts."""
    match = _QUERY.fullmatch(soql)
    if match is None:
        return ListQuery(["Id"], "everything", None, [])
    return ListQuery(
        [path.strip() for path in match["columns"].split(",")],
        (match["scope"] or "everything"),
        _where(match["where"]),
        _order(match["order"]),
    )


def _where(text: str | None) -> dict[str, Any] | None:
    """Tell conditions joined by AND alone; anything more is in the query text only."""
    parts = re.split(r"\s+AND\s+", text, flags=re.IGNORECASE) if text else []
    conditions = []
    for part in parts:
        match = _CONDITION.fullmatch(part.strip())
        if match is None:
            return None
        operator = _OPERATORS[match["operator"].upper()]
        conditions.append({"field": match["field"], "operator": operator, "values": [match["value"]]})
    if not conditions:
        return None
    return conditions[0] if len(conditions) == 1 else {"conditions": conditions, "conjunction": "and"}


def _order(text: str | None) -> list[dict[str, Any]]:
    found = []
    for part in text.split(",") if text else []:
        match = _ORDER.fullmatch(part.strip())
        if match is None:
            continue
        descending = (match["direction"] or "ASC").upper() == "DESC"
        nulls = (match["nulls"] or "FIRST").lower()
        direction = "descending" if descending else "ascending"
        found.append({"fieldNameOrPath": match["field"], "nullsPosition": nulls, "sortDirection": direction})
    return found


def columns_of(kind: ObjectType, query: ListQuery) -> list[dict[str, Any]]:
    """Describe the columns of a list, with how it is sorted."""
    sorted_by = {each["fieldNameOrPath"].lower(): (n, each["sortDirection"]) for n, each in enumerate(query.order_by)}
    columns = []
    for path in query.paths:
        field = kind.find(path)
        index, direction = sorted_by.get(path.lower(), (None, None))
        columns.append(
            {
                "ascendingLabel": "Z-A",
                "descendingLabel": "A-Z",
                "fieldNameOrPath": path,
                "hidden": path.lower() == "id",
                "label": field.describe["label"] if field else path,
                "selectListItem": path,
                "sortDirection": direction,
                "sortIndex": index,
                "sortable": bool(field and field.describe["sortable"]),
                "type": field.type if field else "string",
            }
        )
    return columns
