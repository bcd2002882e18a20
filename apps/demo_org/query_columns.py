"""What ``query?columns=true`` answers: the columns of a query instead of its records.

Belongs here: that shape, which the Salesforce CLI asks for before every query.
"""

from typing import Any

from apps.demo_org.store import Field, OrgStore, Query

_NUMBERS = frozenset({"int", "double", "currency", "percent", "long"})
_APEX_TYPES = {
    "id": "Id",
    "reference": "Id",
    "boolean": "Boolean",
    "int": "Integer",
    "date": "Date",
    "datetime": "Datetime",
    "address": "System.Address",
}


def column_metadata(store: OrgStore, query: Query) -> dict[str, Any]:
    """Return the columns; those reached through a parent are nested under its name."""
    columns: list[dict[str, Any]] = []
    for column in query.columns:
        _insert(columns, list(column.path), column.field)
    names = {".".join(column.path).lower() for column in query.columns}
    return {
        "columnMetadata": columns,
        "entityName": query.object,
        "groupBy": query.kind == "aggregate",
        "idSelected": "id" in names,
        "keyPrefix": store.objects[query.object].key_prefix,
    }


def _insert(columns: list[dict[str, Any]], path: list[str], field: Field | None) -> None:
    name, *rest = path
    if not rest:
        columns.append(_column(name, field))
        return
    parent = next((each for each in columns if each["columnName"] == name and each["joinColumns"]), None)
    if parent is None:
        parent = _column(name, None) | {"foreignKeyName": name, "joinColumns": []}
        columns.append(parent)
    _insert(parent["joinColumns"], rest, field)


def _column(name: str, field: Field | None) -> dict[str, Any]:
    kind = field.type if field else ""
    apex = _APEX_TYPES.get(kind, "Decimal" if kind in _NUMBERS else "String")
    return {
        "aggregate": field is None and name.lower().startswith("expr"),
        "apexType": apex,
        "booleanType": kind == "boolean",
        "columnName": name,
        "custom": bool(field and field.is_custom),
        "displayName": name,
        "foreignKeyName": None,
        "insertable": bool(field and field.describe["createable"]),
        "joinColumns": [],
        "numberType": kind in _NUMBERS,
        "textType": apex == "String",
        "updatable": bool(field and field.describe["updateable"]),
    }
