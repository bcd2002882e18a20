"""What differs between two describes of an object, in words for people; ``pipelines.extract.schema`` writes it down.

Salesforce says neither why a field is no longer there nor that one was renamed: both causes are named, and a pair that
looks like a rename is called one that may be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pipelines.extract.fields import FieldSpec

GONE = "deleted in the org, or hidden from the connected user by field-level security"
HIDDEN = (
    "the object was deleted or renamed in the org, or the user lost the permission to read it; "
    "what was mirrored stays as it was"
)
NEW = "new in the org, or newly readable for the user; it is filled for every record"
BACK = "there again: restored in the org, or readable again; it is filled anew for every record"
BACK_AS_A_WHOLE = "the object can be read again; its rows are brought up to date"
RETYPED = "the field's type changed in the org; filled anew, what the new type cannot hold is kept in a column aside"
RESIZED = "the field's length or precision changed in the org"
RECASED = "only the letter case of the name changed; the column is the same"
#: Stands for the whole object where a field's name is expected.
WHOLE = "*"

Kind = Literal["added", "returned", "removed", "retyped", "resized", "renamed", "hidden"]


@dataclass(frozen=True)
class KnownField:
    """A field as it was described before; ``gone`` when it was no longer there last time."""

    name: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    calculated: bool = False
    gone: bool = False

    @property
    def signature(self) -> str:
        """Type and size, as ``ops.schema_change`` shows them."""
        return _signature(self.type, self.length, self.precision, self.scale, self.calculated)


@dataclass(frozen=True)
class Change:
    """One difference; ``refill`` when what the warehouse holds of the field can no longer be relied on."""

    field: str
    change: Kind
    old: str | None
    new: str | None
    message: str
    refill: bool = False


def differences(before: Sequence[KnownField], specs: Sequence[FieldSpec]) -> list[Change]:
    """Return what changed since ``before``, nothing at an object's first describe.

    Names are compared without regard to case, as Salesforce and DuckDB do.
    """
    if not before:
        return []
    known = {field.name.lower(): field for field in before}
    whole = all(field.gone for field in before)
    found = [Change(WHOLE, "returned", None, f"{len(specs)} fields", BACK_AS_A_WHOLE)] if whole else []
    for spec in specs:
        old = known.get(spec.name.lower())
        found += _of_field(replace(old, gone=False) if old and whole else old, spec)
    present = {spec.name.lower() for spec in specs}
    for field in before:
        if field.name.lower() not in present and not field.gone:
            found.append(Change(field.name, "removed", field.signature, None, GONE, refill=True))
    return _with_renames(found, {**_labels(before), **_labels(specs)})


def _of_field(old: KnownField | None, spec: FieldSpec) -> list[Change]:
    new = _signature(spec.type, spec.length, spec.precision, spec.scale, spec.calculated)
    if old is None:
        return [Change(spec.name, "added", None, new, NEW, refill=True)]
    found = [Change(spec.name, "renamed", old.name, spec.name, RECASED)] if old.name != spec.name else []
    if old.gone:
        return [*found, Change(spec.name, "returned", old.signature, new, BACK, refill=True)]
    if (old.type, old.calculated) != (spec.type, spec.calculated):
        return [*found, Change(spec.name, "retyped", old.signature, new, RETYPED, refill=True)]
    if old.signature != new:
        # More room changes no value. Less may cut some, and moves no stamp.
        smaller = (old.precision, old.scale) != (spec.precision, spec.scale) or spec.length < old.length
        found.append(Change(spec.name, "resized", old.signature, new, RESIZED, refill=smaller))
    return found


def _with_renames(found: list[Change], labels: Mapping[str, str]) -> list[Change]:
    """Name the other one of each removed and added field that agree in type and label, where there is one pair."""
    gone = [change for change in found if change.change == "removed"]
    new = [change for change in found if change.change == "added"]

    def twins(change: Change, others: list[Change]) -> list[Change]:
        label, kind = labels[change.field], change.old or change.new
        return [other for other in others if labels[other.field] == label and (other.old or other.new) == kind]

    pairs: dict[str, str] = {}
    for change in gone:
        match = twins(change, new)
        if len(match) == 1 and len(twins(match[0], gone)) == 1:
            pairs[change.field] = f"; {match[0].field}, new, has the same type and label: perhaps renamed to it"
            pairs[match[0].field] = f"; {change.field}, gone, had the same type and label: perhaps renamed"
    return [replace(change, message=change.message + pairs.get(change.field, "")) for change in found]


def _labels(fields: Sequence[KnownField] | Sequence[FieldSpec]) -> dict[str, str]:
    return {field.name: field.label for field in fields}


def _signature(kind: str, length: int, precision: int, scale: int, calculated: bool) -> str:
    return f"{kind}({length},{precision},{scale})" + (" formula" if calculated else "")
