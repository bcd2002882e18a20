"""The parsed query. Data only: no resolution of names, no SQL."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Path:
    """A dotted field name as written, such as ``Owner.Name``."""

    text: str
    position: int

    @property
    def parts(self) -> list[str]:
        """The names between the dots."""
        return self.text.split(".")


@dataclass(frozen=True)
class Call:
    """A function of a field: an aggregate, a date function or a display function such as ``toLabel``."""

    name: str
    argument: Path | None
    position: int


Expression = Path | Call


@dataclass(frozen=True)
class SelectItem:
    """One item of the SELECT list with its alias."""

    expression: Expression
    alias: str | None = None


@dataclass(frozen=True)
class Fields:
    """``FIELDS(ALL)``, ``FIELDS(STANDARD)`` or ``FIELDS(CUSTOM)``."""

    group: str
    position: int


@dataclass(frozen=True)
class TypeOf:
    """``TYPEOF Who WHEN Contact THEN Email ELSE Id END``: which fields of a parent, by the parent's object."""

    relationship: Path
    branches: tuple[tuple[Path, tuple[Path, ...]], ...]
    otherwise: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Value:
    """A literal: kind string, number, boolean, null, date, datetime or range (a date literal such as TODAY)."""

    kind: str
    text: str
    position: int
    like: str = ""
    count: int | None = None


@dataclass(frozen=True)
class Comparison:
    """``expression operator value``; operator is one of = != < <= > >= LIKE."""

    left: Expression
    operator: str
    value: Value


@dataclass(frozen=True)
class Membership:
    """IN, NOT IN, INCLUDES or EXCLUDES with a list of values."""

    left: Expression
    operator: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class SemiJoin:
    """IN or NOT IN with a subquery."""

    left: Path
    negated: bool
    query: "Select"


@dataclass(frozen=True)
class Logic:
    """AND, OR or NOT over conditions."""

    operator: str
    operands: tuple["Condition", ...]


Condition = Comparison | Membership | SemiJoin | Logic


@dataclass(frozen=True)
class Order:
    """One ORDER BY item."""

    expression: Expression
    descending: bool
    nulls_last: bool


@dataclass(frozen=True)
class Select:
    """A whole query; ``source`` is an object or, in a child subquery, a child relationship."""

    items: tuple["SelectItem | Fields | Select | TypeOf", ...]
    source: Path
    alias: str | None = None
    scope: str | None = None
    where: Condition | None = None
    group_by: tuple[Expression, ...] = ()
    having: Condition | None = None
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int | None = None
    all_rows: bool = False
    position: int = 0
    is_count: bool = field(default=False)
    #: Names given to parents in the FROM clause, in small letters, with their paths.
    relations: tuple[tuple[str, Path], ...] = ()
