"""From a describe to typed columns: which fields are read, as which DuckDB type, with which comment.

Types come from describe and never from the data; reading the data is ``pipelines.extract.load``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

#: Not a value of their own (their parts are), or not text at all.
UNREADABLE = frozenset({"address", "location", "base64"})
DECIMALS = frozenset({"currency", "percent", "double"})
TYPES = {
    "int": "BIGINT",
    "long": "BIGINT",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "time": "TIME",
}
#: What a column's comment says beyond the type's own name.
_KINDS = {"multipicklist": "multipicklist, values separated by semicolons", "datetime": "datetime, UTC"}
#: What tells a delta that a record changed, best first.
CURSORS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")


@dataclass(frozen=True)
class FieldSpec:
    """One field as describe reports it."""

    name: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    picklist_values: tuple[str, ...] = ()
    createable: bool = False
    updateable: bool = False
    calculated: bool = False
    custom: bool = False
    help: str = ""
    picklist_labels: tuple[str, ...] = ()
    reference_to: tuple[str, ...] = ()

    @classmethod
    def from_describe(cls, entry: Mapping[str, Any]) -> "FieldSpec":
        """Read one element of ``fields`` of a describe."""
        return cls(
            name=str(entry["name"]),
            label=str(entry.get("label") or entry["name"]),
            type=str(entry["type"]),
            length=int(entry.get("length") or 0),
            precision=int(entry.get("precision") or 0),
            scale=int(entry.get("scale") or 0),
            picklist_values=tuple(str(value["value"]) for value in entry.get("picklistValues") or ()),
            createable=bool(entry.get("createable")),
            updateable=bool(entry.get("updateable")),
            calculated=bool(entry.get("calculated")),
            custom=bool(entry.get("custom")),
            help=str(entry.get("inlineHelpText") or ""),
            picklist_labels=tuple(
                str(value.get("label") or value["value"]) for value in entry.get("picklistValues") or ()
            ),
            reference_to=tuple(str(name) for name in entry.get("referenceTo") or ()),
        )

    @property
    def readable(self) -> bool:
        """Whether the field is selected; compound fields and files are not."""
        return self.type not in UNREADABLE

    @property
    def duckdb_type(self) -> str:
        """The column type that holds every value of the field exactly."""
        if self.type in DECIMALS:
            return decimal_type(self.precision, self.scale)
        return TYPES.get(self.type, "VARCHAR")

    @property
    def comment(self) -> str:
        """What the column means, in the org's own words."""
        kind = "formula" if self.calculated else _KINDS.get(self.type, self.type)
        return f"{self.label} ({kind})" + (f": {self.help}" if self.help else "")


def decimal_type(precision: int, scale: int) -> str:
    """Return the DECIMAL for a describe's precision and scale; DOUBLE where it gives no precision."""
    if precision <= 0 or scale < 0 or scale > 38:
        return "DOUBLE"
    return f"DECIMAL({18 if precision <= 18 and scale <= 18 else min(38, max(precision, scale))},{scale})"


def field_specs(describe: Mapping[str, Any]) -> tuple[FieldSpec, ...]:
    """Return every field of a describe, in its order."""
    return tuple(FieldSpec.from_describe(entry) for entry in describe["fields"])


def cursor_field(names: Iterable[str]) -> str | None:
    """Return the field a delta goes by, or None: such an object is always read in full."""
    present = set(names)
    return next((name for name in CURSORS if name in present), None)
