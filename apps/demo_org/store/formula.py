"""Formula fields: a Salesforce formula over a record and its parents, as SQL computed when the record is read.

Belongs here: the grammar, the functions, the types. Not here: roll-ups, where the SQL is put. A value computed like
this changes without its record being stamped, which is what makes such fields hard to replicate.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from apps.demo_org.store.errors import SObjectError
from apps.demo_org.store.formula_functions import FUNCTIONS, Typed, as_text
from apps.demo_org.store.schema import Field, ObjectType
from apps.demo_org.store.text import identifier, literal

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<word>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)|(?P<symbol><>|!=|<=|>=|==|&&|\|\||[-+*/&=<>(),!]))"
)
_COMPARISONS: Final = {"=": "=", "==": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_TYPES: Final = {
    "BOOLEAN": "boolean",
    "BIGINT": "number",
    "DOUBLE": "number",
    "DATE": "date",
    "TIMESTAMP": "datetime",
}
_WORDS: Final = {"TRUE": Typed("true", "boolean"), "FALSE": Typed("false", "boolean"), "NULL": Typed("NULL", "null")}


@dataclass(frozen=True)
class FormulaScope:
    """What a formula is read against: the org's objects, its own, the SQL alias of the record, the time."""

    objects: Mapping[str, ObjectType]
    kind: ObjectType
    alias: str
    clock: Callable[[], datetime]


def formula_sql(text: str, field: Field, scope: FormulaScope) -> str:
    """The formula's value in the field's stored type.

    Raises SObjectError with INVALID_FORMULA where Salesforce would not save the field.
    """
    found = _Parser(text, scope, zero=bool(field.describe["formulaTreatNullNumberAsZero"])).whole()
    if field.sql_type == "VARCHAR":
        return f"nullif({as_text(found)}, '')"
    if field.sql_type == "DOUBLE":
        return f"round(CAST({found.sql} AS DOUBLE), {int(field.describe['scale'])})"
    return f"CAST({found.sql} AS {field.sql_type})"


class _Parser:
    """Recursive descent over the tokens; every step gives SQL and its type."""

    def __init__(self, text: str, scope: FormulaScope, *, zero: bool) -> None:
        self._text, self._scope, self._zero = text, scope, zero
        self._tokens = self._split(text)
        self._next, self._joined = 0, 0

    def whole(self) -> Typed:
        found = self._either()
        if self._next < len(self._tokens):
            raise self._error(f"Syntax error. Extra '{self._tokens[self._next][1]}'")
        return found

    def _split(self, text: str) -> list[tuple[str, str]]:
        found, at = [], 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                raise self._error(f"Syntax error at: {text[at:].strip()[:20]}")
            found.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()
        return found

    def _take(self, *symbols: str) -> str | None:
        """Take the token if it is one of the symbols (or keywords, in any case)."""
        if self._next < len(self._tokens):
            kind, text = self._tokens[self._next]
            if kind in ("symbol", "word") and text.upper() in symbols:
                self._next += 1
                return text.upper()
        return None

    def _expect(self, symbol: str) -> None:
        if not self._take(symbol):
            raise self._error(f"Syntax error. Missing '{symbol}'")

    def _either(self) -> Typed:
        found = self._both()
        while self._take("OR", "||"):
            found = Typed(f"({found.sql} OR {self._both().sql})", "boolean")
        return found

    def _both(self) -> Typed:
        found = self._comparison()
        while self._take("AND", "&&"):
            found = Typed(f"({found.sql} AND {self._comparison().sql})", "boolean")
        return found

    def _comparison(self) -> Typed:
        if self._take("!"):
            return Typed(f"NOT coalesce({self._comparison().sql}, false)", "boolean")
        left = self._sum()
        if operator := self._take(*_COMPARISONS):
            right = self._sum()
            self._same(left, right)
            return Typed(f"({left.sql} {_COMPARISONS[operator]} {right.sql})", "boolean")
        return left

    def _sum(self) -> Typed:
        found = self._product()
        while operator := self._take("+", "-", "&"):
            found = self._added(found, operator, self._product())
        return found

    def _added(self, left: Typed, operator: str, right: Typed) -> Typed:
        if operator == "&" or (operator == "+" and "text" in (left.type, right.type)):
            return Typed(f"({as_text(left)} || {as_text(right)})", "text")
        if left.type == "date" and right.type == "number":
            return Typed(f"({left.sql} {operator} CAST({right.sql} AS INTEGER))", "date")
        if left.type == "datetime" and right.type == "number":
            return Typed(f"({left.sql} {operator} to_seconds({right.sql} * 86400))", "datetime")
        if left.type == right.type == "date" and operator == "-":
            return Typed(f"date_diff('day', {right.sql}, {left.sql})", "number")
        if left.type == right.type == "datetime" and operator == "-":
            return Typed(f"(epoch({left.sql}) - epoch({right.sql})) / 86400", "number")
        return self._number(left, operator, right)

    def _product(self) -> Typed:
        found = self._unary()
        while operator := self._take("*", "/"):
            right = self._unary()
            if operator == "/":
                right = Typed(f"nullif(CAST({right.sql} AS DOUBLE), 0)", right.type)
            found = self._number(found, operator, right)
        return found

    def _number(self, left: Typed, operator: str, right: Typed) -> Typed:
        for each in (left, right):
            if each.type not in ("number", "null"):
                raise self._error(f"Incorrect parameter type for operator '{operator}'. Expected Number")
        return Typed(f"({left.sql} {operator} {right.sql})", "number")

    def _same(self, left: Typed, right: Typed) -> None:
        if left.type != right.type and "null" not in (left.type, right.type):
            raise self._error(f"Incorrect parameter type: {left.type} compared with {right.type}")

    def _unary(self) -> Typed:
        if self._take("-"):
            return self._number(Typed("0", "number"), "-", self._unary())
        return self._primary()

    def _primary(self) -> Typed:
        if self._next >= len(self._tokens):
            raise self._error("Syntax error. Found end of formula")
        if self._take("("):
            found = self._either()
            self._expect(")")
            return Typed(f"({found.sql})", found.type)
        kind, text = self._tokens[self._next]
        self._next += 1
        if kind == "number":
            return Typed(text, "number")
        if kind == "text":
            return Typed(literal(re.sub(r"\\(.)", r"\1", text[1:-1])), "text")
        if kind == "symbol":
            raise self._error(f"Syntax error. Found '{text}'")
        if self._take("("):
            return self._call(text)
        return _WORDS.get(text.upper()) or self._field(text)

    def _call(self, name: str) -> Typed:
        arguments = []
        while not self._take(")"):
            arguments.append(self._either())
            if not self._take(","):
                self._expect(")")
                break
        if name.upper() in ("TODAY", "NOW"):
            now = self._scope.clock().astimezone(UTC)
            if name.upper() == "TODAY":
                return Typed(f"DATE '{now:%Y-%m-%d}'", "date")
            return Typed(f"TIMESTAMP '{now:%Y-%m-%d %H:%M:%S}'", "datetime")
        function = FUNCTIONS.get(name.upper())
        if function is None:
            raise self._error(f"Unknown function {name}. Check spelling.")
        try:
            return function(*arguments)
        except (TypeError, ValueError) as error:
            raise self._error(f"Incorrect parameters for function '{name.upper()}()'") from error

    def _field(self, path: str) -> Typed:
        *parents, name = path.split(".")
        field, sql = self._resolve(self._scope.kind, self._scope.alias, parents, name, path)
        kind = _TYPES.get(field.sql_type, "text")
        return Typed(f"coalesce({sql}, 0)" if self._zero and kind == "number" else sql, kind)

    def _resolve(self, kind: ObjectType, alias: str, parents: list[str], name: str, path: str) -> tuple[Field, str]:
        """The field at the end of a path of parents, and its SQL from a record under an alias."""
        if not parents:
            field = kind.find(name)
            if field is None or field.is_address:
                raise self._error(f"Field {path} does not exist. Check spelling.")
            return field, field.column_sql(alias)
        reference = kind.parent(parents[0].removesuffix("__r") + "__r" if parents[0].endswith("__r") else parents[0])
        known = [self._scope.objects[t] for t in reference.targets if t in self._scope.objects] if reference else []
        if reference is None or not known:
            raise self._error(f"Field {path} does not exist. Check spelling.")
        # A polymorphic parent is read as its first kind that has the field, as Owner:User is.
        target = next((k for k in known if len(parents) > 1 or k.find(name)), known[0])
        self._joined += 1
        inner = f"{alias}_f{self._joined}"
        field, sql = self._resolve(target, inner, parents[1:], name, path)
        key = reference.column_sql(alias)
        return field, f"(SELECT {sql} FROM {identifier(target.name)} AS {inner} WHERE {inner}.Id = {key})"

    def _error(self, message: str) -> SObjectError:
        return SObjectError(400, "INVALID_FORMULA", f"{message} (formula: {self._text})", [])
