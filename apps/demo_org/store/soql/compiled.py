"""A compiled query: typed result columns and the DuckDB SELECT they come from.

Belongs here: the compiler's result. Not here: compiling, running.
"""

from dataclasses import dataclass, field

from apps.demo_org.store.schema import Field, ObjectType
from apps.demo_org.store.soql.scope import Scope


@dataclass(frozen=True)
class ResultColumn:
    """One column of a result: its describe-spelled path (or alias), the field it comes from, its SQL.

    ``field`` is None for an aggregate. A compound address has ``parts``: SQL per component key. ``TYPEOF`` has
    ``branches``: per object the parent may be of, its columns; ``sql`` is the parent's id then.
    """

    path: tuple[str, ...]
    field: Field | None
    sql: str
    parts: tuple[tuple[str, str], ...] = ()
    branches: tuple[tuple[str, tuple["ResultColumn", ...]], ...] = ()


@dataclass(frozen=True)
class ChildQuery:
    """A subquery over a child relationship, run per page of parents."""

    name: str
    key: str
    compiled: "Compiled"


@dataclass
class Compiled:
    """A query ready to run. ``kind`` is rows, count (``COUNT()``) or aggregate."""

    kind: str
    object_type: ObjectType
    columns: list[ResultColumn]
    scope: Scope
    where: str
    group: str = ""
    order: str = ""
    limit: int | None = None
    offset: int | None = None
    children: list[ChildQuery] = field(default_factory=list)

    def select_sql(self, expressions: list[str], *, extra: str = "", limited: bool = True) -> str:
        """The whole SELECT with the given expressions as its list and an extra condition on the rows."""
        where = " AND ".join(p for p in (self.where, extra) if p)
        clauses = ["SELECT", ", ".join(expressions), "FROM", self.scope.from_sql()]
        clauses += ["WHERE " + where] if where else []
        clauses += [self.group, self.order]
        if limited and self.kind != "count":
            clauses += [f"LIMIT {self.limit}"] if self.limit is not None else []
            clauses += [f"OFFSET {self.offset}"] if self.offset else []
        return " ".join(c for c in clauses if c)
