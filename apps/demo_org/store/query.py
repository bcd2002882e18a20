"""A compiled query run against the database: totals, typed batches, REST-shaped records.

Belongs here: executing and shaping results. The first use takes a snapshot into a temporary table of its own
connection, so pages stay stable while the org changes. Not here: compiling, Bulk files.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb

from apps.demo_org.store.soql.compiled import ChildQuery, Compiled, ResultColumn
from apps.demo_org.store.text import identifier, literal

__all__ = ["Query", "ResultColumn"]


def plain(value: Any) -> Any:
    """A stored value as REST sends it: instants with milliseconds and +0000, dates as ISO text."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}+0000"
    if isinstance(value, date):
        return value.isoformat()
    return value


@dataclass(frozen=True)
class _Branches:
    """Where a TYPEOF column's values are in a row: the parent's id, and by its object names and places."""

    parent: int
    fields: dict[str, list[tuple[str, int]]]


@dataclass(frozen=True)
class _Binary:
    """Where a binary value is: REST sends the address of its bytes."""

    field: str
    place: int


_Place = _Branches | _Binary | list[tuple[str, int]] | int


class Shape:
    """How a row of a query's SQL becomes a nested record."""

    def __init__(self, compiled: Compiled, prefix_owner: Callable[[str], str | None]) -> None:
        self.compiled, self._owner_of = compiled, prefix_owner
        self.expressions: list[str] = []
        self._steps: list[tuple[tuple[str, ...], _Place]] = []
        for column in compiled.columns:
            self._steps.append((column.path, self._place(column)))
        self._parents = self._parent_ids()
        self._id = self._add(f"{compiled.scope.alias}.Id") if compiled.kind == "rows" else -1

    def _add(self, sql: str) -> int:
        self.expressions.append(sql)
        return len(self.expressions) - 1

    def _place(self, column: ResultColumn) -> _Place:
        if column.branches:
            fields = {
                kind: [(each.path[-1], self._add(each.sql)) for each in columns] for kind, columns in column.branches
            }
            return _Branches(self._add(column.sql), fields)
        if column.field is not None and column.field.type == "base64" and len(column.path) == 1:
            return _Binary(column.field.name, self._add(f"{column.sql} IS NOT NULL"))
        if column.parts:
            return [(key, self._add(sql)) for key, sql in column.parts]
        return self._add(column.sql)

    def _parent_ids(self) -> dict[tuple[str, ...], int]:
        found: dict[tuple[str, ...], int] = {}
        if self.compiled.kind != "rows":
            return found
        for column in self.compiled.columns:
            for depth in range(1, len(column.path)):
                names = column.path[:depth]
                if names not in found:
                    aliases = self.compiled.scope.parent_node(names).aliases
                    found[names] = self._add(f"coalesce({', '.join(f'{a}.Id' for a in aliases)})")
        return found

    def record_id(self, row: tuple[Any, ...]) -> str:
        """Id of the row's record."""
        return str(row[self._id])

    def record(self, row: tuple[Any, ...], version: str) -> dict[str, Any]:
        """The REST record of a row."""
        if self.compiled.kind != "rows":
            found: dict[str, Any] = {"attributes": {"type": "AggregateResult"}}
            return found | {path[0]: self._value(place, row, version) for path, place in self._steps}
        record = {"attributes": _attributes(self.compiled.object_type.name, row[self._id], version)}
        for path, place in self._steps:
            target: dict[str, Any] | None = record
            for depth in range(1, len(path)):
                target = self._descend(target, path[:depth], row, version)
                if target is None:
                    break
            if target is not None:
                target[path[-1]] = self._value(place, row, version)
        return record

    def _descend(
        self, target: dict[str, Any] | None, names: tuple[str, ...], row: tuple[Any, ...], version: str
    ) -> dict[str, Any] | None:
        if target is None:
            return None
        parent_id = row[self._parents[names]]
        if names[-1] not in target:
            kinds = self.compiled.scope.parent_node(names).kinds
            name = (self._owner_of(parent_id) if parent_id and len(kinds) > 1 else None) or kinds[0].name
            target[names[-1]] = {"attributes": _attributes(name, parent_id, version)} if parent_id else None
        found: dict[str, Any] | None = target[names[-1]]
        return found

    def _value(self, place: _Place, row: tuple[Any, ...], version: str) -> Any:
        if isinstance(place, int):
            return plain(row[place])
        if isinstance(place, _Binary):
            own = _attributes(self.compiled.object_type.name, row[self._id], version)["url"]
            return f"{own}/{place.field}" if row[place.place] else None
        if isinstance(place, _Branches):
            kind = self._owner_of(row[place.parent]) if row[place.parent] else None
            if kind is None or kind not in place.fields:
                return None
            known = {name: plain(row[index]) for name, index in place.fields[kind]}
            return {"attributes": _attributes(kind, row[place.parent], version)} | known
        parts = {key: plain(row[index]) for key, index in place}
        return parts if any(v is not None for v in parts.values()) else None


def _attributes(object_name: str, record_id: Any, version: str) -> dict[str, str]:
    return {"type": object_name, "url": f"/services/data/{version}/sobjects/{object_name}/{record_id}"}


class Query:
    """A validated query. Nothing runs before a total, a batch or a record is asked for."""

    def __init__(
        self,
        compiled: Compiled,
        connect: Callable[[], duckdb.DuckDBPyConnection],
        owner_of: Callable[[str], str | None],
    ) -> None:
        self.compiled, self._connect, self._owner_of = compiled, connect, owner_of
        self._lock = threading.Lock()
        self._shape = Shape(compiled, owner_of)
        self._snapshot: duckdb.DuckDBPyConnection | None = None
        self._total = 0

    @property
    def kind(self) -> str:
        """``rows``, ``count`` for a bare ``COUNT()``, or ``aggregate``."""
        return self.compiled.kind

    @property
    def object(self) -> str:
        """API name of the queried object."""
        return self.compiled.object_type.name

    @property
    def columns(self) -> list[ResultColumn]:
        """Result columns in the order of the SELECT list, child subqueries left out."""
        return self.compiled.columns

    @property
    def children(self) -> list[ChildQuery]:
        """Child subqueries."""
        return self.compiled.children

    def total(self) -> int:
        """Rows of the whole result; for ``COUNT()`` the count."""
        with self._lock:
            self._take_snapshot()
            return self._total

    def batches(self, size: int) -> Iterator[list[tuple[Any, ...]]]:
        """Typed values in SELECT order, streamed without a snapshot; a compound address is not available here."""
        cursor = self._connect()
        try:
            cursor.execute(self.compiled.select_sql([c.sql for c in self.columns]))
            while rows := cursor.fetchmany(size):
                yield rows
        finally:
            cursor.close()

    def records(self, offset: int = 0, limit: int = 2000, version: str = "v66.0") -> list[dict[str, Any]]:
        """REST-shaped records ``offset`` to ``offset + limit`` of the snapshot."""
        with self._lock:
            con = self._take_snapshot()
            if self.kind == "count":
                return []
            sql = f"SELECT * FROM result WHERE rowid >= {offset} AND rowid < {offset + limit} ORDER BY rowid"
            rows = con.execute(sql).fetchall()
            records = [self._shape.record(row, version) for row in rows]
            for child in self.children:
                self._attach(con, child, [self._shape.record_id(row) for row in rows], records, version)
            return records

    def close(self) -> None:
        """Drop the snapshot."""
        with self._lock:
            if self._snapshot is not None:
                self._snapshot.close()
                self._snapshot = None

    def _take_snapshot(self) -> duckdb.DuckDBPyConnection:
        if self._snapshot is not None:
            return self._snapshot
        con = self._connect()
        if self.kind == "count":
            self._total = int(con.execute(self.compiled.select_sql(["count(*)"])).fetchall()[0][0])
            self._total = min(self._total, self.compiled.limit) if self.compiled.limit is not None else self._total
        else:
            listed = [f"{e} AS c{i}" for i, e in enumerate(self._shape.expressions)]
            con.execute(f"CREATE TEMP TABLE result AS {self.compiled.select_sql(listed)}").fetchall()
            self._total = int(con.execute("SELECT count(*) FROM result").fetchall()[0][0])
        self._snapshot = con
        return con

    def _attach(
        self,
        con: duckdb.DuckDBPyConnection,
        child: ChildQuery,
        parents: list[str],
        records: list[dict[str, Any]],
        version: str,
    ) -> None:
        """Put each parent's child records under the relationship's name; null where there are none."""
        found: dict[str, list[dict[str, Any]]] = {}
        if parents:
            shape = Shape(child.compiled, self._owner_of)
            key = f"{child.compiled.scope.alias}.{identifier(child.key)}"
            extra = f"{key} IN ({', '.join(literal(p) for p in parents)})"
            rows = con.execute(
                child.compiled.select_sql([*shape.expressions, key], extra=extra, limited=False)
            ).fetchall()
            for row in rows:
                found.setdefault(row[-1], []).append(shape.record(row, version))
        start = child.compiled.offset or 0
        end = None if child.compiled.limit is None else start + child.compiled.limit
        for parent, record in zip(parents, records, strict=True):
            kept = found.get(parent, [])[start:end]
            record[child.name] = {"totalSize": len(kept), "done": True, "records": kept} if kept else None
