"""The tree of a query to one DuckDB SELECT with typed result columns.

Belongs here: the clauses, aggregates, child subqueries, what Bulk refuses. Not here: names (scope), literals (values),
running the SQL, the JSON shape.
"""

from collections.abc import Iterator
from typing import Any, Final

from apps.demo_org.store.errors import SoqlError
from apps.demo_org.store.ids import access_id
from apps.demo_org.store.schema import Field, ObjectType, custom_field
from apps.demo_org.store.soql.compiled import ChildQuery, Compiled, ResultColumn
from apps.demo_org.store.soql.scope import Context, Resolved, Scope
from apps.demo_org.store.soql.tokens import excerpt_error
from apps.demo_org.store.soql.tree import (
    Call,
    Comparison,
    Condition,
    Expression,
    Fields,
    Logic,
    Membership,
    Path,
    Select,
    SelectItem,
    SemiJoin,
    TypeOf,
)
from apps.demo_org.store.soql.type_of import type_of_column
from apps.demo_org.store.soql.values import Comparer
from apps.demo_org.store.text import literal

_AGGREGATES: Final = {
    "COUNT": "count({0})",
    "COUNT_DISTINCT": "count(DISTINCT {0})",
    "MIN": "min({0})",
    "MAX": "max({0})",
    "SUM": "sum({0})",
    "AVG": "avg({0})",
}
_DATE_FUNCTIONS: Final = {
    "CALENDAR_YEAR": "year({0})",
    "CALENDAR_QUARTER": "quarter({0})",
    "CALENDAR_MONTH": "month({0})",
    "DAY_IN_MONTH": "day({0})",
    "DAY_IN_WEEK": "dayofweek({0}) + 1",
    "DAY_IN_YEAR": "dayofyear({0})",
    "HOUR_IN_DAY": "hour({0})",
    "WEEK_IN_YEAR": "(dayofyear({0}) - 1) // 7 + 1",
    "FISCAL_YEAR": "year({0})",
    "FISCAL_QUARTER": "quarter({0})",
    "FISCAL_MONTH": "month({0})",
}
_FIELDS_LIMIT: Final = 200
#: Objects that only the REST query takes; public threads name many more of the kind.
_NOT_IN_BULK: Final = ("CaseStatus", "TaskStatus")


class Compiler:
    """Compiles one query of a text; subqueries get their own."""

    def __init__(self, context: Context, prefix: str = "t") -> None:
        self.context, self._prefix, self._subqueries = context, prefix, 0
        self.scope: Scope

    def compile(self, query: Select, kind: ObjectType | None = None) -> Compiled:
        """The compiled query; ``kind`` is given where the source is a child relationship."""
        found = kind or self.context.object_type(query.source)
        self.scope = Scope(self.context, found, query.alias, self._prefix, dict(query.relations))
        if not found.describe["queryable"]:
            raise SoqlError("INVALID_TYPE_FOR_OPERATION", f"entity type {found.name} does not support query")
        if query.is_count:
            return self._finish(query, "count", [ResultColumn(("count",), None, "count(*)")], [])
        aggregate = bool(query.group_by) or any(_is_aggregate(i) for i in query.items)
        columns, children = self._columns(query, aggregate=aggregate)
        return self._finish(query, "aggregate" if aggregate else "rows", columns, children)

    def _finish(self, query: Select, kind: str, columns: list[ResultColumn], children: list[ChildQuery]) -> Compiled:
        where = " AND ".join(self._filters(query))
        group = ""
        if query.group_by:
            group = "GROUP BY " + ", ".join(self._group_key(e) for e in query.group_by)
        if query.having:
            group += f" HAVING {self.condition(query.having)}"
        order = self._order(query, kind)
        return Compiled(
            kind, self.scope.kind, columns, self.scope, where, group.strip(), order, query.limit, query.offset, children
        )

    def _filters(self, query: Select) -> Iterator[str]:
        if query.where is not None:
            yield f"({self.condition(query.where)})"
        kind, alias = self.scope.kind, self.scope.alias
        if kind.find("IsDeleted") and not (self.context.include_deleted or query.all_rows):
            yield f"NOT {alias}.IsDeleted"
        if kind.name == "UserPermissionAccess":
            # Everybody has one record there, and sees no other.
            yield f"{alias}.Id = {literal(access_id(self.context.user_id))}"
        if query.scope == "mine" and kind.find("OwnerId"):
            yield f"{alias}.OwnerId = '{self.context.user_id}'"
        elif query.scope not in (None, "mine", "everything"):
            raise SoqlError("MALFORMED_QUERY", f"Invalid scope: {query.scope}")

    # -- SELECT list

    def _columns(self, query: Select, *, aggregate: bool) -> tuple[list[ResultColumn], list[ChildQuery]]:
        columns: list[ResultColumn] = []
        children: list[ChildQuery] = []
        unnamed = 0
        for item in query.items:
            if isinstance(item, Fields):
                columns += self._all_fields(item, query)
            elif isinstance(item, Select):
                children.append(self._child(item))
            elif isinstance(item, TypeOf):
                if aggregate:
                    raise SoqlError("MALFORMED_QUERY", "TYPEOF is not allowed in a query with grouping or aggregates")
                columns.append(type_of_column(self.scope, item))
            elif aggregate:
                columns.append(self._aggregate_column(item, query, unnamed))
                unnamed += item.alias is None and isinstance(item.expression, Call)
            else:
                columns.append(self._plain_column(item))
        seen: set[tuple[str, ...]] = set()
        for column in columns:
            if column.path in seen:
                raise SoqlError("INVALID_FIELD", f"duplicate field selected: {'.'.join(column.path)}")
            seen.add(column.path)
        return columns, children

    def _plain_column(self, item: SelectItem) -> ResultColumn:
        if item.alias is not None:
            raise SoqlError("MALFORMED_QUERY", "only aggregate expressions use field aliasing")
        if isinstance(item.expression, Call) and item.expression.name == "CONVERTCURRENCY":
            raise SoqlError("INVALID_FIELD", "convertCurrency is not supported: the demo org keeps no exchange rates")
        path = item.expression.argument if isinstance(item.expression, Call) else item.expression
        if path is None:
            raise SoqlError("MALFORMED_QUERY", "unexpected token: )")
        return self.column(self.scope.resolve(path))

    def column(self, found: Resolved) -> ResultColumn:
        """The result column of a resolved field."""
        if not found.field.is_address:
            return ResultColumn(found.names, found.field, found.sql)
        alias = found.aliases[0]
        prefix = found.field.name.removesuffix("Address")
        parts = tuple(
            (key[0].lower() + key[1:], f'{alias}."{f.name}"' if (f := found.owner.find(prefix + key)) else "NULL")
            for key in ("City", "Country", "GeocodeAccuracy", "Latitude", "Longitude", "PostalCode", "State", "Street")
        )
        return ResultColumn(found.names, found.field, "NULL", parts)

    def _all_fields(self, item: Fields, query: Select) -> list[ResultColumn]:
        if item.group != "STANDARD" and (query.limit is None or query.limit > _FIELDS_LIMIT):
            message = "The SOQL FIELDS function must have a LIMIT of at most 200"
            raise excerpt_error("MALFORMED_QUERY", self.context.soql, item.position, message)
        kind, found = self.scope.kind, []
        for f in kind.fields.values():
            wanted = item.group == "ALL" or f.is_custom == (item.group == "CUSTOM")
            if wanted and self.context.visibility.sees(kind.name, f.name):
                found.append(self.column(self.scope.resolve(Path(f.name, item.position))))
        return found

    def _aggregate_column(self, item: SelectItem, query: Select, number: int) -> ResultColumn:
        expression = item.expression
        if isinstance(expression, Path):
            found = self.scope.resolve(expression)
            if self._group_key(expression) not in [self._group_key(g) for g in query.group_by]:
                message = f"Field must be grouped or aggregated: {expression.text}"
                raise excerpt_error("MALFORMED_QUERY", self.context.soql, expression.position, message)
            return ResultColumn((item.alias or found.names[-1],), found.field, found.sql)
        return ResultColumn((item.alias or f"expr{number}",), None, self._call_sql(expression))

    def _call_sql(self, call: Call) -> str:
        if call.argument is None:
            return "count(*)"
        found = self.scope.resolve(call.argument)
        if call.name in _AGGREGATES:
            if not found.field.describe["aggregatable"] and call.name != "COUNT":
                message = f"field {found.field.name} does not support aggregate operator {call.name}"
                raise excerpt_error("MALFORMED_QUERY", self.context.soql, call.position, message)
            return _AGGREGATES[call.name].format(found.sql)
        if call.name == "DAY_ONLY":
            return f"CAST({found.sql} AS DATE)"
        return _DATE_FUNCTIONS.get(call.name, "{0}").format(found.sql)

    def _group_key(self, expression: Expression) -> str:
        if isinstance(expression, Call):
            return self._call_sql(expression)
        found = self.scope.resolve(expression)
        if not found.field.describe["groupable"]:
            message = f"field '{found.field.name}' can not be grouped in a query call"
            raise excerpt_error("MALFORMED_QUERY", self.context.soql, expression.position, message)
        return found.sql

    def _child(self, query: Select) -> ChildQuery:
        # The parent may be named before the relationship: FROM Account.Contacts.
        owner, _, relationship = query.source.text.rpartition(".")
        wanted = relationship.lower() if self.scope.is_own(owner) else query.source.text.lower()
        for child in self.scope.kind.children:
            name = child["relationshipName"]
            kind = self.context.objects.get(child["childSObject"])
            if not name or name.lower() != wanted or kind is None or not self.context.visibility.sees(kind.name):
                continue
            self._subqueries += 1
            compiled = Compiler(self.context, f"c{self._subqueries}_").compile(query, kind)
            return ChildQuery(name, child["field"], compiled)
        message = (
            f"Didn't understand relationship '{query.source.text}' in FROM part of query call. If you are "
            "attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. "
            "Please reference your WSDL or the describe call for the appropriate names."
        )
        raise excerpt_error("INVALID_TYPE", self.context.soql, query.source.position, message)

    # -- conditions and order

    def condition(self, tree: Condition) -> str:
        """SQL of a condition; NOT treats unknown as false, as SOQL does."""
        if isinstance(tree, Logic):
            if tree.operator == "NOT":
                return f"(({self.condition(tree.operands[0])}) IS NOT TRUE)"
            return f" {tree.operator} ".join(f"({self.condition(o)})" for o in tree.operands)
        if isinstance(tree, SemiJoin):
            return self._semi_join(tree)
        comparer = self._comparer(tree.left)
        if isinstance(tree, Comparison):
            return comparer.compare(tree.operator, tree.value)
        assert isinstance(tree, Membership)
        return comparer.member(tree.operator, tree.values)

    def _comparer(self, left: Expression) -> Comparer:
        if isinstance(left, Path):
            found = self.scope.resolve(left)
            return Comparer(self.context, found.field, found.sql, left.position)
        kind = "date" if left.name == "DAY_ONLY" else "double"
        if left.argument is not None and left.name in ("MIN", "MAX", "TOLABEL"):
            kind = self.scope.resolve(left.argument).field.type
        shape = Field({**custom_field(left.name, "double").describe, "type": kind})
        return Comparer(self.context, shape, self._call_sql(left), left.position)

    def _semi_join(self, tree: SemiJoin) -> str:
        found = self.scope.resolve(tree.left)
        self._subqueries += 1
        inner = Compiler(self.context, f"{self._prefix}s{self._subqueries}_").compile(tree.query)
        if len(inner.columns) != 1 or inner.kind != "rows" or not found.field.is_id:
            message = "semi join sub-selects must select exactly one ID or reference field"
            raise excerpt_error("MALFORMED_QUERY", self.context.soql, tree.query.position, message)
        inside = f"SELECT j FROM ({inner.select_sql([f'{inner.columns[0].sql} AS j'])}) WHERE j IS NOT NULL"
        return f"(({found.sql} IN ({inside})) IS NOT TRUE)" if tree.negated else f"{found.sql} IN ({inside})"

    def _order(self, query: Select, kind: str) -> str:
        if not query.order_by:
            return ""
        if kind == "count":
            message = "Ordered field must be grouped or aggregated"
            raise excerpt_error("MALFORMED_QUERY", self.context.soql, query.order_by[0].expression.position, message)
        return "ORDER BY " + ", ".join(
            f"{self._order_key(o.expression)} {'DESC' if o.descending else 'ASC'} NULLS "
            f"{'LAST' if o.nulls_last else 'FIRST'}"
            for o in query.order_by
        )

    def _order_key(self, expression: Expression) -> str:
        if isinstance(expression, Call):
            return self._call_sql(expression)
        found = self.scope.resolve(expression)
        if not found.field.describe["sortable"]:
            message = f"field '{found.field.name}' can not be sorted in a query call"
            raise excerpt_error("MALFORMED_QUERY", self.context.soql, expression.position, message)
        is_text = found.field.sql_type == "VARCHAR" and not found.field.is_id
        return f"lower({found.sql})" if is_text else found.sql


def _is_aggregate(item: Any) -> bool:
    return (
        isinstance(item, SelectItem)
        and isinstance(item.expression, Call)
        and (item.expression.name in _AGGREGATES or item.expression.name in _DATE_FUNCTIONS)
    )


def refuse_bulk(query: Select, compiled: Compiled) -> None:
    """Raise for what Bulk API 2.0 queries do not support."""
    if compiled.object_type.name in _NOT_IN_BULK:
        message = f"Entity '{compiled.object_type.name}' is not supported by the Bulk API."
        raise SoqlError("INVALIDENTITY", message)
    refused = {
        "Aggregate Relationship": bool(compiled.children),
        "COUNT()": compiled.kind == "count",
        "Aggregate function": compiled.kind == "aggregate",
        "OFFSET": query.offset is not None,
        "FIELDS()": any(isinstance(i, Fields) and i.group != "STANDARD" for i in query.items),
        "Selecting binary fields": any(c.field is not None and c.field.type == "base64" for c in compiled.columns),
        "Selecting compound data": any(c.parts for c in compiled.columns),
    }
    for what, found in refused.items():
        if found:
            raise SoqlError("FUNCTIONALITY_NOT_ENABLED", f"{what} not supported in Bulk Query")
