"""The up to three custom filter columns of ``ownership.<object>``: a picklist's labels, or the names of a lookup."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb

from data_contracts.contracts import Column, literal, load_contract, quoted
from data_contracts.errors import SettingsError
from data_contracts.settings import Settings
from data_contracts.settings_words import nearest
from pipelines.extract.objects import api_name, table_name
from pipelines.tables import table_columns

_LOG = logging.getLogger(__name__)
#: Types of describe a filter may have; a field that no describe tells of has none.
FILTER_TYPES = ("picklist", "multipicklist", "combobox", "reference")
#: Objects whose records are not called by a field Name.
_NAME_FIELDS = {"case": "CaseNumber", "contract": "ContractNumber", "order": "OrderNumber", "task": "Subject",
                "event": "Subject", "solution": "SolutionName"}  # fmt: skip


@dataclass(frozen=True)
class _Described:
    """What describe says of a field: its label, type, the labels of its values, and what it points at."""

    label: str
    type: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    points_at: tuple[str, ...] = ()


@dataclass(frozen=True)
class Filter:
    """One custom filter: its column, and the SQL of its value over ``salesforce.<object>`` aliased ``s``."""

    column: Column
    expression: str


def custom_filters(con: duckdb.DuckDBPyConnection, object_name: str, settings: Settings) -> tuple[Filter, ...]:
    """Return the object's filters, their columns named after the filter (the field's label unless named).

    Raises SettingsError for a field the mirror does not hold or that is neither picklist nor lookup, and for two
    filters of one name.
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
        told = _described(con, object_name, item.field)
        if told.type and told.type not in FILTER_TYPES:
            raise SettingsError(
                f"{where}: {item.field} of {object_name} is a {told.type} field",
                why=f"a filter is a picklist or lookup field ({', '.join(FILTER_TYPES)})",
                next_step=f"name another one (crosswalk fields {object_name} shows types), or take the filter out",
            )
        title = item.name or told.label
        name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_") or item.field.lower()
        if name in taken:
            raise SettingsError(
                f"{where}: the filter {title!r} becomes the column {name}, and there is one already",
                next_step="give the filter another name",
            )
        taken.add(name)
        column = Column(name, "VARCHAR", f"custom filter {title}: {item.field} of the {object_name}")
        found.append(Filter(column, _expression(con, settings, object_name, item.field, told)))
    return tuple(found)


def _described(con: duckdb.DuckDBPyConnection, object_name: str, name: str) -> _Described:
    there = table_columns(con, "salesforce.field")
    if not there:
        return _Described(name)
    lists = ", ".join(
        item if item in there else f"NULL::VARCHAR[] AS {item}"
        for item in ("picklist_values", "picklist_labels", "reference_to")
    )
    rows = con.execute(
        f"SELECT label, type, {lists} FROM salesforce.field "
        "WHERE lower(replace(object_name, '_', '')) = ? AND field_name = ?",
        [object_name.replace("_", ""), name],
    ).fetchall()
    if not rows:
        return _Described(name)
    label, kind, values, labels, points_at = rows[0]
    called = dict(zip(values or (), labels or (), strict=False))
    other = {value: shown for value, shown in called.items() if value != shown}
    return _Described(label or name, kind or "", other, tuple(points_at or ()))


def _expression(
    con: duckdb.DuckDBPyConnection, settings: Settings, object_name: str, name: str, told: _Described
) -> str:
    """Return the SQL of a filter's value: what people see in the CRM, not what it is stored as."""
    value = f"s.{quoted(name)}::VARCHAR"
    if told.type == "reference":
        tables = {api_name(item).lower(): table_name(item) for item in settings.objects}
        return _looked_up(con, tables, f"{object_name}.{name}", value, told.points_at)
    if not told.labels:
        return value
    pairs = ", ".join(f"{literal(stored)}: {literal(shown)}" for stored, shown in told.labels.items())
    if told.type != "multipicklist":
        return f"coalesce(MAP {{{pairs}}}[{value}], {value})"
    each = f"lambda x: coalesce(MAP {{{pairs}}}[x], x)"
    return f"array_to_string(list_transform(string_split({value}, ';'), {each}), ';')"


def _looked_up(
    con: duckdb.DuckDBPyConnection, tables: Mapping[str, str], name: str, value: str, points_at: tuple[str, ...]
) -> str:
    """Return the SQL of the name of what a lookup points at; its Id where that is not mirrored, or not there.

    ``tables`` are those of the objects that may be mirrored, by API name in lower case.
    """
    names = []
    # A describe of an earlier version did not say where a lookup points.
    for target in points_at or ("Account", "Contact", "User", "Campaign"):
        table = tables.get(target.lower(), target.lower())
        column = _NAME_FIELDS.get(table, "Name")
        if {"Id", column} <= table_columns(con, f"salesforce.{table}").keys():
            relation = f"salesforce.{quoted(table)}"
            names.append(f"(SELECT any_value(n.{quoted(column)}) FROM {relation} AS n WHERE n.Id = {value})")
        elif points_at:
            told = "%s: %s is not mirrored, so its Ids stand for its names; add it below objects in crosswalk.yaml"
            _LOG.warning(told, name, target)
    return f"coalesce({', '.join([*names, value])})"
