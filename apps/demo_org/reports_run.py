"""Running a report: its SOQL, its rows, its groups and their aggregates, as a fact map.

Belongs here: ``factMap``, ``groupingsDown`` and ``groupingsAcross``. A run shows the first 2,000 detail rows and
says so with ``allData``; aggregates and groups are of all rows. Not here: definitions, HTTP.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from apps.demo_org.reports_cells import cell, group, total
from apps.demo_org.reports_columns import Column, ReportType
from apps.demo_org.reports_filters import condition, refused
from apps.demo_org.reports_metadata import aggregate_of, readable
from apps.demo_org.store import OrgStore, Query, SoqlError, Visibility

MAX_ROWS: Final = 2_000
_BATCH = 10_000
Key = tuple[Any, ...]
Groups = list[tuple[Column, dict[str, Any]]]


@dataclass
class Aggregate:
    """One aggregate of one cell of the fact map, row by row."""

    function: str
    column: Column | None
    count: int = 0
    filled: int = 0
    value: Any = None
    distinct: set[Any] = field(default_factory=set)

    def add(self, value: Any) -> None:
        """Take another row's value in."""
        self.count += 1
        if self.column is None or value is None:
            return
        if self.function == "u":
            self.distinct.add(value)
        elif self.function in ("s", "a"):
            self.value, self.filled = (self.value or 0) + value, self.filled + 1
        elif self.value is None or (value > self.value if self.function == "mx" else value < self.value):
            self.value = value

    def told(self) -> dict[str, Any]:
        """Label and value."""
        if self.column is None:
            return total(None, self.count)
        if self.function == "u":
            return total(None, len(self.distinct))
        if self.function == "s":
            return total(self.column, self.value or 0)
        if self.function == "a":
            return total(self.column, self.value / self.filled if self.filled else None)
        return total(self.column, self.value)


@dataclass
class Facts:
    """What belongs to one pair of groups: aggregates and, at the leaves, rows."""

    aggregates: list[Aggregate]
    rows: list[dict[str, Any]] = field(default_factory=list)


class ReportRun:
    """One run of one definition for one user."""

    def __init__(
        self, store: OrgStore, kind: ReportType, metadata: dict[str, Any], seen: Visibility, user: str
    ) -> None:
        self._store, self._kind, self._metadata = store, kind, metadata
        self._seen, self._user = seen, user
        self._columns = readable(metadata, kind)
        self._down = self._groups("groupingsDown")
        self._across = self._groups("groupingsAcross")
        self._functions = [aggregate_of(kind, name) or ("", None) for name in metadata["aggregates"]]
        self._paths: dict[str, int] = {}
        for column in [
            *self._columns,
            *(c for c, _ in self._down + self._across),
            *(c for _, c in self._functions if c),
        ]:
            for path in (column.path, column.id_path, column.currency_path):
                if path is not None:
                    self._paths.setdefault(path, len(self._paths))
        self._facts: dict[tuple[Key, Key], Facts] = {}
        self._labels: dict[tuple[str, Key], str] = {}

    def result(self, *, details: bool) -> dict[str, Any]:
        """``factMap``, groupings, ``allData`` and ``hasDetailRows``; ApiError 400 for a filter that is refused."""
        rows = self._plain(details) if self._is_plain else self._grouped(details)
        return {
            "allData": not details or rows <= MAX_ROWS,
            "hasDetailRows": details,
            "groupingsDown": {"groupings": self._tree("down", self._down)},
            "groupingsAcross": {"groupings": self._tree("across", self._across)},
            "factMap": self._fact_map(details),
        }

    # -- rows

    @property
    def _is_plain(self) -> bool:
        """Whether the database can count, so that rows beyond the shown ones need not be read."""
        return not self._down and not self._across and all(column is None for _, column in self._functions)

    def _plain(self, details: bool) -> int:
        """Fill the one cell of an ungrouped report; how many rows it has."""
        facts, count = self._fact((), ()), self._count()
        for aggregate in facts.aggregates:
            aggregate.count = count
        if details:
            facts.rows = [self._detail(row) for row in self._rows(f" LIMIT {MAX_ROWS}")]
        return count

    def _grouped(self, details: bool) -> int:
        """Go through all rows, once; how many there are."""
        self._fact((), ())
        count = 0
        for count, row in enumerate(self._rows(""), start=1):
            down, across = self._key("down", self._down, row), self._key("across", self._across, row)
            for facts in self._touched(down, across):
                for aggregate in facts.aggregates:
                    aggregate.add(self._value(row, aggregate.column.path) if aggregate.column else None)
            if details and count <= MAX_ROWS:
                self._fact(down, across).rows.append(self._detail(row))
        return count

    def _rows(self, limit: str) -> Iterator[tuple[Any, ...]]:
        query = self._query(f"SELECT {', '.join(self._paths) or 'Id'} FROM {{}}{self._order()}{limit}")
        for batch in query.batches(_BATCH):
            yield from batch

    def _detail(self, row: tuple[Any, ...]) -> dict[str, Any]:
        return {"dataCells": [self._cell(row, column) for column in self._columns]}

    def _count(self) -> int:
        query = self._query("SELECT COUNT() FROM {}")
        try:
            return query.total()
        finally:
            query.close()

    def _query(self, soql: str) -> Query:
        where = condition(self._kind, self._metadata, self._user)
        source = f"{self._kind.kind.name}{f' WHERE {where}' if where else ''}"
        try:
            return self._store.query(soql.format(source), visibility=self._seen, user=self._user)
        except SoqlError as error:
            raise refused(f"The request is invalid: {error.message}") from error

    def _order(self) -> str:
        parts = []
        for each in self._metadata["sortBy"]:
            if column := self._kind.find(str(each.get("sortColumn"))):
                descending = str(each.get("sortOrder", "Asc")).lower().startswith("desc")
                parts.append(f"{column.path} {'DESC NULLS LAST' if descending else 'ASC'}")
        return f" ORDER BY {', '.join([*parts, 'Id'])}"

    def _value(self, row: tuple[Any, ...], path: str | None) -> Any:
        return None if path is None else row[self._paths[path]]

    def _cell(self, row: tuple[Any, ...], column: Column) -> dict[str, Any]:
        ids, currency = self._value(row, column.id_path), self._value(row, column.currency_path)
        return cell(column, self._value(row, column.path), ids, currency)

    # -- groups

    def _groups(self, key: str) -> Groups:
        return [(column, each) for each in self._metadata[key] if (column := self._kind.find(each["name"]))]

    def _key(self, side: str, groups: Groups, row: tuple[Any, ...]) -> Key:
        key: Key = ()
        for column, each in groups:
            value = self._value(row, column.path)
            found = group(column, each["dateGranularity"], value, self._value(row, column.id_path))
            key = (*key, found["value"])
            self._labels[side, key] = found["label"]
        return key

    def _fact(self, down: Key, across: Key) -> Facts:
        if (down, across) not in self._facts:
            self._facts[down, across] = Facts([Aggregate(function, column) for function, column in self._functions])
        return self._facts[down, across]

    def _touched(self, down: Key, across: Key) -> Iterator[Facts]:
        """Every cell of the fact map a row counts in: its groups of each level, and the totals."""
        for deep in range(len(down) + 1):
            for wide in range(len(across) + 1):
                yield self._fact(down[:deep], across[:wide])

    def _children(self, side: str, groups: Groups, parent: Key) -> list[Key]:
        """The groups below a group, blanks first, in the order of its level."""
        depth = len(parent)
        if depth >= len(groups):
            return []
        column, each = groups[depth]
        dated = column.data_type in ("date", "datetime")
        keys = [key for (of, key) in self._labels if of == side and len(key) == depth + 1 and key[:depth] == parent]
        return sorted(
            keys,
            key=lambda key: (key[-1] is not None, key[-1] if dated or _is_number(key[-1]) else self._labels[side, key]),
            reverse=str(each["sortOrder"]).lower().startswith("desc"),
        )

    def _tree(self, side: str, groups: Groups, parent: Key = (), at: str = "") -> list[Any]:
        return [
            {
                "groupings": self._tree(side, groups, key, f"{at}{number}_"),
                "key": f"{at}{number}",
                "label": self._labels[side, key],
                "value": key[-1],
            }
            for number, key in enumerate(self._children(side, groups, parent))
        ]

    def _addresses(self, side: str, groups: Groups, parent: Key = (), at: str = "") -> Iterator[tuple[Key, str]]:
        """Each group with its place in the fact map's keys, the total first."""
        yield parent, at.rstrip("_") or "T"
        for number, key in enumerate(self._children(side, groups, parent)):
            yield from self._addresses(side, groups, key, f"{at}{number}_")

    def _fact_map(self, details: bool) -> dict[str, Any]:
        found: dict[str, Any] = {}
        across = list(self._addresses("across", self._across))
        for down, row in self._addresses("down", self._down):
            for wide, column in across:
                facts = self._fact(down, wide)
                told: dict[str, Any] = {"aggregates": [each.told() for each in facts.aggregates]}
                found[f"{row}!{column}"] = {**told, "rows": facts.rows} if details else told
        return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
