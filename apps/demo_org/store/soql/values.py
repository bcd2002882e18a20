"""One field compared with literals, as DuckDB SQL with SOQL's meaning.

Belongs here: per-type comparison rules (case, null, seconds, 15-character ids, date ranges) and the errors of
wrongly typed literals. Not here: logic, joins.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from apps.demo_org.store.ids import is_id, normal_id
from apps.demo_org.store.schema import Field
from apps.demo_org.store.soql.dates import Range, date_range
from apps.demo_org.store.soql.scope import Context
from apps.demo_org.store.soql.tokens import excerpt_error
from apps.demo_org.store.soql.tree import Value
from apps.demo_org.store.text import literal

_NUMERIC: Final = ("int", "double", "currency", "percent")
_WRONG_KIND: Final = "value of filter criterion for field '{field}' must be of type {type} and should {quotes}"


class Comparer:
    """Compares one resolved expression; ``sql`` is its DuckDB form, ``field`` gives its type and name."""

    def __init__(self, context: Context, field: Field, sql: str, position: int) -> None:
        self.context, self.field, self.sql, self.position = context, field, sql, position

    def compare(self, operator: str, value: Value) -> str:
        """SQL of ``field operator value``."""
        self._check_operator(operator)
        if value.kind == "null" or _is_empty(value, operator):
            return self._compare_null(operator, value)
        if value.kind == "range" or self.field.type in ("date", "datetime"):
            return self._compare_time(operator, value)
        right = self._literal(value, operator)
        left = self.sql
        if self._is_text:
            left, right = f"lower({left})", f"lower({right})"
        if operator == "LIKE":
            return f"{left} LIKE {right} ESCAPE '\\'"
        if operator == "!=":
            return f"{left} IS DISTINCT FROM {right}"
        return f"{left} {operator} {right}"

    def member(self, operator: str, values: tuple[Value, ...]) -> str:
        """SQL of IN, NOT IN, INCLUDES and EXCLUDES."""
        if operator in ("INCLUDES", "EXCLUDES"):
            return self._multi(operator, values)
        if any(v.kind in ("range", "null") or _is_empty(v, "=") for v in values) or self.field.type == "datetime":
            inside = " OR ".join(self.compare("=", v) for v in values)
            return f"({inside})" if operator == "IN" else f"(({inside}) IS NOT TRUE)"
        self._check_operator("IN")
        rights = [self._literal(v, "=") for v in values]
        left = self.sql
        if self._is_text:
            left, rights = f"lower({left})", [f"lower({r})" for r in rights]
        inside = f"{left} IN ({', '.join(rights)})"
        return inside if operator == "IN" else f"(({inside}) IS NOT TRUE)"

    @property
    def _is_text(self) -> bool:
        return self.field.sql_type == "VARCHAR" and not self.field.is_id

    def _check_operator(self, operator: str) -> None:
        if not self.field.describe["filterable"]:
            message = f"field '{self.field.name}' can not be filtered in a query call"
            raise excerpt_error("INVALID_FIELD", self.context.soql, self.position, message)
        ordered = operator in ("<", "<=", ">", ">=")
        wrong = operator == "LIKE" and not self._is_text
        wrong |= ordered and self.field.type in ("boolean", "multipicklist")
        if wrong:
            message = f"invalid operator on {self.field.type} field"
            raise excerpt_error("INVALID_QUERY_FILTER_OPERATOR", self.context.soql, self.position, message)

    def _compare_null(self, operator: str, value: Value) -> str:
        if operator not in ("=", "!="):
            message = f"invalid operator on null value: {operator}"
            raise excerpt_error("INVALID_QUERY_FILTER_OPERATOR", self.context.soql, value.position, message)
        return f"{self.sql} IS {'NOT ' if operator == '!=' else ''}NULL"

    def _literal(self, value: Value, operator: str) -> str:
        kind = self.field.type
        if kind == "boolean":
            return self._expect(value, "boolean", value.text)
        if kind in _NUMERIC:
            return self._expect(value, "number", f"CAST({literal(value.text)} AS DOUBLE)")
        if self.field.is_id:
            return self._id(value)
        text = value.like if operator == "LIKE" else value.text
        return self._expect(value, "string", literal(text))

    def _id(self, value: Value) -> str:
        self._expect(value, "string", "")
        if value.text and not is_id(value.text):
            message = f"invalid ID field: {value.text}"
            raise excerpt_error("INVALID_QUERY_FILTER_OPERATOR", self.context.soql, self.position, message)
        return literal(normal_id(value.text))

    def _expect(self, value: Value, kind: str, sql: str) -> str:
        if value.kind == kind:
            return sql
        type_name = {"datetime": "dateTime"}.get(self.field.type, self.field.type)
        if kind == "string":
            type_name = "string" if self._is_text else "ID"
        quotes = "be enclosed in quotes" if kind == "string" else "not be enclosed in quotes"
        message = _WRONG_KIND.format(field=self.field.name, type=type_name, quotes=quotes)
        raise excerpt_error("INVALID_FIELD", self.context.soql, self.position, message)

    def _compare_time(self, operator: str, value: Value) -> str:
        if value.kind == "range":
            days = self._days(value)
            if self.field.type == "date":
                return self._in_range(operator, f"DATE '{days[0]}'", f"DATE '{days[1]}'")
            return self._in_range(operator, f"TIMESTAMP '{days[0]}'", f"TIMESTAMP '{days[1]}'")
        if self.field.type == "date":
            self._expect(value, "date", "")
            day = f"DATE '{self._parsed(value).date()}'"
            return f"{self.sql} {'IS DISTINCT FROM' if operator == '!=' else operator} {day}"
        self._expect(value, "datetime", "")
        # A datetime literal means its whole second: the milliseconds of a stamp do not count.
        start = self._parsed(value).replace(microsecond=0)
        end = start + timedelta(seconds=1)
        return self._in_range(operator, f"TIMESTAMP '{start}'", f"TIMESTAMP '{end}'")

    def _days(self, value: Value) -> Range:
        found = date_range(value.text, value.count, self.context.today)
        if found is None or self.field.type not in ("date", "datetime"):
            message = f"unexpected token: '{value.text}'" if found is None else ""
            if message:
                raise excerpt_error("MALFORMED_QUERY", self.context.soql, value.position, message)
            self._expect(value, "number" if self.field.type in _NUMERIC else "string", "")
            raise AssertionError("unreachable: a range is neither number nor string")
        return found

    def _parsed(self, value: Value) -> datetime:
        try:
            parsed = datetime.fromisoformat(value.text.upper())
        except ValueError:
            message = f"Invalid {value.kind}: {value.text}"
            raise excerpt_error("INVALID_QUERY_FILTER_OPERATOR", self.context.soql, value.position, message) from None
        return parsed.astimezone(UTC).replace(tzinfo=None) if parsed.tzinfo else parsed

    def _in_range(self, operator: str, start: str, end: str) -> str:
        """Compare with a half-open range standing for the literal."""
        inside = f"({self.sql} >= {start} AND {self.sql} < {end})"
        return {
            "=": inside,
            "!=": f"({inside} IS NOT TRUE)",
            "<": f"{self.sql} < {start}",
            "<=": f"{self.sql} < {end}",
            ">": f"{self.sql} >= {end}",
            ">=": f"{self.sql} >= {start}",
        }[operator]

    def _multi(self, operator: str, values: tuple[Value, ...]) -> str:
        if self.field.type != "multipicklist":
            message = f"{operator} operator only valid for multi-select picklist fields"
            raise excerpt_error("INVALID_QUERY_FILTER_OPERATOR", self.context.soql, self.position, message)
        chosen = f"string_split(lower({self.sql}), ';')"
        inside = " OR ".join(f"list_has_all({chosen}, string_split(lower({literal(v.text)}), ';'))" for v in values)
        return f"({inside})" if operator == "INCLUDES" else f"(({inside}) IS NOT TRUE)"


def _is_empty(value: Value, operator: str) -> bool:
    """Whether the literal is the empty text, which an org keeps as null."""
    return value.kind == "string" and not value.text and operator in ("=", "!=")
