"""The up to three custom filter columns of ``ownership.<object>``: a picklist's value, or a lookup's name."""

import re
from dataclasses import dataclass

import duckdb

from data_contracts.contracts import Column, load_contract, quoted
from data_contracts.errors import SettingsError
from data_contracts.settings import Settings
from data_contracts.settings_words import nearest
from pipelines.tables import table_columns

#: Mirrored objects a lookup may name, by the key prefix of their Ids.
_NAMED = {"001": "account", "003": "contact", "005": "user", "701": "campaign"}


@dataclass(frozen=True)
class Filter:
    """One custom filter: its column, and the SQL of its value over ``salesforce.<object>`` aliased ``s``."""

    column: Column
    expression: str


def custom_filters(con: duckdb.DuckDBPyConnection, object_name: str, settings: Settings) -> tuple[Filter, ...]:
    """Return the object's filters, their columns named after the filter (the field's label unless named).

    Raises SettingsError for a field the mirror does not hold and for two filters of one name.
    """
    available = table_columns(con, f"salesforce.{object_name}")
    found: list[Filter] = []
    taken = set(load_contract(f"ownership.{object_name}").column_types())
    for place, item in enumerate(settings.objects[object_name].custom_filters):
        where = settings.where("objects", object_name, "custom_filters", place)
        if item.field not in available or item.field.startswith("_"):
            guess = nearest(item.field, [name for name in available if not name.startswith("_")])
            raise SettingsError(
                f"{where}: the org has no field {item.field!r} on {object_name}"
                + (f"; did you mean {guess}?" if guess else ""),
                why="it was deleted or renamed, or field-level security hides it from the connected user",
                next_step=f"correct it (crosswalk fields {object_name} lists what there is), or take the filter out",
            )
        label, kind = _described(con, object_name, item.field)
        title = item.name or label
        name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_") or item.field.lower()
        if name in taken:
            raise SettingsError(
                f"{where}: the filter {title!r} becomes the column {name}, and there is one already",
                next_step="give the filter another name",
            )
        taken.add(name)
        column = Column(name, "VARCHAR", f"custom filter {title}: {item.field} of the {object_name}")
        found.append(Filter(column, _expression(con, item.field, kind)))
    return tuple(found)


def _described(con: duckdb.DuckDBPyConnection, object_name: str, field: str) -> tuple[str, str]:
    if not table_columns(con, "salesforce.field"):
        return field, ""
    rows = con.execute(
        "SELECT label, type FROM salesforce.field WHERE lower(replace(object_name, '_', '')) = ? AND field_name = ?",
        [object_name.replace("_", ""), field],
    ).fetchall()
    return (rows[0][0] or field, rows[0][1] or "") if rows else (field, "")


def _expression(con: duckdb.DuckDBPyConnection, field: str, kind: str) -> str:
    """A lookup shows the name of what it points at where that is mirrored, else the Id."""
    value = f"s.{quoted(field)}::VARCHAR"
    if kind != "reference":
        return value
    cases = [
        f"WHEN '{prefix}' THEN (SELECT any_value(n.Name) FROM salesforce.{quoted(table)} AS n WHERE n.Id = {value})"
        for prefix, table in _NAMED.items()
        if "Name" in table_columns(con, f"salesforce.{table}")
    ]
    return f"coalesce(CASE left({value}, 3) {' '.join(cases)} END, {value})" if cases else value
