"""The columns a report may have: which field each one shows, under which label and type.

Belongs here: report types (``report_types.json``: API names of the standard ones) and the way from a column to
a SOQL path that the user may read. Not here: filters, running.

Besides its listed columns every report type has ``<Object>.<Field>``, as custom report types name them, for
the object itself and its parents.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from apps.demo_org.store import Field, ObjectType, Visibility

_ALIASES: Final = {"Account": "AccountList", "Contact": "ContactList", "Lead": "LeadList"}
_CUSTOM: Final = "CustomEntity$"


@cache
def _types() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "report_types.json").read_text())
    return found


@dataclass(frozen=True)
class Column:
    """One column: the SOQL path it shows and, where that is a name, the path of the record it names."""

    name: str
    label: str
    path: str
    field: Field
    id_path: str | None
    currency_path: str | None

    @property
    def data_type(self) -> str:
        """The type that report metadata tells."""
        kind = self.field.type
        return "id" if self.field.is_id else "string" if kind == "combobox" else kind

    @property
    def is_day(self) -> bool:
        """Whether a cell has the day only: recorded so for the stamps of standard report types."""
        return self.data_type == "datetime" and "." not in self.name


@dataclass(frozen=True)
class ReportType:
    """What a report is about, for one user."""

    name: str
    label: str
    kind: ObjectType
    id_column: str
    date_column: str
    _listed: dict[str, Any]
    _objects: dict[str, ObjectType]
    _seen: Visibility

    def find(self, name: str) -> Column | None:
        """The column of that name, or None where there is none or the user may not read it."""
        entry = self._listed.get(name)
        path, label = (entry, None) if isinstance(entry, str) else entry or (self._own_path(name), None)
        return self._column(name, path, label) if path else None

    def listed(self) -> Iterator[Column]:
        """Every column that describe tells."""
        names = [*self._listed, *(f"{self.kind.name}.{field.name}" for field in self.kind.stored())]
        known: set[str] = set()
        for name in names:
            column = self.find(name)
            if column is not None and column.path not in known:
                known.add(column.path)
                yield column

    def _own_path(self, name: str) -> str | None:
        first, _, rest = name.partition(".")
        if not rest:
            return None
        return rest if first.lower() == self.kind.name.lower() else name

    def _column(self, name: str, path: str, label: str | None) -> Column | None:
        *parents, last = path.split(".")
        kind: ObjectType | None = self.kind
        for parent in parents:
            kind = kind and self._parent(kind, parent)
        field = kind.find(last) if kind else None
        if kind is None or field is None or field.is_address or not self._seen.sees(kind.name, field.name):
            return None
        prefix = "".join(f"{parent}." for parent in parents)
        money = kind.find("CurrencyIsoCode") if field.type == "currency" else None
        return Column(
            name,
            label or str(field.describe["label"]),
            prefix + field.name,
            field,
            f"{prefix}Id" if _is_name(kind, field) else None,
            f"{prefix}{money.name}" if money and self._seen.sees(kind.name, money.name) else None,
        )

    def _parent(self, kind: ObjectType, relationship: str) -> ObjectType | None:
        reference = kind.parent(relationship)
        if reference is None or not self._seen.sees(kind.name, reference.name):
            return None
        # The owner of a record is a user or a queue; both have a Name, and users are what reports show.
        targets = sorted(reference.targets, key=lambda target: target != "User")
        found = next((self._objects[t] for t in targets if t in self._objects), None)
        return found if found and self._seen.sees(found.name) else None


def _is_name(kind: ObjectType, field: Field) -> bool:
    person = kind.find("LastName") is not None and field.name in ("FirstName", "LastName")
    return bool(field.describe["nameField"]) or person


def find_report_type(name: str, objects: dict[str, ObjectType], seen: Visibility) -> ReportType | None:
    """The report type of that API name as a user sees it; None where its object is unknown or hidden."""
    name = _ALIASES.get(name, name)
    entry = _types().get(name)
    about = entry["object"] if entry else name.removeprefix(_CUSTOM)
    kind = objects.get(about)
    if kind is None or not seen.sees(kind.name):
        return None
    shape = entry or _types()["CustomEntity"]
    label = shape["label"] or str(kind.describe["labelPlural"])
    return ReportType(name, label, kind, shape["id"], shape["date"], shape["columns"], objects, seen)


def report_type_names(objects: dict[str, ObjectType], seen: Visibility) -> list[str]:
    """API names of the report types a user may build on."""
    standard = [name for name, entry in _types().items() if entry["object"] in objects and seen.sees(entry["object"])]
    custom = [_CUSTOM + name for name, kind in objects.items() if kind.describe["custom"] and seen.sees(name)]
    return [*standard, *sorted(custom)]
